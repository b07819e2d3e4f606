"""What makes two requests the same request."""

from __future__ import annotations

import hashlib

import msgspec
from msgspec import structs

from service.core.model import CreateRequest

_VERSION = b"\x01"
_encoder = msgspec.json.Encoder(order="sorted")


def fingerprint(secret: bytes, request: CreateRequest) -> bytes:
    """Return a versioned keyed hash of a request's content.

    Left out: the key itself, what clients compute anew on each try (expire_time, the buyer's address) and
    validate_only. Only set fields enter, so a field added to the contract later changes no old hash.
    """
    customer = request.customer
    if customer is not None:
        customer = structs.replace(customer, ip_address="")
    content = structs.replace(
        request, request_id="", expire_time=None, validate_only=False, customer=customer
    )
    digest = hashlib.blake2b(_encoder.encode(content), key=secret, digest_size=32).digest()
    return _VERSION + digest
