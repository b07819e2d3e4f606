"""Page tokens: where a page ended, sealed together with the conditions it belongs to."""

from __future__ import annotations

import base64
import hashlib
import hmac

import msgspec

from service.core.errors import InvalidRequest
from service.core.model import Violation

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000
_SEAL_BYTES = 16


def page_size(asked: int) -> int:
    """Return how many entries a page has at most; 0 leaves it to us."""
    return min(asked or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


class PageTokens:
    """Makes tokens that fit one question only, and opens them; conditions are anything JSON can hold."""

    def __init__(self, *, secret: bytes) -> None:
        self._secret = secret

    def seal(self, conditions: object, end: str) -> str:
        """Return the token of the page after `end`."""
        token = self._mark(conditions, end) + end.encode()
        return base64.urlsafe_b64encode(token).decode().rstrip("=")

    def open(self, conditions: object, token: str) -> str:
        """Return where the page before ended, empty without a token. Raises InvalidRequest."""
        if not token:
            return ""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            mark, end = raw[:_SEAL_BYTES], raw[_SEAL_BYTES:].decode()
        except ValueError:
            raise _bad_token() from None
        if not hmac.compare_digest(mark, self._mark(conditions, end)):
            raise _bad_token()
        return end

    def _mark(self, conditions: object, end: str) -> bytes:
        content = msgspec.json.encode([conditions, end], order="sorted")
        return hashlib.blake2b(content, key=self._secret, digest_size=_SEAL_BYTES).digest()


def _bad_token() -> InvalidRequest:
    wrong = Violation("page_token", "is not a token of an earlier answer to the same conditions")
    return InvalidRequest(f"{wrong.field}: {wrong.description}", violations=[wrong])
