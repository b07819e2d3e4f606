"""Crockford's base 32 in lower case, as session ids and gate links are written."""

from __future__ import annotations

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH = 26
"""Characters that 128 bits take."""

_PAIRS = tuple(first + second for first in ALPHABET for second in ALPHABET)
_SHIFTS = range(5 * LENGTH - 10, -1, -10)


def encode(value: int) -> str:
    """Write a number of at most 128 bits."""
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in _SHIFTS])
