"""Payment events that no session was found for: what is told of them, and their listing."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, structs

from service.core.model import Money, PaymentState
from service.core.paging import PageTokens, page_size
from service.core.ports import DisputeReport, PaymentReport, RefundReport, SubscriptionReport

if TYPE_CHECKING:
    from service.core.ports import ProviderEvent, Store


class Kind(enum.Enum):
    """What an event reports."""

    PAYMENT = "PAYMENT"
    REFUND = "REFUND"
    DISPUTE = "DISPUTE"
    SUBSCRIPTION = "SUBSCRIPTION"


class Facts(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What an event says of money, and of nobody; without a kind it only hints that there is news."""

    live: bool
    kind: Kind | None = None
    payment_id: str = ""
    status: PaymentState | None = None
    amount: Money | None = None
    payment_time: datetime | None = None
    refund_id: str = ""
    dispute_id: str = ""
    subscription_id: str = ""
    session_id: str = ""
    references: tuple[str, ...] = ()


class UnmatchedPayment(Struct, frozen=True, kw_only=True):
    """An unmatched event as it is listed; `position` orders what was received at one instant."""

    provider: str
    account: str
    event_id: str
    event_type: str
    received: datetime
    position: int
    facts: Facts
    reduced: bool


class UnmatchedFilter(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Conditions of a listing, all of which hold; a range includes its start and not its end."""

    provider: str = ""
    account: str = ""
    received_from: datetime | None = None
    received_to: datetime | None = None


class UnmatchedQuery(UnmatchedFilter, frozen=True, kw_only=True):
    """One page of a listing: below the time and position in `before`, newest first."""

    before: tuple[datetime, int] | None = None
    limit: int = 50


class UnmatchedPage(Struct, frozen=True):
    """Unmatched payments; the token is empty on the last page."""

    payments: tuple[UnmatchedPayment, ...]
    next_page_token: str


class ListUnmatchedPayments:
    """Lists unmatched payments, newest first, page by page."""

    def __init__(self, *, store: Store, secret: bytes) -> None:
        self._store = store
        self._tokens = PageTokens(secret=secret)

    async def __call__(
        self, conditions: UnmatchedFilter, wanted: int, page_token: str
    ) -> UnmatchedPage:
        """Return one page. Raises InvalidRequest for a token that is not of these conditions."""
        size = page_size(wanted)
        plain = {"unmatched": msgspec.to_builtins(conditions)}
        end = self._tokens.open(plain, page_token)
        query = UnmatchedQuery(
            before=_moment(end) if end else None, limit=size + 1, **structs.asdict(conditions)
        )
        found = tuple(await self._store.list_unmatched(query))
        if len(found) <= size:
            return UnmatchedPage(found, "")
        last = found[size - 1]
        token = self._tokens.seal(plain, f"{last.position} {last.received.isoformat()}")
        return UnmatchedPage(found[:size], token)


def _moment(end: str) -> tuple[datetime, int]:
    position, _, received = end.partition(" ")
    return datetime.fromisoformat(received), int(position)


def facts(event: ProviderEvent, *, live: bool) -> Facts:
    """Return what may be told of an event of an account that moves real money where `live`."""
    told = Facts(live=live, session_id=event.session_id, references=tuple(event.references))
    match event.report:
        case PaymentReport() as payment:
            return structs.replace(
                told,
                kind=Kind.PAYMENT,
                live=live if payment.live is None else payment.live,
                payment_id=payment.payment_id,
                status=payment.status,
                amount=payment.amount,
                payment_time=payment.payment_time,
                subscription_id=payment.subscription_id,
            )
        case RefundReport(payment_id=payment_id, refund_id=refund_id, amount=amount):
            return structs.replace(
                told, kind=Kind.REFUND, payment_id=payment_id, refund_id=refund_id, amount=amount
            )
        case DisputeReport(payment_id=payment_id, dispute_id=dispute_id):
            return structs.replace(
                told, kind=Kind.DISPUTE, payment_id=payment_id, dispute_id=dispute_id
            )
        case SubscriptionReport(subscription_id=subscription_id):
            return structs.replace(told, kind=Kind.SUBSCRIPTION, subscription_id=subscription_id)
        case _:
            return told
