"""A provider that remembers what it sold and lists it, as far as a test lets it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from service.core.errors import ProviderError
from service.core.model import Money, PaymentState
from service.core.ports import PaymentReport, ProviderEvent
from service.core.purpose import Purpose, purpose_of
from service.core.window import Listed, Window
from tests.core.scripted import ScriptedProvider


@dataclass
class Sale:
    """A payment at the provider; without a status the buyer is still choosing how to pay."""

    payment_id: str
    session_id: str
    made: datetime
    status: PaymentState | None = PaymentState.PAID

    def event(self, *, is_hint: bool = False) -> ProviderEvent:
        """Return what a list or a webhook tells of it."""
        report = self.status and PaymentReport(
            payment_id=self.payment_id,
            status=self.status,
            amount=Money(1999, "USD"),
            payment_time=self.made,
        )
        return ProviderEvent(
            event_id=f"{self.payment_id}:{self.status}",
            event_type="listed",
            occurred=self.made,
            session_id=self.session_id,
            references=(f"payment:{self.payment_id}",),
            report=report,
            is_hint=is_hint and report is not None,
        )


class ListingSeller(ScriptedProvider):
    """Lists its sales by when they were made; `troubles` are what the next calls of a kind meet."""

    capabilities = msgspec.structs.replace(ScriptedProvider.capabilities, lists_payments=True)

    def __init__(self) -> None:
        super().__init__()
        self.sales: list[Sale] = []
        self.page_size = 100
        self.lists_in_short = False
        self.listings: list[Window] = []
        self.readings: list[str] = []
        self.purposes: set[Purpose] = set()
        self.down: ProviderError | None = None
        self.unreadable: dict[str, ProviderError] = {}
        self.extra: Sequence[ProviderEvent] = ()
        self.on_listing: Callable[[], object] = lambda: None

    def sell(
        self, payment_id: str, session_id: str, made: datetime, status: PaymentState | None
    ) -> Sale:
        """Remember a sale."""
        sale = Sale(payment_id, session_id, made, status)
        self.sales.append(sale)
        return sale

    async def recent(self, window: Window) -> Listed:
        self.listings.append(window)
        self.on_listing()
        self.purposes.add(purpose_of(Purpose.READ))
        if self.down is not None:
            raise self.down
        found = [sale for sale in self.sales if window.since <= sale.made <= window.until]
        start = int(window.page or "0")
        end = start + self.page_size
        events = [sale.event(is_hint=self.lists_in_short) for sale in found[start:end]]
        return Listed([*events, *self.extra], str(end) if end < len(found) else "")

    async def whole(self, event: ProviderEvent) -> ProviderEvent:
        names = {name.partition(":")[0]: name.partition(":")[2] for name in event.references}
        assert names["session" if event.report is None and not event.event_id else "payment"]
        payment_id = names["payment"]
        self.readings.append(payment_id)
        self.purposes.add(purpose_of(Purpose.READ))
        if payment_id in self.unreadable:
            raise self.unreadable[payment_id]
        return next(sale for sale in self.sales if sale.payment_id == payment_id).event()
