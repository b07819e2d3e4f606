"""Texts as PostgreSQL can keep them: its own hold no zero character."""

from collections.abc import Iterable, Mapping

import msgspec


def kept(text: str) -> str:
    """Return a text without zero characters that stands for this one alone."""
    return text.replace("\\", r"\\").replace("\0", r"\0")


def told(text: str) -> str:
    """Return the text that a kept one stands for."""
    return "\\".join(part.replace(r"\0", "\0") for part in text.split(r"\\"))


def kept_all(texts: Iterable[str]) -> list[str]:
    """Return each of some texts as it is kept, once and in order: rows are then locked in one order."""
    return sorted({kept(text) for text in texts})


def pairs(metadata: Mapping[str, str]) -> list[str]:
    """Return one text for each pair of a key and a value."""
    return [msgspec.json.encode(pair).decode() for pair in metadata.items()]
