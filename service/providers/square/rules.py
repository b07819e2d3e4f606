"""Square's rules across fields, which no capability can declare; paths are those of the contract."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from service.core.model import Cart, CreateRequest, Customer, Money, Violation
from service.providers.square.links import PAYMENT_METHODS
from service.providers.square.options import (
    CalculationPhase,
    ServiceCharge,
    SquareOptions,
    session_options,
)
from service.providers.square.pricing import priced_order
from service.providers.square.settings import Call
from service.providers.text import filled

MINE = "provider_options.square"
LONGEST_URL: Mapping[Call, int] = {Call.LINKS: 2048, Call.CHECKOUTS: 800}
LONGEST_NOTE: Mapping[Call, int] = {Call.LINKS: 500, Call.CHECKOUTS: 60}
# As long as every id of ours.
ANY_SESSION_ID = "cs_" + "0" * 26
LARGEST_SHARE = 90


def violations(request: CreateRequest, call: Call, currency: str) -> Iterator[Violation]:
    """Yield everything of Square's own rules that a request breaks."""
    options = session_options(request)
    yield from _lengths(request, options, call)
    yield from _currencies(request, options, currency)
    yield from _add_ons(request.cart)
    yield from _methods(request)
    yield from _options(request, options)
    if call is Call.LINKS:
        yield from _links(options)
    else:
        yield from _checkouts(request, options)


def _lengths(request: CreateRequest, options: SquareOptions, call: Call) -> Iterator[Violation]:
    customer = request.customer or Customer()
    url = filled(request.success_url, session_id=ANY_SESSION_ID, reference_id=request.reference_id)
    limits = {
        "reference_id": (request.reference_id, 40),
        "customer.customer_id": (customer.customer_id, 191),
        "customer.phone_number": (customer.phone_number, 17),
        "success_url": (url, LONGEST_URL[call]),
        f"{MINE}.note": (options.note, LONGEST_NOTE[call]),
    }
    for index, item in enumerate(request.cart.line_items):
        limits[f"cart.line_items[{index}].product_id"] = (item.product_id, 192)
        for number, add_on in enumerate(item.add_ons):
            path = f"cart.line_items[{index}].add_ons[{number}].add_on_id"
            limits[path] = (add_on.add_on_id, 192)
    for path, (text, most) in limits.items():
        if len(text) > most:
            yield Violation(path, f"square takes at most {most} characters")


def _currencies(
    request: CreateRequest, options: SquareOptions, currency: str
) -> Iterator[Violation]:
    for path, money in chain(_cart_amounts(request.cart), _option_amounts(options)):
        if money is not None and money.currency != currency:
            yield Violation(f"{path}.currency", f"the square location sells in {currency}")


def _cart_amounts(cart: Cart) -> Iterator[tuple[str, Money | None]]:
    yield "cart.shipping_fee", cart.shipping_fee
    for number, discount in enumerate(cart.discounts):
        yield f"cart.discounts[{number}].amount", discount.amount
    for index, item in enumerate(cart.line_items):
        path = f"cart.line_items[{index}]"
        yield f"{path}.unit_price", item.unit_price
        for number, add_on in enumerate(item.add_ons):
            yield f"{path}.add_ons[{number}].price", add_on.price
        for number, discount in enumerate(item.discounts):
            yield f"{path}.discounts[{number}].amount", discount.amount


def _option_amounts(options: SquareOptions) -> Iterator[tuple[str, Money | None]]:
    yield f"{MINE}.app_fee", options.app_fee
    for number, share in enumerate(options.additional_recipients):
        yield f"{MINE}.additional_recipients[{number}].amount", share.amount
    for number, charge in enumerate(options.service_charges):
        yield f"{MINE}.service_charges[{number}].amount", charge.amount


def _add_ons(cart: Cart) -> Iterator[Violation]:
    for index, item in enumerate(cart.line_items):
        for number, add_on in enumerate(item.add_ons):
            if add_on.name and add_on.price is None:
                path = f"cart.line_items[{index}].add_ons[{number}].price"
                yield Violation(path, "square needs it for a modifier with a name")


def _methods(request: CreateRequest) -> Iterator[Violation]:
    allowed = request.payment_methods.allowed if request.payment_methods else ()
    for number, method in enumerate(allowed):
        if method not in PAYMENT_METHODS:
            known = ", ".join(PAYMENT_METHODS)
            text = f"square lets these be chosen beside cards: {known}"
            yield Violation(f"payment_methods.allowed[{number}]", text)


def _options(request: CreateRequest, options: SquareOptions) -> Iterator[Violation]:
    if options.shipping_fee_name and request.cart.shipping_fee is None:
        yield Violation("cart.shipping_fee", f"{MINE}.shipping_fee_name needs it")
    for number, charge in enumerate(options.service_charges):
        yield from _charge(charge, f"{MINE}.service_charges[{number}]")
    yield from _shares(request, options)
    if options.fulfillment is not None and not _has_recipient(request.customer or Customer()):
        yield Violation("customer.first_name", f"{MINE}.fulfillment needs it, or customer_id")


def _charge(charge: ServiceCharge, path: str) -> Iterator[Violation]:
    phase = charge.calculation_phase
    if not (charge.name or charge.catalog_object_id):
        yield Violation(f"{path}.name", "square needs it, or catalog_object_id")
    if phase is CalculationPhase.APPORTIONED_PERCENTAGE and charge.amount is not None:
        yield Violation(f"{path}.amount", "square takes a percentage in this calculation_phase")
    if phase is CalculationPhase.APPORTIONED_AMOUNT and charge.percentage:
        yield Violation(f"{path}.percentage", "square takes an amount in this calculation_phase")


def _shares(request: CreateRequest, options: SquareOptions) -> Iterator[Violation]:
    shares = [share.amount.amount for share in options.additional_recipients if share.amount]
    fee = [options.app_fee.amount] if options.app_fee else []
    priced = priced_order(request) if shares or fee else None
    if priced is None:
        return
    for name, amounts in {"additional_recipients": shares, "app_fee": fee}.items():
        if sum(amounts) * 100 > priced.total * LARGEST_SHARE:
            text = f"square takes at most {LARGEST_SHARE} % of the total, here {priced.total}"
            yield Violation(f"{MINE}.{name}", text)


def _has_recipient(customer: Customer) -> bool:
    return bool(customer.customer_id or customer.first_name or customer.last_name)


def _links(options: SquareOptions) -> Iterator[Violation]:
    if options.additional_recipients:
        text = "square takes it for checkouts only: use app_fee"
        yield Violation(f"{MINE}.additional_recipients", text)
    if options.app_fee is not None and options.subscription_plan_id:
        yield Violation(f"{MINE}.app_fee", "square takes none with subscription_plan_id")


def _checkouts(request: CreateRequest, options: SquareOptions) -> Iterator[Violation]:
    yield from _only_links(
        {
            "app_fee": options.app_fee,
            "custom_fields": options.custom_fields,
            "description": options.description,
            "loyalty": options.loyalty,
            "subscription_plan_id": options.subscription_plan_id,
        }.items()
    )
    customer = request.customer or Customer()
    if customer.phone_number and options.fulfillment is None:
        text = f"square takes it for payment links, or with {MINE}.fulfillment"
        yield Violation("customer.phone_number", text)


def _only_links(values: Iterable[tuple[str, object]]) -> Iterator[Violation]:
    for name, value in values:
        if value not in (None, "", ()):
            text = "square takes it for payment links only, and this account makes checkouts"
            yield Violation(f"{MINE}.{name}", text)
