"""From Clover's refusals to the core's errors: by status, with the field looked for in the text."""

import re
from collections.abc import Iterable, Mapping

from service.core.errors import (
    ProviderError,
)
from service.core.model import CreateRequest, Violation
from service.providers.answers import Answer
from service.providers.meanings import TEXTS, by_status, without_refusal
from service.providers.text import readable, redacted

# Clover publishes no codes and no form of these texts. The first that is found decides.
FIELDS: tuple[tuple[str, str], ...] = (
    (r"first\s?name", "customer.first_name"),
    (r"last\s?name", "customer.last_name"),
    (r"phone(\s?number)?", "customer.phone_number"),
    (r"e-?mail(\s?address)?", "customer.email"),
    (r"redirectUrls\.success", "success_url"),
    (r"redirectUrls\.failure", "failure_url"),
    (r"redirectUrls\.cancel", "cancel_url"),
    (r"pageConfigUuid", "provider_options.clover.page_config_id"),
    (r"tips(\.enabled)?", "buyer_choices.tipping"),
    (r"customer", "customer"),
)
OF_LINE: tuple[tuple[str, str], ...] = (
    (r"itemRefUuid", "product_id"),
    (r"unitQty", "quantity"),
    (r"taxRates?", "taxes"),
    (r"price", "unit_price"),
    (r"note", "note"),
    (r"name", "name"),
)
LINES = re.compile(r"\bline\s?items?\b(?:\[(\d{1,3})\])?", re.IGNORECASE)
CART = re.compile(r"\bshopping\s?cart\b", re.IGNORECASE)


def error_of(
    answer: Answer, names: Mapping[str, str], request: CreateRequest | None = None
) -> ProviderError:
    """Return the error an unsuccessful answer means; `names` are the provider and the account."""
    kind = by_status(answer.status)
    other = without_refusal(kind, answer, names)
    if other is not None:
        return other
    return _refusal(kind, answer, names, request)


def personal(request: CreateRequest) -> Iterable[str]:
    """Yield what a request says of the buyer, for keeping it out of texts."""
    customer = request.customer
    if customer is not None:
        yield from (customer.email, customer.phone_number)
        yield from (customer.first_name, customer.last_name)


def field_of(text: str, request: CreateRequest) -> tuple[str, str]:
    """Return Clover's name and ours of the field that a text is about; empty where none is named."""
    for index, item in enumerate(request.cart.line_items):
        if item.product_id and item.product_id in text:
            return "itemRefUuid", f"cart.line_items[{index}].product_id"
    if found := LINES.search(text):
        return _line_field(found, text, request)
    for pattern, ours in FIELDS:
        if named := _named(pattern, text):
            return named, ours
    found = CART.search(text)
    return (found[0], "cart") if found else ("", "")


def _refusal(
    kind: type[ProviderError],
    answer: Answer,
    names: Mapping[str, str],
    request: CreateRequest | None,
) -> ProviderError:
    code, text = _words(answer.body)
    message = readable(redacted(text, personal(request) if request else ()))
    provider_field, field = field_of(message, request) if request else ("", "")
    metadata = {
        **names,
        "provider_status": str(answer.status),
        "provider_code": code,
        "provider_message": message,
        "provider_field": provider_field,
    }
    return kind(
        TEXTS[kind],
        metadata={name: value for name, value in metadata.items() if value},
        violations=[Violation(field, message)] if field else (),
    )


def _words(body: object) -> tuple[str, str]:
    """Return the code and the message of a body, of which seen ones have `message` or `error`."""
    if not isinstance(body, dict):
        return "", ""
    inner = body.get("error")
    parts = [body, inner if isinstance(inner, dict) else {"message": inner}]
    texts = [part.get("message") for part in parts]
    codes = [part.get("code") for part in parts]
    return (
        readable(next((str(code) for code in codes if isinstance(code, str | int)), ""), 64),
        next((text for text in texts if isinstance(text, str) and text), ""),
    )


def _line_field(found: re.Match[str], text: str, request: CreateRequest) -> tuple[str, str]:
    lines = request.cart.line_items
    index = int(found[1]) if found[1] else 0
    if index >= len(lines) or (not found[1] and len(lines) > 1):
        return found[0], "cart.line_items"
    path, rest = f"cart.line_items[{index}]", text[found.end() :]
    for pattern, ours in OF_LINE:
        # A text may name what the line lacks beside what is wrong with it.
        if (named := _named(pattern, rest)) and getattr(lines[index], ours):
            return named, f"{path}.{ours}"
    return found[0], path


def _named(pattern: str, text: str) -> str:
    found = re.search(rf"(?<!\w){pattern}(?!\w)", text, re.IGNORECASE)
    return found[0] if found else ""
