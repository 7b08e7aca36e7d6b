"""Clients and resources replaced by unittest.mock, as in tests of programs."""

from __future__ import annotations

import asyncio
from unittest import mock

import privy
import pytest

ORDER = privy.Order.from_json('{"order_id":1,"total_amount":"9.50"}')
METHODS = [
    ("contacts", "create"),
    ("contacts", "get"),
    ("contacts", "list"),
    ("contacts", "upsert_many"),
    ("orders", "upsert"),
    ("orders", "upsert_many"),
    ("events", "ingest"),
    ("events", "ingest_many"),
]


@pytest.mark.parametrize(("resource", "method"), METHODS)
@pytest.mark.parametrize("kind", [privy.Client, privy.AsyncClient])
def test_a_method_of_one_client_can_be_replaced(kind, resource, method):
    client, other = kind("privy_" + "0" * 40), kind("privy_" + "0" * 40)
    real = getattr(client.with_options(), resource)
    with mock.patch.object(getattr(client, resource), method) as double:
        assert getattr(getattr(client, resource), method) is double
        assert getattr(getattr(other, resource), method) is not double
        assert type(real) is type(getattr(client, resource))
    assert getattr(getattr(client, resource), method).__func__ is getattr(type(real), method)


def test_a_replaced_method_records_its_calls(client):
    with mock.patch.object(client.orders, "upsert", return_value=ORDER, autospec=True) as upsert:
        assert client.orders.upsert(order_id=1, total=9.5) is ORDER
        upsert.assert_called_once_with(order_id=1, total=9.5)
        with pytest.raises(TypeError):
            client.orders.upsert(oder_id=1)
        with pytest.raises(TypeError):
            client.orders.upsert(1)


def test_a_replaced_coroutine_is_awaited(sandbox):
    async def run():
        async with privy.AsyncClient(sandbox=sandbox) as client:
            with mock.patch.object(client.orders, "upsert", return_value=ORDER, autospec=True) as upsert:
                assert await client.orders.upsert(order_id=1) is ORDER
                upsert.assert_awaited_once_with(order_id=1)
                with pytest.raises(TypeError):
                    await client.orders.upsert(oder_id=1)

    asyncio.run(run())


@pytest.mark.parametrize("name", ["request", "with_options", "close"])
def test_a_method_of_the_client_itself_can_be_replaced(client, name):
    with mock.patch.object(client, name, autospec=True) as double:
        assert getattr(client, name) is double


def test_a_list_and_a_sandbox_can_be_patched(client, sandbox):
    contacts = client.contacts.list()
    with mock.patch.object(contacts, "pages", return_value=iter([])):
        assert list(contacts.pages()) == []
    with mock.patch.object(sandbox, "fail") as fail:
        sandbox.fail(500)
    fail.assert_called_once_with(500)


@pytest.mark.parametrize("kind", [privy.Client, privy.AsyncClient])
@pytest.mark.parametrize(("resource", "method"), METHODS)
def test_a_copy_of_the_class_has_every_resource(kind, resource, method):
    double = mock.create_autospec(kind)
    made = double("privy_token")
    assert double.call_args == mock.call("privy_token")
    for copied in (made, mock.create_autospec(kind, instance=True)):
        assert hasattr(getattr(copied, resource), method)
        with pytest.raises(AttributeError):
            _ = getattr(copied, resource).nothing
    with pytest.raises(TypeError):
        double(tokem="privy_token")


def test_the_copy_checks_arguments():
    client = mock.create_autospec(privy.Client, instance=True)
    client.contacts.get.return_value = privy.Contact.from_json('{"email":"a@b.c"}')
    assert client.contacts.get("cus_1").email == "a@b.c"
    with pytest.raises(TypeError):
        client.contacts.get()
    with pytest.raises(TypeError):
        client.contacts.create("a@b.c")


def test_the_class_itself_can_be_patched():
    with mock.patch("privy.Client", autospec=True) as double:
        double.return_value.orders.upsert.return_value = ORDER
        assert privy.Client("privy_token").orders.upsert(order_id=1) is ORDER
    assert privy.Client("privy_" + "0" * 40).orders.upsert is not None


def test_a_client_has_resources_of_its_own():
    one, two = privy.Client("privy_" + "0" * 40), privy.Client("privy_" + "1" * 40)
    for resource in ("contacts", "orders", "events"):
        assert getattr(one, resource) is not getattr(two, resource)
        assert isinstance(getattr(one, resource), getattr(privy, resource.capitalize()))
