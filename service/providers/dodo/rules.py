"""Dodo's rules across fields, which no capability can declare; paths are those of the contract."""

from collections import Counter
from collections.abc import Iterator

from service.core.model import Address, CreateRequest, Customer, LineItem, Violation
from service.providers.dodo.checkout import billing_currency
from service.providers.dodo.enums import CURRENCIES, LANGUAGES
from service.providers.dodo.options import DodoOptions, session_options

MAX_INT32 = 2**31 - 1
MINE = "provider_options.dodo"


def violations(request: CreateRequest) -> Iterator[Violation]:
    """Yield everything of Dodo's own rules that a request breaks."""
    options = session_options(request)
    customer = request.customer or Customer()
    yield from _customer(customer)
    yield from _currency(request)
    for index, item in enumerate(request.cart.line_items):
        yield from _line(item, f"cart.line_items[{index}]")
    yield from _confirm(customer, options)
    yield from _saved_method(customer, options)
    yield from _on_demand(request, options)
    yield from _amounts(options)


def _customer(customer: Customer) -> Iterator[Violation]:
    has_details = customer.first_name or customer.last_name or customer.phone_number
    if has_details and not customer.email:
        yield Violation("customer.email", "dodo knows a new customer by the e-mail address")
    if customer.tax_id and customer.billing_address is None:
        yield Violation("customer.billing_address.country", "dodo needs it with tax_id")
    if customer.locale and customer.locale not in LANGUAGES:
        known = ", ".join(sorted(LANGUAGES))
        yield Violation("customer.locale", f"dodo's page speaks {known}")


def _currency(request: CreateRequest) -> Iterator[Violation]:
    currency = billing_currency(request)
    if currency and currency not in CURRENCIES and not request.cart.currency:
        for index, item in enumerate(request.cart.line_items):
            if item.custom_amount is not None:
                field = f"cart.line_items[{index}].custom_amount.currency"
                yield Violation(field, f"dodo does not charge in {currency}")


def _line(item: LineItem, path: str) -> Iterator[Violation]:
    if not item.add_ons:
        return
    counts = Counter(addon.add_on_id for addon in item.add_ons)
    for index, addon in enumerate(item.add_ons):
        if addon.add_on_id and counts[addon.add_on_id] > 1:
            yield Violation(f"{path}.add_ons[{index}].add_on_id", "dodo takes each add-on once")
        if addon.quantity is not None and addon.quantity > MAX_INT32:
            yield Violation(f"{path}.add_ons[{index}].quantity", f"dodo takes at most {MAX_INT32}")


def _confirm(customer: Customer, options: DodoOptions) -> Iterator[Violation]:
    if not options.confirm:
        return
    if not (customer.customer_id or customer.email):
        yield Violation("customer.email", f"{MINE}.confirm needs it, or customer_id")
    address = customer.billing_address or Address()
    needed = {"country": address.country, "postal_code": address.postal_code}
    if not options.minimal_address:
        street = address.line1 or address.line2
        needed |= {"line1": street, "city": address.city, "region": address.region}
    for name, value in needed.items():
        if not value:
            yield Violation(f"customer.billing_address.{name}", f"{MINE}.confirm needs it")


def _saved_method(customer: Customer, options: DodoOptions) -> Iterator[Violation]:
    if not options.payment_method_id:
        return
    if not options.confirm:
        yield Violation(f"{MINE}.confirm", "payment_method_id needs it to be true")
    if not customer.customer_id:
        yield Violation("customer.customer_id", f"{MINE}.payment_method_id needs it")


def _on_demand(request: CreateRequest, options: DodoOptions) -> Iterator[Violation]:
    if options.on_demand is None:
        return
    if request.cart.discount_codes:
        yield Violation("cart.discount_codes", "dodo takes none for on-demand subscriptions")
    for index, item in enumerate(request.cart.line_items):
        if item.add_ons:
            field = f"cart.line_items[{index}].add_ons"
            yield Violation(field, "dodo takes none for on-demand subscriptions")
    price = options.on_demand.product_price
    if price is not None and price.currency not in CURRENCIES:
        field = f"{MINE}.subscription.on_demand.product_price.currency"
        yield Violation(field, f"dodo does not charge in {price.currency}")


def _amounts(options: DodoOptions) -> Iterator[Violation]:
    on_demand = options.on_demand
    amounts = {
        "subscription.on_demand.product_price": on_demand.product_price if on_demand else None,
        "mandate_min_amount": options.mandate_min_amount,
    }
    for name, money in amounts.items():
        if money is not None and money.amount > MAX_INT32:
            yield Violation(f"{MINE}.{name}.amount", f"dodo takes at most {MAX_INT32}")
