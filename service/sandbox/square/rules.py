"""What must fit together in an order: its location and currency, its references, its adjustments."""

from collections import Counter
from collections.abc import Iterator, Mapping

from service.sandbox.square.catalogue import Catalogue, Location
from service.sandbox.square.errors import Problem, Refusal, not_found, problem, refusal
from service.sandbox.square.schema import JsonObject

MISSING = "MISSING_REQUIRED_PARAMETER"
CONFLICTING = "CONFLICTING_PARAMETERS"
APPORTIONED = {"APPORTIONED_PERCENTAGE_PHASE", "APPORTIONED_AMOUNT_PHASE"}
# Where an order lists its adjustments, how a line refers to them, and what the catalogue calls them.
ADJUSTMENTS = (
    ("taxes", "applied_taxes", "tax_uid"),
    ("discounts", "applied_discounts", "discount_uid"),
    ("service_charges", "applied_service_charges", "service_charge_uid"),
)
CATALOGUE_KINDS = {"line_items": "variation", "taxes": "tax", "discounts": "discount"}


def location(catalogue: Catalogue, location_id: str, path: str) -> Location:
    """Return a location that takes cards, or refuse the request."""
    found = catalogue.locations.get(location_id)
    if found is None:
        raise not_found("Location", location_id, path)
    if not found.takes_cards:
        detail = f"Location `{location_id}` is not enabled for credit card processing."
        raise refusal("CARD_PROCESSING_NOT_ENABLED", detail, path, status=403)
    return found


def check_currency(body: JsonObject, place: Location) -> None:
    """Refuse a body with money in another currency than its location's."""
    found = list(_foreign(body, place.currency, ""))
    if found:
        raise Refusal(400, found)


def check_order(order: JsonObject, catalogue: Catalogue, path: str) -> None:
    """Refuse an order whose parts do not fit together."""
    _check_catalogue(order, catalogue, path)
    found = [
        *_lines(order, catalogue, path),
        *_taxes(order, path),
        *_discounts(order, path),
        *_charges(order, path),
        *_uids(order, path),
        *_references(order, path),
    ]
    if found:
        raise Refusal(400, found)


def _foreign(value: object, currency: str, path: str) -> Iterator[Problem]:
    if isinstance(value, dict):
        given = value.get("currency")
        if "amount" in value and given != currency:
            detail = f"Expected currency {currency}, but got {given}."
            yield problem("UNSUPPORTED_CURRENCY", detail, f"{path}.currency")
        for key, part in value.items():
            yield from _foreign(part, currency, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _foreign(part, currency, f"{path}[{index}]")


def _check_catalogue(order: JsonObject, catalogue: Catalogue, path: str) -> None:
    for name, kind in CATALOGUE_KINDS.items():
        for where, part in _each(order, name, path):
            _check_entry(part, kind, catalogue, where)
            for place, modifier in _each(part, "modifiers", where):
                _check_entry(modifier, "modifier", catalogue, place)


def _check_entry(part: JsonObject, kind: str, catalogue: Catalogue, path: str) -> None:
    object_id = part.get("catalog_object_id")
    if object_id is None:
        return
    entry = catalogue.entries.get(object_id)
    if entry is None or entry.kind != kind:
        raise not_found(f"Catalog {kind}", object_id, f"{path}.catalog_object_id")


def _lines(order: JsonObject, catalogue: Catalogue, path: str) -> Iterator[Problem]:
    if not order.get("line_items"):
        yield problem(MISSING, "An order needs a line item.", f"{path}.line_items")
    for where, line in _each(order, "line_items", path):
        yield from _price(line, catalogue, where)
        if not line.get("name") and _needs_name(line):
            yield problem(MISSING, "Missing required parameter.", f"{where}.name")
        yield from _quantity(line, where)
        for place, modifier in _each(line, "modifiers", where):
            yield from _price(modifier, catalogue, place)


def _needs_name(line: JsonObject) -> bool:
    return "catalog_object_id" not in line and line.get("item_type") != "CUSTOM_AMOUNT"


def _price(part: JsonObject, catalogue: Catalogue, path: str) -> Iterator[Problem]:
    entry = catalogue.entries.get(part.get("catalog_object_id", ""))
    if "base_price_money" not in part and (entry is None or entry.amount is None):
        yield problem(MISSING, "Missing required parameter.", f"{path}.base_price_money")


def _quantity(line: JsonObject, path: str) -> Iterator[Problem]:
    digits = line["quantity"].partition(".")[2]
    precision = line.get("quantity_unit", {}).get("precision", 3 if "quantity_unit" in line else 0)
    if len(digits) > precision:
        detail = f"Quantity must not have more than {precision} decimal digits."
        yield problem("INVALID_VALUE", detail, f"{path}.quantity")


def _taxes(order: JsonObject, path: str) -> Iterator[Problem]:
    for where, tax in _each(order, "taxes", path):
        if "percentage" not in tax and "catalog_object_id" not in tax:
            yield problem(MISSING, "Missing required parameter.", f"{where}.percentage")


def _discounts(order: JsonObject, path: str) -> Iterator[Problem]:
    for where, discount in _each(order, "discounts", path):
        if "catalog_object_id" in discount:
            continue
        yield from _one_of(discount, where)
        yield from _share(discount, where)
        kind = discount.get("type")
        if kind == "FIXED_PERCENTAGE" and "amount_money" in discount:
            yield problem(CONFLICTING, "A percentage has no amount.", f"{where}.amount_money")
        if kind == "FIXED_AMOUNT" and "percentage" in discount:
            yield problem(CONFLICTING, "An amount has no percentage.", f"{where}.percentage")


def _charges(order: JsonObject, path: str) -> Iterator[Problem]:
    for where, charge in _each(order, "service_charges", path):
        yield from _one_of(charge, where)
        phase = charge.get("calculation_phase", "SUBTOTAL_PHASE")
        if phase == "TOTAL_PHASE" and charge.get("taxable"):
            detail = "A service charge of the total phase cannot be taxable."
            yield problem(CONFLICTING, detail, f"{where}.taxable")
        if "amount_money" in charge and phase == "APPORTIONED_PERCENTAGE_PHASE":
            yield problem(CONFLICTING, "This phase takes a percentage.", f"{where}.amount_money")
        if "percentage" in charge and phase == "APPORTIONED_AMOUNT_PHASE":
            yield problem(CONFLICTING, "This phase takes an amount.", f"{where}.percentage")
        if charge.get("scope") == "LINE_ITEM" and phase not in APPORTIONED:
            yield problem(CONFLICTING, "Only apportioned charges have lines.", f"{where}.scope")


def _one_of(part: JsonObject, path: str) -> Iterator[Problem]:
    given = [name for name in ("percentage", "amount_money") if name in part]
    if not given:
        yield problem(MISSING, "A percentage or an amount is required.", f"{path}.percentage")
    elif len(given) > 1:
        yield problem(CONFLICTING, "Only one of percentage and amount is allowed.", path)


def _share(part: JsonObject, path: str) -> Iterator[Problem]:
    if "percentage" in part and float(part["percentage"]) > 100:
        yield problem("INVALID_VALUE", "Percentage must not exceed 100.", f"{path}.percentage")


def _uids(order: JsonObject, path: str) -> Iterator[Problem]:
    for name in ("line_items", "taxes", "discounts", "service_charges"):
        counts = Counter(part["uid"] for _, part in _each(order, name, path) if "uid" in part)
        for where, part in _each(order, name, path):
            if counts[part.get("uid")] > 1:
                yield problem("INVALID_VALUE", "The uid is not unique.", f"{where}.uid")


def _references(order: JsonObject, path: str) -> Iterator[Problem]:
    for name, applied, reference in ADJUSTMENTS:
        known = {part["uid"]: part for _, part in _each(order, name, path) if "uid" in part}
        for where, line in _each(order, "line_items", path):
            yield from _known(line, applied, reference, known, where)
        if name == "taxes":
            for where, charge in _each(order, "service_charges", path):
                yield from _known(charge, applied, reference, known, where)


def _known(
    part: JsonObject, applied: str, reference: str, known: Mapping[str, JsonObject], path: str
) -> Iterator[Problem]:
    for where, use in _each(part, applied, path):
        if use[reference] not in known:
            detail = f"`{use[reference]}` is not the uid of anything in the order."
            yield problem("INVALID_VALUE", detail, f"{where}.{reference}")


def _each(part: JsonObject, name: str, path: str) -> Iterator[tuple[str, JsonObject]]:
    for index, item in enumerate(part.get(name, ())):
        yield f"{path}.{name}[{index}]", item
