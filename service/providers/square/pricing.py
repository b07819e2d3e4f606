"""What a request comes to at Square before Square has said so, and how far that figure carries."""

from collections.abc import Iterator

from service.core.model import (
    AmountBasis,
    BuyerChoices,
    CreateRequest,
    LineItem,
    Money,
    Totals,
    TotalsSource,
)
from service.providers.square.options import (
    CalculationPhase,
    ServiceCharge,
    SquareOptions,
    session_options,
)
from service.providers.square.order import quantity
from service.providers.square.totals import Charge, Line, Order, Priced, gross, price

APPORTIONED = (CalculationPhase.APPORTIONED_PERCENTAGE, CalculationPhase.APPORTIONED_AMOUNT)


def totals(request: CreateRequest) -> Totals:
    """Return the totals by Square's rules: an estimate where an unpublished rule decides."""
    priced = priced_order(request)
    currency = next(
        (item.unit_price.currency for item in request.cart.line_items if item.unit_price), ""
    )
    if priced is None:
        return Totals(source=TotalsSource.UNKNOWN)
    source = TotalsSource.COMPUTED if is_published(request) else TotalsSource.ESTIMATED
    return Totals(
        source=source,
        subtotal=Money(priced.gross, currency),
        discount=Money(priced.discount, currency) if priced.discount else None,
        tax=Money(priced.tax, currency) if priced.tax else None,
        shipping=request.cart.shipping_fee,
        total=Money(priced.total, currency),
    )


def amount_basis(request: CreateRequest) -> AmountBasis:
    """Return what a paid amount says: tips add to the total, coupons, points and plans change it."""
    options = session_options(request)
    choices = request.buyer_choices or BuyerChoices()
    if choices.discount_codes or options.loyalty or options.subscription_plan_id:
        return AmountBasis.NONE
    return AmountBasis.AT_LEAST if choices.tipping else AmountBasis.EXACT


def priced_order(request: CreateRequest) -> Priced | None:
    """Price a request; None where Square's catalogue has a say."""
    options = session_options(request)
    cart = request.cart
    lines = [_line(item) for item in cart.line_items]
    known = [line for line in lines if line is not None]
    if len(known) < len(lines) or _is_catalogue_priced(options):
        return None
    charges = list(_charges(request, options))
    return price(Order(lines=known, discounts=cart.discounts, taxes=cart.taxes, charges=charges))


def is_published(request: CreateRequest) -> bool:
    """Tell whether Square's published rules alone settle the total of a priced request."""
    cart, options = request.cart, session_options(request)
    lines = cart.line_items
    has_one_tax = all(len(item.taxes) + len(cart.taxes) <= 1 for item in lines)
    classes = [cart.discounts, *(item.discounts for item in lines)]
    percentages = [[d for d in discounts if d.percentage] for discounts in classes]
    shares_matter = bool(cart.discounts) and any(item.taxes or _has_fixed(item) for item in lines)
    phases = {charge.calculation_phase for charge in options.service_charges}
    fee_may_be_charged = bool(cart.shipping_fee) and CalculationPhase.TOTAL in phases
    return (
        has_one_tax
        and all(len(of_class) <= 1 for of_class in percentages)
        and not shares_matter
        and not phases.intersection(APPORTIONED)
        and not fee_may_be_charged
        and not options.subscription_plan_id
    )


def _has_fixed(item: LineItem) -> bool:
    return any(discount.amount is not None for discount in item.discounts)


def _is_catalogue_priced(options: SquareOptions) -> bool:
    by_id = any(not (c.percentage or c.amount) for c in options.service_charges)
    return by_id or bool(options.auto_apply_discounts or options.auto_apply_taxes)


def _line(item: LineItem) -> Line | None:
    if item.unit_price is None or any(add_on.price is None for add_on in item.add_ons):
        return None
    added = sum(
        add_on.price.amount * int(quantity(add_on)) for add_on in item.add_ons if add_on.price
    )
    return Line(
        gross=gross(item.unit_price.amount + added, quantity(item)),
        discounts=item.discounts,
        taxes=item.taxes,
    )


def _charges(request: CreateRequest, options: SquareOptions) -> Iterator[Charge]:
    yield from (_charge(charge) for charge in options.service_charges)
    if request.cart.shipping_fee:
        yield Charge(amount=request.cart.shipping_fee.amount)


def _charge(charge: ServiceCharge) -> Charge:
    return Charge(
        amount=charge.amount.amount if charge.amount else 0,
        percentage=charge.percentage,
        of_total=charge.calculation_phase is CalculationPhase.TOTAL,
        taxable=charge.taxable is True,
    )
