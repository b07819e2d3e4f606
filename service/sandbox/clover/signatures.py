"""Signs webhooks the way Clover does: the time and the raw body, in a header of its own."""

import hmac
from collections.abc import Callable, Mapping
from datetime import datetime

SIGNATURE = "Clover-Signature"


def sign(secret: str, time: int, body: bytes) -> str:
    """Return the value of the header; the secret is plain text."""
    mac = hmac.new(secret.encode(), b"%d." % time, "sha256")
    mac.update(body)
    return f"t={time},v1={mac.hexdigest()}"


class CloverSigner:
    """Makes the headers of one delivery."""

    def __init__(self, *, secret: str, clock: Callable[[], datetime]) -> None:
        self._secret = secret
        self._clock = clock

    def headers(self, *, url: str, webhook_id: str, body: bytes) -> Mapping[str, str]:
        """Return the headers that prove where a body comes from, wherever it goes."""
        del url, webhook_id
        signed = sign(self._secret, int(self._clock().timestamp()), body)
        return {"content-type": "application/json", SIGNATURE: signed}
