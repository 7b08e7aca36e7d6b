"""What Sentry reports of an exception: no frame of this package, message or breadcrumb shows what a user has passed."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import traceback
import warnings
from pathlib import Path

import celery
import privy
import pytest
import sentry_sdk
from privy.celery import PrivyTask
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.transport import Transport
from support import SCHEMA, TOKEN, Reply

PACKAGE = str(Path(privy.__file__).parent)
MARK = "marker"
ADDRESS, PHONE = "marker.jane@example.com", "+14155559876"
SECRETS = (MARK, PHONE, TOKEN)
CONTACT = f"cus_{MARK}"
POSITIONAL = ("id", "event_type")
VALID = {
    "id": CONTACT,
    "email": ADDRESS,
    "phone": PHONE,
    "phone_number": PHONE,
    "order_id": 1,
    "total": 1,
    "currency": "USD",
    "order_date": "2026-05-12T10:00:00Z",
    "event_type": f"{MARK}_type",
    "first_name": MARK,
    "tags": [MARK],
    "custom_fields": {"key": MARK},
    "reason": MARK,
    "integration_token": MARK,
    "event_data": {"key": MARK},
    "idempotency_key": f"signed up {ADDRESS} {PHONE}",  # masked; other keys are not secret
}
OPERATIONS = [operation["name"] for operation in SCHEMA["operations"]]
FAILURES = {
    "400": Reply(status=400, body=json.dumps({"error": {"code": "bad", "message": f"{ADDRESS} and {PHONE} are bad"}})),
    "404": Reply(status=404),
    "409": Reply(status=409, body=json.dumps({"error": {"code": "conflict", "message": f"{ADDRESS} is taken"}})),
    "500": Reply(status=500, body=f"{ADDRESS}"),
    "no JSON": Reply(body="{"),
    "no response": Reply(raw=b"", close=True),
}


class Kept(Transport):
    """Keeps the events that would be sent."""

    def __init__(self):
        super().__init__()
        self.events = []

    def capture_envelope(self, envelope):
        self.events.append(envelope.get_event())


@pytest.fixture
def report():
    """Returns the event that Sentry makes of an exception."""
    transport = Kept()
    sentry = sentry_sdk.Client(
        dsn="https://key@127.0.0.1/1",
        transport=transport,
        include_local_variables=True,
        max_value_length=100_000,
        send_default_pii=True,
        default_integrations=False,
        integrations=[LoggingIntegration(level=logging.DEBUG)],
    )
    logger = logging.getLogger("privy")
    logger.setLevel(logging.DEBUG)
    with sentry_sdk.isolation_scope(), sentry_sdk.new_scope() as scope:
        scope.set_client(sentry)

        def captured(error):
            assert sentry_sdk.capture_exception(error) is not None
            return transport.events[-1]

        yield captured
    logger.setLevel(logging.NOTSET)


def without_user(event):
    """The event without the frames of the user, who may have addresses in variables."""
    own = 0
    for value in event["exception"]["values"]:
        frames = value.get("stacktrace", {}).get("frames", [])
        kept = [frame for frame in frames if frame["abs_path"].startswith(PACKAGE)]
        own += len(kept)
        if frames:
            value["stacktrace"]["frames"] = kept
    return event, own


def assert_clean(event, least=1):
    event, own = without_user(event)
    assert own >= least, "the exception passed no frame of this package"
    text = json.dumps(event)
    assert '"vars"' in text or least == 0, "no frame has local variables"
    for secret in SECRETS:
        at = text.find(secret)
        assert at < 0, text[max(0, at - 300) : at + 100]


def caught(call):
    with warnings.catch_warnings(), pytest.raises(Exception) as raised:  # noqa: PT011
        warnings.simplefilter("ignore", DeprecationWarning)
        call()
    return raised.value


def arguments(operation, every=False):
    """Values of the parameters: those that are required, or all of them, some of which are invalid."""
    params = next(one["params"] for one in SCHEMA["operations"] if one["name"] == operation)
    names = [param["name"] for param in params]
    given = {name: VALID.get(name, f"{MARK} {name}") for name in names if every or name in VALID}
    if not every and "privy_id" in names:
        given.pop("phone")
    if operation == "contacts.update" and not every:
        given = {"id": CONTACT, "first_name": MARK, "custom_fields": {"key": MARK}}
    first = [given.pop(name) for name in POSITIONAL if name in given]
    return first, given


def called(client, operation, first, given):
    method = client
    for name in operation.split("."):
        method = getattr(method, name)
    result = method(*first, **given)
    return result.total_count() if operation == "contacts.list" else result


def in_loop(base_url, operation, first, given):
    async def main():
        async with privy.AsyncClient(TOKEN, base_url=base_url, max_retries=0) as client:
            await called(client, operation, first, given)

    asyncio.run(main())


@pytest.mark.parametrize("asynchronous", [False, True], ids=["plain", "asyncio"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_invalid_request(report, recorder, operation, asynchronous):
    first, given = arguments(operation, every=True)
    given |= {"extra": {"field": MARK}, "extra_headers": {"X A": MARK, "X-B": f"{MARK}\n"}}
    if asynchronous:
        error = caught(lambda: in_loop(recorder.base_url, operation, first, given))
    else:
        with recorder.client() as client:
            error = caught(lambda: called(client, operation, first, given))
    assert type(error) is privy.ValidationError
    assert "extra_headers.X-B" in [detail["field"] for detail in error.details]
    assert_clean(report(error))


@pytest.mark.parametrize("asynchronous", [False, True], ids=["plain", "asyncio"])
@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_failed_call(report, recorder, operation, failure, asynchronous):
    recorder.answer = lambda request: FAILURES[failure]
    first, given = arguments(operation)
    if asynchronous:
        error = caught(lambda: in_loop(recorder.base_url, operation, first, given))
    else:
        with recorder.client() as client:
            error = caught(lambda: called(client, operation, first, given))
    assert isinstance(error, privy.PrivyError)
    assert_clean(report(error))


@pytest.mark.parametrize("asynchronous", [False, True], ids=["plain", "asyncio"])
def test_a_raw_request(report, recorder, asynchronous):
    recorder.answer = lambda request: Reply(status=404)
    parts = {"params": {"email": ADDRESS}, "body": {"email": ADDRESS}, "headers": {"X-A": MARK}}

    async def main():
        async with privy.AsyncClient(TOKEN, base_url=recorder.base_url) as client:
            await client.request("POST", "/things", **parts)

    if asynchronous:
        error = caught(lambda: asyncio.run(main()))
    else:
        with recorder.client() as client:
            error = caught(lambda: client.request("POST", "/things", **parts))
    assert_clean(report(error))


def test_arguments_of_a_wrong_type(report, recorder):
    with recorder.client() as client:
        for operation in OPERATIONS:
            first, given = arguments(operation)
            for wrong in ({"extra": [MARK]}, {"extra_headers": [MARK]}, {"timeout": -1}):
                error = caught(lambda: called(client, operation, first, {**given, **wrong}))  # noqa: B023
                assert_clean(report(error), least=0)
        assert_clean(report(caught(lambda: client.contacts.list(email=ADDRESS, limit=-1))))


MANY = {"contacts.upsert_many": {"email": ADDRESS}, "orders.upsert_many": {"email": ADDRESS, "order_id": 7}}
MANY["events.ingest_many"] = {"email": ADDRESS, "event_type": MARK}


def rows_that_end(row):
    yield row
    yield row
    raise RuntimeError("the file is broken")


@pytest.mark.parametrize("name", MANY)
def test_a_bulk_run(report, recorder, name):
    resource, method = name.split(".")
    recorder.answer = lambda request: FAILURES["409"]
    row = MANY[name]
    with recorder.client() as client:
        run = getattr(getattr(client, resource), method)
        validate = getattr(client, resource).validate_many
        calls = {
            "the source": lambda: run(rows_that_end(row)).run(),
            "iterated": lambda: list(run(rows_that_end(row))),
            "checked first": lambda: run([{**row, "email": f"{MARK} x"}], check_first=True),
            "checked first, the source": lambda: run(rows_that_end(row), check_first=True),
            "validated": lambda: validate(rows_that_end(row)),
            "no rows": lambda: run(row),
            "an option": lambda: run([row], timeout=-1),
            "headers": lambda: run([row], extra_headers={"Host": MARK}),
        }
        for call in calls.values():
            assert_clean(report(caught(call)), least=0)
        for result in run([row]):
            assert_clean(report(result.error), least=0)


@pytest.mark.parametrize("name", MANY)
def test_a_bulk_run_in_a_loop(report, recorder, name):
    resource, method = name.split(".")
    row = MANY[name]

    async def run(**options):
        async with privy.AsyncClient(TOKEN, base_url=recorder.base_url) as client:
            await getattr(getattr(client, resource), method)(rows_that_end(row), **options).run()

    assert_clean(report(caught(lambda: asyncio.run(run()))))
    assert_clean(report(caught(lambda: asyncio.run(run(check_first=True)))))


def reads(contacts):
    return {
        "iterated": lambda: list(contacts),
        "pages": lambda: list(contacts.pages()),
        "counted": contacts.total_count,
        "first": lambda: contacts.first(3),
        "arrow": contacts.to_arrow,
    }


def test_the_frames_of_the_source_stay(recorder):
    with recorder.client() as client:
        for call in (client.contacts.validate_many, lambda rows: client.contacts.upsert_many(rows, check_first=True)):
            error = caught(lambda: call(rows_that_end({"email": ADDRESS})))  # noqa: B023
            names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
            assert names[-1] == "rows_that_end"
            assert "call" in names


@pytest.mark.parametrize("way", reads(privy.Sandbox().client().contacts.list()))
def test_a_list_that_fails_on_its_second_page(report, way):
    sandbox = privy.Sandbox()
    client = sandbox.client(max_retries=0)
    for number in range(20):
        client.contacts.create(email=f"{MARK}{number}@example.com", tags=[MARK])
    sandbox.fail(status=500, skip=0 if way in ("counted", "first") else 1, count=0)
    contacts = client.contacts.list(email_consent="never_subscribed", per_page=10, extra={"q": ADDRESS})
    assert_clean(report(caught(reads(contacts)[way])))


def test_an_asynchronous_list_that_fails_on_its_second_page(report):
    sandbox = privy.Sandbox()
    for number in range(20):
        sandbox.client().contacts.create(email=f"{MARK}{number}@example.com", tags=[MARK])
    sandbox.fail(status=500, skip=1, count=0)

    async def main():
        async with sandbox.async_client(max_retries=0) as client:
            async for _ in client.contacts.list(per_page=10, extra={"q": ADDRESS}):
                pass

    assert_clean(report(caught(lambda: asyncio.run(main()))))


PEOPLE = [{"email": f"{MARK}{number}@example.com", "first_name": MARK} for number in range(3)]


def works(contacts, folder):
    """Plans and exports that fail, and a bulk run that cannot have its journal."""
    return {
        "a plan": lambda: contacts.plan(PEOPLE),
        "a plan with a bar": lambda: contacts.plan(PEOPLE, progress=True),
        "the source of a plan": lambda: contacts.plan(rows_that_end(PEOPLE[0])),
        "an option of a plan": lambda: contacts.plan(PEOPLE, concurrency=-1),
        "an export": lambda: contacts.export(folder / "contacts.csv", extra={"q": ADDRESS}),
        "an export with a bar": lambda: contacts.export(folder / "c.csv", extra={"q": ADDRESS}, progress=True),
        "the file of an export": lambda: contacts.export(folder / "none" / "c.csv", extra={"q": ADDRESS}),
        "a journal": lambda: contacts.upsert_many(PEOPLE, journal=folder / "none" / "rows").run(),
    }


@pytest.mark.parametrize("asynchronous", [False, True], ids=["plain", "asyncio"])
@pytest.mark.parametrize("work", works(None, None))
def test_plans_and_exports(report, tmp_path, work, asynchronous):
    sandbox = privy.Sandbox()
    sandbox.fail(status=500, count=0)

    async def main():
        async with sandbox.async_client(max_retries=0) as client:
            await works(client.contacts, tmp_path)[work]()

    call = works(sandbox.client(max_retries=0).contacts, tmp_path)[work]
    error = caught((lambda: asyncio.run(main())) if asynchronous else call)
    if work == "the source of a plan":
        assert traceback.extract_tb(error.__traceback__)[-1].name == "rows_that_end"
    assert_clean(report(error))


def test_a_task_of_celery(report):
    app = celery.Celery("shop", broker="memory://")
    app.conf.update(task_always_eager=True, task_eager_propagates=True)
    client = privy.Sandbox().client()

    @app.task(base=PrivyTask, bind=True)
    def create(self, email, again=False):
        try:
            client.contacts.create(email=email, first_name=5)
        except privy.PrivyError as error:
            if again:
                self.retry((email,), {"again": email}, error)
            raise

    for call in (create, create.delay):
        for again in (False, True):
            assert_clean(report(caught(lambda: call(ADDRESS, again=again))))  # noqa: B023


def test_breadcrumbs_of_the_logger_show_events_without_values(report, recorder):
    replies = iter([Reply(status=503), Reply(status=400)])
    recorder.answer = lambda request: next(replies)
    with recorder.client(max_retries=1) as client:
        error = caught(lambda: client.contacts.create(email=ADDRESS, phone_number=PHONE, first_name=MARK))
    event = report(error)
    crumbs = event["breadcrumbs"]["values"]
    assert any("retry in" in crumb["message"] for crumb in crumbs)
    assert_clean(event)


def test_a_call_that_is_cancelled(report, recorder):
    arrived, leave = threading.Event(), threading.Event()

    def slow(request):
        arrived.set()
        leave.wait(60)
        return Reply()

    recorder.answer = slow

    async def main():
        async with privy.AsyncClient(TOKEN, base_url=recorder.base_url) as client:
            task = asyncio.create_task(client.contacts.create(email=ADDRESS, first_name=MARK))
            while not arrived.is_set():
                await asyncio.sleep(0.01)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError as error:
                return report(error)

    event = asyncio.run(main())
    leave.set()
    assert_clean(event)
