"""An order: from a program's objects to the body of a request.

The same objects for all: dicts, decimals, an aware time. privy takes them as keyword parameters of its method.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from objects import order, plain_body


def case(given, encode):
    return lambda: encode(given), lambda: plain_body(encode(given))


def privy(path):
    """All that `client.orders.upsert(**order)` does before it sends: the method, the walk, the checks, the body."""
    import probe
    from privy._resources import Orders

    upsert = Orders(probe).upsert
    return case(order(path), lambda given: upsert(**given))


def pydantic(path):
    """Models with the rules that privy checks. Amounts are reported as numbers only when they are floats there."""
    import pydantic

    Phone = Annotated[str, pydantic.StringConstraints(pattern=r"^\+[1-9]\d{1,14}$")]
    Email = Annotated[str, pydantic.StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]

    class Discount(pydantic.BaseModel):
        code: str
        amount: float

    class Tax(pydantic.BaseModel):
        title: str
        amount: float

    class Item(pydantic.BaseModel):
        sku: str
        quantity: int
        price: float
        name: str

    class Address(pydantic.BaseModel):
        first_name: str
        last_name: str
        city: str
        state_code: str
        country_code: str
        postal_code: str

    class Order(pydantic.BaseModel):
        order_id: Annotated[int, pydantic.Field(gt=0)]
        email: Email
        phone: Phone
        total: float
        currency: Annotated[str, pydantic.StringConstraints(pattern=r"^[A-Z]{3}$")]
        order_date: pydantic.AwareDatetime
        customer_id: str
        subtotal: float
        discounts: list[Discount]
        tax_lines: list[Tax]
        total_items: Annotated[int, pydantic.Field(ge=0)]
        financial_status: str
        fulfillment_status: str
        line_items: list[Item]
        billing_address: Address
        shipping_address: Address
        accepts_email_marketing: bool
        initial_sync: bool

    adapter = pydantic.TypeAdapter(Order)
    validate, dump = adapter.validate_python, adapter.dump_json
    return case(order(path), lambda given: dump(validate(given)))


def msgspec(path):
    import msgspec

    return case(order(path), msgspec.json.Encoder(decimal_format="number").encode)


def msgspec_structs(path):
    """The order as Structs made before: what msgspec writes fastest."""
    import msgspec

    class Discount(msgspec.Struct):
        code: str
        amount: Decimal

    class Tax(msgspec.Struct):
        title: str
        amount: Decimal

    class Item(msgspec.Struct):
        sku: str
        quantity: int
        price: Decimal
        name: str

    class Address(msgspec.Struct):
        first_name: str
        last_name: str
        city: str
        state_code: str
        country_code: str
        postal_code: str

    class Order(msgspec.Struct):
        order_id: int | str
        email: str
        phone: str
        total: Decimal
        currency: str
        order_date: datetime
        customer_id: str
        subtotal: Decimal
        discounts: list[Discount]
        tax_lines: list[Tax]
        total_items: int
        financial_status: str
        fulfillment_status: str
        line_items: list[Item]
        billing_address: Address
        shipping_address: Address
        accepts_email_marketing: bool
        initial_sync: bool

    made = msgspec.convert(order(path), Order)
    return case(made, msgspec.json.Encoder(decimal_format="number").encode)


def orjson(path):
    """orjson knows no decimal: it asks `default`, which gives a float."""
    import orjson

    return case(order(path), lambda given: orjson.dumps(given, default=float))
