"""Uses every resource of privy once.

Sends requests to Privy if PRIVY_API_TOKEN is set (PRIVY_BASE_URL selects another server), otherwise to a sandbox inside
this process.
"""

import os
from datetime import datetime, timezone
from decimal import Decimal

import privy

client = privy.Client() if "PRIVY_API_TOKEN" in os.environ else privy.Sandbox().client()

jane = client.contacts.create(email="jane@example.com", tags=["vip"], email_consent="subscribed")
print("created", jane.id, jane.email_consent)

jane = client.contacts.update(jane.id, first_name="Jane", phone_number="+14155550171")
print("updated", jane)  # printing masks e-mail addresses and phone numbers

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

response = client.request("GET", "/contacts", params={"email": "jane@example.com"})
print("raw request:", response.status, response.json()["pagination"])

try:
    client.contacts.create(email="nobody", sms_consent="subscribed")
except privy.ValidationError as error:  # raised before sending, with all errors of the request
    for detail in error.details:
        print("refused:", detail["field"], detail["message"])

jane = client.contacts.unsubscribe(jane.id, reason="asked by mail")  # deprecated by Privy: raises a DeprecationWarning
print("unsubscribed:", jane.email_consent)
client.contacts.delete(jane.id)
print("deleted", jane.id)
