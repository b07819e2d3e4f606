"""Valid objects for tests of the rules, so that a test shows only what matters to it."""

from datetime import UTC, datetime, timedelta

from msgspec import structs

from service.core.model import (
    Cart,
    CreateRequest,
    ExpiryEnforcement,
    LineItem,
    Money,
    PaymentState,
    Session,
    State,
    Totals,
    TotalsSource,
    UnknownOutcomeStrategy,
)
from service.core.ports import PaymentReport
from service.core.record import Attempt, Record, RequestKey

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EXPIRY = NOW + timedelta(hours=24)
SECOND = timedelta(seconds=1)


def session(state: State = State.OPEN, **changes: object) -> Session:
    """Return a session created at NOW that expires at EXPIRY."""
    made = Session(
        session_id="cs_00000000000000000000000001",
        state=state,
        provider="dodo",
        account="default",
        live=False,
        provider_session_id="cks_1",
        provider_url="https://checkout.example/cks_1",
        payable_until=EXPIRY,
        expiry_enforcement=ExpiryEnforcement.PROVIDER,
        cart=cart(),
        totals=Totals(source=TotalsSource.UNKNOWN),
        create_time=NOW,
        update_time=NOW,
        expire_time=EXPIRY,
        end_time=EXPIRY if state is State.EXPIRED else None,
    )
    return structs.replace(made, **changes)


def cart() -> Cart:
    """Return a cart of one catalogue item."""
    return Cart(line_items=(LineItem(product_id="pdt_demo", quantity=1),))


def request(**changes: object) -> CreateRequest:
    """Return a request for that cart."""
    return structs.replace(CreateRequest(provider="scripted", cart=cart()), **changes)


def record(made: Session | None = None, **changes: object) -> Record:
    """Return a record of a session with a request id."""
    made = made or session()
    whole = Record(
        session=made,
        attempt=Attempt(
            strategy=UnknownOutcomeStrategy.RECREATE, lease_until=NOW + timedelta(seconds=60)
        ),
        key=RequestKey("anonymous", made.session_id),
        fingerprint=b"\x01content",
    )
    return structs.replace(whole, **changes)


def payment(
    status: PaymentState, at: datetime | None = NOW, payment_id: str = "pay_1", amount: int = 1999
) -> PaymentReport:
    """Return a provider's word about a payment."""
    return PaymentReport(
        payment_id=payment_id, status=status, amount=Money(amount, "USD"), payment_time=at
    )
