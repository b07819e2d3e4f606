"""The shipped descriptor sets, and ways through them for the tests in this folder."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

from checkout.v1 import privacy_pb2

ROOT = Path(__file__).resolve().parents[2]
SETS = ROOT / "generated" / "descriptors"
OWN = "checkout/"


@dataclass(frozen=True)
class Field:
    """A field of one of our messages."""

    message: str
    proto: FieldDescriptorProto

    def __str__(self) -> str:
        return f"{self.message}.{self.proto.name}"

    @property
    def privacy(self) -> privacy_pb2.Privacy.ValueType:
        """The mark that says how the value must be handled."""
        return self.proto.options.Extensions[privacy_pb2.privacy]


@cache
def load(name: str) -> FileDescriptorSet:
    """Read one of the sets by its file name."""
    return FileDescriptorSet.FromString((SETS / name).read_bytes())


def own_files(name: str = "checkout.binpb") -> list[FileDescriptorProto]:
    """Select our own files of a set."""
    return [file for file in load(name).file if file.name.startswith(OWN)]


def fields() -> Iterator[Field]:
    """Yield every field of every message of ours, entries of maps aside."""
    for file in own_files():
        for name, message in _messages(f"{file.package}.", file.message_type):
            yield from (Field(name, field) for field in message.field)


def _messages(
    prefix: str, messages: Iterable[DescriptorProto]
) -> Iterator[tuple[str, DescriptorProto]]:
    for message in messages:
        if not message.options.map_entry:
            yield prefix + message.name, message
            yield from _messages(f"{prefix}{message.name}.", message.nested_type)
