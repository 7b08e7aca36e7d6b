"""What notebooks show of contacts, lists, runs and limits: tables that are masked, escaped, and cheap."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import textwrap
from datetime import datetime, timezone
from html.parser import HTMLParser

import privy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from privy import _core
from support import Reply

TAGS = {"div", "b", "table", "thead", "tbody", "tr", "th", "td", "progress"}
STYLES = ("overflow-x:auto", "text-align:left", "text-align:left;white-space:nowrap")
ORDER = {"email": "a@example.com", "total": "5.00", "currency": "USD", "order_date": "2026-01-01T10:00:00Z"}
HOSTILE = """<script>alert(1)</script>"'&<img src=x onerror=alert(1)>"""


class Shown(HTMLParser):
    """The elements, the text and the tables of an HTML output. Fails for an element that a notebook would not show."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.bars: list[tuple[int, int]] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        assert tag in TAGS
        if tag == "progress":
            values = dict(attrs)
            self.bars.append((int(values["value"]), int(values["max"])))
        else:
            assert all(name == "style" and value in STYLES for name, value in attrs)
        self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] in ("td", "th"):
            self.tables[-1][-1][-1] += data
        else:
            self.texts.append(data)

    handle_comment = handle_decl = handle_pi = unknown_decl = None


def shown(value) -> Shown:
    return Shown(value._repr_html_())


def contact(**fields):
    return _core._load("Contact", json.dumps({"id": "cus_1", **fields}).encode())


@pytest.fixture
def store(client, sandbox):
    for i in range(23):
        client.contacts.create(email=f"c{i}@example.com", phone_number=f"+14155550{i:03}", first_name=HOSTILE)
    return client


def requests_of(sandbox, action):
    before = sandbox.counts.requests
    result = action()
    return sandbox.counts.requests - before, result


def test_a_contact_is_a_table_of_the_fields_that_it_holds():
    jane = contact(email="jane@example.com", tags=["a", "b"], custom_fields={"size": 39}, new={"x": 1})
    assert shown(jane).tables[0] == [
        ["field", "value"],
        ["id", "cus_1"],
        ["email", "j***@example.com"],
        ["tags", "a, b"],
        ["custom_fields", "size: 39"],
        ["extra", "new"],
    ]


def test_orders_receipts_and_pages_have_tables(store, sandbox):
    order = store.orders.upsert(order_id=1001, **ORDER)
    fields = dict(shown(order).tables[0])
    assert (fields["order_id"], fields["total_amount"], fields["email"]) == ("1001", "5.00", "a***@example.com")
    assert fields["placed_at"] == "2026-01-01 10:00:00+00:00"
    receipt = store.events.ingest(event_type="seen", email="c1@example.com")
    assert dict(shown(receipt).tables[0])["event_id"] == receipt.event_id
    page = next(iter(store.contacts.list(per_page=15).pages()))
    output = shown(page)
    assert output.texts == ["Page 1 of 2: 15 contacts; 24 contacts on all pages", "The first 10 of 15"]
    assert [row[0] for row in output.tables[0]] == ["id", *(one.id for one in page[:10])]


def test_no_table_shows_an_address_or_a_number(store):
    contacts = store.contacts.list()
    run = store.contacts.upsert_many(
        [{"email": "jane@example.com", "phone_number": "4155550199"}, {"email": "jane@example.com", "nickname": 1}]
    )
    values = [contacts, contacts.first(1)[0], next(contacts.pages()), run, run.run(), run, store.rate_limit]
    for html in [value._repr_html_() for value in values]:
        assert "c1@" not in html and "jane@" not in html and "55550" not in html and "5550199" not in html


def test_a_list_shows_its_first_contacts_their_number_and_the_cost(store, sandbox):
    contacts = store.contacts.list(per_page=11)
    cost, output = requests_of(sandbox, lambda: shown(contacts))
    assert cost == 1
    assert output.texts[0] == "ContactList (sandbox): 23 contacts"
    assert output.texts[1:] == ["The first 10 of 23", "Reading them costs 2 more requests."]
    assert [row[0] for row in output.tables[0][1:]] == [one.id for one in contacts.first(10)]


def test_the_next_loop_uses_the_page_that_was_shown(store, sandbox):
    contacts = store.contacts.list(per_page=11)
    shown(contacts)
    assert requests_of(sandbox, lambda: shown(contacts))[0] == 0
    assert requests_of(sandbox, lambda: len(list(contacts))) == (2, 23)
    cost, output = requests_of(sandbox, lambda: shown(contacts))
    assert (cost, output.texts[-1]) == (0, "Reading them costs 3 more requests.")
    single = store.contacts.list(limit=5)
    assert shown(single).texts == [
        "ContactList (sandbox): 5 contacts (limit 5)",
        "Reading them costs no further request.",
    ]
    assert len(shown(single).tables[0]) == 6


def test_the_cost_says_how_long_the_rate_limit_takes(sandbox):
    sandbox.set_clock(datetime(2026, 1, 1, tzinfo=timezone.utc))
    client = sandbox.client()
    for i in range(130):
        client.contacts.create(email=f"c{i}@example.com")
    sandbox.set_limits(60, 1000)
    last = shown(client.contacts.list(per_page=2)).texts[-1]
    assert last == "Reading them costs 64 more requests, about 60 s at 60 a minute."
    assert shown(client.contacts.list(per_page=3)).texts[-1] == "Reading them costs 43 more requests."
    sandbox.set_limits(60, 10)
    last = shown(client.contacts.list(per_page=2)).texts[-1]
    assert last == "Reading them costs 64 more requests, more than the limit of the day allows now."


def test_a_display_never_waits_and_never_raises(sandbox):
    client = sandbox.client()
    sandbox.set_limits(1, 1000)
    client.contacts.list().total_count()
    cost, output = requests_of(sandbox, lambda: shown(client.contacts.list()))
    assert cost == 0
    assert output.texts[0] == "ContactList (sandbox): not fetched"
    sandbox.set_limits(60, 1000)
    sandbox.fail(status=503, count=1)
    sandbox.advance(61)
    assert "503" in shown(client.contacts.list()).texts[1]
    contacts = client.contacts.list()
    shown(contacts)
    client.close()
    assert shown(contacts).texts[0] == "ContactList (sandbox): 0 contacts"
    assert "closed" in shown(client.contacts.list()).texts[1]


def test_a_list_without_numbers_shows_its_page(recorder):
    recorder.answer = lambda request: Reply(body='{"data": [{"id": "cus_1"}]}')
    with privy.Client("t", base_url=recorder.base_url) as client:
        output = shown(client.contacts.list())
    assert output.texts == ["ContactList: number unknown", "Each page costs one request."]
    assert output.tables == [[["id"], ["cus_1"]]]


def test_an_asynchronous_list_has_a_table_when_a_page_is_known(sandbox):
    async def main():
        async with sandbox.async_client() as client:
            contacts = client.contacts.list()
            assert contacts._repr_html_() is None
            await contacts.total_count()
            assert shown(contacts).texts == [
                "AsyncContactList (sandbox): 0 contacts",
                "Reading them costs no further request.",
            ]

    asyncio.run(main())
    assert sandbox.counts.requests == 1


def test_a_run_has_a_bar(client):
    run = client.contacts.upsert_many([{"email": "a@example.com"}, {"email": HOSTILE}, {}])
    assert shown(run).texts == ["Bulk (sandbox): 0 of 3 rows done"]
    assert shown(run).bars == [(0, 3)]
    list(run)
    assert shown(run).texts == ["Bulk (sandbox): 3 of 3 rows done", "2 failed, over"]
    assert shown(run).bars == [(3, 3)]
    endless = client.contacts.upsert_many({"email": f"c{i}@example.com"} for i in range(3))
    next(endless)
    assert shown(endless).texts[0] == "Bulk (sandbox): 1 of an unknown number of rows done"
    assert shown(endless).bars == []


def test_a_report_has_counts_and_the_first_refused_rows(client):
    rows = [{"email": f"c{i}@example.com"} if i % 2 else {"email": HOSTILE} for i in range(30)]
    output = shown(client.contacts.upsert_many(rows).run())
    assert output.texts == ["BulkReport (sandbox): 15 of 30 rows succeeded", "The first 10 of 15"]
    assert output.bars == [(15, 30)]
    counts, refused = output.tables
    assert dict(zip(*counts, strict=True)) | {"time": "", "waited": ""} == {
        "created": "15", "updated": "0", "failed": "15", "unsent": "0", "in doubt": "0", "requests": "15", "time": "",
        "waited": "",
    }  # fmt: skip
    assert [row[:2] for row in refused] == [["row", "field"], *([str(2 * i), "email"] for i in range(10))]


def test_a_report_says_what_stopped_it(sandbox):
    sandbox.set_limits(60, 1)
    client = sandbox.client()
    client.contacts.list().total_count()
    report = client.contacts.upsert_many([{"email": "a@example.com"}]).run()
    assert shown(report).texts[1].startswith("Stopped: ")
    assert str(report).endswith("; in a sandbox")


def test_rate_limits_are_a_table(sandbox):
    client = sandbox.client()
    assert shown(client.rate_limit).tables[0][1:] == [["minute", "unknown", "", ""], ["day", "unknown", "", ""]]
    sandbox.set_clock(datetime(2026, 1, 1, tzinfo=timezone.utc))
    sandbox.set_limits(60, 10_000)
    client.contacts.list().total_count()
    assert shown(client.rate_limit).tables[0] == [
        ["window", "limit", "remaining", "resets at"],
        ["minute", "60", "59", "2026-01-01 00:01:00+00:00"],
        ["day", "10,000", "9,999", "2026-01-02 00:00:00+00:00"],
    ]


PIECES = st.sampled_from(["<", "</", ">", "<!--", "b", "td", "script", "&", "&lt", ";", "'", '"', " on=", "[CDATA["])
TEXTS = st.lists(PIECES | st.text(max_size=4), max_size=40).map("".join)


@given(TEXTS, TEXTS)
def test_any_text_is_shown_as_text(name, message):
    fields = {"first_name": name, "tags": [name], "custom_fields": {name: name, "n": 1.5}, "later": name}
    one = _core._load("Contact", json.dumps({"id": "cus_1", **fields}).encode("utf-8", "surrogatepass"))
    masked = _core.mask(one.first_name)
    cells = dict(shown(one).tables[0])
    assert cells["first_name"].endswith("…") or cells["first_name"].split() == masked.replace("\0", "\\x00").split()
    refused = [privy.RefusedRow(0, name, name, message, message, name)]
    report = privy.BulkReport(1, 0, 0, 0, 1, refused, [], [], 0, 0.0, 0.0, None)
    html = report._repr_html_()
    html.encode()
    assert len(Shown(html).tables[1]) == 2


def test_durations_are_short():
    from privy._html import duration

    seconds = (-1, 0, 0.2, 1, 60, 119, 150, 3600, 7200, 36000)
    texts = ("0 s", "0 s", "less than 1 s", "1 s", "60 s", "119 s", "3 min", "60 min", "2 h 00 min", "10 h 00 min")
    assert tuple(map(duration, seconds)) == texts


def test_every_repr_says_sandbox(client, sandbox):
    run = client.events.ingest_many([])
    places = [client, client.with_options(timeout=3), client.contacts, client.orders, client.events]
    for value in [*places, client.contacts.list(), run]:
        assert repr(value).startswith(f"{type(value).__name__}(sandbox, ")
    assert "in a sandbox" in repr(run.run())
    assert repr(sandbox).startswith("Sandbox(")


def test_every_asynchronous_repr_says_sandbox(sandbox):
    async def main():
        async with sandbox.async_client() as client:
            for value in (client, client.contacts, client.contacts.list(), client.orders.upsert_many([])):
                assert repr(value).startswith(f"{type(value).__name__}(sandbox, ")
        assert repr(client) == "AsyncClient(closed)"

    asyncio.run(main())


def test_a_client_of_the_api_does_not_say_sandbox():
    with privy.Client("t", base_url="http://127.0.0.1:9/v1") as client:
        for value in (client, client.contacts, client.contacts.list(), client.events.ingest_many([])):
            assert "sandbox" not in repr(value)


def test_the_html_is_imported_by_the_first_display():
    script = """
    import sys, privy
    contacts = privy.Sandbox().client().contacts.list()
    repr(contacts.first(1))
    before = "privy._html" in sys.modules
    contacts._repr_html_()
    print(before, "privy._html" in sys.modules)
    """
    run = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}\n{textwrap.dedent(script)}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "False True\n"
