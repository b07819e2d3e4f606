"""The order that either call makes, from the fields all providers share and Square's own options."""

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from service.core.model import (
    RESERVED_METADATA_KEY,
    AddOn,
    Address,
    Cart,
    Customer,
    Discount,
    LineItem,
    Money,
    Tax,
)
from service.core.ports import CreateCall
from service.providers.square.options import (
    CalculationPhase,
    Fulfillment,
    FulfillmentType,
    ServiceCharge,
    SquareOptions,
    session_options,
)
from service.providers.text import said

JsonObject = dict[str, object]
Kind = Literal["taxes", "discounts"]

PHASES: Mapping[CalculationPhase, str] = {
    CalculationPhase.SUBTOTAL: "SUBTOTAL_PHASE",
    CalculationPhase.TOTAL: "TOTAL_PHASE",
    CalculationPhase.APPORTIONED_PERCENTAGE: "APPORTIONED_PERCENTAGE_PHASE",
    CalculationPhase.APPORTIONED_AMOUNT: "APPORTIONED_AMOUNT_PHASE",
}
# Square's unit for quantities that have none.
GENERIC_UNIT = {"type": "TYPE_GENERIC", "generic_unit": "UNIT"}


def order_body(call: CreateCall, location_id: str) -> JsonObject:
    """Build the order of a request."""
    request = call.request
    options = session_options(request)
    customer = request.customer or Customer()
    lines = enumerate(request.cart.line_items)
    return {"location_id": location_id} | said(
        reference_id=request.reference_id,
        customer_id=customer.customer_id,
        line_items=[_line(index, item) for index, item in lines],
        taxes=list(_taxes(request.cart)),
        discounts=list(_discounts(request.cart)),
        service_charges=[_charge(charge) for charge in options.service_charges],
        fulfillments=_fulfillments(options.fulfillment, customer),
        pricing_options=_pricing(options),
        metadata={**request.metadata, RESERVED_METADATA_KEY: call.session_id},
    )


def places(cart: Cart, kind: Kind) -> dict[str, str]:
    """Return the uid of every tax or discount, in the order sent, and where it stands in the cart."""
    found = {f"{kind}-{n}": f"cart.{kind}[{n}]" for n in range(len(getattr(cart, kind)))}
    for index, item in enumerate(cart.line_items):
        for n in range(len(getattr(item, kind))):
            found[_uid(index, kind, n)] = f"cart.line_items[{index}].{kind}[{n}]"
    return found


def quantity(item: LineItem | AddOn) -> str:
    """Return a quantity as Square writes it; absent it is one."""
    if isinstance(item, LineItem) and item.decimal_quantity:
        return item.decimal_quantity
    return "1" if item.quantity is None else str(item.quantity)


def money(amount: Money | None) -> JsonObject | None:
    """Return an amount as Square writes it."""
    return None if amount is None else {"amount": amount.amount, "currency": amount.currency}


def address(customer: Customer) -> JsonObject:
    """Return where goods go, under the customer's name where the place has none."""
    place = customer.shipping_address or Address()
    return said(
        address_line_1=place.line1,
        address_line_2=place.line2,
        locality=place.city,
        administrative_district_level_1=place.region,
        postal_code=place.postal_code,
        country=place.country,
        first_name=place.first_name or customer.first_name,
        last_name=place.last_name or customer.last_name,
    )


def _uid(line: int, kind: Kind, number: int) -> str:
    return f"line-{line}-{kind}-{number}"


def _line(index: int, item: LineItem) -> JsonObject:
    taxes = [{"tax_uid": _uid(index, "taxes", n)} for n in range(len(item.taxes))]
    discounts = [{"discount_uid": _uid(index, "discounts", n)} for n in range(len(item.discounts))]
    return {"uid": f"line-{index}", "quantity": quantity(item)} | said(
        name=item.name,
        catalog_object_id=item.product_id,
        base_price_money=money(item.unit_price),
        quantity_unit=_unit(item),
        note=item.note,
        variation_name=item.variation_name,
        modifiers=[_modifier(add_on) for add_on in item.add_ons],
        applied_taxes=taxes,
        applied_discounts=discounts,
    )


def _unit(item: LineItem) -> JsonObject:
    _, _, decimals = item.decimal_quantity.partition(".")
    return {"measurement_unit": GENERIC_UNIT, "precision": len(decimals)} if decimals else {}


def _modifier(add_on: AddOn) -> JsonObject:
    return {"quantity": quantity(add_on)} | said(
        catalog_object_id=add_on.add_on_id,
        name=add_on.name,
        base_price_money=money(add_on.price),
    )


def _taxes(cart: Cart) -> Iterator[JsonObject]:
    for number, tax in enumerate(cart.taxes):
        yield _tax(f"taxes-{number}", tax, "ORDER")
    for index, item in enumerate(cart.line_items):
        for number, tax in enumerate(item.taxes):
            yield _tax(_uid(index, "taxes", number), tax, "LINE_ITEM")


def _tax(uid: str, tax: Tax, scope: str) -> JsonObject:
    kind = "INCLUSIVE" if tax.inclusive else "ADDITIVE"
    return {"uid": uid, "type": kind, "percentage": tax.percentage, "scope": scope} | said(
        name=tax.name
    )


def _discounts(cart: Cart) -> Iterator[JsonObject]:
    for number, discount in enumerate(cart.discounts):
        yield _discount(f"discounts-{number}", discount, "ORDER")
    for index, item in enumerate(cart.line_items):
        for number, discount in enumerate(item.discounts):
            yield _discount(_uid(index, "discounts", number), discount, "LINE_ITEM")


def _discount(uid: str, discount: Discount, scope: str) -> JsonObject:
    kind = "FIXED_PERCENTAGE" if discount.percentage else "FIXED_AMOUNT"
    return {"uid": uid, "type": kind, "scope": scope} | said(
        name=discount.name,
        percentage=discount.percentage,
        amount_money=money(discount.amount),
    )


def _charge(charge: ServiceCharge) -> JsonObject:
    phase = charge.calculation_phase
    return said(
        name=charge.name,
        catalog_object_id=charge.catalog_object_id,
        percentage=charge.percentage,
        amount_money=money(charge.amount),
        calculation_phase=PHASES[phase] if phase else None,
        taxable=charge.taxable,
    )


def _pricing(options: SquareOptions) -> JsonObject:
    return said(
        auto_apply_discounts=options.auto_apply_discounts,
        auto_apply_taxes=options.auto_apply_taxes,
    )


def _fulfillments(fulfillment: Fulfillment | None, customer: Customer) -> list[JsonObject]:
    if fulfillment is None:
        return []
    recipient = _recipient(customer)
    match fulfillment.type:
        case FulfillmentType.SHIPMENT:
            return [
                {"type": "SHIPMENT", "shipment_details": _shipment(fulfillment, recipient)},
            ]
        case FulfillmentType.DELIVERY:
            names = ("deliver_at", "delivery_window_duration")
            details = _appointment(fulfillment, recipient, *names)
            return [{"type": "DELIVERY", "delivery_details": details}]
        case _:
            names = ("pickup_at", "pickup_window_duration")
            details = _appointment(fulfillment, recipient, *names)
            return [{"type": "PICKUP", "pickup_details": details}]


def _recipient(customer: Customer) -> JsonObject:
    place = {
        name: value
        for name, value in address(customer).items()
        if name not in ("first_name", "last_name")
    }
    return said(
        customer_id=customer.customer_id,
        display_name=" ".join(filter(None, (customer.first_name, customer.last_name))),
        email_address=customer.email,
        phone_number=customer.phone_number,
        address=place,
    )


def _shipment(fulfillment: Fulfillment, recipient: JsonObject) -> JsonObject:
    return said(
        recipient=recipient,
        carrier=fulfillment.carrier,
        shipping_note=fulfillment.note,
        shipping_type=fulfillment.shipping_type,
        expected_shipped_at=fulfillment.time,
    )


def _appointment(
    fulfillment: Fulfillment, recipient: JsonObject, at: str, window: str
) -> JsonObject:
    return {"schedule_type": "ASAP" if fulfillment.as_soon_as_possible else "SCHEDULED"} | said(
        recipient=recipient,
        prep_time_duration=_span(fulfillment.preparation_time),
        note=fulfillment.note,
        **{at: fulfillment.time, window: _span(fulfillment.window)},
    )


def _span(text: str) -> str:
    """Write protobuf's "1800s" as RFC 3339 does."""
    return f"PT{text.upper()}" if text else ""


def encoded(body: JsonObject) -> bytes:
    """Return the bytes of a body."""
    return msgspec.json.encode(body)
