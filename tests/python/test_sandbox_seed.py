"""Generated data: it looks real, obeys every rule of the API, and is the same each time."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta, timezone

import privy
import pytest
from support import operation

AT = datetime(2026, 5, 12, 10, tzinfo=timezone.utc)


@pytest.fixture
def shop(sandbox):
    sandbox.set_clock(AT)
    sandbox.seed("shop", contacts=400)
    return sandbox


def test_every_contact_can_be_read(shop):
    client = shop.client()
    listed = list(client.contacts.list(per_page=100))
    assert len(listed) == 400
    assert [contact.id for contact in listed] == list(shop.contacts)
    for contact in listed:
        assert client.contacts.get(contact.id) == contact == shop.contacts[contact.email or contact.phone_number]


def test_every_contact_can_be_written_again_unless_its_consent_forbids_it(shop):
    client = shop.client(max_retries=0)
    for contact in list(shop.contacts.values()):
        fields = {"email": contact.email, "phone_number": contact.phone_number}
        fields |= {"first_name": contact.first_name, "last_name": contact.last_name}
        fields |= {"tags": contact.tags, "custom_fields": contact.custom_fields}
        given = {name: value for name, value in fields.items() if value is not None}
        if contact.sms_consent not in ("pending", "unsubscribed"):
            given["sms_consent"] = contact.sms_consent
        if contact.email_consent == "compliance_suppressed":
            with pytest.raises(privy.ValidationError, match="compliance"):
                client.contacts.upsert(**given)
            continue
        written = client.contacts.upsert(email_consent=contact.email_consent, **given)
        assert written.to_dict() | {"updated_at": None} == contact.to_dict() | {"updated_at": None}
    assert shop.counts.contacts == 400
    assert shop.messages == ()


def test_every_order_can_be_written_again(shop):
    client = shop.client(max_retries=0)
    parameters = [row["name"] for row in operation("orders.upsert")["params"]]
    assert len(shop.orders) == 240
    for order_id, order in list(shop.orders.items()):
        stored = order.to_dict()
        written = client.orders.upsert(**{name: stored[name] for name in parameters if stored.get(name) is not None})
        assert (written.order_id, written.created) == (order_id, False)
        assert (written.total_amount, written.placed_at) == (order.total_amount, order.placed_at)
        assert shop.contacts[order.email or order.phone].created_at <= order.placed_at <= AT
    assert (shop.counts.contacts, shop.counts.orders) == (400, 240)


def test_events_are_of_contacts_that_existed(shop):
    for event in shop.events:
        contact = shop.contacts[event.email or event.phone or event.privy_id]
        assert contact.created_at <= event.event_time <= event.accepted_at <= AT
        assert event.event_data["price"] > 0
    assert len({event.event_type for event in shop.events}) == 4
    assert len({event.idempotency_key for event in shop.events}) == 400


def test_addresses_and_numbers_belong_to_nobody(shop):
    contacts = list(shop.contacts.values())
    for contact in contacts:
        assert contact.email is None or re.fullmatch(r"[a-z0-9.]+@example\.(com|net|org)", contact.email)
        assert contact.phone_number is None or re.fullmatch(r"\+1[2-9][0-8]\d55501\d\d", contact.phone_number)
        assert contact.email or contact.phone_number
    assert 100 < sum(contact.phone_number is not None for contact in contacts) < 250


def test_names_are_of_several_languages(shop):
    names = "".join(f"{contact.first_name} {contact.last_name}" for contact in shop.contacts.values())
    assert {character for character in "éöŁ田م" if character not in names} == set()
    assert any(contact.first_name is None for contact in shop.contacts.values())


def test_all_consents_occur(shop):
    contacts = list(shop.contacts.values())
    assert {contact.email_consent for contact in contacts} == {
        "subscribed", "unsubscribed", "never_subscribed", "suppressed", "compliance_suppressed"
    }  # fmt: skip
    assert {contact.sms_consent for contact in contacts} == {
        "subscribed", "unsubscribed", "never_subscribed", "single_opt_in", "pending"
    }  # fmt: skip
    for contact in contacts:
        assert contact.sms_consent == "never_subscribed" or contact.phone_number
        assert contact.email_consent == "never_subscribed" or contact.email
        if "unsubscribed" in (contact.email_consent, contact.sms_consent):
            assert contact.updated_at > contact.created_at or contact.created_at > AT - timedelta(hours=1)


def test_contacts_grow_with_seasons_and_weekdays(sandbox):
    sandbox.set_clock(AT)
    sandbox.seed("shop", contacts=20_000, days=728)
    times = [contact.created_at for contact in sandbox.contacts.values()]
    assert times == sorted(times)
    assert AT - timedelta(days=728) <= times[0] < times[-1] <= AT
    middle = sum(time < AT - timedelta(days=364) for time in times)
    assert middle < 0.45 * len(times)
    months = Counter(time.month for time in times)
    assert months[11] > 1.2 * months[8]
    weekdays = Counter(time.weekday() for time in times)
    assert weekdays[5] > 1.1 * weekdays[1]
    evenings, mornings = (sum(time.hour in hours for time in times) for hours in (range(18, 23), range(5, 10)))
    assert evenings > 3 * mornings


def test_the_same_arguments_give_the_same_data():
    shops = [privy.Sandbox() for _ in range(3)]
    for shop, seed in zip(shops, (7, 7 - 2**64, 8), strict=True):
        shop.set_clock(AT)
        shop.seed("shop", contacts=60, days=30, seed=seed)
    first, same, other = ([*shop.contacts.values(), *shop.orders.values(), *shop.events] for shop in shops)
    assert first == same != other
    assert shops[0].contacts["lucia.lopez@example.com"].phone_number is None


def test_data_is_added(sandbox):
    jane = sandbox.client().contacts.create(email="jane@example.com")
    sandbox.seed("shop", contacts=50)
    sandbox.seed("shop", contacts=50)
    assert sandbox.counts.contacts == 101
    assert (sandbox.counts.requests, len(sandbox.requests), sandbox.messages) == (1, 1, ())
    assert sandbox.contacts["jane@example.com"] == jane
    assert sandbox.client().contacts.create(email="last@example.com").id not in list(sandbox.contacts)[:101]


def test_arguments_are_checked(sandbox):
    with pytest.raises(ValueError, match="there is no data set shops: the data sets are shop"):
        sandbox.seed("shops")
    with pytest.raises(ValueError, match="contacts must be 0 to 1000000; days must be 1 to 3650"):
        sandbox.seed("shop", contacts=-1, days=0)
    with pytest.raises(TypeError):
        sandbox.seed("shop", 100)
    with pytest.raises(TypeError):
        sandbox.seed("shop", contacts="many")
    assert sandbox.counts.contacts == 0
