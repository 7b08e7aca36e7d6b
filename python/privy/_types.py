"""Names for what methods take, for annotations only: nothing here is needed at run time."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal
    from typing import Literal, TypeAlias

    Money: TypeAlias = int | float | Decimal | str
    """An amount: a number, or a string that holds one ("95.00"). Floats are sent by their shortest form."""

    Time: TypeAlias = datetime | str
    """An instant: an aware datetime, or ISO 8601 text with Z or an offset. A naive datetime is refused."""

    Scalar: TypeAlias = str | bool | int | float | Decimal | datetime | None
    """A value without parts."""

    Json: TypeAlias = Scalar | Mapping[str, object] | Sequence[object]
    """Whatever JSON can tell."""

    EmailConsent: TypeAlias = Literal["subscribed", "unsubscribed", "never_subscribed", "suppressed"]
    """Consents to e-mail that can be written."""

    EmailConsentFilter: TypeAlias = Literal[
        "subscribed", "unsubscribed", "never_subscribed", "suppressed", "compliance_suppressed"
    ]
    """Consents to e-mail that can be asked for."""

    NewSmsConsent: TypeAlias = Literal["subscribed", "never_subscribed", "single_opt_in"]
    """Consents to SMS that a new contact can have."""

    SmsConsent: TypeAlias = Literal["subscribed", "unsubscribed", "never_subscribed", "single_opt_in"]
    """Consents to SMS that can be written to a contact."""

    SmsConsentFilter: TypeAlias = Literal["subscribed", "unsubscribed", "never_subscribed", "single_opt_in", "pending"]
    """Consents to SMS that can be asked for."""

    Options: TypeAlias = tuple[float | None, float | None, float | None, int | None]
    """``timeout``, ``connect_timeout``, ``max_wait`` and ``max_retries``, as the core takes them."""

    Row: TypeAlias = Mapping[str, object]
    """The parameters of one call of a bulk run, by name."""
