"""What a call was about, read from its messages; nothing personal is among it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.api.interceptors.base import Call

_NAMES = ("provider", "account", "session_id", "request_id")
_SESSION = "session"
_MAX_LENGTH = 192


class Facts:
    """Finds provider, account, session and request of a call.

    It remembers which of the fields each message type has: asking a message in vain is slow.
    """

    def __init__(self) -> None:
        self._fields: dict[type, tuple[str, ...]] = {}

    def of(self, call: Call, response: object) -> dict[str, str]:
        """Return what is known from the request, the answer and an error, each adding to the last."""
        found: dict[str, str] = {}
        self._add(call.request, found)
        if _SESSION in self._known(response):
            answer: Any = response
            self._add(answer.session, found)
        if call.facts:
            found |= {n: call.facts[n][:_MAX_LENGTH] for n in call.facts.keys() & _NAMES}
        return found

    def _add(self, message: object, found: dict[str, str]) -> None:
        for name in self._known(message):
            if name != _SESSION and name not in found and (value := getattr(message, name)):
                found[name] = value[:_MAX_LENGTH]

    def _known(self, message: object) -> tuple[str, ...]:
        kind = type(message)
        known = self._fields.get(kind)
        if known is None:
            descriptor = getattr(message, "DESCRIPTOR", None)
            fields = descriptor.fields_by_name if descriptor else {}
            self._fields[kind] = known = tuple(n for n in (*_NAMES, _SESSION) if n in fields)
        return known
