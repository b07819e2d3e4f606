"""What a supervisor tells a worker, and what the worker tells it."""

import pickle
from pathlib import Path
from socket import socket
from typing import BinaryIO, Literal, NamedTuple

import msgspec
from prometheus_client import CollectorRegistry

from service.config import Settings


class Order(NamedTuple):
    """What a worker is to do: its number, its part of the addresses, and where it keeps its figures.

    Its supervisor's process id tells whether it has been left alone. The settings are the supervisor's own, so that
    a worker that is started again hours later serves by the same.
    """

    number: int
    supervisor: int
    settings: Settings
    web: int
    figures: Path

    def written(self) -> bytes:
        """Return the order as bytes."""
        # The class that was read from sources is known to its reader alone.
        fields = {name: getattr(self.settings, name) for name in Settings.model_fields}
        return pickle.dumps(self._replace(settings=Settings.model_construct(None, **fields)))

    @classmethod
    def read(cls, stream: BinaryIO) -> "Order":
        """Read the order that a stream begins with. Raises EOFError where there is none."""
        order = pickle.load(stream)  # noqa: S301 - written by the process that started this one
        return cls(*order)


class Report(msgspec.Struct, frozen=True):
    """What a worker says of itself: a line of JSON."""

    event: Literal["alive", "serving", "stopping", "failed"]
    reason: str = ""

    def written(self) -> bytes:
        """Return the report as a line."""
        return msgspec.json.encode(self) + b"\n"


def reported(line: bytes) -> Report | None:
    """Read a line; None where it is no report, as libraries may write there too."""
    try:
        return msgspec.json.decode(line, type=Report)
    except msgspec.DecodeError:
        return None


class Share(NamedTuple):
    """What a worker has in common with the others."""

    number: int
    web: socket
    registry: CollectorRegistry
