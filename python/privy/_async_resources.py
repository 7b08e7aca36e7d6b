"""The resources for asyncio. Type checkers and editors read the stub, which spells out the methods."""

from ._async_methods import AsyncResource, awaited, listed, many, plain, planned
from ._resources import Contacts, Events, Orders


class AsyncContacts(AsyncResource):
    """Contacts of a store. The methods are those of ``Contacts``, as coroutines."""

    create = awaited(Contacts.create)
    get = awaited(Contacts.get)
    list = listed(Contacts.list)
    export = awaited(Contacts.export)
    update = awaited(Contacts.update)
    upsert = awaited(Contacts.upsert)
    upsert_many = many(Contacts.upsert_many)
    plan = planned(Contacts.plan)
    validate_many = plain(Contacts.validate_many)
    delete = awaited(Contacts.delete)
    unsubscribe = awaited(Contacts.unsubscribe)
    validate = plain(Contacts.validate)


class AsyncOrders(AsyncResource):
    """Orders of a store. The methods are those of ``Orders``, as coroutines."""

    upsert = awaited(Orders.upsert)
    upsert_many = many(Orders.upsert_many)
    validate_many = plain(Orders.validate_many)
    validate = plain(Orders.validate)


class AsyncEvents(AsyncResource):
    """Events of contacts. The methods are those of ``Events``, as coroutines."""

    ingest = awaited(Events.ingest)
    ingest_many = many(Events.ingest_many)
    validate_many = plain(Events.validate_many)
    validate = plain(Events.validate)
