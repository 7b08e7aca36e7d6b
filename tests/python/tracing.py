"""What the tests of call events share."""

from __future__ import annotations

import threading


class Listener:
    """Collects events."""

    def __init__(self):
        self.all = []
        self.threads = set()

    def __call__(self, event):
        self.all.append(event)
        self.threads.add(threading.get_ident())

    @property
    def events(self):
        """The events between start and end."""
        return [event for event in self.all if event.kind not in ("start", "end")]

    @property
    def kinds(self):
        return [event.kind for event in self.events]


def look(client):
    """The cheapest call."""
    return client.request("GET", "/contacts")


def count_complete_calls(listener):
    """The number of calls; each must have a start, a request, a response and an end."""
    calls = {}
    for event in listener.all:
        calls.setdefault(event.call, []).append(event.kind)
    assert list(calls) == list(range(1, len(calls) + 1))
    assert all(kinds == ["start", "request", "response", "end"] for kinds in calls.values())
    return len(calls)


def count_by_end(listener):
    """The number of calls for each kind of end; each call must have one start and one end."""
    calls = {}
    for event in listener.all:
        calls.setdefault(event.call, []).append(event)
    ways = {}
    for events in calls.values():
        kinds = [event.kind for event in events]
        if kinds == ["refused"]:
            way = "invalid"
        else:
            assert (kinds[0], kinds[-1]) == ("start", "end")
            assert kinds.count("start") == kinds.count("end") == 1
            assert len({event.operation for event in events}) == 1
            way = events[-1].error or ("stopped" if events[-1].reason else "success")
        ways[way] = ways.get(way, 0) + 1
    return ways
