"""From FastSpring's refusals to the core's errors: by status, with what its body says."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from service.core.errors import (
    ProviderError,
)
from service.core.model import CreateRequest, Violation
from service.providers.answers import Answer, lenient
from service.providers.fastspring.fields import our_field, personal
from service.providers.fastspring.reading import each
from service.providers.meanings import TEXTS, by_status, without_refusal
from service.providers.text import readable, redacted


class Fault(Struct, frozen=True, rename="camel"):
    """One entry of `errors`; the value it rejects is never read."""

    error_code: str | None = None
    field: str | None = None
    message: str | None = None


class ErrorBody(Struct, frozen=True):
    """The documented body of a refusal; `error` is what older calls have, texts by field."""

    status: str | None = None
    message: str | None = None
    errors: object = None
    error: object = None


def error_of(
    answer: Answer, names: Mapping[str, str], request: CreateRequest | None = None
) -> ProviderError:
    """Return the error an unsuccessful answer means; `names` are the provider and the account."""
    kind = by_status(answer.status)
    other = without_refusal(kind, answer, names)
    if other is not None:
        return other
    return _refusal(kind, answer, names, request)


def _refusal(
    kind: type[ProviderError],
    answer: Answer,
    names: Mapping[str, str],
    request: CreateRequest | None,
) -> ProviderError:
    body = lenient(answer.body, ErrorBody) or ErrorBody()
    found = each(body.errors, Fault)
    first = found[0] if found else _older(body)
    hidden = tuple(personal(request)) if request else ()
    metadata = {
        **names,
        "provider_status": str(answer.status),
        "provider_code": readable(first.error_code or body.status or "", 64),
        "provider_message": readable(redacted(first.message or body.message or "", hidden)),
        "provider_field": readable(first.field or "", 128),
    }
    return kind(
        TEXTS[kind],
        metadata={name: value for name, value in metadata.items() if value},
        violations=list(_violations(found, request, hidden)) if request else (),
    )


def _older(body: ErrorBody) -> Fault:
    texts = lenient(body.error, dict[str, str]) or {}
    field, message = next(iter(texts.items()), (None, None))
    return Fault(field=field, message=message)


def _violations(
    found: Iterable[Fault], request: CreateRequest, hidden: Iterable[str]
) -> Iterable[Violation]:
    for fault in found:
        field = our_field(fault.field or "", request)
        if field:
            said = readable(redacted(fault.message or "", hidden))
            yield Violation(field, said or readable(fault.error_code or "", 64))
