"""From Square's answers to either create to the model, told apart from reading payments later."""

from collections.abc import Iterable, Mapping
from datetime import UTC

from msgspec import Struct

from service.core.model import CreateRequest, Money, SessionWarning, Totals, TotalsSource
from service.core.ports import ProviderSession
from service.providers.answers import converted, decoder
from service.providers.pages import is_page
from service.providers.square import payloads, pricing
from service.providers.square.order import JsonObject, places
from service.providers.square.transformers import line_gross, order_totals
from service.providers.text import said

LINK = decoder(payloads.LinkAnswer)
CHECKOUT = decoder(payloads.CheckoutAnswer)
PAGE_DOMAINS = ("square.link", "square.site", "squareup.com", "squareupsandbox.com")


class Made(Struct, frozen=True, kw_only=True):
    """What both calls answer, under one set of names."""

    session_id: str
    url: str
    order_id: str
    order: payloads.Order | None
    details: JsonObject


def link(body: object, request: CreateRequest, origins: Iterable[str]) -> ProviderSession:
    """Read the answer that made a payment link. Raises ValueError with a cause when it is unusable."""
    answer = converted(body, payloads.LinkAnswer)
    made = answer.payment_link
    if made is None or not made.id:
        raise ValueError("no_payment_link_id")
    if not made.order_id:
        raise ValueError("no_order_id")
    orders = (answer.related_resources or payloads.RelatedResources()).orders or []
    long_url = made.long_url or ""
    return _session(
        Made(
            session_id=made.id,
            url=made.url or "",
            order_id=made.order_id,
            order=next((order for order in orders if order.id in (None, made.order_id)), None),
            details=_made(made.version, made.created_at)
            | said(
                long_url=long_url if is_page(long_url, PAGE_DOMAINS, origins) else "",
                **_link_options(made),
            ),
        ),
        request,
        origins,
    )


def checkout(body: object, request: CreateRequest, origins: Iterable[str]) -> ProviderSession:
    """Read the answer that made a checkout. Raises ValueError with a cause when it is unusable."""
    made = converted(body, payloads.CheckoutAnswer).checkout
    if made is None or not made.id:
        raise ValueError("no_checkout_id")
    return _session(
        Made(
            session_id=made.id,
            url=made.checkout_page_url or "",
            order_id=(made.order.id if made.order else None) or "",
            order=made.order,
            details=_made(made.version, made.created_at)
            | said(
                redirect_url=_text(made.redirect_url),
                options=said(
                    ask_for_shipping_address=_flag(made.ask_for_shipping_address),
                    support_email=_text(made.merchant_support_email),
                    note=_text(made.note),
                    additional_recipients=_recipients(made.additional_recipients),
                ),
            ),
        ),
        request,
        origins,
    )


def _session(made: Made, request: CreateRequest, origins: Iterable[str]) -> ProviderSession:
    if made.url and not is_page(made.url, PAGE_DOMAINS, origins):
        raise ValueError("foreign_checkout_url")
    ours = pricing.totals(request)
    theirs = order_totals(made.order, request.cart.shipping_fee) if made.order else None
    return ProviderSession(
        provider_session_id=made.session_id,
        url=made.url,
        totals=theirs,
        warnings=tuple(_warnings(made, ours, theirs)),
        details=made.details
        | said(order_id=made.order_id)
        | (_amounts(made.order, request) if made.order else {}),
        references=(f"order:{made.order_id}",) if made.order_id else (),
    )


def _warnings(made: Made, ours: Totals, theirs: Totals | None) -> Iterable[SessionWarning]:
    if not made.url:
        yield SessionWarning("NO_CHECKOUT_URL", message="Square gave the session no page")
    is_exact = ours.source is TotalsSource.COMPUTED
    if theirs is not None and is_exact and theirs.total != ours.total:
        text = (
            f"Square asks for {_said_money(theirs.total)}, its rules give {_said_money(ours.total)}"
        )
        yield SessionWarning("TOTALS_DIFFER", field="totals.total", message=text)


def _said_money(money: Money | None) -> str:
    return f"{money.amount} {money.currency}" if money else "nothing"


def _made(version: int | None, created_at: payloads.Time | None) -> JsonObject:
    time = created_at.astimezone(UTC).isoformat().replace("+00:00", "Z") if created_at else ""
    return said(version=version, create_time=time)


def _link_options(made: payloads.Link) -> JsonObject:
    told = made.checkout_options if isinstance(made.checkout_options, dict) else {}
    fee = told.get("shipping_fee")
    questions = told.get("custom_fields")
    options = said(
        ask_for_shipping_address=_flag(told.get("ask_for_shipping_address")),
        support_email=_text(told.get("merchant_support_email")),
        note=made.payment_note or "",
        app_fee=_money(told.get("app_fee_money")),
        description=made.description or "",
        custom_fields=[
            _text(question.get("title"))
            for question in (questions if isinstance(questions, list) else ())
            if isinstance(question, dict)
        ],
        subscription_plan_id=_text(told.get("subscription_plan_id")),
        loyalty=_flag(told.get("enable_loyalty")),
        shipping_fee_name=_text(fee.get("name")) if isinstance(fee, dict) else "",
    )
    return said(redirect_url=_text(told.get("redirect_url")), options=options)


def _recipients(shares: object) -> list[JsonObject]:
    return [
        said(
            location_id=_text(share.get("location_id")),
            description=_text(share.get("description")),
            amount=_money(share.get("amount_money")),
        )
        for share in (shares if isinstance(shares, list) else ())
        if isinstance(share, dict)
    ]


def _amounts(order: payloads.Order, request: CreateRequest) -> JsonObject:
    taxes, discounts = places(request.cart, "taxes"), places(request.cart, "discounts")
    charge = order.total_service_charge_money
    return said(
        line_items=[_line(line, taxes, discounts) for line in order.line_items or ()],
        applied_discounts=_applied(order.discounts, discounts),
        applied_taxes=_applied(order.taxes, taxes),
        service_charge=_told(charge) if charge and charge.amount else None,
    )


def _line(
    line: payloads.OrderLine, taxes: Mapping[str, str], discounts: Mapping[str, str]
) -> JsonObject:
    price = line_gross(line)
    return said(
        gross={"amount": price.amount, "currency": price.currency} if price else None,
        discount=_told(line.total_discount_money),
        tax=_told(line.total_tax_money),
        total=_told(line.total_money),
        applied_discounts=[
            said(field=discounts.get(applied.discount_uid, ""), amount=_told(applied.applied_money))
            for applied in line.applied_discounts or ()
        ],
        applied_taxes=[
            said(field=taxes.get(applied.tax_uid, ""), amount=_told(applied.applied_money))
            for applied in line.applied_taxes or ()
        ],
    )


def _applied(
    adjustments: Iterable[payloads.Adjustment] | None, fields: Mapping[str, str]
) -> list[JsonObject]:
    return [
        said(field=fields.get(adjustment.uid, ""), amount=_told(adjustment.applied_money))
        for adjustment in adjustments or ()
    ]


def _told(money: payloads.Money | None) -> JsonObject | None:
    return None if money is None else {"amount": money.amount, "currency": money.currency}


def _money(value: object) -> JsonObject | None:
    try:
        return _told(converted(value, payloads.Money))
    except ValueError:
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
