"""A walk through the whole of privy.

With PRIVY_API_TOKEN set (and PRIVY_BASE_URL, to go elsewhere than to Privy itself) it talks to that server, otherwise
to a sandbox inside this process.
"""

import os
from datetime import datetime, timezone
from decimal import Decimal

import privy

client = privy.Client() if "PRIVY_API_TOKEN" in os.environ else privy.Sandbox().client()

jane = client.contacts.create(email="jane@example.com", tags=["vip"], email_consent="subscribed")
print("created", jane.id, jane.email_consent)

jane = client.contacts.update(jane.id, first_name="Jane", phone_number="+14155550171")
print("updated", jane)  # addresses and numbers are masked when printed

assert client.contacts.get(jane.id) == jane
jane = client.contacts.upsert(email="jane@example.com", custom_fields={"shoe_size": 39})
print("upserted: still the same contact, now with", dict(jane.custom_fields or {}))

contacts = client.contacts.list(email_consent="subscribed")
print("subscribed:", contacts.total_count(), [contact.first_name for contact in contacts])

for total in (Decimal("95.00"), Decimal("89.90")):
    order = client.orders.upsert(
        order_id=1001,
        email="jane@example.com",
        total=total,
        currency="USD",
        order_date=datetime.now(timezone.utc),
        line_items=[{"sku": "A-1", "quantity": 1, "price": total}],
    )
    print("order", order.order_id, "created" if order.created else "updated", order.total_amount)

event = client.events.ingest("purchase_completed", email="jane@example.com", event_data={"order_id": "1001"})
print("event", event.status)

answer = client.request("GET", "/contacts", params={"email": "jane@example.com"})
print("raw request:", answer.status, answer.json()["pagination"])

try:
    client.contacts.create(email="nobody", sms_consent="subscribed")
except privy.ValidationError as error:  # refused before anything was sent, with every fault at once
    for fault in error.details:
        print("refused:", fault["field"], fault["message"])

jane = client.contacts.unsubscribe(jane.id, reason="asked by mail")  # deprecated by Privy: the library warns
print("unsubscribed:", jane.email_consent)
client.contacts.delete(jane.id)
print("deleted", jane.id)
