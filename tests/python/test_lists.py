"""Lists fetch page by page, on first use, with as few requests as possible."""

from __future__ import annotations

import asyncio
import collections.abc
import copy
import json
import pickle
import subprocess
import sys
from itertools import islice

import privy
import pytest
from support import Reply


@pytest.fixture
def many(client, sandbox):
    for i in range(7):
        client.contacts.create(email=f"c{i}@example.com", email_consent="subscribed" if i % 2 else "unsubscribed")
    return client


def requests_of(sandbox, action):
    before = sandbox.counts.requests
    result = action()
    return sandbox.counts.requests - before, result


def test_nothing_is_sent_before_the_first_use(many, sandbox):
    assert requests_of(sandbox, lambda: repr(many.contacts.list(per_page=2)))[0] == 0


def test_a_loop_reads_each_contact_of_all_pages_once(many, sandbox):
    count, contacts = requests_of(sandbox, lambda: list(many.contacts.list(per_page=2)))
    assert count == 4
    assert sorted(contact.email for contact in contacts) == [f"c{i}@example.com" for i in range(7)]
    assert len({contact.id for contact in contacts}) == 7


def test_one_page_is_one_request(many, sandbox):
    count, contacts = requests_of(sandbox, lambda: list(many.contacts.list()))
    assert (count, len(contacts)) == (1, 7)
    count, contacts = requests_of(sandbox, lambda: list(many.contacts.list(per_page=7)))
    assert (count, len(contacts)) == (1, 7)


def test_leaving_early_costs_nothing_more(many, sandbox):
    def first(count, **settings):
        return requests_of(sandbox, lambda: len(list(islice(many.contacts.list(per_page=2, **settings), count))))

    assert first(1) == (1, 1)
    assert first(2, prefetch=False) == (1, 2)
    assert first(3, prefetch=False) == (2, 3)
    assert requests_of(sandbox, lambda: next(many.contacts.list(per_page=2).pages()).page) == (1, 1)


def test_total_count_shares_its_page_with_the_loop(many, sandbox):
    contacts = many.contacts.list(per_page=3, email_consent="subscribed")
    assert requests_of(sandbox, lambda: contacts.total_count()) == (1, 3)
    assert requests_of(sandbox, lambda: contacts.total_count()) == (0, 3)
    count, found = requests_of(sandbox, lambda: list(contacts))
    assert (count, len(found)) == (0, 3)
    assert requests_of(sandbox, lambda: contacts.total_count()) == (0, 3)
    assert requests_of(sandbox, lambda: len(list(contacts))) == (1, 3)
    assert repr(contacts) == "ContactList(sandbox, total_count=3)"


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"per_page": 2},
        {"per_page": 2, "page": 3},
        {"page": 9},
        {"per_page": 3, "limit": 4},
        {"per_page": 3, "page": 2, "limit": 99},
        {"email": "nobody@example.com"},
    ],
)
def test_len_counts_what_a_loop_returns_and_shares_its_page(many, sandbox, settings):
    cost, count = requests_of(sandbox, lambda: sum(1 for _ in many.contacts.list(**settings)))
    contacts = many.contacts.list(**settings)
    assert requests_of(sandbox, lambda: len(contacts)) == (1, count)
    assert requests_of(sandbox, lambda: bool(contacts)) == (0, count > 0)
    assert requests_of(sandbox, lambda: len(list(contacts))) == (cost - 1, count)
    assert requests_of(sandbox, lambda: len(list(many.contacts.list(**settings)))) == (cost, count)


def test_the_truth_of_a_list_is_whether_it_has_contacts(many, sandbox):
    contacts = many.contacts.list(email="nobody@example.com")
    assert requests_of(sandbox, lambda: bool(contacts)) == (1, False)
    assert requests_of(sandbox, lambda: list(contacts)) == (0, [])
    nobody = many.contacts.list(limit=0)
    assert requests_of(sandbox, lambda: (bool(nobody), len(nobody))) == (0, (False, 0))
    assert many.contacts.list(page=1)
    sandbox.fail(status=400)
    with pytest.raises(privy.ValidationError):
        bool(many.contacts.list())


@pytest.mark.parametrize(
    "pagination", [{}, {"page": 1, "total_count": 10**15, "total_pages": 10**13}, {"total_count": -1}]
)
def test_a_list_without_a_plausible_number_of_contacts_has_no_len(recorder, pagination):
    body = {"data": [{"id": "cus_1"}], "pagination": {"per_page": 100, **pagination}}
    empty = {"data": [], "pagination": body["pagination"]}
    recorder.answer = lambda request: Reply(body=json.dumps(empty if "page=2" in request.target else body))
    with privy.Client("t", base_url=recorder.base_url) as client:
        contacts = client.contacts.list()
        with pytest.raises(TypeError, match="does not say how many"):
            len(contacts)
        assert contacts
        assert [contact.id for contact in contacts] == ["cus_1"]
        assert [contact.id for contact in list(client.contacts.list())] == ["cus_1"]


def test_a_second_loop_sends_requests_again(many, sandbox):
    contacts = many.contacts.list(per_page=4)
    assert len(list(contacts)) == 7
    many.contacts.create(email="late@example.com")
    count, found = requests_of(sandbox, lambda: list(contacts))
    assert (count, len(found)) == (2, 8)


def test_pages_have_their_numbers(many):
    pages = list(many.contacts.list(per_page=3).pages())
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [page.page for page in pages] == [1, 2, 3]
    assert {(page.per_page, page.total_count, page.total_pages) for page in pages} == {(3, 7, 3)}


def test_page_is_where_the_list_starts(many):
    contacts = many.contacts.list(per_page=3, page=2)
    assert [page.page for page in contacts.pages()] == [2, 3]
    assert contacts.total_count() == 7


def test_a_page_is_a_sequence(many):
    page = next(many.contacts.list(per_page=3).pages())
    assert isinstance(page, privy.Page)
    assert isinstance(page, collections.abc.Sequence)
    assert page[0] == list(page)[0]
    assert page[-1] is page[2]
    assert page[1:] == (page[1], page[2])
    assert page[1] in page
    assert page.index(page[1]) == 1
    assert page.count(page[1]) == 1
    assert list(reversed(page)) == [page[2], page[1], page[0]]
    with pytest.raises(IndexError):
        page[3]
    with pytest.raises(AttributeError):
        page.page = 2
    match page:
        case [first, *_]:
            assert first is page[0]
        case _:
            pytest.fail("a page is no sequence to a match statement")
    assert "page=1" in repr(page)
    assert "c0@" not in repr(page)


def test_a_page_returns_the_same_record_each_time(many):
    page = next(many.contacts.list(per_page=3).pages())
    second = page[1]
    assert page[-2] is second
    assert list(page)[1] is second
    assert page[1] is second
    assert page[0] is list(page)[0]
    for beyond in (3, -4, 2**70, -(2**70)):
        with pytest.raises(IndexError):
            page[beyond]
    with pytest.raises(TypeError):
        page["1"]


# Prints how many blocks are allocated when pages are read, when one contact is looked at, and when all seven are.
LOOKING = """
import gc, sys
from itertools import pairwise
import privy

def allocated():
    gc.collect()  # empties the interpreter's free lists too
    return sys.getallocatedblocks()

client = privy.Sandbox().client()
for i in range(7):
    client.contacts.create(email=f"c{i}@example.com", tags=["a", "b"])
pages = list(client.contacts.list(per_page=7).pages())
blocks = [allocated()]
pages += client.contacts.list(per_page=7).pages()
for look in (lambda page: None, lambda page: page[3], list):
    look(pages[1])
    blocks.append(allocated())
print(*(after - before for before, after in pairwise(blocks)))
"""


def test_records_are_made_when_they_are_looked_at():
    # In a process of its own: other threads of this one allocate and free too.
    done = subprocess.run([sys.executable, "-c", LOOKING], capture_output=True, text=True, check=True)
    none, one, all_seven = map(int, done.stdout.split())
    assert none < 30
    assert 5 < one < 20
    assert all_seven > 4 * one


def test_a_pickled_page_equals_the_original(many):
    page = next(many.contacts.list(per_page=3).pages())
    again = pickle.loads(pickle.dumps(page))
    assert list(again) == list(page)
    assert (again.page, again.total_count) == (page.page, page.total_count)
    assert again == page


def test_pages_are_equal_by_value(many):
    one, two, three = many.contacts.list(per_page=3).pages()
    again = next(many.contacts.list(per_page=3).pages())
    assert one == again
    assert hash(one) == hash(again)
    assert len({one, again, two, three}) == 3
    assert one != two
    assert one != list(one)
    assert one != tuple(one)
    assert next(many.contacts.list(per_page=7).pages()) != one
    with pytest.raises(TypeError):
        one < two  # noqa: B015
    assert copy.copy(one) is one
    assert copy.deepcopy(one) is one


def test_pages_of_the_same_records_at_another_place_differ(recorder):
    def page(place):
        recorder.answer = lambda request: Reply(body='{"data":[{"id":"cus_1"}],"pagination":' + place + "}")
        return next(recorder.client().contacts.list().pages())

    assert page('{"page":1}') == page('{"page":1}')
    assert page('{"page":1}') != page('{"page":2}')
    assert page('{"page":1,"more":1}') != page('{"page":1,"more":2}')
    assert page('{"page":1,"more":1}') == page('{"more":1,"page":1}')


def test_an_empty_list(client, sandbox):
    contacts = client.contacts.list(email="nobody@example.com")
    assert list(contacts) == []
    assert contacts.total_count() == 0
    assert sandbox.counts.requests == 1


def test_what_a_list_requests(recorder):
    recorder.answer = lambda request: Reply(
        body='{"data":[{}],"pagination":{"page":1,"per_page":100,"total_count":1,"total_pages":1}}'
    )
    client = recorder.client()
    list(client.contacts.list(email_consent="subscribed"))
    list(client.contacts.list(per_page=25, page=4, phone_number="+14155550171"))
    targets = [request.target for request in recorder.requests]
    assert targets[0] == "/contacts?email_consent=subscribed&per_page=100"
    assert targets[1] == "/contacts?phone_number=%2B14155550171&page=4&per_page=25"


def test_a_server_that_counts_wrongly_does_not_loop_for_ever(recorder):
    recorder.answer = lambda request: Reply(
        body='{"data":[],"pagination":{"page":1,"per_page":100,"total_count":9,"total_pages":9}}'
    )
    assert list(recorder.client().contacts.list()) == []
    assert len(recorder.requests) == 1


def test_a_page_without_its_place(recorder):
    recorder.answer = lambda request: Reply(body='{"data":[{"first_name":"A"}]}')
    contacts = recorder.client().contacts.list()
    (page,) = contacts.pages()
    assert (page.page, page.per_page, page.total_count, page.total_pages) == (None, None, None, None)
    assert pickle.loads(pickle.dumps(page)).page is None
    assert contacts.total_count() is None
    assert len(recorder.requests) == 1


def test_full_pages_without_their_place_are_followed(recorder):
    bodies = ['{"data":[{"first_name":"A"},{"first_name":"B"}]}', '{"data":[{"first_name":"C"}]}']
    recorder.answer = lambda request: Reply(body=bodies[len(recorder.requests) - 1])
    contacts = recorder.client().contacts.list(per_page=2)
    assert [contact.first_name for contact in contacts] == ["A", "B", "C"]
    assert len(recorder.requests) == 2


def test_an_invalid_filter_raises_at_the_first_use(client, sandbox):
    contacts = client.contacts.list(email_consent="sometimes", per_page=1000)
    with pytest.raises(privy.ValidationError) as caught:
        list(contacts)
    assert [fault["field"] for fault in caught.value.details] == ["email_consent", "per_page"]
    assert sandbox.counts.requests == 0


def test_a_run_of_the_contacts_of_a_list_sends_nothing_before_its_first_step(many, sandbox):
    count, run = requests_of(sandbox, lambda: many.contacts.upsert_many(many.contacts.list()))
    assert (count, run.total) == (0, None)

    async def main():
        async with sandbox.async_client() as client:
            return requests_of(sandbox, lambda: client.contacts.upsert_many(many.contacts.list()).total)

    assert asyncio.run(main()) == (0, None)
