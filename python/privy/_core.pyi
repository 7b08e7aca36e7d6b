"""The C core. Use the package ``privy``, which exports the public types of this module."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from os import PathLike
from typing import Any, ClassVar, Final, Literal, NoReturn, final, overload

from typing_extensions import Self

from ._import import ImportParts
from ._journal import JournalSummary
from ._trace import CallEvent
from .types import Details, EmailConsentFilter, SmsConsentFilter

VERSION: Final[str]
SANDBOX_TOKEN: Final[str]
SANDBOX_READ: Final[int]
SANDBOX_SEND: Final[int]
SANDBOX_CONNECTIONS: Final[int]
SANDBOX_CONTACTS: Final[int]
SANDBOX_ORDERS: Final[int]
SANDBOX_EVENTS: Final[int]
SANDBOX_MESSAGES: Final[int]
SANDBOX_BUSY: Final[str]
SANDBOX_CLIENT_ID: Final[str]
SANDBOX_CLIENT_SECRET: Final[str]

@final
class Omit:
    """The default of every optional parameter: the parameter is not sent. None sends null."""

    def __bool__(self) -> bool: ...

omit: Final[Omit]

@final
class JSONObject(Mapping[str, Any]):
    """The members of a JSON object, read-only. They are converted on first use.

    Equal to any mapping with the same members. Copies and pickles as a dict. Masks e-mail addresses and phone numbers
    in repr. It keeps the bytes of its response in memory, as records do; ``copy()`` and ``to_dict()`` do not. ``json``
    writes only dicts by itself: use ``to_json()``, ``to_dict(json=True)`` or ``privy.json_default``.
    """

    def __getitem__(self, name: str) -> Any: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[str]: ...
    def __contains__(self, name: object) -> bool: ...
    def __reversed__(self) -> Iterator[str]: ...
    def __eq__(self, other: object) -> bool: ...
    def __or__(self, other: Mapping[str, Any]) -> dict[str, Any]: ...
    def __ror__(self, other: Mapping[str, Any]) -> dict[str, Any]: ...
    def copy(self) -> dict[str, Any]:
        """A dict of the members."""

    def to_dict(self, *, json: bool = False) -> dict[str, Any]:
        """The members as a new dict that holds mutable dicts and lists.

        With ``json=True`` numbers are int and float, as of ``json.loads``, and not Decimal.
        """

    def to_json(self) -> str:
        """The members as the text of a JSON object, as received."""

class _Record:
    """Immutable, equal by value, hashable; pickles and copies; masks e-mail addresses and phone numbers in repr.

    A field that the response lacks is None.
    """

    @property
    def extra(self) -> Mapping[str, Any]:
        """Fields of the response that this version does not know, read-only."""

    def to_dict(self, *, json: bool = False) -> dict[str, Any]:
        """The fields of the response as a new dict that holds mutable dicts and lists.

        With ``json=True`` ``json.dumps`` accepts the dict: values are as the API sent them, times are ISO 8601 text,
        money is text ("95.00"), other numbers are int and float.
        """

    def to_json(self) -> str:
        """The fields of the response as the text of a JSON object, with the names of the attributes. Every value is as
        the API sent it."""

    @classmethod
    def from_json(cls, json: str | bytes, /) -> Self:
        """A record from the text of a JSON object, for tests. Raises ValueError if the text is not one."""

    def _repr_html_(self) -> str: ...
    def keys(self) -> list[str]:
        """The names of the fields that the response holds; ``dict(record)`` uses it."""

    def __getitem__(self, name: str) -> Any:
        """A field by its name, also one that this version does not know. Raises KeyError if there is no such field."""

    def __contains__(self, name: object) -> bool:
        """Whether the response holds the field."""

    def __hash__(self) -> int: ...
    def __eq__(self, other: object) -> bool: ...

@final
class Contact(_Record):
    """A person whom the store may write to."""

    __match_args__: ClassVar[tuple[str, ...]]

    @property
    def id(self) -> str:
        """The contact's id, cus_ and 1 to 64 characters; None in answers older than 2026-05."""

    @property
    def email(self) -> str | None:
        """E-mail address."""

    @property
    def phone_number(self) -> str | None:
        """Phone number in E.164."""

    @property
    def first_name(self) -> str | None:
        """First name."""

    @property
    def last_name(self) -> str | None:
        """Last name."""

    @property
    def email_consent(self) -> EmailConsentFilter | str:
        """Consent to e-mail: subscribed, unsubscribed, never_subscribed, suppressed, compliance_suppressed, or a newer
        one."""

    @property
    def sms_consent(self) -> SmsConsentFilter | str:
        """Consent to SMS: subscribed, unsubscribed, never_subscribed, single_opt_in, pending, or a newer one."""

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags."""

    @property
    def custom_fields(self) -> Mapping[str, Any]:
        """Fields of your own, read-only."""

    @property
    def created_at(self) -> datetime:
        """When the contact was created, in UTC."""

    @property
    def updated_at(self) -> datetime:
        """When the contact was last changed, in UTC."""

@final
class Order(_Record):
    """An order as Privy keeps it."""

    __match_args__: ClassVar[tuple[str, ...]]

    @property
    def order_id(self) -> int | str:
        """Your id of the order: int where the answer holds a number, otherwise str."""

    @property
    def email(self) -> str | None:
        """E-mail address of the customer."""

    @property
    def phone(self) -> str | None:
        """Phone number of the customer in E.164."""

    @property
    def customer_id(self) -> str | None:
        """Your own id of the customer."""

    @property
    def total_items(self) -> int | None:
        """Number of items."""

    @property
    def financial_status(self) -> str | None:
        """State of payment, such as paid; any text."""

    @property
    def fulfillment_status(self) -> str | None:
        """State of delivery, such as fulfilled; any text."""

    @property
    def accepts_email_marketing(self) -> bool | None:
        """Whether the customer accepts e-mail."""

    @property
    def accepts_sms_marketing(self) -> bool | None:
        """Whether the customer accepts SMS."""

    @property
    def source(self) -> str | None:
        """Where the order came from: api."""

    @property
    def total_amount(self) -> Decimal:
        """What the order costs in all, in units of ``currency_code``."""

    @property
    def currency_code(self) -> str:
        """ISO 4217 code."""

    @property
    def placed_at(self) -> datetime:
        """When the order was placed, in UTC."""

    @property
    def created_at(self) -> datetime:
        """When Privy stored the order, in UTC."""

    @property
    def updated_at(self) -> datetime:
        """When Privy last changed the order, in UTC."""

    @property
    def created(self) -> bool:
        """True when this call created the order, False when it updated it."""

@final
class EventReceipt(_Record):
    """What the API says of an event that it took."""

    __match_args__: ClassVar[tuple[str, ...]]

    @property
    def event_id(self) -> str:
        """Id of the event."""

    @property
    def status(self) -> str:
        """accepted."""

    @property
    def idempotent_replay(self) -> bool:
        """True if the same key had been accepted before: this call recorded nothing."""

@final
class Page(Sequence[Contact]):
    """One page of records: an immutable sequence with the numbers of its pagination.

    Pages with the same records and the same pagination are equal.
    """

    @property
    def page(self) -> int | None:
        """Number of this page, from 1."""

    @property
    def per_page(self) -> int | None:
        """Most records a page."""

    @property
    def total_count(self) -> int | None:
        """Records on all pages."""

    @property
    def total_pages(self) -> int | None:
        """Number of pages."""

    @property
    def extra(self) -> Mapping[str, Any]:
        """Fields of the pagination that this version does not know, read-only."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The records as a stream of Arrow arrays, in a capsule."""

    def to_dict(self, *, json: bool = False) -> dict[str, Any]:
        """Records and pagination as a new dict, in the shape of a response: ``data`` and ``pagination``.

        With ``json=True`` ``json.dumps`` accepts the dict, as for records.
        """

    def to_json(self) -> str:
        """The page as the text of a JSON object, in the shape of a response."""

    def _repr_html_(self) -> str: ...
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, index: int) -> Contact: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Contact, ...]: ...
    def __iter__(self) -> Iterator[Contact]: ...
    def __contains__(self, value: object) -> bool: ...

@final
class Client:
    """The core's client."""

    def __new__(
        cls,
        token: str | None,
        client_id: str | None,
        client_secret: str | None,
        scopes: str | None,
        base_url: str | None,
        token_url: str | None,
        ca_bundle: str | None,
        proxy: str | None,
        user_agent: str | None,
        timeout: float | str | None,
        connect_timeout: float | str | None,
        max_wait: float | str | None,
        max_retries: int | str | None,
        max_response: int | str | None,
        reserve: int | str | None,
        allow_plain_http: bool | None,
        sandbox: Sandbox | None,
        on_event: Callable[[CallEvent], object] | None,
        accepted: bool = False,
        /,
    ) -> Client: ...
    @property
    def base_url(self) -> str | None:
        """The URL that paths are relative to; None when closed."""

    @property
    def closed(self) -> bool:
        """Whether the client has been closed."""

    @property
    def is_sandbox(self) -> bool:
        """Whether a sandbox handles the calls: one in memory, or one elsewhere whose default credentials these are."""

    @property
    def root(self) -> Client:
        """The client that ``with_options`` copied; the client itself if it is no copy."""

    def stand_in(self, sandbox: Sandbox, root: Client | None, /) -> Client:
        """The same client with a sandbox in place of the network. ``root``: the stand-in of the client that
        ``with_options`` copied."""

    def set_use(self, use: int, /) -> None:
        """Sets whether the client may make calls: 0 all, 1 none (a sandbox stands in), 2 none (its sandbox ended)."""

    @property
    def reserve(self) -> int:
        """Requests per minute that are reserved for other clients."""

    def call(
        self,
        operation: str,
        params: tuple[object, ...] | Mapping[str, object],
        extra: Mapping[str, object] | None,
        extra_headers: Mapping[str, object] | None,
        timeout: float | None,
        connect_timeout: float | None,
        max_wait: float | None,
        max_retries: int | None,
        /,
    ) -> Any:
        """Makes one call of an operation."""

    def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, object] | None,
        body: object,
        headers: Mapping[str, object] | None,
        timeout: float | None,
        connect_timeout: float | None,
        max_wait: float | None,
        max_retries: int | None,
        /,
    ) -> tuple[int, list[tuple[str, str]], bytes, Any]:
        """Makes one call of any endpoint. Returns HTTP status, header fields, body, and the value of the body."""

    def with_options(
        self,
        timeout: float | str | None,
        connect_timeout: float | str | None,
        max_wait: float | str | None,
        max_retries: int | str | None,
        reserve: int | str | None,
        on_event: Callable[[CallEvent], object] | None,
        /,
    ) -> Client:
        """The same client with other options; None keeps an option."""

    def rate_limits(self) -> tuple[tuple[int, int, float | None] | None, tuple[int, int, float | None] | None]:
        """Limit, remaining and reset of the minute and of the day; None for a limit that no response has named."""

    def forecast(self, requests: float, /) -> float | None:
        """Seconds until the last of that many further requests can be sent; None if the limit of the day does not allow
        them."""

    def duration(self, requests: float, /) -> float:
        """Seconds until the last of that many further requests can be sent, on later days too. A limit that no response
        has reported counts as the one that Privy publishes."""

    @property
    def ca_file(self) -> str | None:
        """The file of trusted certificates that replaces those of the system."""

    def now(self) -> float:
        """The time of the client's clock, in seconds since 1970."""

    def close(self) -> None:
        """Closes the connections once no call is in flight."""

def probes() -> list[tuple[str, str, str, str, bool]]:
    """The requests that try a scope without an effect: (scope, method, path, query, whether its body is the empty
    object). Success and ValidationError: the credentials have the scope; PermissionDeniedError: they lack it."""

def libraries() -> dict[str, str | tuple[str | None, ...]]:
    """The libraries that the core loads when it needs them: ``libcurl`` (version, TLS library, file and folder of
    trusted certificates, encodings) and ``sqlite`` (version). A text says why one cannot be used."""

def ca_file_problem(path: str, /) -> str | None:
    """What is wrong with a file of trusted certificates."""

def row_keys(operation: str, /) -> tuple[str, ...]:
    """The parameters of an operation that identify a row of a bulk run."""

def integer_params(operation: str, /) -> tuple[str, ...]:
    """The parameters of an operation that are integers."""

class Plan:
    """The core's plan: what rows of contacts would change."""

    def __new__(
        cls,
        group: Group,
        client: Client,
        operation: str,
        tags: tuple[str, str],
        custom_fields: tuple[str, str],
        resubscribe: bool,
        snapshot: bytes | None,
        max_age: float,
        on_spent_day: int,
        concurrency: int | None,
        report: Callable[[int, int | None, float | None, float | None], object] | None,
        extra_headers: Mapping[str, object] | None,
        timeout: float | None,
        connect_timeout: float | None,
        max_wait: float | None,
        max_retries: int | None,
        /,
    ) -> Self: ...
    def add(self, params: object, extra: object, omits_nulls: bool, /) -> Details | None:
        """Adds a row. Returns the details of an invalid one, which is refused."""

    def refuse(self, details: list[tuple[str, str, str, int | None]], /) -> None:
        """Adds a row that is invalid: (field, message, code, count) of each error detail."""

    def end_rows(self) -> None:
        """There are no more rows."""

    def step(self) -> Literal["wait", "again", "end"]:
        """Starts calls and compares rows. Returns the next step; raises why the plan is incomplete."""

    def drive(self) -> None:
        """Reads and compares to the end."""

    def close(self) -> None:
        """Ends all calls in flight."""

    def counts(self) -> tuple[dict[str, int], int, int, float | None, float, bool]:
        """Rows by state; requests to apply; requests to read; seconds to apply; when it was read; whether from a
        snapshot."""

    def row(self, state: int, nth: int, /) -> tuple[int, str, str | None, int, str, Details] | None:
        """A row of a state: index, key, id of the contact, request, changes as JSON, details; None past the end."""

    def request_row(self, request: int, /) -> int:
        """The index of the first row of a request."""

    def text(self, most: int, /) -> str:
        """The plan as text, with the first rows of each state."""

    def summary(self) -> str:
        """The counts as text."""

    @property
    def is_sandbox(self) -> bool:
        """Whether a sandbox handles the calls."""

class Bulk:
    """The core's bulk run. Iterating it takes rows, makes their calls and returns a result for each row."""

    def __new__(
        cls,
        group: Group,
        client: Client,
        operation: str | Plan,
        rows: Iterable[Mapping[str, object]],
        concurrency: int | None,
        total: int,
        split: Callable[[Any], tuple[Any, Any, Any, bool]],
        omits_nulls: bool,
        success: Callable[[int, Any, Any], object],
        failure: Callable[[int, Any, Exception], object],
        ending: Callable[[BaseException, int, list[tuple[int, Any, bool, str | None]]], object],
        report: Callable[[int, int, float | None, float | None, int], object] | None,
        settings: tuple[bytes | None, int, int, float],
        extra_headers: Mapping[str, object] | None,
        timeout: float | None,
        connect_timeout: float | None,
        max_wait: float | None,
        max_retries: int | None,
        /,
    ) -> Self: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __next__(self) -> Any: ...
    def step(self) -> Literal["result", "wait", "end", "row", "skip"]:
        """Takes rows and starts calls. Returns the next step; "row" if the iterator returned itself: it has no row
        yet; "skip" after many rows that the journal has. Raises, once, what ended the run early."""

    def take(self) -> Any:
        """Returns the oldest result. The next step or take acknowledges it."""

    def put_back(self) -> None:
        """The next take returns the last result again."""

    def open_rows(self) -> list[tuple[int, Any, bool, str | None]]:
        """The rows whose result was not returned: (index, row, whether a request was sent, idempotency key)."""

    def counts(self) -> tuple[int, int, int, int, int, int, float, float, int, int]:
        """Rows taken, done, failed, created and updated; requests; seconds in total and seconds waited; rows skipped,
        and those of them that the server has refused."""

    def keep_consents(self) -> None:
        """Rows of ``contacts.upsert_many`` that are taken later subscribe only contacts that they create. The update of
        a contact that exists leaves out a consent that would subscribe it: a file is older than what the contact may
        have decided since. Call it before the first ``next``.

        Raises:
            RuntimeError: another thread iterates the run.
        """

    def finish(self) -> None:
        """Takes no more rows, and sends nothing for rows without a request: they are ``unsent``. The calls in flight
        end, and the iterator returns their results. Nothing is in doubt then, unlike after ``close``. Call it between
        two ``next``, for example after ``KeyboardInterrupt``.

        Raises:
            RuntimeError: another thread iterates the run.
        """

    def close(self) -> None:
        """Ends all calls in flight."""

    @property
    def stopped(self) -> BaseException | None:
        """What ended the run before its last row."""

    @property
    def source_failed(self) -> bool:
        """Whether the iterable raised it."""

    @property
    def eta(self) -> float | None:
        """Seconds until the end, at the last step; None if unknown."""

    @property
    def is_sandbox(self) -> bool:
        """Whether a sandbox handles the calls."""

    @property
    def last(self) -> Any:
        """The result that was returned last, or None."""

    @property
    def over(self) -> bool:
        """Whether the run has ended."""

@final
class ArrowRows:
    """The rows of Arrow arrays as dicts, from the capsule of a stream, or those of a schema and an array.

    ``omits_nulls``: a dict lacks what is null or NaN, at top level and in structs. Numbers without a fraction are
    integers in the columns ``integers``. Raises ValueError for arrays that are invalid or were read before."""

    def __new__(cls, capsule: object, omits_nulls: bool, integers: Sequence[str], /) -> ArrowRows: ...
    @property
    def names(self) -> list[object]:
        """The names of the columns."""

    def __iter__(self) -> Iterator[dict[str, Any]]: ...
    def __next__(self) -> dict[str, Any]: ...

@final
class Export:
    """The contacts of a list as a file."""

    def __new__(
        cls,
        group: Group,
        client: Client,
        operation: str,
        params: Mapping[str, object],
        extra: Mapping[str, object] | None,
        extra_headers: Mapping[str, str] | None,
        path: bytes,
        format: str | None,
        prepare: Callable[[], object],
        resume: int,
        on_spent_day: int,
        report: Callable[[int, int | None, float | None, float | None], object] | None,
        timeout: float | None,
        connect_timeout: float | None,
        max_wait: float | None,
        max_retries: int | None,
        /,
    ) -> Export: ...
    def step(self) -> str: ...
    def drive(self) -> str: ...
    def close(self) -> None: ...
    def stream(self, table: str, /) -> object: ...
    def written(self) -> None: ...
    @property
    def output(self) -> str: ...
    @property
    def counts(self) -> tuple[int, int, float, float, bool, float]: ...

@final
class Import:
    """An import: rows of an operation from the lines of a file."""

    def __new__(
        cls,
        operation: str,
        map: str | None,
        preset: str | None,
        country: str | None,
        currency: str | None,
        timezone: str | None,
        phone: Callable[[str, str | None], str | None] | None,
        zone: Callable[[str, int], tuple[int, int] | None] | None,
        delimiter: str,
        /,
    ) -> Import: ...
    def header(self, names: Sequence[str], /) -> None: ...
    def survey_cells(self, line: int, cells: Sequence[str | None], /) -> None: ...
    def add_cells(self, line: int, cells: Sequence[str | None], /) -> list[ImportParts]: ...
    def survey(self, chunk: bytes, /) -> None: ...
    def end_survey(self) -> None: ...
    def feed(self, chunk: bytes, /) -> list[ImportParts]: ...
    def finish(self) -> list[ImportParts]: ...
    def rejects_header(self) -> str: ...
    @property
    def preset(self) -> str | None:
        """The name of the preset that is used."""

    @property
    def timezone(self) -> str | None:
        """The zone of times without an offset."""

    @property
    def encoding(self) -> str | None:
        """The encoding that was found."""

    @property
    def delimiter(self) -> str | None:
        """The delimiter that was given or found."""

    @property
    def surveyed(self) -> int:
        """How many rows the first reading found."""

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""

    @property
    def unused(self) -> list[str]:
        """The names of the columns that no field uses."""

def check_export_format(path: bytes, format: str | None, /) -> None: ...
def import_toml(text: bytes, /) -> str: ...
def import_tables() -> tuple[list[tuple[str, str, str]], list[tuple[str, str]]]: ...

@final
class Group:
    """The core's group of calls: concurrent calls of a client, driven by one thread at a time."""

    def __new__(cls, client: Client, /) -> Group: ...
    def __len__(self) -> int: ...
    def start(
        self,
        client: Client,
        id: int,
        operation: str,
        params: tuple[object, ...] | Mapping[str, object],
        extra: Mapping[str, object] | None,
        extra_headers: Mapping[str, object] | None,
        timeout: float | None,
        connect_timeout: float | None,
        max_wait: float | None,
        max_retries: int | None,
        /,
    ) -> None:
        """Starts a call of an operation with the options of ``client``: the client of the group, or a copy of it."""

    def request(
        self,
        client: Client,
        id: int,
        method: str,
        path: str,
        params: Mapping[str, object] | None,
        body: object,
        headers: Mapping[str, object] | None,
        timeout: float | None,
        connect_timeout: float | None,
        max_wait: float | None,
        max_retries: int | None,
        /,
    ) -> None:
        """Starts a call of any endpoint."""

    def cancel(self, id: int, /) -> bool:
        """Cancels a call; whether it was in flight."""

    def next_completed(self) -> tuple[int, Any, Exception | None] | None:
        """Id, value and exception of a call that has completed; None if none has."""

    def set_prefetch(self, on: bool, /) -> None:
        """Marks the calls as made early: they start no token request."""

    def waiting_until(self) -> float | None:
        """Until when calls wait for the rate limit or a retry, by the wall clock; None if no call waits."""

    def wait(self, seconds: float, /) -> None:
        """Drives calls, and waits a moment for one to complete."""

    def set_socket_callback(self, callback: Callable[[int, int], object], /) -> None:
        """Lets an event loop drive the group: ``callback(socket, events)`` says what to watch (1 read, 2 write, 0
        nothing)."""

    def timeout(self) -> float | None:
        """Seconds until ``socket_action(-1, 0)`` is due; None if no call waits for time."""

    def socket_action(self, socket: int, events: int, /) -> None:
        """Advances calls: a socket is ready for events, or, with (-1, 0), time has passed."""

    def close(self) -> None:
        """Ends all calls in flight."""

@final
class Pager:
    """The core's pager: which records of a page are new, and which page is next."""

    def __new__(cls, first: int, size: int, /) -> Pager: ...
    def take(self, page: Page, /) -> tuple[Sequence[Contact], int]:
        """Registers a page. Returns its records that no earlier page held, and the number of the next page or 0."""

    @property
    def stride(self) -> int:
        """Number of records to read between two calls of ``may_prefetch``."""

    def may_prefetch(self, client: Client, read: int, /) -> bool:
        """Whether the next page may be requested after ``read`` records of this one."""

    @classmethod
    def rest(cls, page: Page, limit: int, /) -> tuple[int, int]:
        """For a list of at most ``limit`` records from this page on (-1: all): the requests that it takes after this
        page, and the records that it returns, those of this page included. -1 if the page does not say."""

@final
class Journal:
    """The journal of bulk runs, to be read."""

    def __new__(cls, path: str | PathLike[str], /) -> Journal: ...
    def summary(self) -> JournalSummary:
        """What all runs have reached."""

    def decide(self, key: str | None, row: int, sends: bool, /) -> int:
        """Decides about the rows in doubt of a key (None: any) and an index (-1: any). Returns their number."""

    def write_rejects(self, path: str | PathLike[str], as_csv: bool, /) -> int:
        """Writes the refused rows as CSV or as JSON lines. Returns their number. OSError if that fails."""

    def close(self) -> None:
        """Closes the file when its iterators are gone."""

@final
class JournalEntries:
    """The entries of a journal as tuples, in the order of the fields of ``RefusedEntry`` and ``InDoubtEntry``."""

    def __new__(cls, journal: Journal, kind: Literal["refused", "in_doubt"], /) -> JournalEntries: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> tuple[Any, ...]: ...

@final
class Sandbox:
    """The core's in-memory Privy."""

    def __new__(cls) -> Sandbox: ...
    def handle(
        self, method: str, target: str, headers: bytes, body: bytes, /
    ) -> tuple[int, list[tuple[str, str]], bytes, float, int]:
        """Handles one request. Returns HTTP status, header fields, body, delay in seconds, how to cut the response."""

    def add_token(self, token: str, scopes: str | None, /) -> None:
        """Adds a token with scopes, or None for all."""

    def revoke_token(self, token: str, /) -> bool:
        """Revokes a token; whether the sandbox knew it."""

    def add_client(self, client_id: str, client_secret: str, scopes: str | None, /) -> None:
        """Adds an OAuth client."""

    def add_integration(self, token: str, active: bool, /) -> None:
        """Adds a Custom Integration."""

    def set_consent(self, contact_id: str, field: str, value: str, /) -> None:
        """Sets a consent that no request can set. LookupError for no such contact, ValueError for no such consent."""

    def set_sms_countries(self, prefixes: str, /) -> None:
        """Sets the E.164 prefixes of supported SMS countries."""

    def set_limits(self, per_minute: int, per_day: int, window: int, /) -> None:
        """Sets the rate limits of a minute and a day, and the seconds of a minute. ValueError for no such window."""

    def set_clock(self, seconds: float, /) -> None:
        """Stops the clock at a time; a negative number restarts it."""

    def set_skipping(self, skips: bool, /) -> None:
        """Sets whether waits only move the clock."""

    def advance(self, seconds: float, /) -> None:
        """Advances the clock."""

    def now(self) -> float:
        """The time of the clock."""

    def add_fault(
        self,
        http_status: int,
        body: str | None,
        retry_after: float,
        delay: float,
        cut: int,
        skip: int,
        count: int,
        operation: str | None,
        /,
    ) -> None:
        """Queues a fault. ValueError for an unknown operation."""

    def read_limits(self, text: str, /) -> None:
        """Sets the rate limits from a text such as ``60/10000/5``, ``on`` or ``off``."""

    def read_seed(self, text: str, /) -> None:
        """Adds the generated records of a text such as ``shop:5000:7``."""

    def read_fault(self, text: str, /) -> None:
        """Queues the fault of a text such as ``503:3@orders.upsert``."""

    def clear_faults(self) -> None:
        """Removes the queued faults."""

    def history(self) -> list[tuple[str, str, str | None, int, float, list[tuple[str, str]], bytes | None]]:
        """Method, path, operation, HTTP status, time, header fields and body of the newest requests, oldest first."""

    def keep_history(self, most: int, /) -> None:
        """Sets how many requests to keep."""

    def stored(self, kind: int, /) -> list[str]:
        """The JSON texts of all records of a kind: ``SANDBOX_CONTACTS``, ``_ORDERS``, ``_EVENTS`` or ``_MESSAGES``."""

    def find(self, kind: int, key: str, /) -> str | None:
        """The JSON text of the record of a key; None if there is none."""

    def counts(self) -> tuple[int, int, int, int, int]:
        """Requests, contacts, orders, events, welcome messages."""

    def snapshot(self) -> tuple[object, tuple[int, int, int, int, int]]:
        """A capsule with what the sandbox holds now, and its counts."""

    def restore(self, snapshot: object, /) -> None:
        """Makes the sandbox hold what a capsule of ``snapshot`` holds."""

    def save(self, path: str | PathLike[str], /) -> None:
        """Writes what the sandbox holds into a file. OSError."""

    def load(self, path: str | PathLike[str], /) -> str | None:
        """Reads what the sandbox holds from a file. None, or what is wrong with the file. OSError."""

    def seed(self, kind: str, contacts: int, days: int, seed: int, /) -> None:
        """Adds generated records. ValueError for an unknown kind and numbers out of range."""

    def reset(self) -> None:
        """Deletes records and counts."""

class SandboxConnection:
    """One HTTP connection of a served sandbox, without its socket."""

    def __new__(cls, sandbox: Sandbox, host: str, allowed: str | None, /) -> SandboxConnection: ...
    def feed(self, data: bytes, /) -> None:
        """Takes bytes that the connection received."""

    def next(self, now: float, /) -> tuple[int, bytes, float, bool]:
        """The next step at a time of a monotonic clock: its kind (``SANDBOX_READ``, ``SANDBOX_SEND``, otherwise close),
        bytes to send, time until which to read or seconds to wait before sending, and whether the connection is
        idle."""

def is_local(host: str, /) -> bool:
    """Whether only this machine can reach a server that listens on the address."""

def mask(value: object, /) -> Any:
    """A copy for a repr: e-mail addresses and phone numbers in its strings are masked."""

def refuse_rows(details: list[tuple[int, str, str, str, int | None]], total: int, /) -> NoReturn:
    """Raises ValidationError for rows that are not sent: (index, field, message, code, count) each."""

def validate(
    operation: str,
    params: tuple[object, ...] | Mapping[str, object],
    extra: Mapping[str, object] | None,
    omits_nulls: bool = False,
    /,
) -> Details:
    """The error details of a request that is not sent. ``omits_nulls``: parameters that are null are not sent."""

def check_columns(operation: str, names: list[object], /) -> None:
    """Raises ValidationError if rows with these names cannot be requests of the operation."""

def set_in_job(function: Callable[[], bool], /) -> None:
    """Sets the function that returns whether the caller is a job of a queue: then its calls do not wait."""

def job_backoff(random: float, failure: int, /) -> float:
    """Seconds until a job runs again after its failure number ``failure``, from 1, whose error has no ``retry_at``.
    ``random`` is in [0, 1)."""

def arrow_stream(table: str, rows: Iterable[Sequence[object]], spread: bool, /) -> object:
    """A capsule with a stream of Arrow arrays. ``rows`` are pages and sequences of records."""

def report_stream(report: str, rows: Iterable[tuple[object, ...]], /) -> object:
    """The same of what a report of a bulk run lists. ``rows`` are tuples of int, str and None."""

def refuse_json(status: int, body: bytes, /) -> NoReturn:
    """Raises the exception for a response whose body is not JSON."""

def schema() -> dict[str, list[dict[str, Any]]]:
    """The tables of the API as plain dicts and lists: operations, objects, errors, enums, codes."""

def _load(name: str, json: bytes, /) -> Any: ...
def _load_page(records: tuple[Any, ...], place: bytes | None, /) -> Page: ...
def _fail_allocation(nth: int, /) -> None: ...
def _allocation_failed() -> bool: ...
