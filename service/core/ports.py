"""What the rules need from outside; every obligation of an implementation is stated here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from msgspec import Struct, field

from service.core.due import DueSessions
from service.core.inbox import Inbox, InboxEvent
from service.core.marks import Marks
from service.core.model import (
    CollectedDetails,
    DisputeStatus,
    Money,
    PaymentError,
    PaymentState,
    SessionWarning,
    Totals,
)
from service.core.retention import Retention
from service.core.timeline import Events

if TYPE_CHECKING:
    from datetime import timedelta

    from service.core.capability import Capabilities
    from service.core.events import Fact
    from service.core.model import (
        AmountBasis,
        CreateRequest,
        PaymentStatus,
        Session,
        State,
        UnknownOutcomeStrategy,
        Violation,
    )
    from service.core.record import Record, RequestKey


class Clock(Protocol):
    """The service's only source of time."""

    def now(self) -> datetime:
        """Return the present as an aware UTC datetime."""

    async def sleep(self, delay: timedelta) -> None:
        """Return once `delay` has passed on this clock."""


class Ids(Protocol):
    """The service's only source of identity."""

    def session_id(self, now: datetime) -> str:
        """Return "cs_" and 26 characters that sort by `now`, unique even within one instant."""


class PaymentReport(Struct, frozen=True, kw_only=True, tag=True):
    """What a provider says of one payment of a session, by webhook or by reading.

    `live` is whether real money moved, where the provider says so of each payment.
    """

    payment_id: str
    status: PaymentState
    amount: Money | None = None
    tip: Money | None = None
    payment_time: datetime | None = None
    error: PaymentError | None = None
    totals: Totals | None = None
    refunds: Mapping[str, Money] = field(default_factory=dict)
    disputes: Mapping[str, DisputeStatus] = field(default_factory=dict)
    subscription_id: str = ""
    collected: CollectedDetails | None = None
    warnings: Sequence[SessionWarning] = ()
    details: Mapping[str, object] = field(default_factory=dict)
    live: bool | None = None


class RefundReport(Struct, frozen=True, kw_only=True, tag=True):
    """A refund of one payment that the provider has made.

    `amount` is this refund's alone; None means what was left of the payment.
    """

    payment_id: str
    refund_id: str
    amount: Money | None


class DisputeReport(Struct, frozen=True, kw_only=True, tag=True):
    """Where a dispute of one payment stands."""

    payment_id: str
    dispute_id: str
    status: DisputeStatus


class SubscriptionReport(Struct, frozen=True, kw_only=True, tag=True):
    """A subscription started; `authorised` when a trial or mandate means that nothing is due now.

    `authorised_time` is when the buyer committed, by the provider's word; None where it names no time. An order
    that came to nothing is authorised without a subscription. `live` is as in PaymentReport.
    """

    subscription_id: str
    authorised: bool
    authorised_time: datetime | None = None
    collected: CollectedDetails | None = None
    live: bool | None = None


class ProviderSession(Struct, frozen=True, kw_only=True):
    """A provider's answer to create or retrieve.

    `url` is empty where the provider needs no page. `payable_until` is when its page stops taking payments.
    `authorised` says that nothing is due, and `authorised_time` since when, where the provider tells. `details`
    fill the provider's own field of ProviderDetails.
    `references` are further ids of the provider that lead to the session, such as "order:…". `live` is the mode
    that the provider chose, where it says so of each session.
    """

    provider_session_id: str
    url: str = ""
    payable_until: datetime | None = None
    totals: Totals | None = None
    authorised: bool = False
    authorised_time: datetime | None = None
    payments: Sequence[PaymentReport] = ()
    subscription_id: str = ""
    collected: CollectedDetails | None = None
    warnings: Sequence[SessionWarning] = ()
    details: Mapping[str, object] = field(default_factory=dict)
    references: Sequence[str] = ()
    live: bool | None = None


class Step(ProviderSession, frozen=True, kw_only=True):
    """What an unfinished create has made so far: all that is known of the session before its last call.

    `url` is empty. `kept` are the provider's ids the next call goes on from.
    `strategy` is what a retry may do from here: RECREATE where to create again from `kept` makes nothing twice,
    NEVER where the next call may charge somebody or end the purchase. `preexisting` says that the caller named
    what was there before: a create that fails then leaves it as it is.
    """

    kept: Mapping[str, str]
    strategy: UnknownOutcomeStrategy
    preexisting: bool = False


class Closing(Struct, frozen=True, kw_only=True):
    """What came of ending a session at its provider.

    `closed` only where it was verified that the page takes no payment any more. `payments` are those the
    provider told of meanwhile; `authorised` where it had been settled with nothing due, at `authorised_time`.
    """

    closed: bool
    payments: Sequence[PaymentReport] = ()
    authorised: bool = False
    authorised_time: datetime | None = None


class ProviderEvent(Struct, frozen=True, kw_only=True):
    """One verified webhook event in our words.

    `event_id` is the provider's and unique within the account. `session_id` is ours where the event carries it,
    `references` are the provider's ids that may lead to the session ("session:…", "payment:…", "subscription:…",
    most telling first). `report` is None for an event no session can use: it is acknowledged and not stored.

    A hint tells that there is news and cannot be trusted to tell which: it has no report, and the session of its
    first "session:…" reference is read at the provider. Where the provider numbers no events, `event_id` is made
    of what makes two deliveries the same news: the event's name and the payment's id and status.

    `is_elsewhere` says that it names another merchant, place or mode than the account's: it has no report, and
    counts for the account that it names, where the delivery is verified by that one's secrets too.

    One of a batch that is acknowledged by its id `stands_alone`, and has its own part of the request as `body`;
    `unreadable` says why one that cannot be read is not acknowledged.
    """

    event_id: str
    event_type: str
    occurred: datetime | None = None
    session_id: str = ""
    references: Sequence[str] = ()
    report: PaymentReport | RefundReport | DisputeReport | SubscriptionReport | None = None
    is_hint: bool = False
    is_elsewhere: bool = False
    body: bytes = b""
    stands_alone: bool = False
    unreadable: str = ""


class CreateCall(Struct, frozen=True, kw_only=True):
    """One attempt to create: the request and the identity it must carry to the provider.

    `connect_within` is the caller's remaining time: it bounds waiting for a connection, never a sent request.
    `body` is what `Provider.prepare` made of the call, perhaps of an earlier attempt: it is sent as it is.
    `kept` is what the last Step kept, perhaps of an earlier attempt: the create goes on from there.
    """

    session_id: str
    attempt: int
    request: CreateRequest
    expire_time: datetime
    connect_within: timedelta | None = None
    body: bytes = b""
    kept: Mapping[str, str] = field(default_factory=dict)


class Provider(Protocol):
    """One configured account of one provider. Holds no state a restart would lose."""

    name: str
    account: str
    live: bool
    capabilities: Capabilities
    payment_grace: timedelta | None
    """The account's configured grace; None leaves the default to the rules."""

    def check(self, request: CreateRequest) -> Sequence[Violation]:
        """Return everything of its own rules and options the request breaks, by path in the contract.

        What Capabilities declare is checked by the core. Pure: no I/O, no clock.
        """

    def lifetime(self, request: CreateRequest) -> timedelta:
        """Return how long the provider's page for this request lives; the default lifetime where it is fixed."""

    def amount_basis(self, request: CreateRequest) -> AmountBasis:
        """Return what comparing a paid amount with the request's total may conclude."""

    def strategy(self, request: CreateRequest) -> UnknownOutcomeStrategy:
        """Return what a retry may do when the answer to the first call of creating `request` is lost.

        Whoever says SEARCH is a `SearchingProvider`.
        """

    def totals(self, request: CreateRequest) -> Totals | None:
        """Return the totals by the provider's own published rules; None where the core's exact sums hold."""

    def prepare(self, call: CreateCall) -> bytes:
        """Return the exact body to send where `strategy` is REPLAY, the provider's own idempotency key in it.

        It is stored before it is sent. Empty for every other strategy. Pure: no I/O, no clock.
        """

    async def create(self, call: CreateCall) -> ProviderSession | Step:
        """Create at the provider, sending `call.session_id` under the reserved metadata key.

        A create of several calls makes one of them and returns a Step: it is stored, and `create` is called again
        with what it kept, in this attempt or in a later one. A Step is never answered with the same Step.
        Raises ProviderRejected, ProviderCredentialsRejected or ProviderRateLimited (refused, nothing created),
        ProviderUnavailable (nothing sent), ProviderOutcomeUnknown (sent, no usable answer), and nothing else.
        """

    async def cancel(
        self, provider_session_id: str, details: Mapping[str, object] | None = None
    ) -> Closing:
        """End a session at the provider and verify it; not closed where capabilities declare no `cancel`.

        `details` are what the session keeps of the provider's answers. A session that is gone is closed.
        Raises as `create`.
        """

    async def retrieve(
        self, provider_session_id: str, details: Mapping[str, object] | None = None
    ) -> ProviderSession:
        """Read a session; payments it names are read too. Only where capabilities declare `retrieve`.

        `details` are what the session keeps of the provider's answers. Raises as `create`; ProviderRejected
        with metadata `provider_status` 404 for an unknown one.
        """

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Check a webhook's signature over the raw body, in constant time, against every configured secret.

        `headers` has lower-case names. Raises WebhookNotVerified; always where no secret is configured.
        """

    def parse(self, headers: Mapping[str, str], body: bytes) -> Sequence[ProviderEvent]:
        """Return the events of a verified webhook. Raises ValueError for a body that is no webhook of this provider."""

    async def locate(self, event: ProviderEvent) -> str:
        """Return our session's id, asked of the provider for a payment that nothing stored leads to.

        Empty where the provider keeps none with it. Raises as `create`: ProviderRejected where the provider knows
        no such payment, and otherwise the event is sent again.
        """

    async def close(self) -> None:
        """Release connections. Calls in progress are given up."""


@runtime_checkable
class SearchingProvider(Provider, Protocol):
    """A provider at which a create whose answer was lost can be looked for."""

    async def search(self, call: CreateCall, since: datetime) -> Sequence[Step]:
        """Return whatever unfinished create of this request the provider holds, made since `since`.

        The rules leave out what is known of other sessions, by the references of each Step. Nothing is changed at
        the provider. Raises as `create` where the provider cannot tell.
        """


class SessionQuery(Struct, frozen=True, kw_only=True):
    """Conditions of a listing, all of which hold; `now` makes overdue sessions count as EXPIRED.

    `before` is the session id the page starts below, in descending order of ids.
    """

    now: datetime
    states: frozenset[State] = frozenset()
    payment_statuses: frozenset[PaymentStatus] = frozenset()
    provider: str = ""
    account: str = ""
    live: bool | None = None
    reference_id: str = ""
    create_time_from: datetime | None = None
    create_time_to: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    before: str = ""
    limit: int = 50


class Observer(Protocol):
    """Told of everything worth a log line or a count; never raises, never blocks."""

    def changed(self, before: Session | None, after: Session, events: Sequence[str], /) -> None:
        """Note a stored change and the names of what happened, for example "session.completed"."""

    def noted(self, event: str, **fields: object) -> None:
        """Note something that changed no session; fields carry no personal data."""


class Store(Inbox, Marks, DueSessions, Retention, Events, Protocol):
    """Keeps records. A call that has returned is durable; a call that raised changed nothing.

    Every method raises StoreUnavailable when the engine does not answer. Personal data (customer, collected,
    provider_details of a session) is kept apart from everything else, so that one statement erases it. Waiting
    for a read never waits for a write.
    """

    @property
    def clock(self) -> Clock:
        """The time that leases and expiry are judged by: the same for every process that shares the store."""

    async def create(self, record: Record, facts: Sequence[Fact] = ()) -> None:
        """Insert a record and its request key. Raises RequestIdTaken when the key exists."""

    async def find(self, session_id: str) -> Record | None:
        """Return the newest durable record of a session."""

    async def find_by_request(self, key: RequestKey) -> Record | None:
        """Return the record that holds a request key."""

    async def find_by_reference(
        self, provider: str, account: str, references: Sequence[str]
    ) -> Record | None:
        """Return the record of the first reference that is known."""

    async def save(
        self,
        record: Record,
        *,
        expected_version: int,
        references: Sequence[str] = (),
        event: InboxEvent | None = None,
        matched: Sequence[str] = (),
        facts: Sequence[Fact] = (),
    ) -> None:
        """Replace a record, link new references to it, store an event and match others to it, all or nothing.

        A reference that leads to another session already keeps leading there. `matched` are ids of the account's
        events that waited. Raises StoreConflict when the stored version is not `expected_version` or `matched`
        lacks an event that waits for one of the references; EventKnown as `receive`.
        """

    async def list_sessions(self, query: SessionQuery) -> Sequence[Session]:
        """Return at most `query.limit` matching sessions, newest first."""

    async def secret(self) -> bytes:
        """Return the store's own random key, the same for ever, for keyed hashes."""

    async def ping(self) -> None:
        """Return when the store can read and write."""

    async def close(self) -> None:
        """Finish accepted writes and release the engine."""
