"""Random requests: built from the descriptors with a taste for extremes, then damaged as bytes."""

from __future__ import annotations

import random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from checkout.v1 import checkout_service_pb2 as pb
from tests.e2e.wire.requests import create_request

TEXTS = (
    *("", "a", "dodo", "square", "default", "pdt_demo", "USD", "JPY", "XXX", "usd", "de", "US"),
    *("0", "1.5", "100", "-1", "1e9", "9" * 300, "a" * 191, "a" * 192, "a" * 193, "a" * 5000),
    *("é", "\x00", "\u2028", "\u202e", "🧾" * 60, "a\r\nb", "'; DROP TABLE sessions", "%s%n{0}"),
    *("a@b.example", "@", "+14155550100", "127.0.0.1", "::1", "cs_none", "checkout_session_id"),
    *("https://example.com/{SESSION_ID}?r={REFERENCE_ID}", "https://{SESSION_ID}", "{SESSION_ID}"),
    *(
        "http://localhost:1",
        "https://[::1",
        "https://a:99999999",
        "javascript:alert(1)",
        "https://",
    ),
)
INTEGERS = (0, 1, -1, 2, 50, 59, 60, 61, 999_999_999, 2**31 - 1, -(2**31))
LONG_INTEGERS = (*INTEGERS, 3600, 2**31, 2**32, 2**53 - 1, 2**53, 2**63 - 1, -(2**63))
ENUM_VALUES = (0, 1, 2, 3, 4, 5, 6, 7, 99, -1)
SHORT_MESSAGES = frozenset({"google.protobuf.Timestamp", "google.protobuf.Duration"})
DEEPEST = 6
METHODS = {
    "CreateSession": 12,
    "ListSessions": 6,
    "CheckSession": 6,
    "ListUnmatchedPayments": 3,
    "ListSessionEvents": 2,
    "GetSession": 1,
    "ExpireSession": 1,
}
"""What is called, and how often among the others."""

LONG_TYPES = frozenset({FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_UINT64})


class Fuzzer:
    """Makes requests for a seed, the same ones each time."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def request(self) -> tuple[str, bytes]:
        """Return a method and the bytes to call it with."""
        name = self._random.choices([*METHODS], [*METHODS.values()])[0]
        message = self._good(name) if self._chance(0.7) else getattr(pb, f"{name}Request")()
        for _ in range(self._random.choice((1, 1, 2, 3))):
            self._fill(message, 0)
        raw = message.SerializeToString()
        return name, self.damaged(raw) if self._chance(0.4) else raw

    def damaged(self, raw: bytes) -> bytes:
        """Return other bytes than these, most of them the same."""
        damaged = bytearray(raw)
        while bytes(damaged) == raw:
            for _ in range(self._random.choice((1, 1, 1, 2, 8))):
                self._damage(damaged)
        return bytes(damaged)

    def other_digits(self, text: str) -> str:
        """Return a number of as many digits."""
        return "".join(self._random.choice("0123456789") for _ in text)

    def pick(self, count: int) -> int:
        """Return a number below another."""
        return self._random.randrange(count)

    def _good(self, name: str) -> Message:
        if name == "CreateSession":
            return create_request(validate_only=self._chance(0.5))
        if name == "CheckSession":
            named = {} if self._chance(0.5) else {"provider": None}
            return pb.CheckSessionRequest(request=create_request(**named))
        request: Message = getattr(pb, f"{name}Request")()
        if name in ("GetSession", "ExpireSession"):
            self._set_session(request)
        return request

    def _set_session(self, request: Any) -> None:  # noqa: ANN401 - any request for a session
        request.session_id = "cs_none"

    def _fill(self, message: Message, depth: int) -> None:
        descriptor: Any = message.DESCRIPTOR
        if descriptor.full_name in SHORT_MESSAGES:
            self._fill_time(message)
            return
        count = self._random.choice((1, 1, 1, 2, 3))
        for field in self._random.choices(list(descriptor.fields), k=count):
            self._set(message, field, depth)

    def _fill_time(self, message: Any) -> None:  # noqa: ANN401 - a time or a duration
        message.seconds = self._random.choice(
            (*LONG_INTEGERS, 253_402_300_799, -62_135_596_800, 315_576_000_000, 1_900_000_000)
        )
        message.nanos = self._random.choice(INTEGERS)

    def _set(self, message: Any, field: FieldDescriptor, depth: int) -> None:  # noqa: ANN401 - any
        held = getattr(message, field.name)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            for _ in range(self._random.choice((1, 2, 3, 60))):
                held[self._random.choice(TEXTS)] = self._random.choice(TEXTS)
        elif field.message_type is not None:
            self._set_message(held, field, depth)
        elif field.is_repeated:
            held.extend(self._value(field) for _ in range(self._random.choice((1, 2, 3, 30))))
        else:
            setattr(message, field.name, self._value(field))

    def _set_message(self, held: Any, field: FieldDescriptor, depth: int) -> None:  # noqa: ANN401
        if depth == DEEPEST:
            return
        if not field.is_repeated:
            held.SetInParent()
            self._fill(held, depth + 1)
            return
        if held and self._chance(0.7):
            self._fill(self._random.choice(held), depth + 1)
            return
        for _ in range(self._random.choice((1, 1, 2, 30))):
            self._fill(held.add(), depth + 1)

    def _value(self, field: FieldDescriptor) -> Any:  # noqa: ANN401 - of the field's type
        if field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES):
            return self._random.choice(TEXTS)
        if field.type == FieldDescriptor.TYPE_BOOL:
            return self._chance(0.5)
        if field.type == FieldDescriptor.TYPE_ENUM:
            return self._random.choice(ENUM_VALUES)
        return self._random.choice(LONG_INTEGERS if field.type in LONG_TYPES else INTEGERS)

    def _damage(self, raw: bytearray) -> None:
        place = self.pick(len(raw) + 1)
        match self.pick(5):
            case 0 if place < len(raw):
                raw[place] ^= 1 << self.pick(8)
            case 1:
                raw[place : place + self.pick(8)] = b""
            case 2:
                raw[place:place] = self._random.randbytes(1 + self.pick(8))
            case 3:
                raw[place:place] = raw[self.pick(len(raw) + 1) :][:64]
            case _:
                raw[place : place + 4] = self._random.choice((b"\xff" * 10, b"\x00", b"\x80" * 4))

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability
