"""Forks and signals during the life of a client."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
import traceback
import warnings

import privy
from support import Reply, assert_ctrl_c_is_prompt, recording, served, until
from test_policies import CONTACT, WELL, budget


def in_child(action):
    """Runs the action in the child of a fork: its exit status, 0 when all went well."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks with threads: the subject of this test
        child = os.fork()
    if child == 0:
        status = 1
        try:
            action()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return child


def ended(child, within=120):
    until = time.monotonic() + within
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    raise AssertionError("the child hangs")


def test_parent_and_child_use_their_own_connections(recorder):
    recorder.answer = lambda request: WELL
    client = recorder.client()
    client.contacts.get(CONTACT)
    assert recorder.connections == 1

    def calls():
        for _ in range(3):
            assert client.contacts.get(CONTACT).id == CONTACT

    child = in_child(calls)
    calls()
    assert ended(child) == 0
    calls()
    assert recorder.connections == 2
    assert len(recorder.requests) == 10


def test_a_fork_while_another_thread_waits_for_a_response(recorder):
    arrived, release = itertools.count(), threading.Event()

    def answer(request):
        if next(arrived) < 4:
            release.wait(300)
        return WELL

    recorder.answer = answer
    client = recorder.client()
    found = []
    threads = [threading.Thread(target=lambda: found.append(client.contacts.get(CONTACT))) for _ in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: len(recorder.requests) == 4)
    child = in_child(lambda: [client.contacts.get(CONTACT), client.rate_limit, client.close()])
    assert ended(child) == 0
    release.set()
    for thread in threads:
        thread.join(60)
    assert [contact.id for contact in found] == [CONTACT] * 4
    assert client.contacts.get(CONTACT).id == CONTACT
    assert recorder.connections == 5


def test_forks_while_other_threads_are_in_the_sandbox(sandbox):
    client, stop = sandbox.client(), threading.Event()

    def work(number):
        turn = 0
        while not stop.is_set():
            turn += 1
            client.contacts.upsert(email=f"t{number}-{turn % 50}@example.com", first_name="J" * 2000)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(40):
            email = f"child{turn}@example.com"
            child = in_child(lambda email=email: client.contacts.get(client.contacts.create(email=email).id))
            assert ended(child) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)


def test_a_child_keeps_a_token_that_is_valid(sandbox):
    with served(sandbox) as server:
        client = privy.Client(
            client_id=sandbox.client_id, client_secret=sandbox.client_secret, base_url=server.base_url
        )
        client.request("GET", "/contacts")
        before = sandbox.counts.requests
        child = in_child(lambda: client.request("GET", "/contacts"))
        assert ended(child) == 0
        assert sandbox.counts.requests == before + 1


def test_ctrl_c_while_waiting_for_budget():
    with recording(lambda request: Reply(200, budget((60, 0), reset=55), WELL.body)) as recorder:
        client = recorder.client()
        client.contacts.get(CONTACT)
        assert_ctrl_c_is_prompt(lambda: client.contacts.get(CONTACT))
        assert len(recorder.requests) == 1


def test_ctrl_c_while_waiting_for_a_retry():
    with recording(lambda request: Reply(503, {"Retry-After": "50"}, "")) as recorder:
        client = recorder.client(max_retries=3)
        assert_ctrl_c_is_prompt(lambda: client.contacts.get(CONTACT))
        recorder.answer = lambda request: WELL
        assert client.contacts.get(CONTACT).id == CONTACT
