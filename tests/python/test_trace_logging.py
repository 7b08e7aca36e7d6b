"""The logger gets a line and the event for each step of a call."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import textwrap

import privy
import pytest
from support import Reply
from test_policies import CONTACT, WELL, budget, in_turn
from tracing import look


def test_a_line_and_the_event_for_each_step(client, caplog):
    with caplog.at_level(logging.DEBUG, logger="privy"):
        look(client)
    records = [record for record in caplog.records if record.name == "privy"]
    assert [record.levelname for record in records] == ["DEBUG"] * 4
    assert [record.privy_event.kind for record in records] == ["start", "request", "response", "end"]
    assert all(isinstance(record.privy_event, privy.CallEvent) for record in records)
    assert records[2].getMessage() == str(records[2].privy_event)
    assert ": GET /contacts, attempt 1: 200 in " in records[2].getMessage()
    assert {type(handler) for handler in logging.getLogger("privy").handlers} == {logging.NullHandler}


def test_what_the_lines_say(recorder, caplog):
    recorder.answer = in_turn(
        Reply(503, body=""), Reply(raw=b"", close=True), Reply(200, budget((60, 9), (99, 8)), WELL.body)
    )
    client = recorder.client(max_retries=2)
    with caplog.at_level(logging.DEBUG, logger="privy"):
        client.contacts.get(CONTACT)
    lines = [re.sub(r"\d+\.\d+", "#", record.getMessage()) for record in caplog.records if record.name == "privy"]
    call = "contacts.get, call 1: "
    attempt = f"{call}GET /contacts/{{id}}, attempt "
    assert lines[:5] == [
        f"{call}started",
        f"{attempt}1: sent",
        f"{attempt}1: 503 ServerError in # s",
        f"{attempt}1: retry in # s after 503 ServerError",
        f"{attempt}2: sent",
    ]
    assert lines[5].startswith(f"{attempt}2: APIConnectionError after # s: ")
    assert lines[6] == f"{attempt}2: retry in # s after APIConnectionError"
    assert lines[8:] == [
        f"{attempt}3: 200 in # s, 9 of the minute and 8 of the day left",
        f"{call}ended with 200 after 3 requests and # s, # s of them waiting",
    ]


def test_on_event_and_the_logger_both_get_events_of_their_level(client, caplog, sandbox, listener):
    tracing_client = sandbox.client(on_event=listener)
    with caplog.at_level(logging.INFO, logger="privy"):
        look(client)
        look(tracing_client)
    assert [record for record in caplog.records if record.name == "privy"] == []
    assert listener.kinds == ["request", "response"]
    with caplog.at_level(logging.DEBUG, logger="privy"):
        look(tracing_client)
    reported = [record.privy_event for record in caplog.records if record.name == "privy"]
    assert reported == listener.all[4:]


def logged(caplog):
    """Level and kind of the logged events."""
    return [(record.levelname, record.privy_event.kind) for record in caplog.records if record.name == "privy"]


def test_retries_and_long_waits_are_logged_at_info(sandbox, caplog, listener):
    sandbox.set_clock(1_800_000_000)
    sandbox.set_limits(per_minute=2, per_day=3)
    sandbox.fail(status=503, retry_after=0)

    def listen(event):
        listener(event)
        if event.kind == "wait":
            sandbox.advance(event.seconds)

    client = sandbox.client(on_event=listen)
    with caplog.at_level(logging.INFO, logger="privy"):
        look(client)
        look(client)
        look(client)
        with pytest.raises(privy.RateLimitError):
            look(client)
    kinds = listener.kinds
    assert kinds.count("retry") == kinds.count("wait") == kinds.count("refused") == 1
    assert logged(caplog) == [("INFO", "retry"), ("INFO", "wait"), ("WARNING", "refused")]
    assert [event.level for event in listener.events if event.level != "debug"] == ["info", "info", "warning"]


def test_a_refusal_by_budget_is_a_warning(sandbox, caplog):
    sandbox.set_limits(per_day=1)
    client = sandbox.client()
    with caplog.at_level(logging.WARNING, logger="privy"):
        look(client)
        with pytest.raises(privy.RateLimitError) as caught:
            look(client)
        with pytest.raises(privy.ValidationError):
            client.contacts.create()
    assert logged(caplog) == [("WARNING", "refused")]
    assert caplog.records[-1].getMessage() == f"request, call 1: refused: {caught.value.message}"


def test_a_program_that_configures_no_logging_prints_nothing():
    script = """
        import logging
        import privy
        sandbox = privy.Sandbox()
        sandbox.set_limits(per_day=1)
        client = sandbox.client()
        client.request("GET", "/contacts")
        try:
            client.request("GET", "/contacts")
        except privy.RateLimitError:
            print("refused")
    """
    code = f"import sys; sys.path[:] = {sys.path!r}\n" + textwrap.dedent(script)
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert (output.stdout, output.stderr) == ("refused\n", "")


def test_a_filter_that_fails_does_not_break_the_call(client, caplog, unraisable):
    def fail(record):
        raise ValueError("no")

    logger = logging.getLogger("privy")
    logger.addFilter(fail)
    try:
        with caplog.at_level(logging.DEBUG, logger="privy"):
            assert client.contacts.list().total_count() == 0
    finally:
        logger.removeFilter(fail)
    assert [str(error) for error in unraisable] == ["no"] * 4


def test_nothing_is_imported_or_logged_without_a_receiver():
    script = """
        import sys
        import privy
        def seen():
            print(*(name in sys.modules for name in ("logging", "privy._trace")))
        client = privy.Sandbox().client()
        person = client.contacts.create(email="jane@example.com").id
        client.contacts.get(person)
        seen()
        sys.modules["logging"] = None
        client.contacts.get(person)
        del sys.modules["logging"]
        import logging
        client.contacts.get(person)
        seen()
        logging.basicConfig(level="DEBUG", stream=sys.stdout, format="%(levelname)s %(name)s %(funcName)s")
        client.contacts.get(person)
        seen()
    """
    code = f"import sys; sys.path[:] = {sys.path!r}\n" + textwrap.dedent(script)
    output = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, timeout=120, check=True)
    reported = ["DEBUG privy log"] * 4
    assert output.stdout.splitlines() == ["False False", "True False", *reported, "True True"]
