"""How long to wait before a worker is started again."""

SOUND = 10.0
"""A worker that has lived for so many seconds did not die of its start."""

_FIRST = 0.5
_LONGEST = 30.0


class Patience:
    """Counts how often in a row a worker has died young."""

    def __init__(self) -> None:
        self._deaths = 0

    def pause(self, lived: float) -> float:
        """Return the seconds to wait after a worker that lived for some: none at first, then longer each time."""
        self._deaths = 1 if lived >= SOUND else self._deaths + 1
        # Beyond ten the power only grows.
        return min(_FIRST * 2 ** min(self._deaths - 2, 10), _LONGEST) if self._deaths > 1 else 0.0
