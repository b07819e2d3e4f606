"""The facts of one durable step as a row: in order, as text, with what its change is called."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from service.core.events import Changed, Fact, NumberedEvent, SessionEvent
from service.storage.rows import microseconds, moment

_ROOM = 1 << 16
"""More entries than one step can have: an entry's number is its row's, with its place in the row."""

Columns = tuple[str | None, str | None, int | None]
"""The facts of a step, and the types and the time of a change that is to be numbered."""

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(list[Fact])


def columns(facts: Sequence[Fact]) -> Columns:
    """Return what is written of the facts of a step, whose change comes last; nothing where there are none."""
    if not facts:
        return None, None, None
    text = _ENCODER.encode(facts).decode()
    last = facts[-1]
    if isinstance(last, Changed) and last.types:
        return text, " ".join(last.types), microseconds(last.time)
    return text, None, None


def first_row(after: int) -> int:
    """Return the first row that may hold an entry with a number above `after`."""
    return after // _ROOM


def entries(
    session_id: str, rows: Iterable[tuple[int, int, str]], after: int, limit: int
) -> Sequence[SessionEvent]:
    """Return the entries of rows of position, version and facts."""
    found = [entry for entry in _entries(session_id, rows) if entry.number > after]
    return found[:limit]


def numbered(position: int, session_id: str, version: int, time: int, types: str) -> NumberedEvent:
    """Return the change of a row."""
    return NumberedEvent(
        position=position,
        session_id=session_id,
        version=version,
        time=moment(time),
        types=tuple(types.split(" ")),
    )


def _entries(session_id: str, rows: Iterable[tuple[int, int, str]]) -> Iterator[SessionEvent]:
    for position, version, facts in rows:
        for place, fact in enumerate(_DECODER.decode(facts)):
            yield SessionEvent(
                session_id=session_id,
                version=version,
                number=position * _ROOM + place + 1,
                fact=fact,
            )
