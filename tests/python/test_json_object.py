"""JSON objects in responses: read-only mappings whose members are converted on first use."""

from __future__ import annotations

import copy
import json
import operator
import pickle
import sys
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Context, Decimal, localcontext
from threading import Barrier
from types import MappingProxyType

import pytest
from privy import _core

OBJECT = b'{"size":39,"ratio":1.10,"mail":"me@home.net","none":null,"gr\xc3\xb6\xc3\x9fe":["L",{"deep":{"a":1}}]}'
PLAIN = {
    "size": 39,
    "ratio": Decimal("1.10"),
    "mail": "me@home.net",
    "none": None,
    "größe": ("L", {"deep": {"a": 1}}),
}


def members(text=OBJECT):
    return _core._load("Contact", b'{"custom_fields":' + text + b"}").custom_fields


SHORT = 256
"""Bytes of a text with escapes that the extension decodes without memory from the heap."""


@pytest.mark.parametrize("length", [2, SHORT - 1, SHORT, SHORT + 1, 10 * SHORT])
def test_texts_with_escapes_of_any_length(length):
    for start in ("\\n", '\\"', "\\\\"):
        text = f'{{"text":"{start}{"x" * (length - 2)}","end":"{"é" * (length // 2 - 1)}{start}"}}'
        assert dict(members(text.encode())) == json.loads(text)


def test_keys_and_values_of_any_length_up_to_two_words():
    """Equal ones are found by their length and by their first and last bytes, which overlap."""
    words = [
        word for length in range(1, 18) for word in ("a" * length, "a" * (length - 1) + "b", "b" + "a" * (length - 1))
    ]
    text = json.dumps({word: [word, {word: word}] for word in words})
    for _ in range(2):
        assert members(text.encode()).to_dict() == json.loads(text)


def test_an_object_is_a_read_only_mapping():
    fields = members()
    assert isinstance(fields, Mapping)
    assert not isinstance(fields, MutableMapping)
    with pytest.raises(TypeError):
        fields["size"] = 40
    with pytest.raises(TypeError):
        del fields["size"]
    with pytest.raises(AttributeError):
        fields.size = 40
    for name in ("clear", "pop", "popitem", "setdefault", "update"):
        assert not hasattr(fields, name)
    with pytest.raises(TypeError):
        type(fields)()


def test_every_way_to_read():
    fields = members()
    assert fields["size"] == 39
    assert len(members()) == 5
    assert bool(members()) is True
    assert "mail" in members()
    assert "nothing" not in members()
    assert list(members()) == list(PLAIN)
    assert list(reversed(members())) == list(reversed(PLAIN))
    assert list(members().keys()) == list(PLAIN)
    assert list(members().values()) == list(PLAIN.values())
    assert members().items() == PLAIN.items()
    assert members().get("size") == 39
    assert members().get("nothing") is None
    assert members().get("nothing", 7) == 7
    assert members().get("none", 7) is None
    with pytest.raises(KeyError, match="nothing"):
        members()["nothing"]
    with pytest.raises(TypeError):
        members()[[]]
    with pytest.raises(TypeError):
        members().get()


def test_values_are_made_once():
    fields = members()
    assert fields["ratio"] is fields["ratio"]
    assert fields["größe"] is fields["größe"]


NUMBERS = [
    *("1.1", "1.10", "1.100", "-1.1", "0.0", "-0.0", "1e2", "1E2", "1E+2", "1e-999", "1e999999", "1.234567"),
    *("1.2345678", "123456.7890123456789"),
    *(f"{number / 8}" for number in range(1000)),
]


def read_numbers():
    pairs = ",".join(f'"{at}":{text},"t{at}":"{text}"' for at, text in enumerate(NUMBERS))
    fields = members(f"{{{pairs}}}".encode())
    for at, text in enumerate(NUMBERS):
        assert fields[f"t{at}"] == text
        assert type(fields[f"{at}"]) is Decimal
        assert str(fields[f"{at}"]) == str(Decimal(text))


def test_numbers_keep_their_digits_in_any_context():
    for _ in range(3):
        with localcontext(Context(prec=1, Emax=1, Emin=-1, traps=[])):
            read_numbers()
        read_numbers()


def test_numbers_keep_their_digits_in_threads():
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(read_numbers) for _ in range(20)]:
            done.result()


def test_short_numbers_are_shared_and_few_are_kept():
    assert members(b'{"a":4.75}')["a"] is members(b'{"b":4.75}')["b"]

    def read(numbers):
        for number in numbers:
            assert members(b'{"a":%d.5}' % number)["a"] == Decimal(number) + Decimal("0.5")

    read(range(2000))
    before = sys.getallocatedblocks()
    read(range(2000, 20000))
    assert sys.getallocatedblocks() - before < 1000


def test_an_empty_object():
    for text in (b"{}", b"{ }"):
        fields = members(text)
        assert not fields
        assert len(fields) == 0
        assert list(fields) == []
        assert fields == {}


def test_the_last_of_two_members_of_one_name_counts():
    assert members(b'{"a":1,"b":2,"a":3}') == {"a": 3, "b": 2}


def test_an_object_equals_any_mapping_with_its_members():
    assert members() == members()
    assert members() == PLAIN
    assert members() == PLAIN
    assert members() != {**PLAIN, "size": 40}
    assert members() != members(b"{}")
    assert members() != 5
    assert members() != list(PLAIN)
    with pytest.raises(TypeError):
        members() < members()  # noqa: B015
    with pytest.raises(TypeError):
        hash(members())


def test_union_gives_a_dict():
    assert members(b'{"a":1}') | {"b": 2} == {"a": 1, "b": 2}
    assert {"a": 2, "c": 3} | members(b'{"a":1}') == {"a": 1, "c": 3}
    both = members(b'{"a":1}') | members(b'{"b":2}')
    assert both == {"a": 1, "b": 2}
    assert type(both) is dict
    with pytest.raises(TypeError):
        members() | 5
    with pytest.raises(TypeError):
        5 | members()


class Thief:
    """Keeps and changes what its operators are handed."""

    def take(self, other):
        other["size"] = "stolen"
        return True

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __or__ = __ror__ = take
    __hash__ = None


class Subclass(dict):
    __eq__ = __ne__ = __or__ = __ror__ = Thief.take
    __hash__ = None


@pytest.mark.parametrize("other", [Thief(), Subclass()], ids=["any object", "a kind of dict"])
def test_no_operator_of_another_type_reaches_the_members(other):
    fields = members()
    operators = [operator.eq, operator.ne, operator.or_]
    if isinstance(other, Thief):
        operators += [operator.lt, operator.le, operator.gt, operator.ge]
    for operate in operators:
        assert operate(fields, other)
        assert fields == PLAIN
        with pytest.raises(TypeError, match="item assignment"):
            operate(other, fields)
        assert fields == PLAIN


def test_neither_views_nor_pickling_change_the_members():
    fields = members()
    for view in (fields.keys(), fields.values(), fields.items()):
        assert view.mapping == PLAIN
        with pytest.raises(TypeError, match="item assignment"):
            view.mapping["size"] = "stolen"
    fields.__reduce__()[1][0]["size"] = "stolen"
    assert fields == PLAIN


def test_equality_and_union_with_mappings_of_other_types():
    for other in (OrderedDict(PLAIN), MappingProxyType(PLAIN), defaultdict(int, PLAIN)):
        assert members() == other
        assert other == members()
        assert {**other, "size": 40} != members()
    assert members(b'{"a":1}') | OrderedDict(b=2) == {"a": 1, "b": 2}
    assert OrderedDict(b=2) | members(b'{"a":1}') == {"a": 1, "b": 2}
    assert MappingProxyType({"b": 2}) | members(b'{"a":1}') == {"a": 1, "b": 2}


def test_copies_are_dicts_of_their_own():
    fields = members()
    for made in (dict(fields), {**fields}, fields.copy(), copy.copy(fields), copy.deepcopy(fields)):
        assert type(made) is dict
        assert made == PLAIN
        made["size"] = 40
        assert fields["size"] == 39
    again = pickle.loads(pickle.dumps(fields))
    assert type(again) is dict
    assert again == PLAIN


def test_an_object_matches_mapping_patterns():
    match members():
        case {"size": size, "größe": (letter, {"deep": {"a": one}}), **rest}:
            assert (size, letter, one) == (39, "L", 1)
            assert list(rest) == ["ratio", "mail", "none"]
        case _:
            pytest.fail("a mapping pattern does not see it")


def test_repr_masks_what_points_to_a_person():
    text = repr(members())
    assert text.startswith("JSONObject({'size': 39, ")
    assert "m***@home.net" in text
    assert "me@home.net" not in text


def test_outlives_its_record():
    made = [members(b'{"n":%d}' % number) for number in range(100)]
    assert [fields["n"] for fields in made] == list(range(100))


def test_can_be_sent_again(client):
    jane = client.contacts.create(email="jane@example.com", custom_fields={"size": 39, "note": "é"})
    john = client.contacts.create(email="john@example.com", custom_fields=jane.custom_fields)
    assert john.custom_fields == jane.custom_fields == {"size": 39, "note": "é"}


def test_threads_that_look_at_once_see_the_same():
    for _ in range(50):
        fields, start = members(), Barrier(8)

        def look(fields=fields, start=start):
            start.wait()
            return fields["größe"]

        with ThreadPoolExecutor(8) as pool:
            seen = [future.result() for future in [pool.submit(look) for _ in range(8)]]
        assert all(one is seen[0] for one in seen)
