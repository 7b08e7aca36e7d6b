"""Types for annotations: parameters of the methods, and rows of bulk runs. No call needs this module."""

from __future__ import annotations

import typing
from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from datetime import date as date
from datetime import datetime as datetime
from datetime import timedelta as timedelta
from decimal import Decimal
from typing import Any as Any
from typing import ClassVar, Literal, Protocol, TypeAlias

TYPE_CHECKING: bool = False
if TYPE_CHECKING:
    from typing import TypedDict

    from typing_extensions import Self as Self
else:
    try:  # pydantic reads no others before Python 3.12
        from typing_extensions import TypedDict
    except ImportError:
        from typing import TypedDict

    def __getattr__(name: str) -> object:
        if name == "Self":  # typing has it since Python 3.11
            return getattr(typing, name, Any)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "Address",
    "ArrowArray",
    "ArrowStream",
    "AttrsRow",
    "ContactOperation",
    "ContactRow",
    "CustomFields",
    "DataclassRow",
    "Detail",
    "Details",
    "Discount",
    "EmailConsent",
    "EmailConsentFilter",
    "EventRow",
    "ExportFormat",
    "Frame",
    "Json",
    "KeyedRow",
    "LineItem",
    "ModelRow",
    "Money",
    "NewSmsConsent",
    "Nulls",
    "OnSpentDay",
    "OrderRow",
    "PlanMode",
    "Resume",
    "Row",
    "RowObject",
    "Rows",
    "Scalar",
    "SmsConsent",
    "SmsConsentFilter",
    "TaxLine",
    "Time",
]

Money: TypeAlias = int | float | Decimal | str
"""An amount: a number, or a string that holds one ("95.00"). Floats are sent in their shortest form."""

Time: TypeAlias = datetime | str
"""A time: an aware datetime, or ISO 8601 text with Z or an offset. A naive datetime is invalid."""

Scalar: TypeAlias = str | bool | int | float | Decimal | datetime | date | None
"""A value that is neither a list nor a mapping."""

Json: TypeAlias = Scalar | Mapping[str, object] | Sequence[object]
"""A value that can be encoded as JSON."""

EmailConsent: TypeAlias = Literal["subscribed", "unsubscribed", "never_subscribed", "suppressed"]
"""E-mail consents that can be written. Methods also take any string, so that ``contact.email_consent`` can be written
back; the core refuses what the API does not accept, before a request is sent."""

EmailConsentFilter: TypeAlias = Literal[
    "subscribed", "unsubscribed", "never_subscribed", "suppressed", "compliance_suppressed"
]
"""E-mail consents that contacts have and that lists can filter by."""

NewSmsConsent: TypeAlias = Literal["subscribed", "never_subscribed", "single_opt_in"]
"""SMS consents of a new contact."""

SmsConsent: TypeAlias = Literal["subscribed", "unsubscribed", "never_subscribed", "single_opt_in"]
"""SMS consents that can be written to a contact."""

SmsConsentFilter: TypeAlias = Literal["subscribed", "unsubscribed", "never_subscribed", "single_opt_in", "pending"]
"""SMS consents that contacts have and that lists can filter by."""

ContactOperation: TypeAlias = Literal["create", "get", "list", "update", "upsert", "delete", "unsubscribe"]
"""Methods of ``contacts`` that ``contacts.validate`` can check."""

CustomFields: TypeAlias = Literal["json", "columns"]
"""Custom fields in a table: one column of JSON text, or a column for each of them."""


class _Detail(TypedDict):
    field: str
    message: str
    code: str


class Detail(_Detail, total=False):
    """One error detail of a request: the ``field``, or ``base`` for a rule over several fields; a ``message`` for a
    person; a ``code`` that names the rule for a program; for a rule with a limit its ``count``."""

    count: int


Details: TypeAlias = list[Detail]
"""Error details of a request, as in ``ValidationError.details``."""

Nulls: TypeAlias = Literal["omit", "send"]
"""What happens to parameters of a row that are null: they are as if not given, or sent."""

Resume: TypeAlias = Literal["auto", "only", "restart"]
"""What a bulk run does with a journal that exists: continues it or begins a new one; continues it, while a missing one
is an error; or forgets what it holds."""

OnSpentDay: TypeAlias = Literal["stop", "wait"]
"""What a bulk run does when the limit of the day is reached."""

ExportFormat: TypeAlias = Literal["csv", "jsonl", "db", "parquet"]
"""What ``contacts.export`` writes: CSV, an object in each line, a SQLite database, or Parquet."""

PlanMode: TypeAlias = Literal["replace", "merge"]
"""What a plan does with the tags or custom fields that a contact has: those of the row replace them, or are added."""

Row: TypeAlias = Mapping[str, object]
"""The parameters of one call of a bulk run, by name: any mapping. With ``ContactRow``, ``OrderRow`` and ``EventRow`` a
type checker also checks names and types."""


class ArrowStream(Protocol):
    """A frame or a table with the Arrow PyCapsule interface: of polars, pyarrow, DuckDB and others."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


class ArrowArray(Protocol):
    """A batch of rows with the Arrow PyCapsule interface."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]: ...


class Frame(Protocol):
    """A ``pandas.DataFrame``."""

    @property
    def iloc(self) -> Any: ...
    @property
    def columns(self) -> Any: ...


class DataclassRow(Protocol):
    """A dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


class AttrsRow(Protocol):
    """A class of attrs."""

    __attrs_attrs__: ClassVar[Any]


class ModelRow(Protocol):
    """A model of pydantic 2."""

    def model_dump(self) -> dict[str, Any]: ...


class KeyedRow(Protocol):
    """A row of a database, such as ``sqlite3.Row``."""

    def keys(self) -> Any: ...
    def __getitem__(self, name: str, /) -> Any: ...


RowObject: TypeAlias = Row | tuple[object, ...] | DataclassRow | AttrsRow | ModelRow | KeyedRow
"""A row of a bulk run: a mapping, a named tuple, a dataclass, an object of pydantic or attrs, or a row of a
database."""

Rows: TypeAlias = Iterable[RowObject] | AsyncIterable[RowObject] | Frame | ArrowStream | ArrowArray
"""The rows of a bulk run. Asynchronous iterables are for ``AsyncClient`` only."""


Options: TypeAlias = tuple[Mapping[str, str] | None, float | None, float | None, float | None, int | None]
"""``extra_headers``, ``timeout``, ``connect_timeout``, ``max_wait`` and ``max_retries``, as the core takes them."""


RunSettings: TypeAlias = tuple[bytes | None, int, int, float]
"""The path of the journal, positions of ``resume`` and ``on_spent_day``, and ``until`` in seconds since 1970 or 0, as
the core takes them."""


class _WithExtra(TypedDict, total=False):
    """What every row may hold: fields that this version does not know."""

    extra: Mapping[str, Json]


class ContactRow(_WithExtra, total=False):
    """A row of ``contacts.upsert_many``. At least one of ``email`` and ``phone_number`` is needed."""

    email: str | None
    phone_number: str | None
    first_name: str | None
    last_name: str | None
    email_consent: EmailConsent | str
    sms_consent: NewSmsConsent | str
    tags: Sequence[str]
    custom_fields: Mapping[str, Scalar]
    send_welcome_sms: bool


class Discount(TypedDict, total=False):
    """A discount of an order. Keys of your own are allowed."""

    code: str | None
    amount: Money | None


class TaxLine(TypedDict, total=False):
    """A tax of an order. Keys of your own are allowed."""

    title: str | None
    amount: Money | None


class LineItem(TypedDict, total=False):
    """An item of an order. Keys of your own are allowed."""

    sku: str | None
    quantity: int | None
    price: Money | None


class Address(TypedDict, total=False):
    """An address of an order. Keys of your own are allowed."""

    first_name: str | None
    last_name: str | None
    city: str | None
    state_code: str | None
    country_code: str | None
    postal_code: str | None


class _NeededByOrder(_WithExtra):
    """What every order needs."""

    order_id: int | str
    total: Money
    currency: str
    order_date: Time


class OrderRow(_NeededByOrder, total=False):
    """A row of ``orders.upsert_many``. At least one of ``email`` and ``phone`` is needed."""

    email: str
    phone: str
    customer_id: str
    subtotal: Money
    discounts: Sequence[Discount | Mapping[str, object]]
    tax_lines: Sequence[TaxLine | Mapping[str, object]]
    total_items: int
    financial_status: str
    fulfillment_status: str
    line_items: Sequence[LineItem | Mapping[str, object]]
    billing_address: Address | Mapping[str, object]
    shipping_address: Address | Mapping[str, object]
    accepts_email_marketing: bool
    accepts_sms_marketing: bool
    initial_sync: bool
    integration_token: str


class _NeededByEvent(_WithExtra):
    """What every event needs."""

    event_type: str


class EventRow(_NeededByEvent, total=False):
    """A row of ``events.ingest_many``. Exactly one of ``email``, ``phone`` and ``privy_id`` is needed."""

    email: str
    phone: str
    privy_id: str
    event_time: Time
    event_data: Mapping[str, object]
    idempotency_key: str


# pydantic drops unknown keys of a typed dict unless it is configured.
for _row in (ContactRow, OrderRow, EventRow):
    setattr(_row, "__pydantic_config__", {"extra": "forbid"})  # noqa: B010
for _part in (Discount, TaxLine, LineItem, Address):
    setattr(_part, "__pydantic_config__", {"extra": "allow"})  # noqa: B010
