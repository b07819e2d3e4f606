"""Ports at which everybody is refused, and that nobody else is given meanwhile."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept(port: int = 0) -> Iterator[int]:
    """Keep a port, or any that is free, and yield it: to bind without listening is to refuse."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", port))
        yield holder.getsockname()[1]
