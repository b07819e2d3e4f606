"""From Square's refusals to the core's errors: by status and category, then by code."""

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from service.core.errors import (
    ProviderCredentialsRejected,
    ProviderError,
    ProviderOutcomeUnknown,
    ProviderRateLimited,
    ProviderRejected,
)
from service.core.model import CreateRequest, Violation
from service.providers.answers import Answer
from service.providers.meanings import TEXTS, by_status, without_refusal
from service.providers.square.fields import our_field
from service.providers.square.options import session_options
from service.providers.text import readable, redacted

BY_CATEGORY: Mapping[str, type[ProviderError]] = {
    "API_ERROR": ProviderOutcomeUnknown,
    "AUTHENTICATION_ERROR": ProviderCredentialsRejected,
    "RATE_LIMIT_ERROR": ProviderRateLimited,
}
BY_CODE: Mapping[str, type[ProviderError]] = {
    "RATE_LIMITED": ProviderRateLimited,
    # The key is one session's alone: whatever used it may have made a page.
    "IDEMPOTENCY_KEY_REUSED": ProviderOutcomeUnknown,
    # Another request under the key is running.
    "CONFLICT": ProviderOutcomeUnknown,
    "REQUEST_TIMEOUT": ProviderOutcomeUnknown,
    "TEMPORARY_ERROR": ProviderOutcomeUnknown,
}
FIELD_BY_CODE: Mapping[str, str] = {
    "AMOUNT_TOO_HIGH": "cart.line_items",
    "AMOUNT_TOO_LOW": "cart.line_items",
    "INVALID_EMAIL_ADDRESS": "customer.email",
    "INVALID_PHONE_NUMBER": "customer.phone_number",
    "UNSUPPORTED_CURRENCY": "cart.line_items",
}


class Fault(Struct, frozen=True):
    """One entry of the `errors` of an answer."""

    category: str = ""
    code: str = ""
    detail: str | None = None
    field: str | None = None


class ErrorBody(Struct, frozen=True):
    """The documented body of a refusal, of which a success may have a part."""

    errors: list[Fault] | None = None


def faults(body: object) -> list[Fault]:
    """Return what a body says went wrong; nothing where it cannot be read."""
    try:
        return msgspec.convert(body, ErrorBody).errors or []
    except msgspec.ValidationError:
        return []


def error_of(
    answer: Answer, names: Mapping[str, str], request: CreateRequest | None = None
) -> ProviderError:
    """Return the error an unsuccessful answer means; `names` are the provider and the account."""
    found = faults(answer.body)
    first = found[0] if found else Fault()
    kind = _kind(answer.status, first)
    other = without_refusal(kind, answer, names, cause=readable(first.code, 64))
    if other is not None:
        return other
    return _refusal(kind, answer.status, found, names, request)


def is_missing(error: ProviderError) -> bool:
    """Tell whether an error says that Square does not have what was asked for."""
    code = error.metadata.get("provider_code", "")
    return error.metadata.get("provider_status") in ("404", "410") or code in ("NOT_FOUND", "GONE")


def _kind(status: int, fault: Fault) -> type[ProviderError]:
    # A success that says nothing but errors is a refusal too.
    kind = ProviderRejected if 200 <= status < 300 else by_status(status)
    if kind is not ProviderRejected:
        return kind
    return BY_CODE.get(fault.code) or BY_CATEGORY.get(fault.category) or kind


def _refusal(
    kind: type[ProviderError],
    status: int,
    found: list[Fault],
    names: Mapping[str, str],
    request: CreateRequest | None,
) -> ProviderError:
    hidden = tuple(personal(request)) if request else ()
    first = found[0] if found else Fault()
    metadata = {
        **names,
        "provider_status": str(status),
        "provider_code": readable(first.code, 64),
        "provider_message": readable(redacted(first.detail or "", hidden)),
        "provider_field": readable(first.field or "", 128),
    }
    return kind(
        TEXTS[kind],
        metadata={name: value for name, value in metadata.items() if value},
        violations=list(_violations(found, request, hidden)) if request else (),
    )


def _violations(
    found: Iterable[Fault], request: CreateRequest, hidden: Iterable[str]
) -> Iterable[Violation]:
    for fault in found:
        field = our_field(fault.field or "", request) or FIELD_BY_CODE.get(fault.code, "")
        if field:
            text = readable(redacted(fault.detail or "", hidden))
            yield Violation(field, text or readable(fault.code, 64))


def personal(request: CreateRequest) -> Iterable[str]:
    """Yield what a request says of people, for keeping it out of texts."""
    yield session_options(request).support_email
    customer = request.customer
    if customer is None:
        return
    yield from (customer.email, customer.phone_number, customer.first_name, customer.last_name)
    address = customer.shipping_address
    if address is not None:
        yield from (address.line1, address.line2, address.city, address.region, address.postal_code)
        yield from (address.first_name, address.last_name)
