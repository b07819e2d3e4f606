"""Two ways to price by the same rules, written apart: ours and the emulator's."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.model import Cart, CreateRequest, Discount, LineItem, Money, Tax
from service.core.ports import CreateCall
from service.providers.square.checkouts import checkout_body
from service.providers.square.pricing import is_published, priced_order
from service.sandbox.square import pricing
from service.sandbox.square.catalogue import demo_catalogue
from service.sandbox.square.drafts import draft

CENTS = st.integers(0, 10**6).map(lambda cents: Money(cents, "USD"))
PERCENTAGES = st.decimals(min_value="0.01", max_value=100, places=2).map(str)
DISCOUNTS = st.lists(
    st.one_of(st.builds(Discount, percentage=PERCENTAGES), st.builds(Discount, amount=CENTS)),
    max_size=2,
).map(tuple)
TAXES = st.lists(
    st.builds(Tax, name=st.just("Tax"), percentage=PERCENTAGES, inclusive=st.booleans()),
    max_size=1,
).map(tuple)
LINES = st.lists(
    st.builds(
        LineItem,
        name=st.just("Thing"),
        unit_price=CENTS,
        quantity=st.integers(1, 9),
        discounts=DISCOUNTS,
        taxes=TAXES,
    ),
    min_size=1,
    max_size=4,
).map(tuple)
CHARGES: st.SearchStrategy[list[dict[str, object]]] = st.lists(
    st.builds(
        dict,
        name=st.just("Service"),
        percentage=PERCENTAGES,
        calculation_phase=st.just("CALCULATION_PHASE_SUBTOTAL"),
        taxable=st.booleans(),
    ),
    max_size=2,
)
CARTS = st.builds(
    Cart,
    line_items=LINES,
    discounts=DISCOUNTS,
    taxes=TAXES,
    shipping_fee=st.one_of(st.none(), CENTS),
)


@settings(deadline=None, max_examples=100)
@given(CARTS, CHARGES)
def test_published_rules_leave_no_room(cart: Cart, charges: list[dict[str, object]]) -> None:
    """Wherever only published rules decide, both come to the same, line by line."""
    request = CreateRequest(
        provider="square", cart=cart, provider_options={"square": {"service_charges": charges}}
    )
    if not is_published(request):
        return
    ours = priced_order(request)
    call = CreateCall(
        session_id="cs_1", attempt=1, request=request, expire_time=datetime(2026, 3, 1, tzinfo=UTC)
    )
    body: Any = msgspec.json.decode(msgspec.json.encode(checkout_body(call, "L", "key")))
    numbers = count(1)
    theirs = pricing.price(
        draft(
            body["order"]["order"],
            demo_catalogue(),
            new_id=lambda: f"id-{next(numbers)}",
            shipping_fee=None,
            ships=None,
        )
    )
    assert ours is not None
    assert (ours.total, ours.tax, ours.discount) == (theirs.total, theirs.tax, theirs.discount)
