"""Sandboxes in files: nothing is lost, a file is complete or old, and what is wrong is said clearly."""

from __future__ import annotations

import errno
import json
import os
import random
import re
import resource
from datetime import datetime, timezone

import privy
import pytest
from privy.sandbox import Sandbox, SandboxFileError

AT = datetime(2026, 5, 12, 10, tzinfo=timezone.utc)
ORDER = {"total": "95.00", "currency": "USD", "order_date": "2026-05-12T10:00:00Z"}


def holdings(sandbox):
    return [*sandbox.contacts.values(), *sandbox.orders.values(), *sandbox.events, *sandbox.messages]


@pytest.fixture
def shop(sandbox):
    sandbox.set_clock(AT)
    sandbox.seed("shop", contacts=50)
    sandbox.add_integration("integration-secret")
    client = sandbox.client()
    client.contacts.create(email="gone@example.com", first_name="Zoë")
    client.contacts.delete(sandbox.contacts["gone@example.com"].id)
    client.contacts.create(phone_number="+14155550101", sms_consent="subscribed")
    client.orders.upsert(order_id=1, email="jane@example.com", integration_token="integration-secret", **ORDER)
    client.events.ingest("seen", email="jane@example.com", idempotency_key="k")
    return sandbox


def test_a_loaded_sandbox_continues_where_the_saved_one_was(shop, tmp_path):
    path = tmp_path / "shop.jsonl"
    assert shop.save(path) is None
    loaded = privy.Sandbox.load(path)
    assert type(loaded) is privy.Sandbox
    assert holdings(loaded) == holdings(shop)
    assert (loaded.requests, loaded.counts.requests) == ((), 0)
    loaded.set_clock(AT)
    for sandbox in (shop, loaded):
        client = sandbox.client()
        client.contacts.create(email="GONE@example.com")
        client.contacts.create(email="new@example.com")
        assert client.events.ingest("seen", email="jane@example.com", idempotency_key="k").idempotent_replay
        assert not client.events.ingest("seen", email="jane@example.com", idempotency_key="k2").idempotent_replay
    assert holdings(loaded) == holdings(shop)
    loaded.save(os.fspath(path))
    again = Sandbox.load(os.fsencode(path))
    assert holdings(again) == holdings(loaded)


def test_a_subclass_loads_itself(shop, tmp_path):
    class Shop(privy.Sandbox):
        pass

    shop.save(tmp_path / "shop")
    assert type(Shop.load(tmp_path / "shop")) is Shop


def test_a_file_holds_readable_lines_and_no_secret(shop, tmp_path):
    path = tmp_path / "shop.jsonl"
    shop.save(path)
    text = path.read_text("utf-8")
    first, *records = map(json.loads, text.splitlines())
    assert first["privy_sandbox"] == 1
    assert len(records) == sum(first[kind] for kind in ("contacts", "orders", "events", "messages"))
    assert "Zoë" in text
    assert "secret" not in text
    assert shop.token not in text


def test_people_may_edit_a_file(shop, tmp_path):
    path = tmp_path / "shop.jsonl"
    shop.save(path)
    path.write_text(path.read_text("utf-8").replace('"Zoë"', '"Zoé"').replace("\n", "\r\n"), "utf-8")
    client = privy.Sandbox.load(path).client()
    assert client.contacts.create(email="gone@example.com", last_name="Q").first_name is None
    path.write_text(re.sub('"email":"jane@example.com"', '"email":"jane"', path.read_text("utf-8")), "utf-8")
    with pytest.raises(SandboxFileError, match=r"shop.jsonl: line \d+: email must be an e-mail address"):
        privy.Sandbox.load(path)


def test_errors_say_what_is_wrong(shop, tmp_path):
    path = tmp_path / "shop.jsonl"
    with pytest.raises(FileNotFoundError) as missing:
        privy.Sandbox.load(path)
    assert missing.value.filename == path
    with pytest.raises(IsADirectoryError):
        privy.Sandbox.load(tmp_path)
    with pytest.raises(FileNotFoundError):
        shop.save(tmp_path / "no" / "shop.jsonl")
    shop.save(path)
    saved = path.read_bytes()
    problems = {
        b"": "this is not a file of a sandbox",
        b"SQLite format 3\0": "this is not a file of a sandbox",
        saved.replace(b'"privy_sandbox":1', b'"privy_sandbox":2', 1): "the file has the format 2 of another version",
        saved[: len(saved) // 2]: "the file is truncated: it ends in line",
        saved[: saved.index(b"\n", len(saved) // 2) + 1]: "the file is truncated: it ends in line",
    }
    for damaged, problem in problems.items():
        path.write_bytes(damaged)
        with pytest.raises(SandboxFileError, match=f"{re.escape(str(path))}: {problem}"):
            privy.Sandbox.load(path)
    assert issubclass(SandboxFileError, ValueError)
    for wrong in (None, 5):
        with pytest.raises(TypeError):
            shop.save(wrong)


def test_a_file_stays_as_it_was_when_the_disk_is_full(shop, tmp_path):
    path = tmp_path / "shop.jsonl"
    shop.save(path)
    before = path.read_bytes()
    shop.client().contacts.create(email="new@example.com")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))  # Python ignores the signal of this limit
    try:
        with pytest.raises(OSError) as caught:
            shop.save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["shop.jsonl"]


def test_nothing_else_is_left_in_the_folder(shop, tmp_path):
    for _ in range(3):
        shop.save(tmp_path / "shop.jsonl")
    with pytest.raises(IsADirectoryError):
        shop.save(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["shop.jsonl"]
    assert not list(tmp_path.parent.glob("*.tmp"))


# ---- random requests ----

EMAILS = ["a@example.com", "A@Example.com", "b@example.com", "\\u0061@example.com"]
PHONES = ["+14155550101", "\\u002b14155550102"]
CHANGES = ['"email":"b@example.com"', '"phone_number":"+14155550102"', '"email_consent":"suppressed"', '"tags":["\\n"]']
ORDER_REST = '"total":%d,"currency":"USD","order_date":"2026-05-12T10:00:00+02:00"%s}'


def random_request(chance, ids):
    """A request that creates, restores, changes, deletes or reads. It may fail."""
    kind = chance.randrange(7)
    email, phone = chance.choice(EMAILS), chance.choice(PHONES)
    if kind == 0 and ids:
        return "DELETE", f"/contacts/{chance.choice(ids)}", ""
    if kind == 1 and ids:
        return "PATCH", f"/contacts/{chance.choice(ids)}", f"{{{chance.choice(CHANGES)}}}"
    if kind == 2:
        number, more = chance.choice(["1", '"01"', "2"]), chance.choice(["", ',"customer_id":"c"'])
        rest = ORDER_REST % (chance.randrange(9), more)
        return "POST", "/orders/placed", f'{{"order_id":{number},"email":"{email}",{rest}'
    if kind == 3:
        key = chance.randrange(3)
        return "POST", "/events", f'{{"event_type":"x","phone":"{phone}","idempotency_key":"k{key}"}}'
    if kind == 4:
        return "GET", "/contacts?per_page=100", ""
    given = [f'"email":"{email}"', f'"phone_number":"{phone}","sms_consent":"subscribed"', '"first_name":null']
    return "POST", "/contacts", "{" + ",".join(chance.sample(given, chance.randint(1, 3))) + "}"


def send(sandbox, request):
    method, target, body = request
    response = sandbox.handle(method, target, {"Authorization": f"Bearer {sandbox.token}"}, body)
    return response.status, response.body


def test_a_loaded_and_a_restored_sandbox_respond_like_the_original(tmp_path):
    for seed in range(100):
        chance = random.Random(seed)
        sandbox, restored, ids = privy.Sandbox(), privy.Sandbox(), []
        sandbox.set_clock(AT)
        for number in range(60):
            if number == 30:
                sandbox.save(tmp_path / "saved")
                restored.restore(sandbox.snapshot())
                others = [privy.Sandbox.load(tmp_path / "saved"), restored]
                for other in others:
                    other.set_clock(AT)
            request = random_request(chance, ids)
            status, body = send(sandbox, request)
            if number >= 30:
                assert [send(other, request) for other in others] == [(status, body)] * 2, (seed, request)
            if status == 201 and request[1] == "/contacts":
                ids.append(json.loads(body)["data"]["id"])
        assert [holdings(other) for other in others] == [holdings(sandbox)] * 2, seed
