"""How much an account may ask of its provider now: calls at once, calls a second, and pauses it was told to make."""

from collections.abc import Callable

from msgspec import Struct

from service.core.purpose import Purpose

MOST_CONNECTIONS = 100
RECONCILE_SHARE = 0.25
"""What reconciliation may have of the rate and of the connections."""

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
LONGEST_OBEDIENCE = 60.0
"""No single answer keeps an account from selling for longer, whatever delay it asks for."""

_WHOLE = 1 - 1e-6
# A name of the module is found faster than a member of an enum.
_RECONCILE = Purpose.RECONCILE


class Rate(Struct, frozen=True, kw_only=True):
    """So many calls a second in the long run, and at most `burst` at once after a rest."""

    per_second: float
    burst: int


class Limits(Struct, frozen=True, kw_only=True):
    """What a provider publishes of how much may be asked of it, for one account."""

    connections: int = MOST_CONNECTIONS
    rate: Rate | None = None


class Bucket:
    """Tokens of a rate, which come back with time."""

    __slots__ = ("_at", "_burst", "_per_second", "_tokens")

    def __init__(self, rate: Rate) -> None:
        self._per_second = rate.per_second
        self._burst = float(rate.burst)
        self._tokens = self._burst
        self._at = 0.0

    def has_one(self, now: float) -> bool:
        """Tell whether there is a token."""
        self._fill(now)
        return self._tokens >= _WHOLE

    def add(self, tokens: float) -> None:
        """Take tokens out, or give them back."""
        self._tokens = min(self._tokens + tokens, self._burst)

    def drain(self, now: float) -> None:
        """Have no token left."""
        self._fill(now)
        self._tokens = min(self._tokens, 0.0)

    def seconds_until(self, tokens: int, now: float) -> float:
        """Return in how long so many will have been there to take."""
        self._fill(now)
        return max(tokens - self._tokens, 0.0) / self._per_second

    def _fill(self, now: float) -> None:
        if now > self._at:
            self._tokens = min(self._tokens + (now - self._at) * self._per_second, self._burst)
            self._at = now


class Budget:
    """Keeps count of an account's calls; times are given, in seconds.

    A call takes its turn before it is sent and ends it afterwards, or returns it unused.
    """

    __slots__ = (
        *("_bucket", "_chance", "_free", "_free_share"),
        *("_paused_at", "_paused_until", "_share", "_streak"),
    )

    def __init__(self, *, connections: int, rate: Rate | None, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._free = connections
        self._free_share = max(1, int(connections * RECONCILE_SHARE))
        self._bucket = None if rate is None else Bucket(rate)
        self._share = None if rate is None else Bucket(_shared(rate))
        self._streak = 0
        self._paused_at = self._paused_until = float("-inf")

    def take(self, purpose: Purpose, now: float) -> bool:
        """Take a turn, if there is one now."""
        if self._free <= 0 or now < self._paused_until:
            return False
        bucket = self._bucket
        if bucket is not None and not bucket.has_one(now):
            return False
        if purpose is _RECONCILE and not self._take_share(now):
            return False
        if bucket is not None:
            bucket.add(-1)
        self._free -= 1
        return True

    def end(self, purpose: Purpose) -> None:
        """End a turn: its connection is free again."""
        self._free += 1
        if purpose is _RECONCILE:
            self._free_share += 1

    def give_back(self, purpose: Purpose) -> None:
        """Return a turn with which nothing was sent."""
        self.end(purpose)
        if self._bucket is not None:
            self._bucket.add(1)
        if purpose is _RECONCILE and self._share is not None:
            self._share.add(1)

    def has_connection(self, purpose: Purpose) -> bool:
        """Tell whether a connection is free; when the next one will be, nobody knows."""
        return self._free > 0 and (purpose is not _RECONCILE or self._free_share > 0)

    def seconds_until(
        self, purpose: Purpose, now: float, ahead: int = 0, ahead_alike: int = 0
    ) -> float:
        """Return how long it takes at least until a turn, with calls ahead and some of them `ahead_alike`."""
        seconds = max(self._paused_until - now, 0.0)
        if self._bucket is not None:
            seconds = max(seconds, self._bucket.seconds_until(ahead + 1, now))
        if purpose is _RECONCILE and self._share is not None:
            seconds = max(seconds, self._share.seconds_until(ahead_alike + 1, now))
        return seconds

    def answered(self) -> None:
        """Note an answer that asks for no pause."""
        self._streak = 0

    def limited(self, sent: float, now: float, retry_after: float | None) -> float:
        """Pause as the provider asks, or longer each time where it names no delay; return for how long.

        What was sent before the last pause began was answered by what that pause is for.
        """
        if retry_after is None:
            if sent <= self._paused_at:
                return 0.0
            pause = min(FIRST_PAUSE * (1 << self._streak), LONGEST_PAUSE)
            pause *= 0.5 + self._chance() / 2
            self._streak = min(self._streak + 1, 10)
        else:
            pause = min(retry_after, LONGEST_OBEDIENCE) * (1 + self._chance() / 10)
        for bucket in (self._bucket, self._share):
            if bucket is not None:
                bucket.drain(now)
        self._paused_at = now
        self._paused_until = max(self._paused_until, now + pause)
        return pause

    def _take_share(self, now: float) -> bool:
        if self._free_share <= 0 or (self._share is not None and not self._share.has_one(now)):
            return False
        if self._share is not None:
            self._share.add(-1)
        self._free_share -= 1
        return True


def _shared(rate: Rate) -> Rate:
    return Rate(
        per_second=rate.per_second * RECONCILE_SHARE,
        burst=max(1, int(rate.burst * RECONCILE_SHARE)),
    )
