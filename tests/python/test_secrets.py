"""No exception report shows a secret: neither in a message nor in local variables of frames of this package."""

from __future__ import annotations

import asyncio
import gc
import traceback
from collections.abc import Mapping
from pathlib import Path

import privy
import pytest
from privy import _core

TOKEN = "privy_" + "5ec2e7" * 6 + "0000"
SECRET = "very-secret-of-a-client"
PACKAGE = str(Path(privy.__file__).parent)


def shown(value, depth=0):
    """Everything that a reporter finds in a value: in containers and in attributes, as Sentry and cgitb look there."""
    yield repr(value)
    if depth == 4:
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from shown(key, depth + 1)
            yield from shown(item, depth + 1)
    elif isinstance(value, (list, tuple, set)):
        for item in value:
            yield from shown(item, depth + 1)
    elif hasattr(value, "__dict__") and not isinstance(value, type):
        yield from shown(vars(value), depth + 1)


def frames(error):
    """The frames of this package that the exception, its causes and its contexts passed."""
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_filename.startswith(PACKAGE):
                yield frame
        error = error.__cause__ or error.__context__


def report_of(error):
    found = list(frames(error))
    assert found, "the exception passed no frame of this package"
    for frame in found:
        yield from shown(frame.f_locals)
    lines = traceback.TracebackException.from_exception(error, capture_locals=True).stack
    own = [line for line in lines if line.filename.startswith(PACKAGE)]
    yield from (text for line in own for text in (line.locals or {}).values())
    yield from traceback.format_exception(error)
    yield from shown(vars(error))


def check(call, *secrets):
    with pytest.raises(Exception) as caught:  # noqa: PT011
        call()
    for text in report_of(caught.value):
        for secret in secrets:
            assert secret not in text, text


KINDS = pytest.mark.parametrize("kind", [privy.Client, privy.AsyncClient])
WRONG = {
    "a setting": {"base_url": "ftp://nowhere"},
    "an option": {"timeout": -1},
    "a type": {"proxy": 5},
    "a callable": {"on_event": 5},
    "scopes": {"scopes": [1]},
    "a path": {"ca_bundle": 5},
    "a sandbox": {"sandbox": 5},
}


@KINDS
@pytest.mark.parametrize("wrong", WRONG)
def test_a_client_that_cannot_be_made(kind, wrong):
    check(lambda: kind(TOKEN, **WRONG[wrong]), TOKEN)
    check(lambda: kind(client_id="id", client_secret=SECRET, **WRONG[wrong]), SECRET)


@KINDS
def test_a_secret_of_a_wrong_kind(kind):
    check(lambda: kind(TOKEN.encode()), TOKEN)
    check(lambda: kind([TOKEN]), TOKEN)
    check(lambda: kind(TOKEN + "\0"), TOKEN)
    check(lambda: kind(TOKEN + "\r\nX: y"), TOKEN)
    check(lambda: kind(client_id="id", client_secret=SECRET.encode()), SECRET)
    check(lambda: kind(TOKEN, proxy=f"ftp://me:{SECRET}@example.com"), SECRET, TOKEN)
    check(lambda: kind(TOKEN, base_url=f"https://me:{SECRET}@example.com"), SECRET, TOKEN)
    check(lambda: kind(client_id="id", client_secret=SECRET, token_url=f"http://me:{SECRET}@example.com"), SECRET)


@KINDS
def test_a_warning_that_is_an_error(kind, monkeypatch):
    def warn():
        raise RuntimeWarning("another distribution lies here")

    monkeypatch.setattr(privy._client, "_neighbours_are_checked", False)
    monkeypatch.setattr(privy._client, "_check_neighbours", warn)
    check(lambda: kind(TOKEN), TOKEN)


@KINDS
def test_a_copy_with_other_options(kind):
    check(lambda: kind(TOKEN, proxy=f"http://me:{SECRET}@127.0.0.1:9").with_options(timeout=-1), TOKEN, SECRET)


def test_no_frame_of_a_sandbox_error_holds_a_secret():
    sandbox = privy.Sandbox()
    check(lambda: sandbox.client(TOKEN, timeout=-1), TOKEN)
    check(lambda: sandbox.client(client_id="id", client_secret=SECRET, timeout=-1), SECRET)
    check(lambda: sandbox.client(client_id="id", client_secret=[SECRET]), SECRET)
    for scopes in (5, [5]):
        check(lambda: sandbox.add_token(TOKEN, scopes), TOKEN)  # noqa: B023
        check(lambda: sandbox.add_client("id", SECRET, scopes), SECRET)  # noqa: B023
    check(lambda: sandbox.add_token([TOKEN]), TOKEN)
    check(lambda: sandbox.revoke_token(TOKEN + "\0"), TOKEN)
    check(lambda: sandbox.add_integration([TOKEN]), TOKEN)
    for end in ("\r\n", "\n", "\0"):
        header = ("Authorization", f"Bearer {TOKEN}{end}")
        check(lambda: sandbox.handle("GET", "/contacts", [header]), TOKEN)  # noqa: B023
        check(lambda: sandbox.handle("GET", "/contacts", dict([header])), TOKEN)  # noqa: B023
    check(lambda: sandbox.handle("GET", "/contacts\0", {"Authorization": f"Bearer {TOKEN}"}), TOKEN)


ORDER = {"order_id": 1, "email": "a@b.c", "total": 1, "currency": "USD", "order_date": "2026-05-12T10:00:00Z"}


STAGES = ["refused before sending", "refused by the server"]


@pytest.mark.parametrize("fault", [{"currency": "dollars"}, {}], ids=STAGES)
def test_the_token_of_an_integration(fault):
    sandbox = privy.Sandbox()
    fields = {**ORDER, **fault, "integration_token": SECRET}
    check(lambda: sandbox.client().orders.upsert(**fields), SECRET)

    async def run():
        async with privy.AsyncClient(sandbox=sandbox) as client:
            await client.orders.upsert(**fields)

    check(lambda: asyncio.run(run()), SECRET)


@pytest.mark.parametrize("path", ["contacts", "/nothing"], ids=STAGES)
def test_headers_of_a_raw_request(path):
    sandbox = privy.Sandbox()
    headers = {"X-Privy-Integration-Token": SECRET}
    check(lambda: sandbox.client().request("GET", path, headers=headers), SECRET)

    async def run():
        async with privy.AsyncClient(sandbox=sandbox) as client:
            await client.request("GET", path, headers=headers)

    check(lambda: asyncio.run(run()), SECRET)


def test_a_client_that_was_not_made_can_be_shown():
    made = []

    class Kept(privy.Client):
        def __init__(self, *args, **settings):
            made.append(self)
            super().__init__(*args, **settings)

    check(lambda: Kept(TOKEN, timeout=-1), TOKEN)
    assert repr(made[0]) == "Kept(not created)"


def test_the_check_itself_sees_what_is_there():
    def leak():
        held = {"headers": [TOKEN]}
        _core.Client(held)  # type: ignore[call-arg]

    with pytest.raises(TypeError) as caught:
        leak()
    frame = caught.value.__traceback__.tb_next.tb_frame
    assert any(TOKEN in text for text in shown(frame.f_locals))
    gc.collect()
