"""Checks what a buyer typed against the fields of the form, and fills a form in a buyer's stead."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from urllib.parse import urlsplit

from service.sandbox.emulator import Entry, EntryInvalid, Field, FieldKind

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
MAX_LENGTH = 500
TRUE = "true"

SAMPLES: Mapping[FieldKind, str] = {
    "text": "Sandbox",
    "email": "buyer@example.com",
    "tel": "+14155550100",
    "url": "https://example.com",
    "number": "1",
    "amount": "1",
    "date": "2030-01-31",
    "country": "US",
    "checkbox": TRUE,
}


def values(fields: Sequence[Field], entry: Entry) -> dict[str, str]:
    """Return the value of each field: the buyer's, else what is prefilled."""
    return {
        field.name: field.value if field.is_readonly else _typed(field, entry) for field in fields
    }


def check(fields: Sequence[Field], entry: Entry) -> dict[str, str]:
    """Return the value of each field, or raise `EntryInvalid` naming every problem."""
    found = values(fields, entry)
    problems = {field.name: _problem(field, found[field.name]) for field in fields}
    broken = {name: problem for name, problem in problems.items() if problem}
    if broken:
        raise EntryInvalid(broken)
    return found


def forgive(fields: Sequence[Field], entry: Entry) -> dict[str, str]:
    """Return the value of each field, with a sample wherever the buyer's cannot be taken."""
    found = values(fields, entry)
    return {
        field.name: _sample(field) if _problem(field, found[field.name]) else found[field.name]
        for field in fields
    }


def samples(fields: Sequence[Field]) -> dict[str, str]:
    """Fill the form in the buyer's stead: what is prefilled, else samples."""
    return {
        field.name: field.value or (_sample(field) if field.is_required else "") for field in fields
    }


def _typed(field: Field, entry: Entry) -> str:
    if field.name not in entry:
        # A browser leaves out a checkbox that is not ticked.
        return "" if field.kind == "checkbox" and entry else field.value
    return entry[field.name].strip()


def _sample(field: Field) -> str:
    if field.value:
        return field.value
    return field.options[0][0] if field.options else SAMPLES[field.kind]


def _problem(field: Field, value: str) -> str:
    if not value:
        return "required" if field.is_required else ""
    if len(value) > MAX_LENGTH:
        return "too_long"
    if field.options and value not in dict(field.options):
        return "choice_invalid"
    is_valid = CHECKS.get(field.kind)
    return "" if is_valid is None or is_valid(value) else f"{field.kind}_invalid"


def _is_url(value: str) -> bool:
    parts = urlsplit(value)
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


def _is_date(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


CHECKS: Mapping[FieldKind, Callable[[str], bool]] = {
    "email": lambda value: EMAIL.fullmatch(value) is not None,
    "url": _is_url,
    "number": lambda value: re.fullmatch(r"-?\d+([.,]\d+)?", value) is not None,
    "date": _is_date,
    "tel": lambda value: re.fullmatch(r"\+?[0-9][0-9 ().-]{1,31}", value) is not None,
}
