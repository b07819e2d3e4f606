"""An address that workers share and nobody else gets."""

import errno
import socket
from contextlib import closing

import pytest

from service.web.listening import listener
from service.workers.ports import reserve

LOOPBACK = "127.0.0.1"


def joined(port: int) -> socket.socket:
    """Listen as a worker's gRPC does."""
    worker = socket.socket()
    worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    worker.bind((LOOPBACK, port))
    worker.listen()
    return worker


def alone(port: int) -> None:
    """Listen as a service of one process does."""
    with closing(listener(LOOPBACK, port)) as second:
        second.listen()


def refused(port: int) -> bool:
    """Tell whether neither a second service nor a second supervisor gets the port."""
    address = f"{LOOPBACK}:{port}"
    found = []
    for take in (alone, lambda port: reserve(LOOPBACK, port).close()):
        with pytest.raises(OSError, match=address) as error:
            take(port)
        found.append((error.value.errno, error.value.filename))
    return found == [(errno.EADDRINUSE, address)] * 2


def test_workers_share_the_port_and_others_do_not() -> None:
    """Nobody else gets the address, before the workers listen, while they do, and when all have died."""
    with closing(reserve(LOOPBACK, 0)) as held:
        port = held.getsockname()[1]
        assert refused(port)
        with joined(port), joined(port):
            assert refused(port)
        assert refused(port)
        with joined(port):
            pass
    alone(port)


def test_a_port_in_use_is_not_reserved() -> None:
    """Where one service listens, no workers start."""
    with socket.create_server((LOOPBACK, 0)) as other:
        address = f"{LOOPBACK}:{other.getsockname()[1]}"
        with pytest.raises(OSError, match=address) as error:
            reserve(LOOPBACK, other.getsockname()[1])
    assert (error.value.errno, error.value.filename) == (errno.EADDRINUSE, address)


def test_lingering_connections_do_not_matter() -> None:
    """A service can be started again at once where the one before had callers."""
    with socket.create_server((LOOPBACK, 0)) as before:
        port = before.getsockname()[1]
        with socket.create_connection((LOOPBACK, port)):
            # Who closes first is left with the memory of the connection.
            before.accept()[0].close()
    with closing(reserve(LOOPBACK, port)), joined(port):
        assert refused(port)


def test_all_addresses_are_one() -> None:
    """A wildcard address is held against every address of the machine, and shared with gRPC's two-family socket."""
    with closing(reserve("0.0.0.0", 0)) as held:
        port = held.getsockname()[1]
        with pytest.raises(OSError, match=str(port)):
            alone(port)
        with joined(port):
            pass
