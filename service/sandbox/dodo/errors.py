"""Refusals in the shape and with the codes of Dodo's error reference."""

from collections.abc import Iterable


class Refusal(Exception):
    """An API error: an HTTP status, a documented code and a message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def invalid_body(detail: str, *, status: int = 422) -> Refusal:
    """Build the refusal of a body that breaks the schema."""
    return Refusal(status, "INVALID_REQUEST_BODY", f"Your request body is invalid: {detail}")


def invalid_parameters(message: str) -> Refusal:
    """Build the refusal of a body whose fields do not fit together."""
    return Refusal(422, "INVALID_REQUEST_PARAMETERS", message)


def not_found(what: str, value: str) -> Refusal:
    """Build the refusal of an id that nothing carries."""
    # The error reference calls NOT_FOUND the generic 404 for any missing resource, and reserves
    # MISSING_PRODUCT_INFORMATION for products that exist, so an unknown product in a cart is a 404 too.
    return Refusal(404, "NOT_FOUND", f"{what} {value} not found")


def unknown_values(value: object, known: Iterable[str]) -> str:
    """Say which value is not in a closed list, naming the list where it is short."""
    names = sorted(known)
    listing = f", expected one of {', '.join(names)}" if len(names) <= 30 else ""
    return f"unknown variant {value!r}{listing}"
