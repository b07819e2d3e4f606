"""A circuit breaker: after failures in a row it lets no call through, and one by one tries again."""

import enum
from collections.abc import Callable

THRESHOLD = 5
"""So many calls fail in a row before the breaker opens."""

SHORTEST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
PAUSE_SHARE = 0.1
"""The pause before another try, as a share of how long it has been open: so much later an end is noticed."""

TRIAL_PATIENCE = 3.0
"""A trial without an answer for so long lets another one follow: it may hang in what is over by now."""


class BreakerState(enum.IntEnum):
    """Whether calls go through: all, one as a trial, or none."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


# A name of the module is found faster than a member of an enum.
_CLOSED, _HALF_OPEN, _OPEN = BreakerState.CLOSED, BreakerState.HALF_OPEN, BreakerState.OPEN


class Breaker:
    """Decides which calls go through, by what became of those before; times are given, in seconds.

    A call takes a ticket and tells of its end with it. What ends after the breaker has changed tells
    nothing of the provider as it is now, and counts no more.
    """

    __slots__ = ("_chance", "_failures", "_oldest", "_opened", "_ticket", "_try_at", "state")

    def __init__(self, *, chance: Callable[[], float]) -> None:
        self.state = _CLOSED
        self._chance = chance
        self._failures = 0
        self._ticket = 1
        self._oldest = 1
        self._opened = 0.0
        self._try_at = 0.0

    def take(self, now: float) -> int:
        """Return a ticket for a call, or 0 where it must not be made."""
        if self.state is _CLOSED:
            return self._ticket
        if now < self._try_at:
            return 0
        self.state = _HALF_OPEN
        self._try_at = now + TRIAL_PATIENCE
        self._ticket += 1
        return self._ticket

    def admits(self, ticket: int, now: float) -> bool:
        """Tell whether a call may go on: with its ticket, or with the one that it would be given now."""
        if ticket:
            return ticket == self._ticket and self.state is not _OPEN
        return self.state is _CLOSED or now >= self._try_at

    def wait(self, now: float) -> float:
        """Return the seconds until a call may go through."""
        left = 0.0 if self.state is _CLOSED else max(self._try_at - now, 0.0)
        # A trial that is under way may be over long before the next one is due.
        return min(left, SHORTEST_PAUSE) if self.state is _HALF_OPEN else left

    def open_for(self, now: float) -> float:
        """Return the seconds since it opened; 0 while it is closed."""
        return 0.0 if self.state is _CLOSED else now - self._opened

    def succeeded(self, ticket: int) -> None:
        """Note that the provider has answered a call: an open breaker closes by any of its trials."""
        if ticket < self._oldest:
            return
        self._failures = 0
        if self.state is not _CLOSED:
            self.state = _CLOSED
            self._ticket += 1
            self._oldest = self._ticket

    def failed(self, ticket: int, now: float) -> None:
        """Note that a call has failed by the provider's fault: enough of them, or the last trial, open."""
        if ticket < self._oldest:
            return
        if self.state is _CLOSED:
            self._failures += 1
            if self._failures == THRESHOLD:
                self._opened, self._oldest = now, self._ticket + 1
                self._open(now)
        elif self.state is _HALF_OPEN and ticket == self._ticket:
            self._open(now)

    def dropped(self, ticket: int, now: float) -> None:
        """Note that a call has ended without telling anything of the provider: the next is the trial."""
        if self.state is _HALF_OPEN and ticket == self._ticket:
            self._try_at = now

    def _open(self, now: float) -> None:
        self.state = _OPEN
        pause = (now - self._opened) * PAUSE_SHARE
        pause = min(max(pause, SHORTEST_PAUSE), LONGEST_PAUSE)
        # Jitter keeps the processes of a service, and its callers, from coming back all at once.
        self._try_at = now + pause * (0.5 + self._chance() / 2)
