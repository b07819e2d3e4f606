"""Refusals in the shape and with the codes of Square's error reference."""

from collections.abc import Sequence

import msgspec

INVALID_REQUEST = "INVALID_REQUEST_ERROR"
AUTHENTICATION = "AUTHENTICATION_ERROR"


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of `errors`; `field` is a dotted path into the body."""

    category: str
    code: str
    detail: str
    field: str | None = None


class Refusal(Exception):
    """An API error: an HTTP status and what is wrong."""

    def __init__(self, status: int, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.detail for problem in problems))
        self.status = status
        self.problems = tuple(problems)


def problem(code: str, detail: str, field: str | None = None) -> Problem:
    """Build one entry about the request."""
    return Problem(category=INVALID_REQUEST, code=code, detail=detail, field=field or None)


def refusal(code: str, detail: str, field: str | None = None, *, status: int = 400) -> Refusal:
    """Build a refusal with one entry about the request."""
    return Refusal(status, [problem(code, detail, field)])


def not_found(what: str, value: str, field: str | None = None) -> Refusal:
    """Build the refusal of an id that nothing carries."""
    return refusal("NOT_FOUND", f"{what} with id `{value}` was not found.", field, status=404)


def unauthorized() -> Refusal:
    """Build the refusal of a token that is not the seller's."""
    detail = "This request could not be authorized."
    return Refusal(401, [Problem(category=AUTHENTICATION, code="UNAUTHORIZED", detail=detail)])
