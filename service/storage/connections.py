"""How a store on a server is talked to."""

from datetime import timedelta
from typing import NamedTuple


class Connections(NamedTuple):
    """How many connections a process holds at most, and how long it waits for one and for each answer."""

    writers: int = 8
    readers: int = 4
    patience: timedelta = timedelta(seconds=5)


USUAL = Connections()
"""What suits one process on a server of its own."""
