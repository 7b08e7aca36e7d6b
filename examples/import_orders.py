"""Imports invoice lines as orders: python examples/import_orders.py FILE.csv...

Columns: InvoiceNo, StockCode, Description, Quantity, InvoiceDate (UTC), UnitPrice, CustomerID. All rows with the same
InvoiceNo are one order. The library refuses invalid orders (a cancellation such as C536379, an order without customer);
the program prints them at the end. It imports into Privy if PRIVY_API_TOKEN is set, otherwise into a sandbox inside
this process.
"""

import csv
import os
import sys
from collections import Counter
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import privy

Row = dict[str, str]


def read_orders(paths: list[str]) -> dict[str, list[Row]]:
    orders: dict[str, list[Row]] = {}
    for path in paths:
        with open(path, newline="", encoding="utf-8-sig") as file:
            for row in csv.DictReader(file):
                orders.setdefault(row["InvoiceNo"], []).append(row)
    return orders


def order_fields(number: str, rows: list[Row]) -> dict[str, Any]:
    items: list[dict[str, Any]] = [
        {
            "sku": row["StockCode"],
            "name": row["Description"],
            "quantity": int(row["Quantity"]),
            "price": Decimal(row["UnitPrice"]),
        }
        for row in rows
    ]
    fields: dict[str, Any] = {
        "order_id": number,
        "total": sum((item["quantity"] * item["price"] for item in items), Decimal(0)),
        "currency": "GBP",
        "order_date": datetime.fromisoformat(rows[0]["InvoiceDate"]).replace(tzinfo=timezone.utc),
        "line_items": items,
        "initial_sync": True,
    }
    customer = rows[0]["CustomerID"].removesuffix(".0")
    if customer:
        fields |= {"email": f"customer-{customer}@example.com", "customer_id": customer}
    return fields


def import_order(client: privy.Client, fields: dict[str, Any]) -> str:
    order = client.orders.upsert(**fields)
    if round(order.total_amount, 2) != round(fields["total"], 2):
        sys.exit(f"order {order.order_id}: sent a total of {fields['total']}, stored is {order.total_amount}")
    return "created" if order.created else "updated"


def main(paths: list[str]) -> None:
    if not paths:
        sys.exit("usage: import_orders.py FILE.csv...")
    client = privy.Client() if "PRIVY_API_TOKEN" in os.environ else privy.Sandbox().client()
    outcome: Counter[str] = Counter()
    refusals: list[str] = []
    for number, rows in read_orders(paths).items():
        try:
            outcome[import_order(client, order_fields(number, rows))] += 1
        except privy.ValidationError as error:
            details = "; ".join(f"{detail['field']}: {detail['message']}" for detail in error.details)
            refusals.append(f"  {number}: {details or error}")
    outcome["refused"] = len(refusals)

    counts = [f"{outcome[word]} {word}" for word in ("created", "updated", "refused") if outcome[word]]
    print(f"{outcome.total()} orders: {', '.join(counts)}")
    for line in refusals:
        print(line)


if __name__ == "__main__":
    main(sys.argv[1:])
