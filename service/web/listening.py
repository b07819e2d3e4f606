"""Takes an address, before anything is served there."""

import socket


def listener(host: str, port: int) -> socket.socket:
    """Return a socket that is bound and does not listen yet; port 0 leaves the choice to the system.

    Raises OSError, with the address as its file name, where that cannot be.
    """
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        return _bound(host, port)
    except UnicodeError as error:
        raise OSError(socket.EAI_NONAME, "this is no name of a machine", address) from error
    except OSError as error:
        raise OSError(error.errno, error.strerror, address) from error


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    taken = socket.socket(family, kind, protocol)
    try:
        # A restart need not wait for the last connections of the one before to be forgotten.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
    except OSError:
        taken.close()
        raise
    return taken
