"""Refusals in the shape of FastSpring's error bodies."""

from collections.abc import Sequence
from http import HTTPStatus

import msgspec


class Problem(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One entry of `errors`; `field` is a dotted path into the body."""

    error_code: str
    field: str
    message: str
    rejected_value: object = None


class Refusal(Exception):
    """An API error: an HTTP status and what is wrong; with a field it is one of the older calls."""

    def __init__(
        self, status: int, message: str, problems: Sequence[Problem] = (), *, field: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.problems = tuple(problems)
        self.field = field

    @property
    def title(self) -> str:
        """Return the status as code and reason name."""
        return f"{self.status} {HTTPStatus(self.status).name}"


def problem(code: str, field: str, message: str, value: object = None) -> Problem:
    """Build one entry about the request."""
    return Problem(error_code=code, field=field, message=message, rejected_value=value)


def invalid(problems: Sequence[Problem]) -> Refusal:
    """Build the refusal of a body."""
    return Refusal(400, "Validation failed.", problems)


def not_found(what: str) -> Refusal:
    """Build the refusal of an id that nothing carries."""
    return Refusal(404, f"{what} was not found.")
