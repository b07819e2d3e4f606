"""How JSON values of FastSpring are read: strictly where the service depends on them, leniently elsewhere."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from service.core.model import RESERVED_METADATA_KEY
from service.providers.answers import lenient

T = TypeVar("T")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def each(values: object, kind: type[T]) -> list[T]:
    """Read those entries of a list that can be."""
    entries = values if isinstance(values, list) else []
    return [read for entry in entries if (read := lenient(entry, kind)) is not None]


def text(value: object) -> str:
    """Return a text, empty where there is none."""
    return value if isinstance(value, str) else ""


def number(value: object) -> Decimal | None:
    """Return a number as it was written."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        return None
    return Decimal(value)


def moment(value: object) -> datetime | None:
    """Read a time, a text of ISO 8601 or milliseconds since 1970; None where it is neither."""
    try:
        if isinstance(value, str):
            read = datetime.fromisoformat(value)
            return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
        if isinstance(value, int) and not isinstance(value, bool):
            return EPOCH + timedelta(milliseconds=value)
    except (ValueError, OverflowError):
        return None
    return None


def id_of(value: object) -> str:
    """Return an id, which stands alone or in the object it expands to."""
    if isinstance(value, Mapping):
        value = value.get("id") or value.get("order") or value.get("subscription")
    return text(value)


def our_session_id(tags: object) -> str:
    """Return our session's id out of an order's tags, empty where it is not there."""
    return text(tags.get(RESERVED_METADATA_KEY)) if isinstance(tags, Mapping) else ""
