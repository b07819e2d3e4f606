"""From Dodo's refusals to the core's errors: by code first, by status second."""

import re
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from service.core.errors import (
    ProviderCredentialsRejected,
    ProviderError,
    ProviderOutcomeUnknown,
    ProviderRateLimited,
    ProviderUnavailable,
)
from service.core.model import CreateRequest, Violation
from service.providers.answers import Answer
from service.providers.dodo.options import session_options
from service.providers.meanings import TEXTS, by_status, without_refusal
from service.providers.text import readable, redacted

# https://docs.dodopayments.com/api-reference/error-codes; the pages do not say which status goes
# with which code.
BY_CODE: Mapping[str, type[ProviderError]] = {
    "UNAUTHORIZED": ProviderCredentialsRejected,
    "MERCHANT_NOT_LIVE": ProviderCredentialsRejected,
    "TOO_MANY_REQUESTS": ProviderRateLimited,
    "DISCOUNT_CONCURRENT_REDEMPTION": ProviderUnavailable,
    "INTERNAL_SERVER_ERROR": ProviderOutcomeUnknown,
}

FIELD_BY_CODE: Mapping[str, str] = {
    "BRAND_MISMATCH": "cart.line_items",
    "BRAND_NOT_ENABLED": "cart.line_items",
    "MISSING_PRODUCT_INFORMATION": "cart.line_items",
    "ONE_TIME_PRODUCTS_NOT_ALLOWED_FOR_ON_DEMAND": "cart.line_items",
    "PRODUCT_CART_EMTPY": "cart.line_items",
    "PRODUCT_IS_DELETED": "cart.line_items",
    "REQUEST_AMOUNT_BELOW_MINIMUM": "cart.line_items",
    "TOTAL_PAYMENT_AMOUNT_BELOW_MINIMUM_AMOUNT": "cart.line_items",
    "INVALID_QUANTITY": "cart.line_items.quantity",
    "INVALID_SUGGESTED_PRICE": "cart.line_items.custom_amount",
    "PAY_AS_YOU_WANT_AMOUNT_REQUIRED": "cart.line_items.custom_amount",
    "ADDONS_NOT_ALLOWED_FOR_ON_DEMAND": "cart.line_items.add_ons",
    "DUPLICATE_ADDON_IDS_IN_REQUEST": "cart.line_items.add_ons",
    "MISSING_ADDON_IDS": "cart.line_items.add_ons",
    "DISCOUNT_CODE_EXPIRED": "cart.discount_codes",
    "DISCOUNT_CODE_USAGE_LIMIT_EXCEEDED": "cart.discount_codes",
    "DISCOUNT_CUSTOMER_NOT_ELIGIBLE": "cart.discount_codes",
    "DISCOUNT_MINIMUM_SUBTOTAL_NOT_MET": "cart.discount_codes",
    "DISCOUNT_NOT_AVAILABLE_FOR_ON_DEMAND": "cart.discount_codes",
    "DISCOUNT_NOT_AVAILABLE_FOR_PRODUCT": "cart.discount_codes",
    "DISCOUNT_NOT_YET_ACTIVE": "cart.discount_codes",
    "DISCOUNT_PER_CUSTOMER_USAGE_LIMIT_EXCEEDED": "cart.discount_codes",
    "INVALID_DISCOUNT_CODE": "cart.discount_codes",
    "UNSUPPORTED_DISCOUNT_TYPE": "cart.discount_codes",
    "EXCHANGE_RATE_NOT_FOUND": "cart.currency",
    "UNSUPPORTED_BILLING_CURRENCY": "cart.currency",
    "UNSUPPORTED_CURRENCY": "cart.currency",
    "CUSTOMER_HAS_EXISTING_SUBSCRIPTION": "customer",
    "PREVIOUS_PAYMENT_PENDING": "customer",
    "INVALID_TAX_ID": "customer.tax_id",
    "UNSUPPORTED_COUNTRY": "customer.billing_address.country",
    "MAXIMUM_KEYS_REACHED": "metadata",
    "NO_ELIGIBLE_PAYMENT_METHODS": "payment_methods.allowed",
}

FIELD_BY_WIRE_NAME: Mapping[str, str] = {
    "allowed_payment_method_types": "payment_methods.allowed",
    "billing_address.city": "customer.billing_address.city",
    "billing_address.country": "customer.billing_address.country",
    "billing_address.state": "customer.billing_address.region",
    "billing_address.street": "customer.billing_address.line1",
    "billing_address.zipcode": "customer.billing_address.postal_code",
    "billing_address": "customer.billing_address",
    "billing_currency": "cart.currency",
    "cancel_url": "cancel_url",
    "custom_fields": "provider_options.dodo.custom_fields",
    "customer.customer_id": "customer.customer_id",
    "customer.email": "customer.email",
    "customer.name": "customer.first_name",
    "customer.phone_number": "customer.phone_number",
    "customer_business_name": "customer.company",
    "customer_id": "customer.customer_id",
    "customization.force_language": "customer.locale",
    "customization": "provider_options.dodo.customization",
    "discount_codes": "cart.discount_codes",
    "feature_flags.allow_discount_code": "buyer_choices.discount_codes",
    "feature_flags": "provider_options.dodo.feature_flags",
    "force_3ds": "provider_options.dodo.force_3ds",
    "mandate_min_amount_inr_paise": "provider_options.dodo.mandate_min_amount",
    "metadata": "metadata",
    "minimal_address": "provider_options.dodo.minimal_address",
    "payment_method_id": "provider_options.dodo.payment_method_id",
    "product_cart": "cart.line_items",
    "product_collection_id": "provider_options.dodo.product_collection_id",
    "return_url": "success_url",
    "short_link": "provider_options.dodo.short_link",
    "subscription_data": "provider_options.dodo.subscription",
    "tax_id": "customer.tax_id",
}
WIRE_NAME = re.compile(
    rf"(?<!\w)(?<!\w\.)({'|'.join(map(re.escape, sorted(FIELD_BY_WIRE_NAME, key=len, reverse=True)))})\b"
    r"(?:\[(\d+)\](?:\.(product_id|quantity|amount|addons|credit_entitlements)\b)?)?"
)
FIELD_OF_ITEM: Mapping[str, str] = {
    "product_id": "product_id",
    "quantity": "quantity",
    "amount": "custom_amount",
    "addons": "add_ons",
    "credit_entitlements": "provider_options.dodo.credit_entitlements",
}


class ErrorBody(Struct, frozen=True):
    """The documented body of a refusal; some answers have none, or a page of HTML."""

    code: str = ""
    message: str = ""


def error_of(
    answer: Answer, names: Mapping[str, str], request: CreateRequest | None = None
) -> ProviderError:
    """Return the error an unsuccessful answer means; `names` are the provider and the account."""
    body = _body(answer)
    kind = BY_CODE.get(body.code) or by_status(answer.status)
    other = without_refusal(kind, answer, names, cause=readable(body.code, 64))
    if other is not None:
        return other
    return _refusal(kind, answer.status, body, names, request)


def _refusal(
    kind: type[ProviderError],
    status: int,
    body: ErrorBody,
    names: Mapping[str, str],
    request: CreateRequest | None,
) -> ProviderError:
    message = readable(redacted(body.message, personal(request) if request else ()))
    provider_field, field = _field(body, message, request) if request else ("", "")
    metadata = {
        **names,
        "provider_status": str(status),
        "provider_code": readable(body.code, 64),
        "provider_message": message,
        "provider_field": provider_field,
    }
    return kind(
        TEXTS[kind],
        metadata={name: value for name, value in metadata.items() if value},
        violations=[Violation(field, message or body.code)] if field else (),
    )


def personal(request: CreateRequest) -> Iterable[str]:
    """Yield what a request says of the buyer, and its secrets, for keeping them out of texts."""
    if method_id := session_options(request).payment_method_id:
        yield method_id
    customer = request.customer
    if customer is None:
        return
    yield from (customer.email, customer.phone_number, customer.company, customer.tax_id)
    yield from (customer.first_name, customer.last_name)
    address = customer.billing_address
    if address is not None:
        yield from (address.line1, address.line2, address.city, address.region, address.postal_code)


def _body(answer: Answer) -> ErrorBody:
    try:
        return msgspec.convert(answer.body, ErrorBody)
    except msgspec.ValidationError:
        return ErrorBody()


def _field(body: ErrorBody, message: str, request: CreateRequest) -> tuple[str, str]:
    """Return Dodo's name and ours of the field that a refusal is about, as far as it can be told."""
    named = WIRE_NAME.search(message)
    provider_field = named[0] if named else ""
    for index, item in enumerate(request.cart.line_items):
        if item.product_id and item.product_id in message:
            return provider_field, f"cart.line_items[{index}].product_id"
    by_code = FIELD_BY_CODE.get(body.code)
    if named is not None and (by_code is None or named[2]):
        return provider_field, _ours(named)
    return provider_field, _of_line(by_code or "", request)


def _of_line(field: str, request: CreateRequest) -> str:
    if not field.startswith("cart.line_items."):
        return field
    if len(request.cart.line_items) > 1:
        return "cart.line_items"
    return field.replace("cart.line_items.", "cart.line_items[0].")


def _ours(named: re.Match[str]) -> str:
    field = FIELD_BY_WIRE_NAME[named[1]]
    index, part = named[2], named[3]
    if named[1] != "product_cart" or index is None:
        return field
    return f"{field}[{index}]" + (f".{FIELD_OF_ITEM[part]}" if part else "")
