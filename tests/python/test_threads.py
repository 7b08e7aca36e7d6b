"""What threads may share: a client, a page, a record, a dict that is sent. Only one thread at a time uses a group."""

from __future__ import annotations

import contextlib
import json
import pickle
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

import privy
import pytest
from privy import _core
from support import TOKEN, served

THREADS = 16


@pytest.fixture(autouse=True)
def restless():
    """Where there is a GIL it changes hands as often as can be."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def together():
    """Calls work(number) in 16 threads that begin at one moment; what they gave, in order."""
    barrier = threading.Barrier(THREADS)

    def begin(work, number):
        barrier.wait(120)
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        yield lambda work: [each.result(60) for each in [pool.submit(begin, work, number) for number in range(THREADS)]]


@pytest.fixture(params=["in process", "over HTTP"])
def opening(request, sandbox):
    """Makes clients of the sandbox that a test closes itself."""
    if request.param == "in process":
        yield sandbox.client
        return
    with served(sandbox) as server:
        yield lambda: privy.Client(TOKEN, base_url=server.base_url)


def contact(**more):
    return _core._load("Contact", json.dumps({"id": "cus_0123456789abcdef", "email": "a@b.c", **more}).encode())


def test_threads_share_a_client(client, sandbox, together):
    def work(number):
        for count in range(5):
            email = f"t{number}.{count}@example.com"
            made = client.with_options(timeout=20).contacts.upsert(email=email, custom_fields={f"key{number}": count})
            assert (made.email, made.custom_fields) == (email, {f"key{number}": count})
            assert client.contacts.get(made.id) == made
            assert client.rate_limit.day.limit == 1_000_000 and not client.closed and client.base_url
            with pytest.raises(privy.ValidationError, match="email"):
                client.contacts.upsert(email=f"t{number}")

    sandbox.set_limits(per_day=1_000_000)
    together(work)
    assert sandbox.counts.contacts == THREADS * 5


def test_a_client_that_some_of_them_close(opening, together):
    def work(number):
        for count in range(10_000):
            if number % 4 == 0 and count == 3 + number:
                shared.close()
            try:
                assert shared.events.ingest("seen", email="a@b.c").status == "accepted"
                assert shared.rate_limit.minute
            except privy.PrivyError as error:
                assert str(error) == "the client is closed" and shared.closed
                return count
        raise AssertionError("it is still open")

    for _ in range(10):
        shared = opening()
        done = together(work)
        assert done[0] <= 3 and shared.base_url is None


def test_threads_share_a_page(sandbox, together):
    client = sandbox.client()
    for number in range(40):
        client.contacts.upsert(email=f"p{number}@example.com", tags=[f"t{number}"])

    def work(number):
        if number % 4 == 0:
            records = list(page)
        elif number % 4 == 1:
            records = [page[place] for place in range(len(page))]
        else:
            records = [page[place - 40] for place in range(40)]
        assert page.index(records[number]) == number and page.total_count == 40
        assert list(pickle.loads(pickle.dumps(page))) == records
        return [id(record) for record in records]

    for _ in range(20):
        page = next(client.contacts.list(per_page=40).pages())
        seen = together(work)
        assert seen == [seen[0]] * THREADS  # each record was made once, or all but one were forgotten


def test_threads_share_a_record(together):
    def work(number):
        extra = record.extra
        assert record["new"]["n"] == 1 and record.to_dict()["custom_fields"] == {"a": [1]} and "new" in repr(record)
        return id(extra), hash(record)

    for _ in range(100):
        record = contact(new={"n": 1}, custom_fields={"a": [1]}, created_at="2026-05-12T10:00:00Z")
        seen = together(work)
        assert seen == [seen[0]] * THREADS


def test_words_that_push_each_other_out(together):
    """More keys and tags than are kept at a time."""
    asked = [[f"w{(first * 7 + word) % 700}" for word in range(20)] for first in range(100)]
    texts = [json.dumps({"tags": words, "custom_fields": dict.fromkeys(words, 1)}).encode() for words in asked]

    def work(number):
        for count in range(number, number + 3000):
            words = asked[count % 100]
            made = _core._load("Contact", texts[count % 100])
            assert list(made.tags) == words and list(made.custom_fields) == words

    together(work)


def test_a_dict_that_changes_while_it_is_sent(sandbox, together):
    client = sandbox.client()
    fields = {f"f{number}": str(number) for number in range(20)}

    def work(number):
        sent = 0
        for count in range(40):
            if number % 2:
                fields[f"x{number}"] = str(count)
                del fields[f"x{number}"]
                continue
            with contextlib.suppress(RuntimeError):  # dictionary changed size during iteration
                made = client.contacts.upsert(email=f"d{number}@example.com", custom_fields=fields)
                assert made.custom_fields["f7"] == "7"
                sent += 1
        return sent

    assert sum(together(work)) > 0


def test_threads_share_a_pager(sandbox, together):
    client = sandbox.client()
    for number in range(30):
        client.contacts.upsert(email=f"w{number}@example.com")
    page = next(client.contacts.list(per_page=30).pages())

    for _ in range(30):
        pager = _core.Pager(1, 30)
        fresh = together(lambda number: len(pager.take(page)[0]))  # noqa: B023
        assert sorted(fresh) == [0] * (THREADS - 1) + [30]


def refused(use, *args):
    """What the group gives; "refused" when another thread is inside."""
    try:
        return use(*args)
    except RuntimeError as error:
        assert "in use by another thread" in str(error)
        return "refused"


def test_threads_share_a_group(opening, together):
    client = opening()
    group = _core.Group(client._core)

    def start(number, count):
        asked = {"email": f"g{number}.{count}@example.com"}, *(None,) * 6
        while refused(group.start, client._core, number * 100 + count, "contacts.upsert", *asked) == "refused":
            pass

    def work(number):
        ended = []
        for count in range(10):
            start(number, count)
            refused(group.wait, 0.001)
            assert 0 <= len(group) <= THREADS * 10
            refused(group.timeout)
            if (outcome := refused(group.next_completed)) not in (None, "refused"):
                ended.append(outcome)
        return ended

    outcomes = [outcome for some in together(work) for outcome in some]
    while len(group):
        group.wait(0.05)
        while outcome := group.next_completed():
            outcomes.append(outcome)
    assert sorted(number for number, _, _ in outcomes) == [
        number * 100 + count for number in range(THREADS) for count in range(10)
    ]
    for number, value, error in outcomes:
        assert error is None and value.email == f"g{number // 100}.{number % 100}@example.com"


def test_a_group_that_all_of_them_close(opening, together):
    client = opening()

    def work(number):
        with contextlib.suppress(RuntimeError, privy.PrivyError):  # another thread is inside, or it is closed
            group.wait(0.001)
            group.cancel(number)
        with contextlib.suppress(RuntimeError):
            group.close()

    for _ in range(20):
        group = _core.Group(client._core)
        for number in range(4):
            asked = {"event_type": "seen", "email": "a@b.c"}, *(None,) * 6
            group.start(client._core, number, "events.ingest", *asked)
        together(work)
        group.close()
        assert len(group) == 0
        with pytest.raises(privy.PrivyError, match="closed"):
            group.wait(0.0)


def test_what_is_imported_when_it_is_first_needed():
    """The first order, error and logged call of an interpreter, in sixteen threads at once."""
    script = """
        import logging, threading
        import privy
        from privy import _core

        logging.getLogger("privy").setLevel(logging.DEBUG)
        client = privy.Sandbox().client()
        barrier, done = threading.Barrier(16), []

        def work():
            barrier.wait(120)
            order = _core._load("Order", b'{"total_amount":"1.50","placed_at":"2026-05-12T10:00:00Z","a":{}}')
            try:
                client.contacts.upsert(email=1)
            except privy.ValidationError as error:
                client.events.ingest("seen", email="a@b.c")
                done.append((str(order.total_amount), order.placed_at.isoformat(), len(error.details)))

        threads = [threading.Thread(target=work) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert done == [("1.50", "2026-05-12T10:00:00+00:00", 1)] * 16, done
    """
    subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}\n{textwrap.dedent(script)}"], check=True
    )
