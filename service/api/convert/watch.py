"""The question of WatchSessions to the model, and what watchers are told as bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checkout.v1 import checkout_service_pb2
from checkout.v1.session_change_pb2 import SessionChange
from service.api.convert.read import STATES_BY_NUMBER
from service.api.convert.session import session_to_proto
from service.api.convert.times import moment_to_proto
from service.core.conditions import Conditions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.core.events import NumberedEvent
    from service.core.gate import GateLinks
    from service.core.model import Session
    from service.core.news import Told

_PREFIX = "TYPE_"
_TYPES = {
    name.removeprefix(_PREFIX): number for name, number in SessionChange.Type.items() if number
}


def conditions_from_proto(message: checkout_service_pb2.WatchSessionsRequest) -> Conditions:
    """Return what a watcher follows."""
    return Conditions(
        session_id=message.session_id,
        states=frozenset(STATES_BY_NUMBER[number] for number in message.states),
        provider=message.provider,
        account=message.account,
        live=message.live if message.HasField("live") else None,
        reference_id=message.reference_id,
    )


def told_to_wire(told: Told, links: GateLinks | None) -> bytes:
    """Return a message of the stream; several that are joined are one, with the last one's cursor."""
    if not told.wire:
        told.wire = _message(told, links).SerializeToString()
    return told.wire


def _message(told: Told, links: GateLinks | None) -> checkout_service_pb2.WatchSessionsResponse:
    message = checkout_service_pb2.WatchSessionsResponse(cursor=told.cursor.text())
    if told.view is not None:
        session, change = told.view.session, message.changes.add()
        change.session_id = session.session_id
        change.outside = told.outside
        _what_happened(told.event, session, change)
        session_to_proto(session, told.view.now, links, change.session)
    return message


def _what_happened(event: NumberedEvent | None, session: Session, change: SessionChange) -> None:
    if event is None:
        change.version = session.version
        change.types.append(SessionChange.TYPE_SNAPSHOT)
        moment_to_proto(session.update_time, change.change_time)
        return
    change.version = event.version
    change.types.extend(types_to_proto(event.types))
    moment_to_proto(event.time, change.change_time)


def types_to_proto(names: Iterable[str]) -> list[SessionChange.Type.ValueType]:
    """Return what happened, at least one value."""
    # A later release may have stored what this one has no name for.
    known = [_TYPES.get(name.upper().replace(".", "_")) for name in names]
    return [number for number in known if number] or [SessionChange.TYPE_SESSION_UPDATED]
