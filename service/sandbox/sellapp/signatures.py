"""Signs webhooks the way SellApp does: the raw body alone, in hexadecimal."""

import hmac
from collections.abc import Mapping

SIGNATURE = "signature"


def sign(secret: str, body: bytes) -> str:
    """Sign a body; the secret is plain text."""
    return hmac.digest(secret.encode(), body, "sha256").hex()


class SellappSigner:
    """Makes the headers of one delivery."""

    def __init__(self, *, secret: str) -> None:
        self._secret = secret

    def headers(self, *, url: str, webhook_id: str, body: bytes) -> Mapping[str, str]:
        """Return the headers that prove where a body comes from; nothing in them names the delivery."""
        del url, webhook_id
        return {"content-type": "application/json", SIGNATURE: sign(self._secret, body)}
