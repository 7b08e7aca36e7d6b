"""The input of all measurements: contacts, orders and events, always the same, written as files of JSON.

Everything is made up here, from a fixed seed. The members of a contact come in the order of the API's documentation,
not in that of privy's tables.
"""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any


def words(text: str) -> list[str]:
    return text.split()


SEED = 20260512
PAGE_MARK = "PagePage"
"""Ends the ids in contacts.json: the server puts the page's number there, so that no contact comes twice."""
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
FIRST_NAMES = words(
    "Ana Ben Chloé Dmitri Élodie Fatima Grzegorz Hannah İbrahim Jürgen Kateřina Liam Mónica Noah Olivia Paweł Quentin "
    "Renée Søren Tomás Ursula Vũ Wei Ximena Yūki Zoë Michał Anaïs José Siobhán 美咲 Алексей"
)
LAST_NAMES = words(
    "Anderson Björk Castillo Dvořák Eriksen Fernández García Hernández Ivanov Jansen Kowalski Łukasz Müller Nguyễn "
    "O'Brien Papadopoulos Quiñones Rodríguez Šimić Thompson Ueda Villanueva Williams Xu Yılmaz Zimmermann 佐藤 Смирнова"
)
DOMAINS = ("example.com", "example.org", "mail.example.net", "shop.example.co.uk")
TAGS = words(
    "vip newsletter wholesale returning abandoned-cart holiday-2025 loyalty:gold loyalty:silver café press "
    "birthday-club early_access EU refund"
)
EMAIL_CONSENTS = ("subscribed", "subscribed", "subscribed", "unsubscribed", "never_subscribed", "suppressed")
SMS_CONSENTS = ("never_subscribed", "never_subscribed", "subscribed", "unsubscribed", "single_opt_in", "pending")
NOTES = (
    'Prefers "quiet" packaging',
    "Called twice,\nasked for the blue one",
    "R&D <lab> account",
    "Größe 42½, naïve façade",
    "C:\\exports\\2026",
    "贈り物の包装をお願いします",
    "Met at the fair 🎪 and 👍🏽",
)
ESCAPED = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "🎪": "\\ud83c\\udfaa"})
PRODUCTS = ("Café crème mug – bleu", "Linen apron", "Oak board, small", 'Poster 12" × 18"', "Gift card", "Wool throw")


class Generator:
    """Makes one thing after another; what comes depends on nothing but the seed."""

    def __init__(self) -> None:
        self.random = random.Random(SEED)
        self.made = 0

    def moment(self) -> str:
        """A time of the last years; half of them with milliseconds, as answers have them."""
        at = datetime(2023, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=self.random.randrange(100_000_000))
        text = at.strftime("%Y-%m-%dT%H:%M:%S")
        return f"{text}.{self.random.randrange(1000):03}Z" if self.random.random() < 0.5 else f"{text}Z"

    def sometimes(self, share: float, value: Any) -> Any:
        return value if self.random.random() < share else None

    def amount(self, most: int) -> str:
        return f"{self.random.randrange(100, most)}.{self.random.randrange(100):02}"

    def phone(self) -> str:
        return f"+1415555{self.random.randrange(10_000):04}"

    def custom_fields(self) -> dict[str, Any]:
        """Scalars only. Fractions are quarters, so that a binary float holds them exactly and peers may use one."""
        every = {
            "shirt_size": self.random.choice(("S", "M", "L", None)),
            "lifetime_value": self.random.randrange(40_000) / 4,
            "orders": self.random.randrange(60),
            "newsletter_opt_in": self.random.random() < 0.5,
            "note": self.random.choice(NOTES),
            "referred_by": self.sometimes(0.5, "friend"),
            "größe_cm": self.random.randrange(150, 200),
            "favourite colour": self.random.choice(("bleu foncé", "vert", "красный")),
        }
        return dict(self.random.sample(sorted(every.items()), self.random.randrange(6)))

    def contact(self) -> dict[str, Any]:
        self.made += 1
        first, last = self.random.choice(FIRST_NAMES), self.random.choice(LAST_NAMES)
        return {
            "id": "cus_" + "".join(self.random.choices(ALPHABET, k=16)),
            "first_name": self.sometimes(0.92, first),
            "last_name": self.sometimes(0.88, last),
            "email": self.sometimes(0.95, f"user{self.made}@{self.random.choice(DOMAINS)}"),
            "phone_number": self.sometimes(0.6, self.phone()),
            "email_consent": self.random.choice(EMAIL_CONSENTS),
            "sms_consent": self.random.choice(SMS_CONSENTS),
            "tags": self.random.sample(TAGS, self.random.randrange(5)),
            "custom_fields": self.custom_fields(),
            "created_at": self.moment(),
            "updated_at": self.moment(),
        }

    def address(self) -> dict[str, str]:
        return {
            "first_name": self.random.choice(FIRST_NAMES),
            "last_name": self.random.choice(LAST_NAMES),
            "city": self.random.choice(("Portland", "Zürich", "São Paulo", "Łódź")),
            "state_code": "OR",
            "country_code": "US",
            "postal_code": f"{self.random.randrange(100_000):05}",
        }

    def order(self, items: int) -> dict[str, Any]:
        """What is sent for an order; amounts are decimal text, which the workers turn into decimals."""
        self.made += 1
        address = self.address()
        return {
            "order_id": 700_000 + self.made,
            "email": f"buyer{self.made}@example.com",
            "phone": self.phone(),
            "total": self.amount(900),
            "currency": "USD",
            "order_date": self.moment(),
            "customer_id": f"C-{self.random.randrange(100_000)}",
            "subtotal": self.amount(900),
            "discounts": [{"code": "SPRING", "amount": self.amount(120)}],
            "tax_lines": [{"title": "Sales tax", "amount": self.amount(120)}],
            "total_items": items,
            "financial_status": "paid",
            "fulfillment_status": "fulfilled",
            "line_items": [self.item() for _ in range(items)],
            "billing_address": address,
            "shipping_address": address,
            "accepts_email_marketing": True,
            "initial_sync": False,
        }

    def item(self) -> dict[str, Any]:
        return {
            "sku": f"SKU-{self.random.randrange(10_000):04}",
            "quantity": self.random.randrange(1, 6),
            "price": self.amount(300),
            "name": self.random.choice(PRODUCTS),
        }

    def event(self) -> dict[str, Any]:
        self.made += 1
        return {
            "event_type": self.random.choice(("viewed_product", "added_to_cart", "started_checkout")),
            "email": f"visitor{self.made}@example.com",
            "event_time": self.moment(),
            "event_data": {
                "product": self.random.choice(PRODUCTS),
                "price": self.random.randrange(40_000) / 4,
                "variants": [{"size": "M", "in_stock": True}, {"size": "L", "in_stock": False}],
                "referrer": self.sometimes(0.5, "https://example.com/a?b=c&d=e"),
            },
        }


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def answer_text(value: Any) -> str:
    """As web frameworks write JSON: what HTML could mistake is escaped; of what is not ASCII a part is too."""
    return compact(value).translate(ESCAPED)


def page(contacts: list[dict[str, Any]], number: int, per_page: int, total: int) -> str:
    place = {"page": number, "per_page": per_page, "total_count": total, "total_pages": -(-total // per_page)}
    return answer_text({"data": contacts, "pagination": place})


def write(folder: Path) -> None:
    """Writes every file of the input."""
    folder.mkdir(parents=True, exist_ok=True)
    make = Generator()
    contacts = [make.contact() for _ in range(100)]
    orders = {items: make.order(items) for items in (1, 10, 50)}
    events = [make.event() for _ in range(1000)]
    files = {
        "page25.json": page(contacts[:25], 3, 25, 20_000),
        "page100.json": page(contacts, 3, 100, 20_000),
        "contacts.json": answer_text([contact | {"id": contact["id"][:12] + PAGE_MARK} for contact in contacts]),
        "contact.json": answer_text({"data": contacts[0]}),
        "events.json": compact(events),
        **{f"order{items}.json": compact(order) for items, order in orders.items()},
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
