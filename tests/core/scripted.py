"""A provider that answers what a test tells it to; the real ones are tested against their emulators."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from service.core.capability import Capabilities, MetadataLimits
from service.core.errors import ProviderError, WebhookNotVerified
from service.core.model import (
    AmountBasis,
    CreateRequest,
    ExpiryEnforcement,
    ItemKind,
    PaymentState,
    Totals,
    UnknownOutcomeStrategy,
    Violation,
)
from service.core.ports import (
    Closing,
    CreateCall,
    PaymentReport,
    ProviderEvent,
    ProviderSession,
    RefundReport,
    Step,
)
from tests.core.builders import NOW, payment

LIFETIME = timedelta(hours=24)


class ScriptedProvider:
    """Counts calls; `script` holds what the next creates do, an error, a gate to wait for, a step, or both."""

    name = "scripted"
    account = "default"
    live = False
    payment_grace: timedelta | None = None
    capabilities = Capabilities(
        retrieve=True,
        cancel=False,
        expiry_enforcement=ExpiryEnforcement.PROVIDER,
        min_lifetime=timedelta(seconds=60),
        max_lifetime=LIFETIME,
        default_lifetime=LIFETIME,
        unknown_outcome_strategy=UnknownOutcomeStrategy.RECREATE,
        item_kinds=frozenset({ItemKind.CATALOG, ItemKind.AD_HOC}),
        request_fields=frozenset(
            {
                "cart.line_items.product_id",
                "cart.line_items.quantity",
                "cart.line_items.name",
                "cart.line_items.unit_price",
                "customer.email",
                "customer.ip_address",
                "provider_options.scripted",
            }
        ),
        max_line_items=3,
        max_amount=10_000,
        max_quantity=99,
        zero_quantity=False,
        max_discount_codes=0,
        metadata=MetadataLimits(max_pairs=2, max_key_length=10, max_value_length=10),
        currencies=frozenset(),
        webhook_events=frozenset({"payment.paid"}),
        webhook_signature="",
        subscriptions=False,
    )

    def __init__(self) -> None:
        self.calls: list[CreateCall] = []
        self.located = ""
        self.asked_for: list[str] = []
        self.retrieved = 0
        self.read: list[tuple[str, Mapping[str, object] | None]] = []
        self.cancelled: list[str] = []
        self.closings: list[Closing | ProviderError] = []
        self.script: list[ProviderError | asyncio.Event | Step | tuple[asyncio.Event, Step]] = []
        self.held: list[Step] | ProviderError = []
        self.searched: list[tuple[CreateCall, datetime]] = []
        self.answer: ProviderSession | ProviderError | None = None
        self.how_to_repeat = UnknownOutcomeStrategy.RECREATE
        self.violations: Sequence[Violation] = ()

    def check(self, request: CreateRequest) -> Sequence[Violation]:
        return self.violations

    def lifetime(self, request: CreateRequest) -> timedelta:
        return LIFETIME

    def amount_basis(self, request: CreateRequest) -> AmountBasis:
        return AmountBasis.EXACT

    def strategy(self, request: CreateRequest) -> UnknownOutcomeStrategy:
        return self.how_to_repeat

    async def create(self, call: CreateCall) -> ProviderSession:
        self.calls.append(call)
        made = f"ps_{len(self.calls)}"
        step = self.script.pop(0) if self.script else None
        if isinstance(step, ProviderError):
            raise step
        if isinstance(step, tuple):
            gate, step = step
            await gate.wait()
        if isinstance(step, Step):
            return step
        if step is not None:
            await step.wait()
        made = call.kept.get("invoice", made)
        return ProviderSession(provider_session_id=made, url=f"https://pay.example/{made}")

    async def search(self, call: CreateCall, since: datetime) -> Sequence[Step]:
        self.searched.append((call, since))
        if isinstance(self.held, ProviderError):
            raise self.held
        return self.held

    def totals(self, request: CreateRequest) -> Totals | None:
        return None

    def prepare(self, call: CreateCall) -> bytes:
        is_stored = self.how_to_repeat is UnknownOutcomeStrategy.REPLAY
        return f"{call.session_id}/{call.attempt}".encode() if is_stored else b""

    async def cancel(
        self, provider_session_id: str, details: Mapping[str, object] | None = None
    ) -> Closing:
        self.cancelled.append(provider_session_id)
        step = self.closings.pop(0) if self.closings else Closing(closed=True)
        if isinstance(step, ProviderError):
            raise step
        return step

    async def retrieve(
        self, provider_session_id: str, details: Mapping[str, object] | None = None
    ) -> ProviderSession:
        self.retrieved += 1
        self.read.append((provider_session_id, details))
        if isinstance(self.answer, ProviderError):
            raise self.answer
        if isinstance(self.answer, ProviderSession):
            return self.answer
        return ProviderSession(
            provider_session_id=provider_session_id, payments=[payment(PaymentState.PAID)]
        )

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        if headers.get("signature") != "good":
            raise WebhookNotVerified("wrong signature")

    def parse(self, headers: Mapping[str, str], body: bytes) -> Sequence[ProviderEvent]:
        event = msgspec.json.decode(body)
        report: PaymentReport | RefundReport | None = None
        if "refund" in event:
            report = RefundReport(
                payment_id=event["payment"], refund_id=event["refund"], amount=None
            )
        elif "status" in event:
            at = None if event.get("timeless") else NOW
            report = payment(PaymentState(event["status"]), at, payment_id=event["payment"])
        return [
            ProviderEvent(
                event_id=event["id"],
                event_type="payment",
                session_id=event.get("session", ""),
                references=event.get("references", []),
                report=report,
                is_hint=event.get("hint", False),
            )
        ]

    async def locate(self, event: ProviderEvent) -> str:
        self.asked_for.append(event.event_id)
        return self.located

    async def close(self) -> None:
        return None
