"""The bodies of both calls, held against the documented request and field by field."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from service.core.model import (
    AddOn,
    Address,
    BuyerChoices,
    Cart,
    CreateRequest,
    Customer,
    Discount,
    LineItem,
    Money,
    PaymentMethods,
    Tax,
)
from service.core.ports import CreateCall
from service.providers.square.checkouts import checkout_body
from service.providers.square.links import link_body

SESSION_ID = "cs_01JNW8G3Z00000000000SQUARE"
DOCUMENT = Path(__file__).parent / "fixtures" / "checkout_request.json"


def usd(amount: int) -> Money:
    """Return an amount in dollars."""
    return Money(amount, "USD")


def call(request: CreateRequest) -> CreateCall:
    """Return the first attempt to create a request."""
    return CreateCall(
        session_id=SESSION_ID,
        attempt=1,
        request=request,
        expire_time=datetime(2026, 3, 1, tzinfo=UTC),
    )


def asked(cart: Cart, **fields: object) -> CreateRequest:
    """Return a request for a cart."""
    options = fields.pop("options", None)
    return CreateRequest(
        provider="square",
        cart=cart,
        provider_options=None if options is None else {"square": options},
        **fields,  # type: ignore[arg-type]
    )


def test_the_documented_request_can_be_asked_for() -> None:
    """Every field of Square's example comes out of our contract; only the uids and keys are ours."""
    shirt = LineItem(
        name="Printed T Shirt",
        unit_price=usd(1500),
        quantity=2,
        discounts=(Discount(amount=usd(100)),),
        taxes=(Tax(percentage="7.75", inclusive=True),),
    )
    jeans = LineItem(name="Slim Jeans", unit_price=usd(2500))
    sweater = LineItem(name="Woven Sweater", unit_price=usd(3500), quantity=3)
    place = Address(
        line1="1455 Market St.",
        line2="Suite 600",
        city="San Francisco",
        region="CA",
        postal_code="94103",
        country="US",
        first_name="Jane",
        last_name="Doe",
    )
    share = {
        "location_id": "057P5VYJ4A5X1",
        "description": "Application fees",
        "amount": {"amount": "60", "currency": "USD"},
    }
    request = asked(
        Cart(line_items=(shirt, jeans, sweater)),
        reference_id="reference_id",
        success_url="https://merchant.website.com/order-confirm",
        customer=Customer(
            customer_id="customer_id", email="example@email.com", shipping_address=place
        ),
        options={
            "additional_recipients": [share],
            "ask_for_shipping_address": True,
            "support_email": "merchant+support@website.com",
        },
    )
    body = checkout_body(call(request), "location_id", "key")
    assert _comparable(body) == _comparable(msgspec.json.decode(DOCUMENT.read_bytes())["body"])


def test_a_link_says_everything_it_can() -> None:
    """Each option has its place, and what nobody said is not sent."""
    request = asked(
        Cart(
            line_items=(
                LineItem(
                    product_id="VARIATION",
                    decimal_quantity="1.25",
                    note="Gift",
                    add_ons=(
                        AddOn(name="Print", price=usd(50), quantity=2),
                        AddOn(add_on_id="MOD"),
                    ),
                ),
            ),
            discounts=(Discount(name="Sale", percentage="5"),),
            taxes=(Tax("Sales tax", "9"),),
            shipping_fee=usd(500),
        ),
        success_url="https://shop.example/{SESSION_ID}?r={REFERENCE_ID}",
        reference_id="order 7",
        metadata={"cart": "7"},
        customer=Customer(email="ada@example.com", phone_number="+14155550100", first_name="Ada"),
        buyer_choices=BuyerChoices(tipping=False, discount_codes=True),
        payment_methods=PaymentMethods(allowed=("apple_pay",)),
        options={
            "app_fee": {"amount": 100, "currency": "USD"},
            "custom_fields": ["Size"],
            "description": "Seven",
            "loyalty": True,
            "note": "Front desk",
            "shipping_fee_name": "Courier",
            "subscription_plan_id": "PLAN",
        },
    )
    assert link_body(call(request), "L1", "key") == {
        "idempotency_key": "key",
        "description": "Seven",
        "payment_note": "Front desk",
        "order": {
            "location_id": "L1",
            "reference_id": "order 7",
            "metadata": {"cart": "7", "checkout_session_id": SESSION_ID},
            "line_items": [
                {
                    "uid": "line-0",
                    "quantity": "1.25",
                    "catalog_object_id": "VARIATION",
                    "note": "Gift",
                    "quantity_unit": {
                        "measurement_unit": {"type": "TYPE_GENERIC", "generic_unit": "UNIT"},
                        "precision": 2,
                    },
                    "modifiers": [
                        {
                            "name": "Print",
                            "quantity": "2",
                            "base_price_money": {"amount": 50, "currency": "USD"},
                        },
                        {"catalog_object_id": "MOD", "quantity": "1"},
                    ],
                }
            ],
            "taxes": [
                {
                    "uid": "taxes-0",
                    "name": "Sales tax",
                    "type": "ADDITIVE",
                    "percentage": "9",
                    "scope": "ORDER",
                }
            ],
            "discounts": [
                {
                    "uid": "discounts-0",
                    "name": "Sale",
                    "type": "FIXED_PERCENTAGE",
                    "percentage": "5",
                    "scope": "ORDER",
                }
            ],
        },
        "checkout_options": {
            "allow_tipping": False,
            "enable_coupon": True,
            "enable_loyalty": True,
            "custom_fields": [{"title": "Size"}],
            "subscription_plan_id": "PLAN",
            "redirect_url": f"https://shop.example/{SESSION_ID}?r=order%207",
            "accepted_payment_methods": {
                "apple_pay": True,
                "google_pay": False,
                "cash_app_pay": False,
                "afterpay_clearpay": False,
            },
            "app_fee_money": {"amount": 100, "currency": "USD"},
            "shipping_fee": {"name": "Courier", "charge": {"amount": 500, "currency": "USD"}},
        },
        "pre_populated_data": {
            "buyer_email": "ada@example.com",
            "buyer_phone_number": "+14155550100",
            "buyer_address": {"first_name": "Ada"},
        },
    }


def test_a_pick_up_says_whom_and_when() -> None:
    """Spans are written as RFC 3339 does, and the recipient is the customer."""
    fulfillment = {
        "type": "TYPE_PICKUP",
        "time": "2026-03-02T10:00:00Z",
        "window": "3600s",
        "preparation_time": "90s",
        "note": "Bell",
    }
    customer = Customer(
        customer_id="C1",
        first_name="Ada",
        last_name="Lovelace",
        shipping_address=Address(city="Austin", first_name="Jane"),
    )
    cart = Cart(line_items=(LineItem(name="A", unit_price=usd(100)),))
    request = asked(cart, customer=customer, options={"fulfillment": fulfillment})
    order = link_body(call(request), "L1", "key")["order"]
    assert isinstance(order, dict)
    assert order["fulfillments"] == [
        {
            "type": "PICKUP",
            "pickup_details": {
                "schedule_type": "SCHEDULED",
                "pickup_at": "2026-03-02T10:00:00Z",
                "pickup_window_duration": "PT3600S",
                "prep_time_duration": "PT90S",
                "note": "Bell",
                "recipient": {
                    "customer_id": "C1",
                    "display_name": "Ada Lovelace",
                    "address": {"locality": "Austin"},
                },
            },
        }
    ]


def test_a_checkouts_shipping_fee_is_a_charge() -> None:
    """It stands behind the request's own charges, is not taxed and has a name."""
    charge = {"name": "Service", "percentage": "5", "taxable": True}
    cart = Cart(line_items=(LineItem(name="A", unit_price=usd(100)),), shipping_fee=usd(50))
    body = checkout_body(call(asked(cart, options={"service_charges": [charge]})), "L1", "key")
    order = body["order"]
    assert isinstance(order, dict)
    assert order["order"]["service_charges"] == [
        charge,
        {
            "name": "Shipping",
            "amount_money": {"amount": 50, "currency": "USD"},
            "calculation_phase": "SUBTOTAL_PHASE",
            "taxable": False,
        },
    ]


def _comparable(body: dict[str, object]) -> object:
    """Return a body without what is Square's to ignore: keys, uids, kinds of order parts, metadata."""
    text = msgspec.json.encode(body)
    return _plain(msgspec.json.decode(text))


def _plain(value: object) -> object:
    ours = ("idempotency_key", "uid", "tax_uid", "discount_uid", "metadata")
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items() if name not in ours}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value
