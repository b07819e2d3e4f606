"""Cursors: places in the order of all changes, as callers keep them."""

from __future__ import annotations

import base64
import hashlib

import msgspec
from msgspec import Struct

from service.core.errors import CursorOutOfRange, InvalidRequest
from service.core.model import Violation

_CHECK_BYTES = 4


class Cursor(Struct, frozen=True, array_like=True):
    """Everything up to `position` was told; within a snapshot, its sessions down to `before` too.

    `mark` tells the conditions of that snapshot. It is empty after the snapshot, as `before` is.
    """

    store_id: bytes
    position: int
    before: str = ""
    mark: bytes = b""

    def text(self) -> str:
        """Return the cursor as callers get it."""
        raw = _ENCODER.encode(self)
        return base64.urlsafe_b64encode(raw + _check(raw)).decode().rstrip("=")


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Cursor)


def read_cursor(text: str) -> Cursor:
    """Return the cursor a caller kept. Raises InvalidRequest for what never was one."""
    try:
        whole = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        raw, check = whole[:-_CHECK_BYTES], whole[-_CHECK_BYTES:]
        cursor = _DECODER.decode(raw)
    except (ValueError, msgspec.MsgspecError):
        raise malformed() from None
    if check != _check(raw) or not cursor.before.isprintable():
        raise malformed()
    return cursor


def malformed(text: str = "is not a cursor of an earlier message") -> InvalidRequest:
    """Return what a caller is told of a cursor that cannot be used as it is."""
    wrong = Violation("cursor", text)
    return InvalidRequest(f"{wrong.field}: {wrong.description}", violations=[wrong])


def out_of_range(cause: str) -> CursorOutOfRange:
    """Return what a caller is told of a cursor from which nothing goes on, and why."""
    return CursorOutOfRange("nothing goes on from this cursor", metadata={"cause": cause})


def _check(raw: bytes) -> bytes:
    return hashlib.blake2b(raw, digest_size=_CHECK_BYTES).digest()
