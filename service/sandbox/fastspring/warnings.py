"""What FastSpring ignores of a request instead of refusing it."""

import ipaddress
import re
from collections.abc import Iterator

from service.sandbox.fastspring.catalogue import Catalogue
from service.sandbox.fastspring.enums import LANGUAGES
from service.sandbox.fastspring.schema import JsonObject

DEFAULT_COUNTRY = "US"
COUNTRY = re.compile("[A-Z]{2}")


def warnings_of(
    body: JsonObject, catalogue: Catalogue, *, is_test_checkout: bool
) -> list[JsonObject]:
    """Return the warnings of an answer."""
    return [
        {"code": code, "field": field, "message": message}
        for code, field, message in _found(body, catalogue, is_test_checkout=is_test_checkout)
    ]


def _found(
    body: JsonObject, catalogue: Catalogue, *, is_test_checkout: bool
) -> Iterator[tuple[str, str, str]]:
    coupon = body.get("cart", {}).get("couponCode", "")
    if coupon and coupon not in catalogue.coupons:
        yield "INVALID_PROMO_CODE", "cart.couponCode", f"Coupon {coupon} cannot be applied."
    if not COUNTRY.fullmatch(body.get("country", DEFAULT_COUNTRY)):
        yield "INVALID_COUNTRY", "country", "The country is not known."
    if is_test_checkout and body.get("live", True):
        yield "CHECKOUT_NOT_LIVE", "live", "The checkout is in test mode."
    if not _is_address(body.get("buyerIp", "192.0.2.1")):
        yield "INVALID_BUYER_IP", "buyerIp", "The address is none of a buyer."
    if body.get("locale", "en").split("-")[0] not in LANGUAGES:
        yield "INVALID_LOCALE", "locale", "The language is not known."
    customer = body.get("customer", {})
    code = customer.get("billToAddress", {}).get("postalCode", "")
    if code and not re.fullmatch(r"[A-Za-z0-9 -]{3,10}", code):
        field = "customer.billToAddress.postalCode"
        yield "INVALID_POSTAL_CODE", field, f"Postal code {code} is not valid."
    tax_id = customer.get("taxId", "")
    if tax_id and not re.fullmatch(r"[A-Za-z0-9 ./-]{5,20}", tax_id):
        yield "INVALID_TAX_ID", "customer.taxId", f"Tax id {tax_id} is not valid."


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
