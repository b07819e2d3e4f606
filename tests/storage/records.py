"""Records and events to store: whole ones by default, any one on demand."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TypeVar

import msgspec
from hypothesis import strategies as st
from msgspec.structs import fields

from service.core.inbox import InboxEvent
from service.core.model import (
    AddOn,
    Address,
    AmountBasis,
    AmountCheck,
    Cart,
    CollectedDetails,
    CreateRequest,
    Customer,
    Discount,
    Dispute,
    DisputeStatus,
    ExpiryEnforcement,
    Failure,
    LineItem,
    Money,
    Payment,
    PaymentError,
    PaymentState,
    PaymentStatus,
    Refund,
    Session,
    SessionWarning,
    State,
    Tax,
    TimeSource,
    Totals,
    TotalsSource,
    UnknownOutcomeStrategy,
    Violation,
)
from service.core.ports import PaymentReport, SessionQuery
from service.core.record import Attempt, AttemptOutcome, Prepared, Record, RequestKey
from service.core.unmatched import Facts, Kind
from service.core.waiting import Waiting

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
T = TypeVar("T", Customer, CollectedDetails)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
ATTEMPT = Attempt(strategy=UnknownOutcomeStrategy.RECREATE, lease_until=NOW)


def session_id(number: int) -> str:
    """Return an id that sorts by its number."""
    return f"cs_{number:026d}"


def session(number: int = 1, **changes: object) -> Session:
    """Build an open session that changes may alter."""
    plain = Session(
        session_id=session_id(number),
        state=State.OPEN,
        provider="dodo",
        account="default",
        live=False,
        expiry_enforcement=ExpiryEnforcement.GATE,
        cart=Cart(line_items=(LineItem(product_id="pdt_demo", quantity=1),), currency="USD"),
        totals=Totals(TotalsSource.UNKNOWN),
        create_time=NOW,
        update_time=NOW,
        expire_time=NOW + HOUR,
    )
    return msgspec.structs.replace(plain, **changes)


def record(number: int = 1, key: RequestKey | None = None, /, **changes: object) -> Record:
    """Build the record of a session that changes may alter."""
    return Record(
        session=session(number, **changes), attempt=ATTEMPT, key=key, fingerprint=b"fingerprint"
    )


def changed(old: Record, **changes: object) -> Record:
    """Build the next version of a record."""
    following = msgspec.structs.replace(old.session, version=old.session.version + 1, **changes)
    return msgspec.structs.replace(old, session=following)


def event(number: int = 1, **changes: object) -> InboxEvent:
    """Build a verified event that changes may alter."""
    plain = InboxEvent(
        provider="dodo",
        account="default",
        event_id=f"evt_{number}",
        event_type="payment.succeeded",
        received=NOW,
        session_id=session_id(1),
        body=b"{}",
    )
    return msgspec.structs.replace(plain, **changes)


def facts(number: int) -> Facts:
    """Build the facts of a payment."""
    return Facts(
        live=True,
        kind=Kind.PAYMENT,
        payment_id=f"pay_{number}",
        status=PaymentState.PAID,
        amount=Money(2**53 - 1, "JPY"),
        payment_time=NOW,
        subscription_id="sub_1",
        session_id="cs_elsewhere",
        references=(f"payment:{number}", f"order:{number}"),
    )


def unmatched(number: int, **changes: object) -> InboxEvent:
    """Build an event of a payment that waits for its session."""
    report = PaymentReport(
        payment_id=f"pay_{number}",
        status=PaymentState.PAID,
        amount=Money(1999, "USD"),
        payment_time=NOW,
        details={"payment": {"method": ["card"]}},
    )
    waiting = Waiting(report=report, taught=(f"payment:pay_{number}",))
    return event(
        number, **{"facts": facts(number), "waiting": waiting, "session_id": "", **changes}
    )


def query(**conditions: object) -> SessionQuery:
    """Build a query as of the time the sessions were created."""
    return msgspec.structs.replace(SessionQuery(now=NOW), **conditions)


def whole_record(word: str) -> Record:
    """Build a record in which every field is set, and personal texts contain a word."""
    numbers = count()

    def personal() -> str:
        return f"{word}{next(numbers)}"

    def address() -> dict[str, str]:
        return {name: personal() for name in Address.__struct_fields__}

    def person(kind: type[T]) -> T:
        texts = {field.name: personal() for field in fields(kind) if field.default == ""}
        addresses = {"billing_address": address(), "shipping_address": address()}
        custom = {"custom_fields": {personal(): personal()}}
        return msgspec.convert({**texts, **addresses, **custom}, kind)

    money = Money(2**53 - 1, "JPY")
    discount = Discount("Spring", "12.5", money)
    tax = Tax("VAT", "20", inclusive=True)
    item = LineItem(
        product_id="pdt_1",
        name="Tea “grün” 茶",
        unit_price=money,
        quantity=0,
        decimal_quantity="1.25",
        note="note",
        description="description",
        variation_name="large",
        image_url="https://example.com/tea.png",
        add_ons=(AddOn("add_1", "Cup", money, 2),),
        custom_amount=money,
        discounts=(discount,),
        taxes=(tax,),
        provider_options={"on_demand": True, "limits": [1, 2.5, None], "nested": {"a": "b"}},
    )
    payment = Payment(
        provider_payment_id="pay_1",
        status=PaymentState.PAID,
        amount=money,
        tip=Money(1, "JPY"),
        payment_time=NOW + timedelta(microseconds=1),
        time_source=TimeSource.PROVIDER,
        late=True,
        amount_check=AmountCheck.ABOVE,
    )
    whole = session(
        7,
        state=State.EXPIRED,
        payment_status=PaymentStatus.PAID,
        live=True,
        provider_session_id="cks_1",
        provider_subscription_id="sub_1",
        provider_url="https://pay.example.com/cks_1",
        payable_until=NOW + 2 * HOUR,
        link_closed=True,
        closable=True,
        closing_time=NOW,
        preexisting=True,
        cart=Cart((item,), "JPY", (discount,), (tax,), ("SPRING",), money),
        totals=Totals(TotalsSource.PROVIDER, money, money, money, money, money),
        amount_basis=AmountBasis.EXACT,
        customer=person(Customer),
        collected=person(CollectedDetails),
        metadata={"order": "A-1", 'ünïcode \\ "key"': "line\nbreak"},
        reference_id="order-1",
        update_time=NOW + HOUR,
        end_time=NOW + HOUR,
        ended_by_request=True,
        complete_time=NOW + HOUR,
        reconciled_time=NOW + HOUR,
        version=12,
        payment_grace=timedelta(minutes=5, microseconds=3),
        authorised=True,
        payments=(payment,),
        refunds={"ref_1": Refund("pay_1", Money(5, "JPY"))},
        disputes={"dp_1": Dispute(DisputeStatus.WON, NOW)},
        last_payment_error=PaymentError("DECLINED", "Declined.", "pay_0"),
        warnings=(SessionWarning("LIVE_FORCED_FALSE", "live", "Not live."),),
        provider_details={personal(): {"link": [personal()]}},
        failure=Failure("PROVIDER_REJECTED", "422", {"a": "b"}, (Violation("cart", "Wrong."),)),
    )
    attempt = Attempt(
        number=3,
        outcome=AttemptOutcome.ANSWERED,
        strategy=UnknownOutcomeStrategy.NEVER,
        lease_until=NOW + HOUR,
        kept={"invoice": "inv_1"},
    )
    key = RequestKey("shop", "request-1")
    prepared = Prepared(
        CreateRequest(provider="dodo", cart=Cart(), customer=person(Customer)),
        personal().encode(),
    )
    return Record(
        session=whole,
        attempt=attempt,
        key=key,
        fingerprint=bytes(range(256)),
        prepared=prepared,
    )


TIMES = st.integers(0, 2**52).map(lambda number: EPOCH + timedelta(microseconds=number))
# What JSON can carry: no halves of surrogate pairs.
TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
MONEY = st.builds(Money, st.integers(-(2**53), 2**53), st.sampled_from(("USD", "JPY", "BHD")))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)

SESSIONS = st.builds(
    session,
    state=st.sampled_from(State),
    payment_status=st.sampled_from(PaymentStatus),
    live=st.booleans(),
    expiry_enforcement=st.sampled_from(ExpiryEnforcement),
    amount_basis=st.sampled_from(AmountBasis),
    totals=st.builds(Totals, st.sampled_from(TotalsSource), total=st.none() | MONEY),
    customer=st.none() | st.builds(Customer, email=TEXTS, company=TEXTS),
    collected=st.none() | st.builds(CollectedDetails, custom_fields=st.dictionaries(TEXTS, TEXTS)),
    metadata=st.dictionaries(TEXTS, TEXTS, max_size=3),
    reference_id=TEXTS,
    create_time=TIMES,
    expire_time=TIMES,
    payment_grace=st.timedeltas(timedelta(0), timedelta(days=400)),
    payments=st.lists(
        st.builds(
            Payment,
            provider_payment_id=TEXTS,
            status=st.sampled_from(PaymentState),
            amount=st.none() | MONEY,
            payment_time=TIMES,
            time_source=st.sampled_from(TimeSource),
            amount_check=st.none() | st.sampled_from(AmountCheck),
        ),
        max_size=2,
    ).map(tuple),
    disputes=st.dictionaries(
        TEXTS, st.builds(Dispute, st.sampled_from(DisputeStatus), TIMES), max_size=2
    ),
    provider_details=st.dictionaries(TEXTS, JSON, max_size=2),
)

RECORDS = st.builds(
    Record,
    session=SESSIONS,
    attempt=st.builds(
        Attempt,
        number=st.integers(1, 100),
        outcome=st.sampled_from(AttemptOutcome),
        strategy=st.sampled_from(UnknownOutcomeStrategy),
        lease_until=TIMES,
    ),
    key=st.none() | st.builds(RequestKey, TEXTS, TEXTS),
    fingerprint=st.binary(max_size=32),
)
