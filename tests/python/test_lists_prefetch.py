"""Lists request the next page while one is read."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import signal
import threading
import time
from itertools import chain, islice
from urllib.parse import parse_qs, urlsplit

import privy
import pytest
from support import PROMPT, TOKEN, Reply, eventually, recording
from test_processes import ended, in_child


def page_of(request):
    return int(parse_qs(urlsplit(request.target).query).get("page", ["1"])[0])


def ident(number):
    return f"cus_{number:016x}"


class Book:
    """Pages of contacts, as a server holds them; `delay` seconds each."""

    def __init__(self, pages=5, size=20, delay=0.0):
        self.pages = [[ident(page * size + i) for i in range(size)] for page in range(pages)]
        self.size = size
        self.delay = delay

    def __call__(self, request):
        number = page_of(request)
        time.sleep(self.delay)
        rows = [{"id": id} for id in self.pages[number - 1]]
        place = {
            "page": number,
            "per_page": self.size,
            "total_count": sum(map(len, self.pages)),
            "total_pages": len(self.pages),
        }
        return Reply(body=json.dumps({"data": rows, "pagination": place}))


@pytest.fixture
def book(recorder):
    recorder.answer = Book()
    return recorder


def asked(recorder):
    return [page_of(request) for request in list(recorder.requests)]


def arrives(recorder, pages):
    """Whether the server is asked for exactly these pages, without anybody's reading on."""
    until = time.monotonic() + 60
    while asked(recorder) != pages and time.monotonic() < until:
        time.sleep(0.005)
    time.sleep(0.05)
    return asked(recorder) == pages


def test_the_first_page_is_alone_until_a_tenth_of_it_is_read(book):
    contacts = iter(book.client().contacts.list(per_page=20))
    assert [contact.id for contact in islice(contacts, 2)] == [ident(0), ident(1)]
    assert arrives(book, [1])
    next(contacts)
    assert arrives(book, [1, 2])
    list(islice(contacts, 17))
    assert arrives(book, [1, 2])
    assert next(contacts).id == ident(20)
    assert arrives(book, [1, 2, 3])
    assert [contact.id for contact in contacts] == [ident(i) for i in range(21, 100)]
    assert asked(book) == [1, 2, 3, 4, 5]


def test_pages_are_requested_early_from_the_second_on(book):
    pages = book.client().contacts.list(per_page=20).pages()
    assert next(pages).page == 1
    assert arrives(book, [1])
    assert next(pages).page == 2
    assert arrives(book, [1, 2, 3])
    assert [page.page for page in pages] == [3, 4, 5]
    assert asked(book) == [1, 2, 3, 4, 5]
    assert book.connections == 1


def test_prefetch_can_be_turned_off(book):
    contacts = iter(book.client().contacts.list(per_page=20, prefetch=False))
    list(islice(contacts, 40))
    assert arrives(book, [1, 2])
    assert len(list(contacts)) == 60
    assert asked(book) == [1, 2, 3, 4, 5]
    assert book.connections == 1


@pytest.mark.parametrize("kind", ["contacts", "pages"])
def test_leaving_a_loop_cancels_the_request_in_flight(book, kind):
    events = []
    client = book.client(on_event=events.append)
    book.answer.delay = 0.3
    contacts = client.contacts.list(per_page=20)
    for number, _ in enumerate(contacts if kind == "contacts" else contacts.pages()):
        if number == (2 if kind == "contacts" else 1):
            break
    assert [event.kind for event in events][-4:] == ["start", "request", "failure", "end"]
    assert events[-1].reason == "the call was stopped"
    book.answer.delay = 0
    assert [page.page for page in client.contacts.list(page=4, per_page=20).pages()] == [4, 5]


def test_the_error_of_a_page_is_raised_when_the_reader_gets_there(recorder):
    book = Book()
    recorder.answer = lambda request: book(request) if page_of(request) != 3 else Reply(500, body="")
    found = []
    with pytest.raises(privy.ServerError) as caught:
        for contact in recorder.client().contacts.list(per_page=20):
            found.append(contact.id)
    assert found == [ident(i) for i in range(40)]
    assert (caught.value.status, caught.value.attempts, caught.value.path) == (500, 1, "/contacts")
    assert asked(recorder) == [1, 2, 3]


def test_no_contact_comes_twice(recorder):
    """A contact is created while page 1 is read, so page 2 repeats the last one of page 1. Then two are deleted."""
    book = recorder.answer = Book(pages=4, size=4)
    rows = sum(book.pages, [])
    book.pages = [rows[0:4], rows[3:7], rows[7:11], rows[9:13]]
    contacts = recorder.client().contacts.list(per_page=4)
    assert [contact.id for contact in contacts] == rows[:13]
    assert [[contact.id for contact in page] for page in contacts.pages()] == book.pages


def test_a_page_without_new_records_does_not_end_the_loop(recorder):
    book = recorder.answer = Book(pages=3, size=4)
    book.pages[1] = book.pages[0]
    assert [contact.id for contact in recorder.client().contacts.list(per_page=4)] == book.pages[0] + book.pages[2]


def test_contacts_may_be_changed_while_they_are_listed(client, sandbox):
    for i in range(30):
        client.contacts.create(email=f"c{i}@example.com")
    found = []
    for contact in client.contacts.list(per_page=5):
        client.contacts.update(contact.id, first_name="Jane")
        found.append(contact.id)
        if len(found) % 7 == 0:
            client.contacts.create(email=f"new{len(found)}@example.com")
    assert len(set(found)) == len(found) >= 30


def test_closing_the_client_inside_a_loop_raises(book):
    client = book.client()
    contacts = iter(client.contacts.list(per_page=20))
    list(islice(contacts, 21))
    assert arrives(book, [1, 2, 3])
    client.close()
    assert len(list(islice(contacts, 19))) == 19
    assert len(list(islice(contacts, 20))) == 20
    with pytest.raises(privy.PrivyError, match="closed"):
        next(contacts)


@pytest.mark.parametrize("kind", ["contacts", "pages"])
def test_a_loop_continues_after_a_fork(book, kind):
    book.answer.delay = 0.2
    contacts = book.client().contacts.list(per_page=20)
    contacts = iter(contacts) if kind == "contacts" else chain.from_iterable(contacts.pages())
    found = [contact.id for contact in islice(contacts, 25)]
    assert arrives(book, [1, 2, 3])

    def read_on():
        assert found + [contact.id for contact in contacts] == [ident(i) for i in range(100)]

    child = in_child(read_on)
    read_on()
    assert ended(child) == 0
    assert sorted(asked(book)) == [1, 2, 3, 3, 4, 4, 5, 5]
    assert book.connections == 2


def test_ctrl_c_while_a_page_is_in_flight(book):
    client = book.client()
    contacts = iter(client.contacts.list(per_page=20))
    list(islice(contacts, 20))
    assert arrives(book, [1, 2])
    book.answer.delay = 120
    assert len(list(islice(contacts, 20))) == 20
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        list(contacts)
    assert time.monotonic() - started < PROMPT
    book.answer.delay = 0
    assert client.contacts.list(per_page=20).total_count() == 100


def test_a_signal_handler_that_raises_loses_no_contact(sandbox, monkeypatch):
    monkeypatch.setenv("PRIVY_OTEL", "0")  # while spans are made, such an exception goes to sys.unraisablehook

    class Alarm(Exception):
        pass

    def handler(number, frame):
        raise Alarm

    client = sandbox.client()
    for i in range(30):
        client.contacts.create(email=f"c{i}@example.com")

    def walk_on(until):
        # A function of its own: what a signal raises at the end of a loop's turn, Python 3.13 does not take for a part
        # of the `with` around the loop.
        while time.monotonic() < until:
            list(client.contacts.list(per_page=1))

    previous = signal.signal(signal.SIGALRM, handler)
    try:
        for number in range(40):
            with pytest.raises(Alarm):
                signal.setitimer(signal.ITIMER_REAL, 0.001 + number / 20_000)
                walk_on(time.monotonic() + 60)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def test_a_slow_reader_causes_no_timeout(book):
    contacts = iter(book.client(timeout=2).contacts.list(per_page=20))
    list(islice(contacts, 21))
    time.sleep(2.5)
    assert len(list(contacts)) == 79
    assert asked(book) == [1, 2, 3, 4, 5]


def gains(book, read):
    """Whether prefetching saves a part of the time. The more of it is waiting, the less a busy machine matters."""
    for pause in (0.02, 0.04, 0.08, 0.16, 0.32):
        book.delay = pause
        started = time.monotonic()
        read(pause, prefetch=False)
        between = time.monotonic()
        read(pause, prefetch=True)
        if time.monotonic() - between <= 0.85 * (between - started):
            return True
    return False


def test_reading_and_fetching_overlap():
    with recording(Book(pages=20)) as recorder:
        client = recorder.client()

        def read(pause, prefetch):
            for _ in client.contacts.list(per_page=20, prefetch=prefetch).pages():
                time.sleep(pause)

        assert gains(recorder.answer, read)


# ---- the same in an event loop ----


def test_the_next_page_in_a_loop(run, book):
    async def reads(contacts, count):
        return [(await anext(contacts)).id for _ in range(count)]

    async def arrive(pages):
        return await asyncio.to_thread(arrives, book, pages)

    async def main():
        async with privy.AsyncClient(TOKEN, base_url=book.base_url) as client:
            contacts = aiter(client.contacts.list(per_page=20))
            assert await reads(contacts, 2) == [ident(0), ident(1)]
            assert await arrive([1])
            await reads(contacts, 1)
            assert await arrive([1, 2])
            await reads(contacts, 18)
            assert await arrive([1, 2, 3])
            await contacts.aclose()
            pages = aiter(client.contacts.list(per_page=20, page=3).pages())
            assert [(await anext(pages)).page for _ in range(2)] == [3, 4]
            assert await arrive([1, 2, 3, 3, 4, 5])
            await pages.aclose()
            plain = client.contacts.list(per_page=20, prefetch=False)
            async for contact in plain:
                if contact.id == ident(21):
                    break
            assert await arrive([1, 2, 3, 3, 4, 5, 1, 2])

    run(main())


def test_drift_and_failures_in_a_loop(run, recorder):
    book = Book(pages=4, size=4)
    rows = sum(book.pages, [])
    book.pages = [rows[0:4], rows[3:7], rows[7:11], rows[9:13]]
    recorder.answer = lambda request: book(request) if page_of(request) != 4 else Reply(500, body="")

    async def main():
        async with privy.AsyncClient(TOKEN, base_url=recorder.base_url, max_retries=0) as client:
            found = []
            with pytest.raises(privy.ServerError):
                async for contact in client.contacts.list(per_page=4):
                    found.append(contact.id)
            assert found == rows[:11]
            contacts = aiter(client.contacts.list(per_page=4))
            for _ in range(9):
                await anext(contacts)
            await asyncio.to_thread(arrives, recorder, [1, 2, 3, 4] * 2)
            await contacts.aclose()
            del contacts
            gc.collect()  # asyncio reports an exception that was never retrieved

    run(main())


def test_total_count_in_a_loop(run, book):
    async def main():
        async with privy.AsyncClient(TOKEN, base_url=book.base_url) as client:
            contacts = client.contacts.list(per_page=20)
            assert await contacts.total_count() == 100
            for _ in range(2):
                assert len([contact async for contact in contacts]) == 100
            assert asked(book) == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]

    run(main())


def test_what_is_left_in_a_loop_is_ended(run, book):
    events, release, pages_of = [], threading.Event(), book.answer

    def answer(request):
        if page_of(request) == 3:
            release.wait(300)
        return pages_of(request)

    async def main():
        book.answer = answer
        async with privy.AsyncClient(TOKEN, base_url=book.base_url, on_event=events.append) as client:
            pages = client.contacts.list(per_page=20).pages()
            async with contextlib.aclosing(pages):
                async for page in pages:
                    if page.page == 2:
                        while len(events) < 10:
                            await asyncio.sleep(0.01)
                        break
            await eventually(lambda: len(events) > 11)
            release.set()
            assert [event.kind for event in events][-4:] == ["start", "request", "failure", "end"]
            pages = client.contacts.list(per_page=20).pages()
            assert [(await anext(pages)).page for _ in range(2)] == [1, 2]
            await client.aclose()
            with pytest.raises(privy.PrivyError, match="closed"):
                await anext(pages)

    run(main())


def test_reading_and_fetching_overlap_in_an_event_loop(run):
    async def pages(url, pause, prefetch):
        async with privy.AsyncClient(TOKEN, base_url=url) as client:
            async for _ in client.contacts.list(per_page=20, prefetch=prefetch).pages():
                await asyncio.sleep(pause)

    with recording(Book(pages=20)) as recorder:
        assert gains(recorder.answer, lambda pause, prefetch: run(pages(recorder.base_url, pause, prefetch)))
