"""Holding a webhook's signatures against every configured secret, in constant time."""

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence

from service.core.errors import WebhookNotVerified
from service.providers.secrets import Secret, SecretUnreadableError

MISMATCH = "no signature matches a configured secret"


def header_of(headers: Mapping[str, str], name: str) -> str:
    """Return what a header says. Raises WebhookNotVerified where it says nothing."""
    given = headers.get(name, "")
    if not given:
        raise WebhookNotVerified(f"header {name} is missing")
    return given


def check_signatures(
    given: Sequence[bytes],
    secrets: Sequence[Secret],
    expected: Callable[[str], bytes],
    *,
    mismatch: str = MISMATCH,
) -> None:
    """Raise WebhookNotVerified unless a signature is the one expected under one of the secrets.

    `expected` may raise ValueError for a secret that cannot be one; the others still count.
    """
    if not secrets:
        raise WebhookNotVerified("no webhook secret is configured")
    is_genuine, troubles = False, list[str]()
    for number, secret in enumerate(secrets, 1):
        try:
            right = expected(secret.current())
        except (SecretUnreadableError, ValueError) as error:
            troubles.append(f"webhook secret {number}: {error}")
            continue
        for signature in given:
            is_genuine |= hmac.compare_digest(right, signature)
    if not is_genuine:
        raise WebhookNotVerified("; ".join((mismatch, *troubles)))


def encoded(texts: Iterable[str]) -> list[bytes]:
    """Return texts as bytes to compare: what no encoding has is compared as something else, and differs."""
    return [text.encode(errors="replace") for text in texts]
