"""Forks with open TLS connections, seen from the server: which process sent requests on which connection."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from forking_process import CHILD, CHURN, STEP
from many_server import serving


@pytest.fixture
def played():
    with serving() as server:

        def play(scene):
            program = Path(__file__).with_name("forking_process.py")
            subprocess.run([sys.executable, program, scene, server.https, server.ca], check=True, timeout=600)
            return server.asked()

        yield play


def family(number):
    return "parent" if number < CHILD else number // STEP


def test_children_leave_the_kept_connection_to_their_parent(played):
    # Whatever a child wrote on the parent's connection, TLS would have ended it: the parent's next question came on it.
    assert played("idle") == [[1, 2, 3, 4], [CHILD, CHILD + 1]]


def test_children_leave_a_run_of_many_calls_to_their_parent(played):
    connections = played("bulk")
    assert [asked for asked in connections if CHILD in asked] == [[CHILD]]
    parents = [asked for asked in connections if CHILD not in asked]
    assert len(parents) <= 4
    assert sorted(sum(parents, [])) == list(range(1, 41))


def test_forks_with_calls_in_flight_in_other_threads(played):
    connections = [asked for asked in played("in_flight") if asked]
    owners = [{family(number) for number in asked} for asked in connections]
    assert all(len(owner) == 1 for owner in owners)
    asked = [number for numbers in connections for number in numbers if number >= CHILD]
    assert sorted(asked) == sorted(CHILD + STEP * child + n for child in range(12) for n in (0, 0, 1, 1))
    kept = [numbers for numbers in connections if numbers[0] < CHURN]
    assert 6 <= len(kept) <= 7, "a child's end broke connections of its parent"
