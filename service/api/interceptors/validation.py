"""Enforces the rules that the proto files declare."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import protovalidate

from service.api.wording import worded
from service.core.errors import InvalidRequest
from service.core.model import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.message import Message

    from service.api.interceptors.base import Call, Proceed

_CHECK = "checkout.v1.CheckSessionRequest"
_WORD = re.compile(r"\w+")


class Validation:
    """Refuses a request of our contracts that breaks a rule, with every violation at once."""

    def __init__(self) -> None:
        self._validator = protovalidate.Validator()

    async def intercept(self, call: Call, proceed: Proceed) -> Any:  # noqa: ANN401 - any response
        """Check the request before anything is done with it."""
        if call.method.is_ours:
            self._check(call.request)
        return await proceed(call)

    def warm_up(self, requests: Iterable[Message]) -> None:
        """Compile the rules of messages, which takes milliseconds for each."""
        for request in requests:
            self._validator.collect_violations(request)

    def _check(self, request: Any) -> None:  # noqa: ANN401 - any request
        violations = self._found(request)
        if request.DESCRIPTOR.full_name == _CHECK:
            violations += self._found_within(request)
        if violations:
            raise InvalidRequest(_text(violations), violations=violations)

    def _found(self, request: Any) -> list[Violation]:  # noqa: ANN401 - any request
        try:
            found = self._validator.collect_violations(request)
        except protovalidate.EvaluationError:
            wrong = Violation("", "a time or a duration is out of range")
            raise InvalidRequest(wrong.description, violations=(wrong,)) from None
        return [part for one in found for part in _violations(one, request)]

    def _found_within(self, outer: Any) -> list[Violation]:  # noqa: ANN401 - a check's request
        # The rules of CreateSession hold, but for the provider it must name: so they cannot be declared.
        return [
            Violation(f"request.{wrong.field}" if wrong.field else "request", wrong.description)
            for wrong in self._found(outer.request)
            if wrong.field != "provider" or outer.request.provider
        ]


def _text(violations: list[Violation]) -> str:
    return "; ".join(
        f"{wrong.field}: {wrong.description}" if wrong.field else wrong.description
        for wrong in violations
    )


def _violations(broken: protovalidate.Violation, request: Message) -> list[Violation]:
    found: Any = broken.proto
    elements = found.field.elements if found.field else ()
    text = worded(found.rule_id, broken.rule_value, found.message)
    text = f"key {text}" if found.for_key else text
    paths = [_path(elements)]
    if not found.rule:
        # A rule of a whole message has no field of its own: those that it names stand in.
        paths = _named(found.message, _at(request, elements), paths[0]) or paths
    return [Violation(path, text) for path in paths]


def _path(elements: Iterable[Any]) -> str:
    path = ""
    for element in elements:
        path += f".{element.field_name}" if path else element.field_name
        if element.subscript is not None:
            path += f"[{json.dumps(element.subscript.value, ensure_ascii=False)}]"
    return path


def _named(text: str, message: Message, path: str) -> list[str]:
    prefix = f"{path}." if path else ""
    words = dict.fromkeys(_WORD.findall(text))
    return [prefix + name for name in words if _is_set(message, name)]


def _at(request: Message, elements: Iterable[Any]) -> Message:
    found: Any = request
    for element in elements:
        found = getattr(found, element.field_name)
        if element.subscript is not None:
            found = found[element.subscript.value]
    message: Message = found
    return message


def _is_set(message: Message, name: str) -> bool:
    return any(field.name == name for field, _ in message.ListFields())
