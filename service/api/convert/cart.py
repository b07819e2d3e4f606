"""Carts, their lines and money between the contract and the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf import json_format

from service.core.errors import InvalidRequest
from service.core.model import AddOn, Cart, Discount, LineItem, Money, Tax, Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

    from checkout.v1 import cart_pb2, money_pb2, provider_options_pb2


def money_from_proto(message: money_pb2.Money) -> Money:
    """Return the amount a message holds."""
    return Money(message.amount, message.currency)


def money_to_proto(money: Money, message: money_pb2.Money) -> None:
    """Write an amount into a message that is part of another."""
    message.amount = money.amount
    message.currency = money.currency


def options_from_proto(
    message: provider_options_pb2.ProviderOptions | provider_options_pb2.LineItemOptions,
) -> dict[str, object]:
    """Return the set fields of options as plain mappings, by the contract's names.

    Raises InvalidRequest for a time or a duration that is none.
    """
    try:
        return json_format.MessageToDict(message, preserving_proto_field_name=True)
    except (ValueError, json_format.Error):
        wrong = Violation("provider_options", "a time or a duration is out of range")
        raise InvalidRequest(wrong.description, violations=(wrong,)) from None


def cart_from_proto(message: cart_pb2.Cart) -> Cart:
    """Return the cart a request gives."""
    return Cart(
        line_items=tuple([_line_from_proto(line) for line in message.line_items]),
        currency=message.currency,
        discounts=_discounts_from_proto(message.discounts),
        taxes=_taxes_from_proto(message.taxes),
        discount_codes=tuple(message.discount_codes),
        shipping_fee=(
            money_from_proto(message.shipping_fee) if message.HasField("shipping_fee") else None
        ),
    )


def cart_to_proto(cart: Cart, message: cart_pb2.Cart) -> None:
    """Write a cart into a message that is part of another."""
    message.SetInParent()
    for item in cart.line_items:
        _line_to_proto(item, message.line_items.add())
    if cart.currency:
        message.currency = cart.currency
    if cart.discounts:
        _discounts_to_proto(cart.discounts, message.discounts)
    if cart.taxes:
        _taxes_to_proto(cart.taxes, message.taxes)
    if cart.discount_codes:
        message.discount_codes.extend(cart.discount_codes)
    if cart.shipping_fee is not None:
        money_to_proto(cart.shipping_fee, message.shipping_fee)


def _line_from_proto(message: cart_pb2.LineItem) -> LineItem:
    has = message.HasField
    return LineItem(
        product_id=message.product_id,
        name=message.name,
        unit_price=money_from_proto(message.unit_price) if has("unit_price") else None,
        quantity=message.quantity if has("quantity") else None,
        decimal_quantity=message.decimal_quantity,
        note=message.note,
        description=message.description,
        variation_name=message.variation_name,
        image_url=message.image_url,
        add_ons=tuple([_add_on_from_proto(add_on) for add_on in message.add_ons]),
        custom_amount=money_from_proto(message.custom_amount) if has("custom_amount") else None,
        discounts=_discounts_from_proto(message.discounts),
        taxes=_taxes_from_proto(message.taxes),
        provider_options=(
            options_from_proto(message.provider_options) if has("provider_options") else None
        ),
    )


def _line_to_proto(item: LineItem, message: cart_pb2.LineItem) -> None:
    if item.product_id:
        message.product_id = item.product_id
    if item.name:
        message.name = item.name
    if item.unit_price is not None:
        money_to_proto(item.unit_price, message.unit_price)
    if item.quantity is not None:
        message.quantity = item.quantity
    if item.decimal_quantity:
        message.decimal_quantity = item.decimal_quantity
    if item.custom_amount is not None:
        money_to_proto(item.custom_amount, message.custom_amount)
    if item.note or item.description or item.variation_name or item.image_url:
        _texts_to_proto(item, message)
    if item.add_ons or item.discounts or item.taxes or item.provider_options is not None:
        _extras_to_proto(item, message)


def _extras_to_proto(item: LineItem, message: cart_pb2.LineItem) -> None:
    _add_ons_to_proto(item.add_ons, message)
    _discounts_to_proto(item.discounts, message.discounts)
    _taxes_to_proto(item.taxes, message.taxes)
    if item.provider_options is not None:
        message.provider_options.SetInParent()
        json_format.ParseDict(item.provider_options, message.provider_options)


def _texts_to_proto(item: LineItem, message: cart_pb2.LineItem) -> None:
    message.note = item.note
    message.description = item.description
    message.variation_name = item.variation_name
    message.image_url = item.image_url


def _add_on_from_proto(message: cart_pb2.AddOn) -> AddOn:
    return AddOn(
        add_on_id=message.add_on_id,
        name=message.name,
        price=money_from_proto(message.price) if message.HasField("price") else None,
        quantity=message.quantity if message.HasField("quantity") else None,
    )


def _add_ons_to_proto(add_ons: Sequence[AddOn], message: cart_pb2.LineItem) -> None:
    for add_on in add_ons:
        added = message.add_ons.add(add_on_id=add_on.add_on_id, name=add_on.name)
        if add_on.price is not None:
            money_to_proto(add_on.price, added.price)
        if add_on.quantity is not None:
            added.quantity = add_on.quantity


def _discounts_from_proto(messages: Iterable[cart_pb2.Discount]) -> tuple[Discount, ...]:
    return tuple(
        [
            Discount(
                name=message.name,
                percentage=message.percentage,
                amount=money_from_proto(message.amount) if message.HasField("amount") else None,
            )
            for message in messages
        ]
    )


def _discounts_to_proto(
    discounts: Sequence[Discount], messages: RepeatedCompositeFieldContainer[cart_pb2.Discount]
) -> None:
    for discount in discounts:
        added = messages.add(name=discount.name, percentage=discount.percentage)
        if discount.amount is not None:
            money_to_proto(discount.amount, added.amount)


def _taxes_from_proto(messages: Iterable[cart_pb2.Tax]) -> tuple[Tax, ...]:
    return tuple([Tax(tax.name, tax.percentage, tax.inclusive) for tax in messages])


def _taxes_to_proto(
    taxes: Sequence[Tax], messages: RepeatedCompositeFieldContainer[cart_pb2.Tax]
) -> None:
    for tax in taxes:
        messages.add(name=tax.name, percentage=tax.percentage, inclusive=tax.inclusive)
