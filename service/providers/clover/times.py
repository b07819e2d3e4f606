"""Reads the times that Clover writes in more than one way."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Until 2286 seconds have fewer digits than this, and since 2001 milliseconds have as many.
SMALLEST_MILLISECONDS = 10**12
LONGEST_NUMBER = 16


def moment(value: object) -> datetime | None:
    """Return a time: a Unix time in s or ms, the same as text, or a date with its offset; else None.

    Clover's pages say Unix time; its answers have been seen to hold dates, with "@" or "T" in the middle.
    """
    try:
        if isinstance(value, str):
            return _of_text(value.strip())
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _of_number(value)
    except (ValueError, OverflowError):
        pass
    return None


def _of_text(text: str) -> datetime | None:
    if text.isascii() and text.isdigit():
        return _of_number(int(text)) if len(text) <= LONGEST_NUMBER else None
    found = datetime.fromisoformat(text.replace("@", "T", 1))
    return found.astimezone(UTC) if found.tzinfo else None


def _of_number(number: float) -> datetime | None:
    if number <= 0:
        return None
    if number >= SMALLEST_MILLISECONDS:
        return EPOCH + timedelta(milliseconds=number)
    return EPOCH + timedelta(seconds=number)
