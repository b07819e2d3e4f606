"""What watchers are told: changes with the session they belong to, sessions of a snapshot, and how far it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from service.core.cursors import Cursor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.core.conditions import Conditions
    from service.core.events import NumberedEvent
    from service.core.view import SessionView


class Told(Struct, kw_only=True):
    """One message: a change, a session of a snapshot (no `event`), or a checkpoint (no `view` either).

    Whoever sends it keeps in `wire` what is sent: the same for every watcher, so it is made once.
    """

    cursor: Cursor
    view: SessionView | None = None
    event: NumberedEvent | None = None
    outside: bool = False
    wire: bytes = b""


class News:
    """Changes of sessions that were read together, in their order.

    A session that is gone has no view, and nothing more is told of it.
    """

    def __init__(
        self, store_id: bytes, events: Sequence[NumberedEvent], views: Mapping[str, SessionView]
    ) -> None:
        self._store_id = store_id
        self._known = [(event, view) for event in events if (view := views.get(event.session_id))]
        self._made: dict[tuple[int, bool], Told] = {}
        self.session_ids = views.keys()

    def under(self, conditions: Conditions) -> list[Told]:
        """Return what those are told who follow under some conditions; equal messages are one object."""
        found = []
        for event, view in self._known:
            if not conditions.concern(view.session):
                continue
            outside = not conditions.include(view.session)
            if not outside or conditions.lose(event.types):
                found.append(self._message(event, view, outside=outside))
        return found

    def _message(self, event: NumberedEvent, view: SessionView, *, outside: bool) -> Told:
        key = (event.position, outside)
        known = self._made.get(key)
        if known is None:
            cursor = Cursor(self._store_id, event.position)
            known = Told(cursor=cursor, view=view, event=event, outside=outside)
            self._made[key] = known
        return known
