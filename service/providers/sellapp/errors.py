"""From SellApp's refusals to the core's errors: by status, then by field."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec import Struct

from service.core.errors import (
    ProviderCredentialsRejected,
    ProviderError,
    ProviderOutcomeUnknown,
    ProviderRejected,
)
from service.core.model import CreateRequest, Violation
from service.providers.answers import Answer
from service.providers.meanings import TEXTS, by_status, without_refusal
from service.providers.sellapp.fields import our_field
from service.providers.text import readable, redacted

# A key that is malformed or a header that is missing, whatever the status.
CONFLICT = 409
MALFORMED_KEY = "1020"


class ErrorBody(Struct, frozen=True):
    """The body of a refusal; older answers have `error` for `code`, and may number it."""

    message: str | None = None
    code: str | int | None = None
    error: object = None
    param: str | None = None
    errors: object = None


class Fault(Struct, frozen=True):
    """One thing that SellApp says is wrong, and its name of the field."""

    field: str
    text: str


def error_of(
    answer: Answer, names: Mapping[str, str], request: CreateRequest | None = None
) -> ProviderError:
    """Return the error an unsuccessful answer means; `names` are the provider and the account."""
    body = _body(answer)
    hidden = tuple(personal(request)) if request else ()
    code = _shown(_code(body), hidden, 64)
    kind = _kind(answer.status, code)
    other = without_refusal(kind, answer, names, cause=code)
    if other is not None:
        return other
    faults = list(_faults(body, answer.status))
    metadata = {
        **names,
        "provider_status": str(answer.status),
        "provider_code": code,
        "provider_message": _shown(body.message or "", hidden),
        "provider_field": _shown(faults[0].field, hidden, 128) if faults else "",
    }
    return kind(
        TEXTS[kind],
        metadata={name: value for name, value in metadata.items() if value},
        violations=list(_violations(faults, request, hidden)) if request else (),
    )


def is_missing(error: ProviderError) -> bool:
    """Tell whether an error says that SellApp does not have what was asked for."""
    return error.metadata.get("provider_status") == "404"


def personal(request: CreateRequest) -> Iterator[str]:
    """Yield what a request says of the buyer, for keeping it out of texts."""
    if request.customer is not None:
        yield from (request.customer.email, request.customer.ip_address, request.customer.tax_id)


def _kind(status: int, code: str) -> type[ProviderError]:
    # What was done before a conflict was found is not said.
    kind = ProviderOutcomeUnknown if status == CONFLICT else by_status(status)
    is_key_malformed = kind is ProviderRejected and code == MALFORMED_KEY
    return ProviderCredentialsRejected if is_key_malformed else kind


def _body(answer: Answer) -> ErrorBody:
    try:
        return msgspec.convert(answer.body, ErrorBody)
    except msgspec.ValidationError:
        return ErrorBody()


def _code(body: ErrorBody) -> str:
    found = body.code if body.code is not None else body.error
    return str(found) if isinstance(found, str | int) else ""


def _faults(body: ErrorBody, status: int) -> Iterator[Fault]:
    """Yield what is wrong by field; the documents neither name the container nor say that there is one."""
    if isinstance(body.errors, dict) and body.errors:
        for name, texts in body.errors.items():
            text = texts[0] if isinstance(texts, list) and texts else texts
            yield Fault(str(name), text if isinstance(text, str) else "")
    elif body.param:
        yield Fault(body.param, body.message or "")
    elif status == 404:
        yield Fault("invoice", body.message or "")


def _violations(
    faults: Iterable[Fault], request: CreateRequest, hidden: Iterable[str]
) -> Iterator[Violation]:
    for fault in faults:
        if field := our_field(fault.field, request):
            yield Violation(field, _shown(fault.text, hidden) or "SellApp refuses it")


def _shown(text: str, hidden: Iterable[str], longest: int = 500) -> str:
    return readable(redacted(text, hidden), longest)
