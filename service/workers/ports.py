"""Keeps an address for workers, which listen there together, and from everybody else."""

import socket
from contextlib import closing

from service.web.listening import listener


def reserve(host: str, port: int) -> socket.socket:
    """Return a socket that holds an address as long as it is open, and never listens.

    Processes of this user that ask for SO_REUSEPORT can listen there; a second service, which does not ask,
    cannot, nor can it reserve the address. Raises OSError, with the address as its file name, where it is taken.
    """
    with closing(listener(host, port)) as proof:
        # Only who listens alone proves that nobody else is there, who is bound or who shares.
        proof.listen(1)
        proof.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held = socket.socket(proof.family, proof.type, proof.proto)
        # Connections of the service before may linger at the address: they must not keep it from being taken,
        # and once it is, nobody else may come in by the same permission.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(proof.getsockname())
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        return held
