"""Crockford's base 32 in lower case, as session ids and gate links are written."""

from __future__ import annotations

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH = 26
"""Characters that 128 bits take."""


def encode(value: int) -> str:
    """Write a number of at most 128 bits."""
    return "".join(ALPHABET[(value >> shift) & 31] for shift in range(5 * LENGTH - 5, -1, -5))
