"""The forms in which Clover writes times: one is documented, two more were seen."""

import enum
from datetime import datetime


class TimeFormat(enum.Enum):
    """One form of `createdTime` and `expirationTime`."""

    SECONDS = "Unix time in s"
    MILLISECONDS = "Unix time in ms"
    AT_SIGN = "text with @, seen in 2022"
    ISO = "text with T, seen in 2025"


def unix_ms(at: datetime) -> int:
    """Return Unix time in whole milliseconds."""
    return int(at.timestamp()) * 1000 + at.microsecond // 1000


def written(at: datetime, form: TimeFormat) -> int | str:
    """Write a UTC time in a form."""
    if form is TimeFormat.SECONDS:
        return unix_ms(at) // 1000
    if form is TimeFormat.MILLISECONDS:
        return unix_ms(at)
    separator = "@" if form is TimeFormat.AT_SIGN else "T"
    return f"{at:%Y-%m-%d}{separator}{at:%H:%M:%S}.{at.microsecond // 1000:03d}+0000"
