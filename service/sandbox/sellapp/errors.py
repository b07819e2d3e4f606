"""Refusals in the shape of SellApp's errors."""

from collections.abc import Mapping
from typing import Any

JsonObject = dict[str, Any]
DOCS = "https://sell.app/docs/api/errors"
INVALID = "The given data was invalid."


class Refusal(Exception):
    """An API error: an HTTP status, what is wrong, and the fields that are."""

    def __init__(
        self,
        status: int,
        kind: str,
        code: str,
        message: str,
        fields: Mapping[str, list[str]] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.code = code
        self.message = message
        self.fields = dict(fields or {})

    def body(self, request_id: str, *, has_container: bool) -> JsonObject:
        """Return what is answered; `has_container` lists every field beside the first."""
        answer: JsonObject = {
            "message": self.message,
            "type": self.kind,
            "code": self.code,
            "status": self.status,
            "param": next(iter(self.fields), None),
            "request_id": request_id,
            "docs_url": DOCS,
        }
        return answer | ({"errors": self.fields} if self.fields and has_container else {})


def invalid(fields: Mapping[str, list[str]]) -> Refusal:
    """Build the refusal of a body by its fields; it speaks of the first, as Laravel does."""
    first = next(iter(fields.values()))[0]
    rest = sum(len(texts) for texts in fields.values()) - 1
    more = f" (and {rest} more error{'s' if rest > 1 else ''})" if rest else ""
    return Refusal(422, "invalid_request_error", "validation_failed", first + more, fields)


def unfit(field: str, text: str) -> Refusal:
    """Build the refusal of one field."""
    return invalid({field: [text]})


def malformed(text: str) -> Refusal:
    """Build the refusal of a request that cannot be read."""
    return Refusal(400, "invalid_request_error", "bad_request", text)


def unauthenticated() -> Refusal:
    """Build the refusal of a key that is missing or malformed; the code is the documented one."""
    return Refusal(401, "authentication_error", "1020", "Unauthenticated.")


def forbidden(text: str) -> Refusal:
    """Build the refusal of a key that may not do this."""
    return Refusal(403, "permission_error", "forbidden", text)


def not_found() -> Refusal:
    """Build the refusal of an id that nothing in the store carries."""
    return Refusal(404, "invalid_request_error", "not_found", "No query results for this invoice.")
