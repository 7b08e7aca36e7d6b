"""Bulk runs whose token the server does not accept, and iterables that raise errors of privy."""

from __future__ import annotations

import asyncio

import privy
import pytest

ORDERS = [
    {
        "order_id": number,
        "email": f"o{number}@example.com",
        "total": "1.00",
        "currency": "USD",
        "order_date": "2026-05-12T10:00:00Z",
    }
    for number in range(1, 21)
]


@pytest.fixture
def sandbox():
    return privy.Sandbox()


def upserted(sandbox, how, rows):
    """The report of a run, one row at a time."""
    if how == "blocking":
        return sandbox.client().orders.upsert_many(rows, concurrency=1).run()

    async def main():
        async with sandbox.async_client() as client:
            return await client.orders.upsert_many(rows, concurrency=1).run()

    return asyncio.run(main())


@pytest.mark.parametrize("how", ["blocking", "async"])
@pytest.mark.parametrize(("status", "kind"), [(401, privy.AuthenticationError), (403, privy.PermissionDeniedError)])
def test_a_run_ends_when_the_token_is_refused(sandbox, how, status, kind):
    sandbox.fail(status, skip=3, count=0)
    report = upserted(sandbox, how, ORDERS)
    assert isinstance(report.stopped, kind)
    assert (report.stopped.status, report.succeeded, report.failed) == (status, 3, 0)
    assert report.stopped.request_id
    assert [index for index, _ in report.unsent] == list(range(3, 20))
    assert report.in_doubt == []
    assert sandbox.counts.requests == 4


def test_iterating_raises_the_error(sandbox):
    sandbox.fail(401, count=0)
    run = sandbox.client().orders.upsert_many(ORDERS, concurrency=1)
    with pytest.raises(privy.AuthenticationError):
        next(run)
    assert len(run.unsent) == 20


def test_a_token_that_cannot_be_fetched_costs_one_request(sandbox):
    client = sandbox.client(client_id=sandbox.client_id, client_secret="wrong")
    report = client.orders.upsert_many(ORDERS, concurrency=8).run()
    assert isinstance(report.stopped, privy.AuthenticationError)
    assert len(report.unsent) == 20
    assert (report.failed, sandbox.counts.requests) == (0, 1)


@pytest.mark.parametrize("how", ["blocking", "async"])
@pytest.mark.parametrize("error", [privy.RateLimitError("spent"), privy.AuthenticationError("no token")])
def test_an_error_of_privy_that_the_iterable_raises_is_raised(sandbox, how, error):
    def rows():
        yield ORDERS[0]
        raise error

    with pytest.raises(type(error)) as caught:
        upserted(sandbox, how, rows())
    assert caught.value is error
    assert sandbox.counts.orders == 1
