"""FastSpring's rules across fields: what breaks one is named by its path, and everything at once."""

import pytest

from service.core.model import (
    Address,
    Cart,
    CreateRequest,
    Customer,
    Discount,
    LineItem,
    Money,
    PaymentMethods,
)
from service.providers.fastspring.rules import violations
from tests.providers.fastspring.documents import line, request

ITEM = "cart.line_items[0]"
MINE = "provider_options.fastspring"


def usd(amount: int) -> dict[str, object]:
    """Return an amount in an option."""
    return {"amount": amount, "currency": "USD"}


def named(asked: CreateRequest, *, live: bool = True) -> list[str]:
    """Return the paths of what is wrong."""
    return [violation.field for violation in violations(asked, live=live)]


PRICED = line(unit_price=Money(1000, "USD"))
LINES: list[tuple[LineItem, list[str]]] = [
    (line(unit_price=Money(100, "KWD")), [f"{ITEM}.unit_price.currency"]),
    (line({"unit_prices": [usd(1)]}), [f"{ITEM}.unit_price"]),
    (
        line({"unit_prices": [usd(1)]}, unit_price=Money(100, "USD")),
        [f"{ITEM}.{MINE}.unit_prices[0].currency"],
    ),
    (
        line({"setup_fees": [{"amount": 1, "currency": "KWD"}]}),
        [f"{ITEM}.{MINE}.setup_fees[0].currency"],
    ),
    (
        line({"quantity_discounts": [{"amounts": [{"amount": 1, "currency": "KWD"}]}]}),
        [f"{ITEM}.{MINE}.quantity_discounts[0].amounts[0].currency"],
    ),
    (
        line(discounts=(Discount(amount=Money(1, "KWD")),)),
        [f"{ITEM}.discounts[0].amount.currency"],
    ),
    (
        line(discounts=(Discount(percentage="5"), Discount(percentage="6"))),
        [f"{ITEM}.discounts"],
    ),
    (line(discounts=(Discount(percentage="12.5"),)), [f"{ITEM}.discounts[0].percentage"]),
    (line(discounts=(Discount(percentage="0"),)), [f"{ITEM}.discounts[0].percentage"]),
    (line(discounts=(Discount(percentage="12.0"),)), []),
    (
        line(discounts=(Discount(amount=Money(1, "USD")),), quantity=2),
        [f"{ITEM}.discounts[0].amount"],
    ),
    (line(discounts=(Discount(amount=Money(1, "USD")),), quantity=1), []),
    (
        line({"quantity_discounts": [{"percentage": "5"}]}, discounts=(Discount(percentage="5"),)),
        [f"{ITEM}.{MINE}.quantity_discounts[0].min_quantity"],
    ),
    (
        line(
            {
                "quantity_discounts": [
                    {"min_quantity": 2, "percentage": "5"},
                    {"min_quantity": 2, "percentage": "6"},
                ]
            }
        ),
        [f"{ITEM}.{MINE}.quantity_discounts[1].min_quantity"],
    ),
    (
        line({"descriptions": {"summary": {"en": "Blue"}}}, description="Blue"),
        [f"{ITEM}.description"],
    ),
    (line({"descriptions": {"summary": {"de": "Blau"}}}, description="Blue"), []),
    (
        line({"descriptions": {"display": {"xx": "Tee"}}}),
        [f'{ITEM}.{MINE}.descriptions.display["xx"]'],
    ),
]


@pytest.mark.parametrize(("item", "expected"), LINES)
def test_lines(item: LineItem, expected: list[str]) -> None:
    """Prices, discounts and texts that FastSpring cannot take are refused where they stand."""
    assert named(request(item)) == expected


CUSTOMERS: list[tuple[Customer, list[str]]] = [
    (Customer(customer_id="x" * 65), ["customer.customer_id"]),
    (Customer(first_name="x" * 51), ["customer.first_name"]),
    (Customer(last_name="x" * 51), ["customer.last_name"]),
    (Customer(first_name="x" * 50, last_name="x" * 50, customer_id="x" * 64), []),
    (Customer(locale="gsw-CH"), ["customer.locale"]),
    (Customer(locale="pt-BR"), []),
    (
        Customer(shipping_address=Address("US", first_name="x" * 51, last_name="x" * 51)),
        ["customer.shipping_address.first_name", "customer.shipping_address.last_name"],
    ),
    (
        Customer(billing_address=Address("US", region="California")),
        ["customer.billing_address.region"],
    ),
    (
        Customer(shipping_address=Address("CA", region="Ontario")),
        ["customer.shipping_address.region"],
    ),
    (Customer(billing_address=Address("US", region="CA")), []),
    (Customer(billing_address=Address("DE", region="Nordrhein-Westfalen")), []),
]


@pytest.mark.parametrize(("customer", "expected"), CUSTOMERS)
def test_customers(customer: Customer, expected: list[str]) -> None:
    """Lengths and regions are FastSpring's own, to the character."""
    assert named(request(customer=customer)) == expected


def test_a_text_in_a_language_without_texts_is_refused() -> None:
    """The session's language decides what the description is in."""
    asked = request(line(description="Blue"), customer=Customer(locale="uk"))
    assert named(asked) == [f"{ITEM}.description"]


def test_payment_methods_have_known_names() -> None:
    """A misspelt method would be dropped silently, so it is refused here."""
    methods = PaymentMethods(order=("CARD", "card"), hidden=("UNKNOWN",))
    expected = ["payment_methods.order[1]", "payment_methods.hidden[0]"]
    assert named(request(payment_methods=methods)) == expected


def test_shipping_is_charged_by_line() -> None:
    """The cart's own fee needs a cart of one line that says no other."""
    fee = Money(500, "USD")
    two = Cart(line_items=(line(), line()), shipping_fee=fee)
    assert named(request(cart=two)) == ["cart.shipping_fee"]
    twice = Cart(line_items=(line({"shipping_fees": [usd(5)]}),), shipping_fee=fee)
    assert named(request(cart=twice)) == ["cart.shipping_fee"]
    foreign = Cart(line_items=(line(),), shipping_fee=Money(5, "KWD"))
    assert named(request(cart=foreign)) == ["cart.shipping_fee.currency"]
    assert named(request(cart=Cart(line_items=(line(),), shipping_fee=fee))) == []


@pytest.mark.parametrize(
    ("account", "option", "expected"),
    [(False, True, [f"{MINE}.live"]), (False, False, []), (True, True, []), (True, False, [])],
)
def test_a_test_account_makes_nothing_live(
    account: bool, option: bool, expected: list[str]
) -> None:
    """Real money is never moved by an account that is for tests."""
    assert named(request(options={"live": option}), live=account) == expected


def test_everything_wrong_is_told_at_once() -> None:
    """A caller mends a request in one go."""
    asked = request(
        line(discounts=(Discount(percentage="12.5"),), unit_price=Money(1, "KWD")),
        customer=Customer(first_name="x" * 51),
        options={"live": True},
    )
    assert len(named(asked, live=False)) == 4
    assert named(request(PRICED)) == []
