"""Orders as the API returns them."""

from collections.abc import Mapping
from datetime import datetime

from service.sandbox.square.pricing import Line, Part, modifier_total, unit_total
from service.sandbox.square.records import APPROVED, Order, Payment
from service.sandbox.square.schema import JsonObject

# Nobody can look up the order of a legacy checkout before it is paid: the answer shows none of these.
LEGACY_OMITS = ("id", "state", "version", "created_at", "updated_at", "net_amounts", "fulfillments")


def moment(at: datetime) -> str:
    """Write a time as Square does."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def money(amount: int, currency: str) -> JsonObject:
    """Write an amount of minor units."""
    return {"amount": amount, "currency": currency}


def order_details(order: Order) -> JsonObject:
    """Describe an order with all its amounts."""
    priced = order.priced
    amounts = {
        "total_money": order.total,
        "total_tax_money": priced.tax,
        "total_discount_money": priced.discount,
        "total_tip_money": order.tip,
        "total_service_charge_money": priced.service_charge,
    }
    net = {
        name.removeprefix("total_") if name != "total_money" else name: amount
        for name, amount in amounts.items()
    }
    details = {
        **order.draft,
        "id": order.order_id,
        "line_items": [_line(line, order.currency) for line in priced.lines if _stays(line, order)],
        "taxes": [_sum(tax, "taxes", order) for tax in order.draft["taxes"]],
        "discounts": [_sum(item, "discounts", order) for item in order.draft["discounts"]],
        "service_charges": [_charge(charge, order) for charge in order.draft["service_charges"]],
        "state": order.state,
        "version": order.version,
        "created_at": moment(order.created_at),
        "updated_at": moment(order.updated_at),
        "net_amounts": _moneys(net, order.currency),
        **_moneys(amounts, order.currency),
        "net_amount_due_money": money(0 if order.payment else order.total, order.currency),
        "tenders": [_tender(order.payment)] if order.payment else [],
    }
    return {name: value for name, value in details.items() if value != []}


def legacy_order(order: Order) -> JsonObject:
    """Describe the order of a legacy checkout as its creation answers it."""
    details = order_details(order)
    return {name: value for name, value in details.items() if name not in LEGACY_OMITS}


def _stays(line: Line, order: Order) -> bool:
    return order.payment is None or float(line.source["quantity"]) > 0


def _line(line: Line, currency: str) -> JsonObject:
    source = line.source
    details = {
        **source,
        "modifiers": [
            {**modifier, "total_price_money": money(modifier_total(modifier, source), currency)}
            for modifier in source["modifiers"]
        ],
        "applied_taxes": _uses(line.taxes, "tax_uid", source, currency),
        "applied_discounts": _uses(line.discounts, "discount_uid", source, currency),
        "applied_service_charges": _uses(line.charges, "service_charge_uid", source, currency),
        "variation_total_price_money": money(unit_total(source), currency),
        "gross_sales_money": money(line.applied, currency),
        "total_tax_money": money(line.tax, currency),
        "total_discount_money": money(line.discount, currency),
        "total_service_charge_money": money(line.charge, currency),
        "total_money": money(line.total, currency),
    }
    return {name: value for name, value in details.items() if value != []}


def _uses(
    applied: Mapping[str, int], reference: str, source: JsonObject, currency: str
) -> list[JsonObject]:
    given = {
        use[reference]: use["uid"]
        for name in ("applied_taxes", "applied_discounts", "applied_service_charges")
        for use in source.get(name, ())
        if reference in use and "uid" in use
    }
    return [
        {
            "uid": given.get(uid, f"{uid[:30]}-{source['uid'][:29]}"),
            reference: uid,
            "applied_money": money(amount, currency),
        }
        for uid, amount in applied.items()
    ]


def _sum(adjustment: JsonObject, name: str, order: Order) -> JsonObject:
    parts: tuple[Part, ...] = (*order.priced.lines, *order.priced.charges)
    applied = sum(getattr(part, name, {}).get(adjustment["uid"], 0) for part in parts)
    return {**adjustment, "applied_money": money(applied, order.currency)}


def _charge(charge: JsonObject, order: Order) -> JsonObject:
    own = [part for part in order.priced.charges if part.source["uid"] == charge["uid"]]
    shared = sum(line.charges.get(charge["uid"], 0) for line in order.priced.lines)
    applied = own[0].applied if own else shared
    return {
        **charge,
        "applied_money": money(applied, order.currency),
        "total_money": money(own[0].total if own else shared, order.currency),
        "total_tax_money": money(own[0].tax if own else 0, order.currency),
        **(
            {"applied_taxes": _uses(own[0].taxes, "tax_uid", charge, order.currency)}
            if own and own[0].taxes
            else {}
        ),
    }


def _moneys(amounts: Mapping[str, int], currency: str) -> JsonObject:
    return {name: money(amount, currency) for name, amount in amounts.items()}


def _tender(payment: Payment) -> JsonObject:
    order = payment.session.order
    return {
        "id": payment.payment_id,
        "location_id": order.location_id,
        "transaction_id": order.order_id,
        "created_at": moment(payment.created_at),
        "amount_money": money(payment.total, order.currency),
        "tip_money": money(payment.tip, order.currency),
        "type": "CARD",
        "card_details": {
            "status": "AUTHORIZED" if payment.status == APPROVED else "CAPTURED",
            "card": {"card_brand": "VISA", "last_4": "1111", "exp_month": 11, "exp_year": 2030},
            "entry_method": "KEYED",
        },
        "payment_id": payment.payment_id,
        **({"note": session_note} if (session_note := payment.session.note) else {}),
    }
