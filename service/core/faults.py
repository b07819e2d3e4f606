"""What may be written of an exception nobody expected: its text may quote personal data."""

from __future__ import annotations

import traceback


def fault(error: BaseException) -> dict[str, object]:
    """Return the type and the places of an exception, without any text of it."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": type(error).__qualname__,
        "places": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
