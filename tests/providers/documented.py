"""What every provider's documents say it answers, as whole as they describe it, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from service.core.model import CreateRequest
from service.core.ports import ProviderSession
from service.providers.clover import transformers as clover
from service.providers.dodo import transformers as dodo
from service.providers.dodo.options import DodoOptions
from service.providers.fastspring import transformers as fastspring
from service.providers.sellapp import transformers as sellapp
from service.providers.square import created as square
from tests.core.builders import NOW, request
from tests.providers.clover.documents import document as of_clover
from tests.providers.dodo.documents import document as of_dodo
from tests.providers.fastspring.documents import document as of_fastspring
from tests.providers.sellapp.documents import fixture as of_sellapp
from tests.providers.square.test_created import document as of_square

Json = dict[str, Any]
ORIGINS = frozenset({"https://shop.example"})
ASKED: CreateRequest = request()
USD = {"amount": 250, "currency": "USD"}
SELLAPP_TIME = "2024-01-09T14:50:11.000000Z"


class Documented(NamedTuple):
    """An answer, how it is read, and when it came; `is_later` when it answers no create."""

    body: Json
    read: Callable[[Any], ProviderSession]
    now: datetime = NOW
    is_later: bool = False


def _dodo_created() -> Json:
    return {
        **of_dodo("checkout_created"),
        "payment_id": "pay_1",
        "client_secret": "secret_1",
        "publishable_key": "pk_1",
    }


def _dodo_status(**changes: object) -> Json:
    return {**of_dodo("checkout_status"), **changes}


def _dodo_read(body: Json) -> ProviderSession:
    payment: Any = of_dodo("payment_succeeded")["data"]
    status = dodo.status_of(body)
    told = {**payment, "payment_id": status.payment_id, "status": None}
    paid = dodo.payment_of(told) if status.payment_id else None
    return dodo.retrieved("cks_1", paid, status)


def _fastspring(**cart: object) -> Json:
    body = of_fastspring("session_created")
    body["cart"] |= cart
    body["cart"]["lineItems"][0]["subscription"] = {"interval": "MONTH"}
    warning = {"code": "HIDDEN", "field": "cart.lineItems[0]", "message": "hidden"}
    return {**body, "live": True, "warnings": [warning]}


def _fastspring_created(body: Json) -> ProviderSession:
    return fastspring.created(body, ASKED, ORIGINS, live=True)


def _sellapp() -> Json:
    body = of_sellapp("checkout")
    status = {"status": "CREATED", "setAt": SELLAPP_TIME, "updatedAt": SELLAPP_TIME}
    delivery = {"url": "https://x.example", "attempts": 1, "response": "ok"}
    body["invoice"] |= {
        "coupon_id": 5,
        "subscription_id": 9,
        "feedback": "good",
        "checkout": "https://x.example/pay",
        "webhooks": [{**delivery, "queried_at": SELLAPP_TIME}],
    }
    body["invoice"]["status"]["history"] = [status]
    return body


def _square_checkout() -> Json:
    body: Any = of_square("checkout")
    body["checkout"]["note"] = "thanks"
    body["checkout"]["order"]["total_service_charge_money"] = USD
    for adjustment in body["checkout"]["order"]["taxes"]:
        adjustment["applied_money"] = USD
    for line in body["checkout"]["order"]["line_items"]:
        line["gross_sales_money"] = {"amount": 9900, "currency": "USD"}
    return dict(body)


def _square_link() -> Json:
    body: Any = of_square("payment_link")
    body["payment_link"] |= {
        "description": "a link",
        "payment_note": "thanks",
        "updated_at": "2022-04-25T23:58:01Z",
        "pre_populated_data": {"buyer_email": "ada@example.com"},
        "checkout_options": {
            "redirect_url": "https://shop.example/done",
            "merchant_support_email": "help@shop.example",
        },
    }
    body["related_resources"]["subscription_plans"] = [{"id": "PLAN"}]
    return dict(body)


def _square_links(body: Json) -> ProviderSession:
    return square.link(body, ASKED, ORIGINS)


def answers() -> Mapping[str, tuple[Documented, ...]]:
    """Return fresh answers of every provider; several where no single one has every field count."""
    tax_in_price = {"taxIncluded": "TAXES_INCLUDED_IN_PRICE"}
    no_lists = {"withoutTaxListTotal": None, **tax_in_price, "withTaxListTotal": None}
    no_nets = {"withTaxNetTotal": None, **tax_in_price}
    ended = {**_fastspring(), "status": "EXPIRED"}
    return {
        "Clover": (
            Documented(of_clover("checkout_created"), lambda body: clover.created(body, ORIGINS)),
        ),
        "Dodo Payments": (
            Documented(
                _dodo_created(), lambda body: dodo.created(body, DodoOptions(confirm=True), ORIGINS)
            ),
            Documented(_dodo_status(), _dodo_read, is_later=True),
            Documented(_dodo_status(payment_id=None), _dodo_read, is_later=True),
        ),
        "FastSpring": (
            *(
                Documented(_fastspring(**cart), _fastspring_created)
                for cart in ({}, tax_in_price, no_lists, no_nets)
            ),
            Documented(
                ended, lambda body: fastspring.retrieved(fastspring.session_of(body)), is_later=True
            ),
        ),
        "Square": (
            Documented(_square_checkout(), lambda body: square.checkout(body, ASKED, ORIGINS)),
            Documented(_square_link(), _square_links),
        ),
        "SellApp": (
            Documented(
                _sellapp(),
                lambda body: sellapp.checked_out(body, ORIGINS),
                datetime(2024, 1, 9, 15, tzinfo=UTC),
            ),
        ),
    }
