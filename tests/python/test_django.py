"""privy.django: the setting PRIVY, system checks, the mixin for tests, and the example under a real gunicorn."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import traceback
from contextlib import contextmanager
from pathlib import Path

import django
import httpx
import privy
import privy.django
import pytest
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.serializers.json import DjangoJSONEncoder
from django.test import override_settings
from privy.django import _settings
from privy.django.test import SandboxMixin
from support import served

EXAMPLE = Path(__file__).parents[2] / "examples" / "django_app"
TOKEN = "privy_" + "0" * 40
NOWHERE = "http://127.0.0.1:9/v1"
"""No server listens here."""

settings.configure(INSTALLED_APPS=["privy.django"], PRIVY={"SANDBOX": True}, SECRET_KEY="test")
django.setup()


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    for name in list(os.environ):
        if name.startswith("PRIVY_"):
            monkeypatch.delenv(name)


# ---- clients ----


def test_a_process_has_one_client_of_each_kind():
    with override_settings(PRIVY={"SANDBOX": True}):
        client = privy.django.client()
        assert type(client) is privy.Client
        assert privy.django.client() is client
        created = client.contacts.create(email="jane@example.com")

        async def asynchronous():
            assert privy.django.async_client() is privy.django.async_client()
            return await privy.django.async_client().contacts.get(created.id)

        assert asyncio.run(asynchronous()) == created


def test_threads_share_the_client():
    with override_settings(PRIVY={"SANDBOX": True}):
        found, start = [], threading.Barrier(8)

        def ask():
            start.wait()
            found.append(privy.django.client())

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8
        assert all(client is found[0] for client in found)


def test_a_child_of_the_process_uses_the_client_too():
    sandbox = privy.Sandbox()
    with served(sandbox) as server, override_settings(PRIVY={"TOKEN": sandbox.token, "BASE_URL": server.base_url}):
        privy.django.client().contacts.create(email="jane@example.com")
        child = os.fork()
        if not child:
            try:
                privy.django.client().contacts.create(email="joe@example.com")
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        assert privy.django.client().contacts.list().total_count() == 2


def test_settings_are_the_parameters_of_a_client():
    given = {"TOKEN": TOKEN, "BASE_URL": "https://privy.example/v2", "RESERVE": "7", "MAX_WAIT": 5, "TIMEOUT": "3"}
    with override_settings(PRIVY=given):
        client = privy.django.client()
        assert client.base_url == "https://privy.example/v2"
        assert client._core.reserve == 7
        assert privy.django.client() is client
    with override_settings(PRIVY={**given, "BASE_URL": "https://privy.example/v3"}):
        assert privy.django.client().base_url == "https://privy.example/v3"
        assert client.base_url == "https://privy.example/v2"


def test_credentials_may_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("PRIVY_API_TOKEN", TOKEN)
    monkeypatch.setenv("PRIVY_BASE_URL", "https://privy.example/v2")
    with override_settings(PRIVY={}):
        assert privy.django.client().base_url == "https://privy.example/v2"
    with override_settings():
        del settings.PRIVY
        assert privy.django.client().base_url == "https://privy.example/v2"


def test_aliases_are_accounts():
    given = {"default": {"TOKEN": TOKEN}, "eu": {"TOKEN": TOKEN, "BASE_URL": "https://eu.privy.example"}}
    with override_settings(PRIVY=given):
        assert privy.django.client("eu").base_url == "https://eu.privy.example"
        assert privy.django.client() is privy.django.client("default") is not privy.django.client("eu")
        with pytest.raises(ImproperlyConfigured, match="PRIVY has no alias 'us'"):
            privy.django.client("us")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"TOKEN": TOKEN, "TIMOUT": 3, "RETRIES": 1}, "PRIVY: TIMOUT is not a setting of a client; RETRIES is not"),
        ({"TOKEN": TOKEN, "TIMEOUT": "soon"}, "PRIVY: .*timeout"),
        ({"eu": {"TOKEN": TOKEN, "TIMEOUT": -1}, "default": {}}, r"PRIVY\['eu'\]: .*timeout"),
        ({}, "PRIVY: .*token"),
        ([TOKEN], "PRIVY must be a dict of settings"),
    ],
)
def test_a_wrong_setting_is_named(given, message):
    with override_settings(PRIVY=given), pytest.raises(ImproperlyConfigured, match=message):
        privy.django.client("eu" if "eu" in given else "default")


def test_no_frame_of_the_exception_holds_the_token():
    with override_settings(PRIVY={"TOKEN": TOKEN, "TIMEOUT": "soon"}):
        try:
            privy.django.client()
        except ImproperlyConfigured as error:
            chain = [error, error.__cause__, error.__context__]
    text = "".join(
        "".join(traceback.TracebackException.from_exception(one, capture_locals=True).format()) for one in chain if one
    )
    assert "timeout" in text
    assert TOKEN not in text


# ---- system checks ----


def found(given, deploy=False):
    with override_settings(PRIVY=given):
        messages = checks.run_checks(tags=["privy"], include_deployment_checks=deploy)
    return [(message.id, message.msg, message.hint) for message in messages]


def test_good_settings_pass():
    for given in ({"TOKEN": TOKEN}, {"SANDBOX": True}, {"a": {"SANDBOX": True}, "b": {"TOKEN": TOKEN, "RESERVE": 5}}):
        assert found(given) == []
    assert found({"TOKEN": TOKEN}, deploy=True) == []


def test_an_unknown_setting_comes_with_the_one_that_may_be_meant():
    assert found({"TOKEN": TOKEN, "TIMOUT": 3, "token": TOKEN}) == [
        ("privy.E002", "PRIVY: TIMOUT is not a setting of a client.", "Did you mean TIMEOUT?"),
        ("privy.E002", "PRIVY: token is not a setting of a client.", "Did you mean TOKEN?"),
    ]
    ((number, message, hint),) = found({"eu": {"TOKEN": TOKEN, "COLOUR": 3}})
    assert (number, message) == ("privy.E002", "PRIVY['eu']: COLOUR is not a setting of a client.")
    assert "MAX_RETRIES" in hint


def test_an_invalid_value_is_an_error():
    ((number, message, _),) = found({"TOKEN": TOKEN, "TIMEOUT": "soon"})
    assert number == "privy.E003"
    assert message.startswith("PRIVY: timeout")
    assert found({"TOKEN": "no token", "TIMEOUT": 3})[0][0] == "privy.E003"
    assert found([TOKEN]) == [("privy.E001", "PRIVY must be a dict of settings, not list.", None)]


def test_a_missing_token_is_a_warning():
    ((number, message, hint),) = found({"TIMEOUT": 3})
    assert number == "privy.W001"
    assert "token" in message
    assert "TOKEN" in hint


def test_a_sandbox_in_a_deployment_is_a_warning():
    given = {"default": {"TOKEN": TOKEN}, "eu": {"SANDBOX": True}}
    assert [row[:2] for row in found(given, deploy=True)] == [
        ("privy.W002", "PRIVY['eu'] uses a sandbox: nothing reaches Privy.")
    ]
    assert found(given) == []


def test_no_check_shows_a_secret():
    assert TOKEN not in repr([found({"TOKEN": TOKEN, "TIMEOUT": "soon"}), found({"TOKEN": TOKEN, "X": TOKEN})])


def test_every_parameter_of_a_client_is_a_setting():
    assert {"TOKEN", "CLIENT_ID", "CLIENT_SECRET", "BASE_URL", "PROXY", "SANDBOX", "ON_EVENT"} <= set(_settings.OPTIONS)


# ---- tests of projects ----


def test_the_mixin_gives_each_test_a_sandbox():
    seen = []

    class Case(SandboxMixin):
        def setUp(self):
            privy.django.client().contacts.create(email="jane@example.com")

        def test_one(self):
            seen.append((self.privy_sandbox, self.privy_sandbox.counts.contacts))
            self.assertEqual(privy.django.client("eu").contacts.list().total_count(), 1)

        test_two = test_one

    outer = {"default": {"TOKEN": TOKEN, "BASE_URL": "https://privy.invalid", "MAX_WAIT": 1}, "eu": {"TOKEN": TOKEN}}
    with override_settings(PRIVY=outer):
        before = privy.django.client()
        for name in ("test_one", "test_two"):
            case = pickle.loads(pickle.dumps(SandboxMixin()))
            assert not hasattr(case, "privy_sandbox")
            result = Case(name).run()
            assert result.wasSuccessful(), result.failures + result.errors
        assert privy.django.client().base_url == before.base_url == "https://privy.invalid"
    assert [count for _, count in seen] == [1, 1]
    assert seen[0][0] is not seen[1][0]


def test_clients_that_a_project_makes_use_the_sandbox_of_the_mixin():
    early = privy.Client(TOKEN, base_url=NOWHERE, max_retries=0)

    class Case(SandboxMixin):
        def test(self):
            made = privy.Client(TOKEN, base_url=NOWHERE).contacts.create(email="jane@example.com")
            self.assertEqual(privy.django.client().contacts.get(made.id), made)
            self.assertEqual(early.contacts.get(made.id), made)
            self.assertEqual(list(self.privy_sandbox.contacts.values()), [made])

        def fails(self):
            raise AssertionError(early.contacts.list().total_count())

    for name, problems in (("test", 0), ("fails", 1)):
        result = Case(name).run()
        assert (len(result.failures), result.errors) == (problems, []), result
        with pytest.raises(privy.APIConnectionError):
            early.contacts.list().total_count()


def test_to_dict_and_the_encoder_of_django():
    with override_settings(PRIVY={"SANDBOX": True}):
        order = privy.django.client().orders.upsert(
            order_id=1, total="95.00", currency="USD", order_date="2026-05-12T10:00:00Z", email="jane@example.com"
        )
    assert json.loads(json.dumps(order.to_dict(), cls=DjangoJSONEncoder)) == order.to_dict(json=True) | {
        name: DjangoJSONEncoder().default(getattr(order, name)) for name in ("created_at", "updated_at", "placed_at")
    }
    assert pickle.loads(pickle.dumps(order)) == order  # what caches of Django do


# ---- the example ----


def manage(*arguments, **variables):
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=EXAMPLE,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_example_passes_its_checks_and_its_tests():
    assert manage("check") == (0, "System check identified no issues (0 silenced).\n")
    code, output = manage("test", "--parallel", "2")
    assert code == 0, output
    assert "Ran 5 tests" in output
    code, output = manage("check", PRIVY_API_TOKEN="no token")
    assert code == 0  # what the environment lacks is a warning, so that images can be built without secrets
    assert "privy.W001" in output
    code, output = manage("check", "--fail-level", "WARNING", PRIVY_API_TOKEN="no token")
    assert code == 1


@contextmanager
def gunicorn(**variables):
    command = [sys.executable, "-m", "gunicorn", "--workers", "2", "--preload", "--bind", "127.0.0.1:0"]
    with subprocess.Popen(
        [*command, "wsgi:application"],
        cwd=EXAMPLE,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            address = next(line.split()[-2] for line in process.stderr if "Listening at" in line)
            with httpx.Client(base_url=address, timeout=300) as http:
                yield http
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=300)


def test_the_example_under_gunicorn():
    sandbox = privy.Sandbox()
    with (
        served(sandbox) as server,
        gunicorn(PRIVY_API_TOKEN=sandbox.token, PRIVY_BASE_URL=server.base_url) as http,
    ):
        for number in range(12):
            response = http.post("/subscribe", data={"email": f"jane{number}@example.com"})
            assert response.status_code == 200, response.text
        assert http.get("/contacts").json()["pagination"]["total_count"] == 12
        assert http.post("/subscribe", data={"email": "nobody"}).json()["errors"][0]["field"] == "email"
        assert http.get("/contacts/cus_0000000000000000").status_code == 404
        sandbox.fail(status=429, retry_after=40)
        assert http.get("/contacts").headers["Retry-After"] == "41"
        sandbox.revoke_token(sandbox.token)
        assert http.get("/contacts").status_code == 502
    assert sandbox.counts.contacts == 12
