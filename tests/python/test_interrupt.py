"""Ctrl-C, other signals, and threads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import privy
import pytest
from support import PROMPT, TOKEN, assert_ctrl_c_is_prompt, served, until

CONTACT = "cus_0123456789abcdef"


def interrupt_soon(number=signal.SIGINT, after=0.3):
    threading.Timer(after, os.kill, (os.getpid(), number)).start()


def test_ctrl_c_stops_a_call(client, sandbox):
    sandbox.fail(delay=300, count=0)
    assert_ctrl_c_is_prompt(lambda: client.contacts.get(CONTACT, timeout=300))
    sandbox.clear_faults()
    with pytest.raises(privy.NotFoundError):
        client.contacts.get(CONTACT)


def test_ctrl_c_stops_a_bulk_run(client, sandbox):
    sandbox.fail(delay=300, count=0)
    rows = [{"event_type": "seen", "email": f"row{number}@example.com"} for number in range(20)]
    assert_ctrl_c_is_prompt(lambda: list(client.events.ingest_many(rows, timeout=300)))


def test_a_handler_that_raises_stops_a_call(client, sandbox):
    class Alarm(Exception):
        pass

    def handler(number, frame):
        raise Alarm

    previous = signal.signal(signal.SIGUSR1, handler)
    try:
        sandbox.fail(delay=30)
        interrupt_soon(signal.SIGUSR1)
        with pytest.raises(Alarm):
            client.contacts.get(CONTACT, timeout=60)
    finally:
        signal.signal(signal.SIGUSR1, previous)


def test_a_handler_that_returns_does_not(client, sandbox):
    seen = []
    previous = signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(time.monotonic()))
    try:
        sandbox.fail(delay=2)
        interrupt_soon(signal.SIGUSR1, after=0.1)
        with pytest.raises(privy.NotFoundError):
            client.contacts.get(CONTACT)
        assert time.monotonic() - seen[0] > 0.3
    finally:
        signal.signal(signal.SIGUSR1, previous)


def test_ctrl_c_ends_a_script(sandbox):
    script = """
        import privy, sys
        print("ready", flush=True)
        privy.Client(sys.argv[1], base_url=sys.argv[2], timeout=120).contacts.get("cus_0123456789abcdef")
    """
    sandbox.fail(delay=120)
    with served(sandbox) as server:
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script), TOKEN, server.base_url],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.3)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert time.monotonic() - started < PROMPT
    assert process.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in errors
    assert TOKEN not in errors


def test_others_run_while_a_call_waits(client, sandbox):
    sandbox.fail(delay=1.5)
    turns = 0
    caller = threading.Thread(target=lambda: pytest.raises(privy.NotFoundError, client.contacts.get, CONTACT))
    caller.start()
    while caller.is_alive():
        turns += 1
        time.sleep(0.01)
    assert turns > 5


def test_many_threads_on_one_client(client, sandbox):
    errors = []

    def work(number):
        try:
            for i in range(25):
                email = f"t{number}-{i}@example.com"
                jane = client.contacts.create(email=email, tags=[str(number)])
                assert client.contacts.get(jane.id).email == email
                client.events.ingest("seen", privy_id=jane.id)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert (sandbox.counts.contacts, sandbox.counts.events) == (200, 200)


def test_records_are_read_from_many_threads():
    from privy import _core

    text = b'{"created_at":"2026-05-12T10:00:00Z","custom_fields":{"a":1.5},"tags":["x"],"new":{"b":[1]}}'
    for _ in range(50):
        record = _core._load("Contact", text)
        seen = []
        gate = threading.Barrier(4)

        def read(record=record, seen=seen, gate=gate):
            gate.wait()
            seen.append((record.created_at, record.custom_fields, record.tags, record.extra, hash(record)))

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(seen) == 4
        assert all(values == seen[0] for values in seen)
        assert all(values[0] is seen[0][0] for values in seen)


def test_close_while_a_call_runs(client, sandbox):
    sandbox.fail(delay=1)
    outcome = []

    def work():
        try:
            client.contacts.get(CONTACT)
        except privy.PrivyError as error:
            outcome.append(error)

    caller = threading.Thread(target=work)
    caller.start()
    until(lambda: sandbox.counts.requests == 1)
    client.close()
    with pytest.raises(privy.PrivyError, match="closed"):
        client.contacts.get(CONTACT)
    caller.join(60)
    assert isinstance(outcome[0], privy.NotFoundError)
