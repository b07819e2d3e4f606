"""What of Clover's own rules a request breaks."""

import pytest

from service.core.model import CreateRequest, Customer, LineItem, Money
from service.providers.clover.rules import violations
from tests.providers.clover.documents import SHIRT, request, taxed

FREE = LineItem(name="Sticker", unit_price=Money(0, "USD"))


def broken(asked: CreateRequest, currency: str = "USD") -> list[str]:
    """Return the fields of the violations."""
    return [violation.field for violation in violations(asked, currency)]


def test_a_whole_request_breaks_nothing() -> None:
    """The ordinary case passes, of either country."""
    assert broken(request(SHIRT, taxed(1000, "13"), LineItem(product_id="x"))) == []
    cad = LineItem(name="Shirt", unit_price=Money(1, "CAD"))
    assert broken(request(cad), "CAD") == []


@pytest.mark.parametrize("customer", [None, Customer(), Customer(first_name=" ")])
def test_everything_that_is_missing_of_the_customer_is_named(customer: Customer | None) -> None:
    """All four at once, because one version of Clover's documents wants them all."""
    assert broken(request(customer=customer)) == [
        "customer.first_name",
        "customer.last_name",
        "customer.email",
        "customer.phone_number",
    ]


@pytest.mark.parametrize("name", ["success_url", "failure_url", "cancel_url"])
def test_buyers_go_to_https_only(name: str) -> None:
    """A loopback address, which the contract takes, is refused by Clover's rule."""
    assert broken(request(**{name: "http://localhost/done"})) == [name]


def test_prices_are_in_the_merchants_currency() -> None:
    """Clover has no field for another."""
    assert broken(request(), "CAD") == ["cart.line_items[0].unit_price.currency"]


def test_a_negative_price_is_refused() -> None:
    """Discounts cannot be lines."""
    negative = LineItem(name="Rebate", unit_price=Money(-1, "USD"))
    assert broken(request(SHIRT, negative)) == ["cart.line_items[1].unit_price.amount"]


def test_nothing_to_pay_is_no_checkout() -> None:
    """A free line may stand beside others, but not alone; what the inventory costs is not known here."""
    assert broken(request(FREE, FREE)) == ["cart.line_items"]
    assert broken(request(FREE, SHIRT)) == []
    assert broken(request(FREE, LineItem(product_id="x"))) == []


def test_an_item_of_the_inventory_brings_its_own_taxes() -> None:
    """No document says what further ones would do."""
    line = LineItem(product_id="x", taxes=taxed(1, "5").taxes)
    assert broken(request(line)) == ["cart.line_items[0].taxes"]


@pytest.mark.parametrize("percentage", ["1.000001", "x", ""])
def test_a_rate_that_clover_cannot_hold_is_refused(percentage: str) -> None:
    """Refused by its name, not rounded."""
    assert broken(request(taxed(1000, "5", percentage))) == [
        "cart.line_items[0].taxes[1].percentage"
    ]
