"""Remembers the first answer to each idempotency key."""

from collections import OrderedDict

from service.sandbox.square.errors import refusal
from service.sandbox.square.schema import JsonObject

Scope = tuple[str, str]


class Replays:
    """The newest answers by the scope of their key and the key itself."""

    def __init__(self, *, retention: int) -> None:
        self._retention = retention
        self._answers: OrderedDict[tuple[Scope, str], tuple[JsonObject, JsonObject]] = OrderedDict()

    def find(self, scope: Scope, body: JsonObject) -> JsonObject | None:
        """Return the answer that the same request had, or refuse a key used for another body."""
        kept = self._answers.get((scope, body.get("idempotency_key", "")))
        if kept is None:
            return None
        if kept[0] != body:
            detail = "The idempotency key can only be retried with the same request data."
            raise refusal("IDEMPOTENCY_KEY_REUSED", detail, "idempotency_key")
        return kept[1]

    def keep(self, scope: Scope, body: JsonObject, answer: JsonObject) -> None:
        """Remember an answer; a body without a key is answered afresh each time."""
        if not body.get("idempotency_key"):
            return
        self._answers[scope, body["idempotency_key"]] = (body, answer)
        while len(self._answers) > self._retention:
            self._answers.popitem(last=False)
