"""The log of what an emulated provider was asked, for tests to count."""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

KEPT = 10_000


class SeenRequest(NamedTuple):
    """One request to an emulated provider; it holds nothing about the buyer."""

    method: str
    route: str
    status: int


class RequestLog:
    """Counts requests and keeps the newest of them."""

    def __init__(self) -> None:
        self._seen: deque[SeenRequest] = deque(maxlen=KEPT)
        self.creates = 0

    def __iter__(self) -> Iterator[SeenRequest]:
        return iter(tuple(self._seen))

    def add(self, request: SeenRequest, *, created: bool = False) -> None:
        """Record a request, and whether it created a session."""
        self._seen.append(request)
        self.creates += created

    def count(self, *, method: str, route: str) -> int:
        """Count the kept requests with a method to a route such as "/checkouts/{id}"."""
        return sum(seen.method == method and seen.route == route for seen in self._seen)
