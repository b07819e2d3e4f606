"""Texts from providers, made fit for errors and logs, and texts for them."""

import re
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

LONGEST = 500
REDACTED = "[redacted]"
NUMBERS = (int, float)
# It begins where a word does: tried at every letter, a long text without "@" would take minutes.
EMAIL = re.compile(r"(?<![^\s@<>\"'(),;:])[^\s@<>\"'(),;:]++@[^\s@<>\"'(),;:]+")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def readable(text: str, longest: int = LONGEST) -> str:
    """Return a text on one line, without control characters, cut to a length."""
    return UNPRINTABLE.sub(" ", text).strip()[:longest]


def redacted(text: str, personal: Iterable[str]) -> str:
    """Return a text without e-mail addresses and without the given values as whole words."""
    for value in sorted((value for value in personal if len(value) > 1), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", REDACTED, text, flags=re.IGNORECASE)
    return EMAIL.sub(REDACTED, text)


def filled(url: str, *, session_id: str, reference_id: str) -> str:
    """Return a URL of the request with its placeholders replaced."""
    if "{" not in url:
        return url
    url = url.replace("{SESSION_ID}", quote(session_id, safe=""))
    return url.replace("{REFERENCE_ID}", quote(reference_id, safe=""))


def said(**fields: object) -> dict[str, object]:
    """Return the fields that say something: false and 0 do, None and emptiness do not."""
    return {name: value for name, value in fields.items() if value or isinstance(value, NUMBERS)}


def origin(url: str) -> str:
    """Return scheme, host and port of a URL, in lower case."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
