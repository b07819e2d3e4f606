"""What no capability can say of a request to Square."""

import msgspec
import pytest

from service.core.model import (
    AddOn,
    Address,
    AmountBasis,
    BuyerChoices,
    Cart,
    CreateRequest,
    Customer,
    Discount,
    LineItem,
    Money,
    PaymentMethods,
    Tax,
    TotalsSource,
)
from service.providers.square.pricing import amount_basis, totals
from service.providers.square.rules import violations
from service.providers.square.settings import Call
from tests.providers.fields import with_field

LINE = LineItem(name="A", unit_price=Money(1000, "USD"))
BASE = CreateRequest(provider="square", cart=Cart(line_items=(LINE,)))
MINE = "provider_options.square"


def price(amount: int, currency: str = "USD") -> dict[str, object]:
    """Return an amount as a field's value."""
    return {"amount": amount, "currency": currency}


def paths(request: CreateRequest, call: Call = Call.LINKS) -> list[str]:
    """Return which fields of a request are refused."""
    return [violation.field for violation in violations(request, call, "USD")]


def with_options(**options: object) -> CreateRequest:
    """Return the smallest request with options."""
    return msgspec.structs.replace(BASE, provider_options={"square": options})


def test_nothing_is_wrong_with_the_smallest_request() -> None:
    """Both calls take it."""
    assert paths(BASE) == paths(BASE, Call.CHECKOUTS) == []


@pytest.mark.parametrize(
    ("path", "value", "at"),
    [
        ("cart.line_items.unit_price", price(1, "EUR"), "cart.line_items[0].unit_price.currency"),
        ("cart.shipping_fee", price(1, "EUR"), "cart.shipping_fee.currency"),
        ("cart.discounts", [{"amount": price(1, "EUR")}], "cart.discounts[0].amount.currency"),
        (
            "cart.line_items.discounts",
            [{"amount": price(1, "EUR")}],
            "cart.line_items[0].discounts[0].amount.currency",
        ),
        (
            "cart.line_items.add_ons",
            [{"name": "x", "price": price(1, "EUR")}],
            "cart.line_items[0].add_ons[0].price.currency",
        ),
        ("cart.line_items.add_ons", [{"name": "x"}], "cart.line_items[0].add_ons[0].price"),
        (
            "cart.line_items.add_ons",
            [{"add_on_id": "x" * 193}],
            "cart.line_items[0].add_ons[0].add_on_id",
        ),
        ("cart.line_items.product_id", "x" * 193, "cart.line_items[0].product_id"),
        ("reference_id", "x" * 41, "reference_id"),
        ("customer.customer_id", "x" * 192, "customer.customer_id"),
        ("customer.phone_number", "+1234567890 1234567", "customer.phone_number"),
        ("success_url", "https://shop.example/" + "x" * 2048, "success_url"),
        ("payment_methods", {"allowed": ["apple_pay", "cash"]}, "payment_methods.allowed[1]"),
    ],
)
def test_what_squares_order_cannot_hold_is_refused(path: str, value: object, at: str) -> None:
    """Each at its own path."""
    assert paths(with_field(BASE, path, value)) == [at]


@pytest.mark.parametrize(
    ("options", "at"),
    [
        ({"app_fee": price(1, "EUR")}, "app_fee.currency"),
        ({"app_fee": price(901)}, "app_fee"),
        ({"app_fee": price(1), "subscription_plan_id": "P"}, "app_fee"),
        ({"additional_recipients": [{"amount": price(1)}]}, "additional_recipients"),
        ({"service_charges": [{"percentage": "5"}]}, "service_charges[0].name"),
        (
            {"service_charges": [{"name": "x", "amount": price(1, "EUR")}]},
            "service_charges[0].amount.currency",
        ),
        (
            {
                "service_charges": [
                    {
                        "name": "x",
                        "amount": price(1),
                        "calculation_phase": "CALCULATION_PHASE_APPORTIONED_PERCENTAGE",
                    }
                ]
            },
            "service_charges[0].amount",
        ),
        (
            {
                "service_charges": [
                    {
                        "name": "x",
                        "percentage": "5",
                        "calculation_phase": "CALCULATION_PHASE_APPORTIONED_AMOUNT",
                    }
                ]
            },
            "service_charges[0].percentage",
        ),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, object], at: str) -> None:
    """Each at its own path."""
    assert paths(with_options(**options)) == [f"{MINE}.{at}"]


def test_options_that_need_other_fields_say_which() -> None:
    """A name of a fee needs the fee, and goods on their way need somebody to get them."""
    assert paths(with_options(shipping_fee_name="x")) == ["cart.shipping_fee"]
    asked = with_options(fulfillment={"type": "TYPE_SHIPMENT"})
    assert paths(asked) == ["customer.first_name"]
    for customer in (Customer(customer_id="C"), Customer(last_name="L")):
        assert paths(msgspec.structs.replace(asked, customer=customer)) == []


def test_checkouts_take_less() -> None:
    """The older call has shorter texts, and no telephone number of its own."""
    long_url = with_field(BASE, "success_url", "https://shop.example/" + "x" * 780)
    assert (paths(long_url), paths(long_url, Call.CHECKOUTS)) == ([], ["success_url"])
    note = with_options(note="x" * 61)
    assert (paths(note), paths(note, Call.CHECKOUTS)) == ([], [f"{MINE}.note"])
    phone = with_field(BASE, "customer", {"phone_number": "+14155550100"})
    assert (paths(phone), paths(phone, Call.CHECKOUTS)) == ([], ["customer.phone_number"])


def test_shares_are_at_most_ninety_per_cent() -> None:
    """Together, of the total by Square's rules; catalogue prices are Square's to check."""
    for amounts, wrong in (((500, 400), []), ((500, 401), [f"{MINE}.additional_recipients"])):
        shares = [{"location_id": "L", "amount": price(amount)} for amount in amounts]
        asked = with_options(additional_recipients=shares)
        assert paths(asked, Call.CHECKOUTS) == wrong
    catalogue = with_field(
        with_options(app_fee=price(10**6)), "cart.line_items", [{"product_id": "V"}]
    )
    assert paths(catalogue) == []


TAX = Tax("T", "5")
CUT = Discount(percentage="5")
FIXED = Discount(amount=Money(1, "USD"))


@pytest.mark.parametrize(
    ("cart", "options", "source"),
    [
        (Cart(line_items=(LINE,)), {}, TotalsSource.COMPUTED),
        (Cart(line_items=(LINE,), discounts=(CUT,), taxes=(TAX,)), {}, TotalsSource.COMPUTED),
        (Cart(line_items=(LINE,), discounts=(CUT, CUT)), {}, TotalsSource.ESTIMATED),
        (Cart(line_items=(LINE,), taxes=(TAX, TAX)), {}, TotalsSource.ESTIMATED),
        (
            Cart(line_items=(msgspec.structs.replace(LINE, taxes=(TAX,)),), discounts=(FIXED,)),
            {},
            TotalsSource.ESTIMATED,
        ),
        (Cart(line_items=(LINE,)), {"subscription_plan_id": "P"}, TotalsSource.ESTIMATED),
        (
            Cart(line_items=(LINE,)),
            {
                "service_charges": [
                    {
                        "percentage": "5",
                        "calculation_phase": "CALCULATION_PHASE_APPORTIONED_PERCENTAGE",
                    }
                ]
            },
            TotalsSource.ESTIMATED,
        ),
        (
            Cart(line_items=(LINE,), shipping_fee=Money(1, "USD")),
            {
                "service_charges": [
                    {"percentage": "5", "calculation_phase": "CALCULATION_PHASE_TOTAL"}
                ]
            },
            TotalsSource.ESTIMATED,
        ),
        (Cart(line_items=(LINE,)), {"auto_apply_taxes": True}, TotalsSource.UNKNOWN),
        (Cart(line_items=(LINE,)), {"auto_apply_discounts": True}, TotalsSource.UNKNOWN),
        (
            Cart(line_items=(LINE,)),
            {"service_charges": [{"catalog_object_id": "C"}]},
            TotalsSource.UNKNOWN,
        ),
        (Cart(line_items=(LineItem(product_id="V"),)), {}, TotalsSource.UNKNOWN),
        (
            Cart(line_items=(msgspec.structs.replace(LINE, add_ons=(AddOn(add_on_id="M"),)),)),
            {},
            TotalsSource.UNKNOWN,
        ),
    ],
)
def test_a_figure_says_how_far_it_carries(
    cart: Cart, options: dict[str, object], source: TotalsSource
) -> None:
    """Published rules compute, unpublished ones estimate, and Square's catalogue is unknown."""
    request = msgspec.structs.replace(
        BASE, cart=cart, provider_options={"square": options} if options else None
    )
    assert totals(request).source is source
    assert (totals(request).total is None) == (source is TotalsSource.UNKNOWN)


def test_totals_are_itemised() -> None:
    """What there is none of is left out."""
    cart = Cart(line_items=(LINE,), discounts=(CUT,), taxes=(TAX,), shipping_fee=Money(300, "USD"))
    found = totals(msgspec.structs.replace(BASE, cart=cart))
    assert [found.subtotal, found.discount, found.tax, found.shipping, found.total] == [
        Money(amount, "USD") for amount in (1000, 50, 48, 300, 1298)
    ]
    assert totals(BASE).discount is None


@pytest.mark.parametrize(
    ("choices", "options", "basis"),
    [
        (None, {}, AmountBasis.EXACT),
        (BuyerChoices(tipping=True), {}, AmountBasis.AT_LEAST),
        (BuyerChoices(tipping=False), {}, AmountBasis.EXACT),
        (BuyerChoices(tipping=True, discount_codes=True), {}, AmountBasis.NONE),
        (None, {"loyalty": True}, AmountBasis.NONE),
        (None, {"subscription_plan_id": "P"}, AmountBasis.NONE),
    ],
)
def test_what_a_paid_amount_says(
    choices: BuyerChoices | None, options: dict[str, object], basis: AmountBasis
) -> None:
    """Tips add, while coupons, points and plans may take away."""
    request = msgspec.structs.replace(with_options(**options), buyer_choices=choices)
    assert amount_basis(request) is basis


def test_addresses_and_methods_that_square_takes_pass() -> None:
    """A whole customer and every way to pay beside cards."""
    methods = ("apple_pay", "google_pay", "cash_app_pay", "afterpay_clearpay")
    request = msgspec.structs.replace(
        BASE,
        customer=Customer(email="a@b.example", shipping_address=Address(country="US")),
        payment_methods=PaymentMethods(allowed=methods),
    )
    assert paths(request) == []
