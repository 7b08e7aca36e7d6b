"""Faults of the account over HTTP/1.1: credentials, answers lost on the way, budgets."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable

from answers import FAULTS, HTML, JSON, PAGE, Reply, answer, every_request, good, name
from connections import Fault
from wire import Request, Wire

# ---- credentials ----


class Tokens:
    """What a connection answers when tokens are asked for and sent: requests are counted over all connections."""

    def __init__(self, tokens: Callable[[int], bytes], api: Callable[[Request, int], bytes]) -> None:
        self.tokens = tokens
        self.api = api

    def __call__(self, wire: Wire) -> None:
        while (request := wire.request()) is not None:
            asks = request.target.endswith("/oauth/token")
            number = sum(r.target.endswith("/oauth/token") == asks for r in wire.seen.requests)
            if not wire.send(self.tokens(number) if asks else self.api(request, number)):
                return


def a_token(number: int) -> bytes:
    return answer(200, *JSON, body=json.dumps({"access_token": f"oauth-{number}", "expires_in": 7200}))


def unauthorized(request: Request, number: int) -> bytes:
    return answer(401, *JSON, body='{"error": {"code": "unauthorized", "message": "Invalid token."}}')


def revoked(request: Request, number: int) -> bytes:
    """The first token is good for one call."""
    used = request.headers["authorization"]
    return unauthorized(request, number) if used.endswith("oauth-1") and number > 1 else good(request)


def failing_first(number: int) -> bytes:
    return answer(500) if number == 1 else a_token(number)


FAULTS["token_revoked_in_mid_run"] = Fault(Tokens(a_token, revoked))
FAULTS["token_never_accepted"] = Fault(Tokens(a_token, unauthorized))
FAULTS["token_endpoint_500_then_well"] = Fault(Tokens(failing_first, lambda request, number: good(request)))
FAULTS["token_endpoint_html"] = Fault(Tokens(lambda number: answer(200, HTML, body=PAGE), unauthorized))
FAULTS["token_endpoint_401"] = Fault(
    Tokens(lambda number: answer(401, *JSON, body='{"error": "invalid_client"}'), unauthorized)
)
name("token_refused", unauthorized)


# ---- lost responses: the server acted, and reports it only when asked again ----


def lost(fault: str, again: Reply) -> None:
    """The first request's answer is lost with the connection; `again` answers all others."""

    def serve(wire: Wire) -> None:
        while (request := wire.request()) is not None:
            if wire.count == 1:
                wire.reset()
                return
            wire.send(again(request, wire.count))

    FAULTS[fault] = Fault(serve)


def taken(created_at: float) -> Reply:
    """409 to a create; the contact that it names was created then."""

    def reply(request: Request, number: int) -> bytes:
        if request.method == "POST":
            error = {"code": "conflict", "message": "Taken.", "details": {"id": "cus_0000000000000001"}}
            return answer(409, *JSON, body=json.dumps({"error": error}))
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + created_at))
        reported = {"id": "cus_0000000000000001", "email": "row1@example.com", "created_at": at}
        return answer(200, *JSON, body=json.dumps({"data": reported}))

    return reply


def missing(request: Request, number: int) -> bytes:
    return answer(404, *JSON, body='{"error": {"code": "not_found", "message": "No such contact."}}')


lost("create_lost", taken(0))
lost("create_lost_and_taken_before", taken(-86400))
name("create_taken", taken(-86400))
lost("delete_lost", missing)
name("delete_of_nothing", missing)
lost("event_lost", lambda request, number: good(request))
lost("order_lost", lambda request, number: good(request))


# ---- budgets ----


def limits(minute: tuple[int, int, float], day: tuple[int, int, float]) -> tuple[str, ...]:
    """The headers for (limit, remaining, seconds until the reset) of the minute and the day."""
    named = zip(("X-RateLimit-%s-Minute", "X-RateLimit-%s-Day"), (minute, day), strict=True)
    values = (
        (pattern % word, value)
        for pattern, (limit, left, ahead) in named
        for word, value in (("Limit", limit), ("Remaining", left), ("Reset", int(time.time() + ahead)))
    )
    return tuple(f"{key}: {value}" for key, value in values)


WHOLE_MINUTE, WHOLE_DAY = (60, 59, 60), (10_000, 9_999, 86_400)


def telling(fault: str, minute: tuple[int, int, float], day: tuple[int, int, float]) -> None:
    name(fault, lambda request, number: good(request, *limits(minute, day)))


telling("limits_negative", (-60, -5, -1000), (-1, -1, -1))
telling("limits_far_future", (60, 0, 1e11), (10_000, 0, 1e11))
telling("limits_of_zero", (0, 0, 30), (0, 0, 30))
telling("day_spent", WHOLE_MINUTE, (10_000, 0, 3600))
telling("minute_spent", (60, 0, 2), WHOLE_DAY)
telling("minute_spent_past_max_wait", (60, 0, 50), WHOLE_DAY)


@every_request
def limits_rubbish(request: Request, number: int) -> bytes:
    rubbish = itertools.cycle(("many", "", "NaN", "0x10", "1e999"))
    words = ("Limit-Minute", "Remaining-Minute", "Reset-Minute", "Limit-Day", "Remaining-Day", "Reset-Day")
    return good(request, *(f"X-RateLimit-{word}: {next(rubbish)}" for word in words))
