"""Lists: lazy, page by page, and sparing with requests."""

from __future__ import annotations

import asyncio
import collections.abc
import contextlib
import copy
import gc
import json
import os
import pickle
import signal
import sys
import threading
import time
from itertools import chain, islice, pairwise
from urllib.parse import parse_qs, urlsplit

import privy
import pytest
from support import PROMPT, TOKEN, Reply, eventually, recording
from test_processes import ended, in_child


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


def test_all_pages(many, sandbox):
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
    assert repr(contacts) == "ContactList(total_count=3)"


def test_a_second_loop_asks_again(many, sandbox):
    contacts = many.contacts.list(per_page=4)
    assert len(list(contacts)) == 7
    many.contacts.create(email="late@example.com")
    count, found = requests_of(sandbox, lambda: list(contacts))
    assert (count, len(found)) == (2, 8)


def test_pages(many):
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


def test_a_page_gives_the_same_record_whoever_asks(many):
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


def test_records_are_made_when_they_are_looked_at():
    client = privy.Sandbox().client()
    for i in range(7):
        client.contacts.create(email=f"c{i}@example.com", tags=["a", "b"])
    pages = list(client.contacts.list(per_page=7).pages())
    gc.collect()
    blocks = [sys.getallocatedblocks()]
    pages += client.contacts.list(per_page=7).pages()
    for look in (lambda page: None, lambda page: page[3], list):
        look(pages[1])
        blocks.append(sys.getallocatedblocks())
    none, one, all_seven = (after - before for before, after in pairwise(blocks))
    assert none < 20
    assert 5 < one < 20
    assert all_seven > 4 * one


def test_pages_pickle(many):
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


def test_what_is_asked(recorder):
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


def test_a_wrong_filter_is_told_at_the_first_use(client, sandbox):
    contacts = client.contacts.list(email_consent="sometimes", per_page=1000)
    with pytest.raises(privy.ValidationError) as caught:
        list(contacts)
    assert [fault["field"] for fault in caught.value.details] == ["email_consent", "per_page"]
    assert sandbox.counts.requests == 0


# ---- the next page is on its way while one is read ----


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


def test_pages_are_asked_for_from_the_second_on(book):
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
def test_a_walk_that_is_left_ends_what_is_on_its_way(book, kind):
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


def test_a_page_that_fails_is_told_when_the_reader_gets_there(recorder):
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
    """A contact is created while page 1 is read: what stood at its end stands on page 2 again. Then two go."""
    book = recorder.answer = Book(pages=4, size=4)
    rows = sum(book.pages, [])
    book.pages = [rows[0:4], rows[3:7], rows[7:11], rows[9:13]]
    contacts = recorder.client().contacts.list(per_page=4)
    assert [contact.id for contact in contacts] == rows[:13]
    assert [[contact.id for contact in page] for page in contacts.pages()] == book.pages


def test_a_page_of_nothing_new_does_not_end_the_walk(recorder):
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


def test_a_client_closed_within_a_walk(book):
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
def test_a_fork_within_a_walk(book, kind):
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


def test_ctrl_c_while_a_page_is_on_its_way(book):
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


def test_a_handler_that_raises_within_a_walk(sandbox):
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


def test_a_reader_who_takes_longer_than_the_timeout(book):
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


def test_reading_and_fetching_go_on_together():
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
            gc.collect()  # a failure that nobody has looked at is complained of

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


def test_reading_and_fetching_go_on_together_in_a_loop(run):
    async def pages(url, pause, prefetch):
        async with privy.AsyncClient(TOKEN, base_url=url) as client:
            async for _ in client.contacts.list(per_page=20, prefetch=prefetch).pages():
                await asyncio.sleep(pause)

    with recording(Book(pages=20)) as recorder:
        assert gains(recorder.answer, lambda pause, prefetch: run(pages(recorder.base_url, pause, prefetch)))
