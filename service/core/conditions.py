"""Which sessions a watcher follows, and which changes it has to be told of."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from service.core.model import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from service.core.model import Session

NOT_ENDED = frozenset({State.CREATING, State.OPEN, State.UNRESOLVED})
"""The states of the sessions that a snapshot tells."""

_ALL = frozenset(State)
_MARK_BYTES = 8

CAME_FROM: Mapping[str, frozenset[State]] = {
    "session.opened": frozenset({State.CREATING, State.UNRESOLVED}),
    "session.completed": NOT_ENDED | {State.EXPIRED},
    "session.expired": NOT_ENDED,
    "session.failed": frozenset({State.CREATING}),
    "session.left_unresolved": frozenset({State.CREATING}),
}
"""The states a session may have been in before what moved its state."""


class Conditions(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What holds of the sessions that a watcher follows; `session_id` stands alone."""

    session_id: str = ""
    states: frozenset[State] = frozenset()
    provider: str = ""
    account: str = ""
    live: bool | None = None
    reference_id: str = ""

    def mark(self) -> bytes:
        """Return what tells these conditions from others."""
        plain: dict[str, object] = msgspec.to_builtins(self)
        plain["states"] = sorted(state.value for state in self.states)
        content = msgspec.json.encode(plain, order="sorted")
        return hashlib.blake2b(content, digest_size=_MARK_BYTES).digest()

    def snapshot_states(self) -> frozenset[State]:
        """Return the states of the sessions to begin with."""
        return NOT_ENDED & (self.states or _ALL) & self._told()

    def concern(self, session: Session) -> bool:
        """Tell whether a session is one of those followed, whatever its state."""
        return (
            self.session_id in {"", session.session_id}
            and self.provider in {"", session.provider}
            and self.account in {"", session.account}
            and self.live in {None, session.live}
            and self.reference_id in {"", session.reference_id}
            and session.state in self._told()
        )

    def include(self, session: Session) -> bool:
        """Tell whether a session is in one of the states that are followed."""
        return not self.states or session.state in self.states

    def lose(self, types: Iterable[str]) -> bool:
        """Tell whether a change may have taken a session out of the states that are followed."""
        return any(not self.states.isdisjoint(CAME_FROM.get(one, ())) for one in types)

    def _told(self) -> frozenset[State]:
        # The provider may choose another mode than its account's, and nobody would be told that it had.
        return _ALL if self.live is None else _ALL - {State.CREATING}
