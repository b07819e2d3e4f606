"""Turns the order of a request into one with nothing left open: uids, defaults, catalogue prices."""

from collections.abc import Callable

from service.sandbox.square.catalogue import Catalogue, Entry
from service.sandbox.square.schema import JsonObject

DEFAULT_SCOPE = "ORDER"
DEFAULT_PHASE = "SUBTOTAL_PHASE"
SOURCE = {"name": "Sandbox Application"}


def quick_order(quick_pay: JsonObject) -> JsonObject:
    """Return the order that a quick payment stands for."""
    line = {
        "name": quick_pay["name"],
        "quantity": "1",
        "base_price_money": quick_pay["price_money"],
    }
    return {"location_id": quick_pay["location_id"], "line_items": [line]}


def draft(
    order: JsonObject,
    catalogue: Catalogue,
    *,
    new_id: Callable[[], str],
    shipping_fee: JsonObject | None,
    ships: bool | None,
) -> JsonObject:
    """Return a checked order with every default filled in and the fee as a service charge.

    Where `ships` is none, no fulfillment is attached.
    """
    charges = [*order.get("service_charges", []), *([_fee(shipping_fee)] if shipping_fee else [])]
    drafter = _Drafter(catalogue, new_id)
    return {
        **{name: value for name, value in order.items() if name != "state"},
        "source": order.get("source", SOURCE),
        "line_items": [drafter.line(line) for line in order["line_items"]],
        "taxes": [drafter.tax(tax) for tax in order.get("taxes", ())],
        "discounts": [drafter.discount(discount) for discount in order.get("discounts", ())],
        "service_charges": [drafter.charge(charge) for charge in charges],
        "fulfillments": [
            drafter.fulfillment(item)
            for item in order.get("fulfillments") or _fulfillments(ships=ships)
        ],
    }


def _fee(shipping_fee: JsonObject) -> JsonObject:
    return {
        "name": shipping_fee.get("name", "Shipping"),
        "amount_money": shipping_fee["charge"],
        "calculation_phase": DEFAULT_PHASE,
        "taxable": False,
    }


def _fulfillments(*, ships: bool | None) -> list[JsonObject]:
    if ships is None:
        return []
    # Square attaches one to the order of every link; DIGITAL is in no published list of types.
    return [{"type": "SHIPMENT" if ships else "DIGITAL"}]


class _Drafter:
    def __init__(self, catalogue: Catalogue, new_id: Callable[[], str]) -> None:
        self._catalogue = catalogue
        self._new_id = new_id

    def line(self, line: JsonObject) -> JsonObject:
        entry = self._entry(line)
        named = {"name": entry.name, "variation_name": entry.variation_name} if entry else {}
        modifiers = [self._modifier(modifier) for modifier in line.get("modifiers", ())]
        return {
            "uid": self._new_id(),
            "item_type": "ITEM",
            **named,
            **line,
            "base_price_money": _price(line, entry),
            "modifiers": modifiers,
        }

    def tax(self, tax: JsonObject) -> JsonObject:
        entry = self._entry(tax)
        return {
            "uid": self._new_id(),
            **({"name": entry.name, "percentage": entry.percentage} if entry else {}),
            "type": "ADDITIVE",
            "scope": DEFAULT_SCOPE,
            **tax,
        }

    def discount(self, discount: JsonObject) -> JsonObject:
        entry = self._entry(discount)
        own = {"name": entry.name} if entry else {}
        if entry and "amount_money" not in discount:
            own["percentage"] = entry.percentage
        kind = "FIXED_AMOUNT" if "amount_money" in discount else "FIXED_PERCENTAGE"
        return {
            "uid": self._new_id(),
            "scope": DEFAULT_SCOPE,
            "type": kind,
            **own,
            **discount,
        }

    def charge(self, charge: JsonObject) -> JsonObject:
        return {
            "uid": self._new_id(),
            "calculation_phase": DEFAULT_PHASE,
            "taxable": False,
            "scope": DEFAULT_SCOPE,
            "type": "CUSTOM",
            **charge,
        }

    def fulfillment(self, fulfillment: JsonObject) -> JsonObject:
        return {"uid": self._new_id(), "state": "PROPOSED", **fulfillment}

    def _modifier(self, modifier: JsonObject) -> JsonObject:
        entry = self._entry(modifier)
        return {
            "uid": self._new_id(),
            "quantity": "1",
            **({"name": entry.name} if entry else {}),
            **modifier,
            "base_price_money": _price(modifier, entry),
        }

    def _entry(self, part: JsonObject) -> Entry | None:
        return self._catalogue.entries.get(part.get("catalog_object_id", ""))


def _price(part: JsonObject, entry: Entry | None) -> JsonObject:
    given: JsonObject | None = part.get("base_price_money")
    if given is not None or entry is None:
        return given or {}
    return {"amount": entry.amount, "currency": entry.currency}
