"""Signs webhooks the way Square does, which is not the way of Standard Webhooks."""

import base64
import hmac
from collections.abc import Mapping

SIGNATURE = "x-square-hmacsha256-signature"
OLD_SIGNATURE = "x-square-signature"


def sign(key: str, url: str, body: bytes, *, algorithm: str = "sha256") -> str:
    """Sign the registered URL followed by the raw body; the key is plain text."""
    digest = hmac.digest(key.encode(), url.encode() + body, algorithm)
    return base64.b64encode(digest).decode()


class SquareSigner:
    """Makes the headers of one delivery."""

    def __init__(self, *, key: str) -> None:
        self._key = key

    def headers(self, *, url: str, webhook_id: str, body: bytes) -> Mapping[str, str]:
        """Return the headers that prove where a body comes from; the event's id is in the body."""
        del webhook_id
        return {
            "content-type": "application/json",
            "square-environment": "Sandbox",
            SIGNATURE: sign(self._key, url, body),
            OLD_SIGNATURE: sign(self._key, url, body, algorithm="sha1"),
        }
