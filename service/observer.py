"""Tells operators what happens to sessions: one log line and one count for each event."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry, Counter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from structlog.typing import FilteringBoundLogger

    from service.core.model import Session

_ALARMING = frozenset(
    {
        *("payment.late", "payment.second", "payment.amount_mismatch"),
        "expiry.session_unreadable",
    }
)
# What comes of it is told a moment later; a line of its own would be a fifth of what a create writes,
# and a fourth of what a webhook does.
_ROUTINE = frozenset({"session.created", "webhook.applied"})


class TelemetryObserver:
    """The `Observer` port on structlog and prometheus_client."""

    def __init__(self, *, registry: CollectorRegistry) -> None:
        self._log: FilteringBoundLogger = structlog.get_logger().bind()
        # Finding a counter by its labels costs more than counting.
        self._event = cache(
            Counter(
                "checkout_session_events",
                "What happened to sessions and their payments.",
                ("provider", "event"),
                registry=registry,
            ).labels
        )
        self._note = cache(
            Counter(
                "checkout_notes", "What happened beside sessions.", ("event",), registry=registry
            ).labels
        )

    def changed(self, _before: Session | None, after: Session, events: Sequence[str], /) -> None:
        for event in events:
            self._event(after.provider, event).inc()
            self._writer(event)(
                event,
                session_id=after.session_id,
                provider=after.provider,
                account=after.account,
                state=after.state.value,
                payment_status=after.payment_status.value,
                version=after.version,
            )

    def _writer(self, event: str) -> Callable[..., Any]:
        if event in _ROUTINE:
            return self._log.debug
        return self._log.warning if event in _ALARMING else self._log.info

    def noted(self, event: str, **fields: object) -> None:
        self._note(event).inc()
        self._writer(event)(event, **fields)
