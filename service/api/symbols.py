"""An index of descriptors: which file holds a symbol, and what that file imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FileDescriptorProto

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from google.protobuf.descriptor_pb2 import (
        DescriptorProto,
        EnumDescriptorProto,
        FieldDescriptorProto,
    )
    from google.protobuf.descriptor_pool import DescriptorPool


class Symbols:
    """Finds files by name, symbol or extension: in the given files first, then in a pool.

    Every look-up raises KeyError for what neither holds.
    """

    def __init__(self, files: Iterable[FileDescriptorProto], *, pool: DescriptorPool) -> None:
        self._pool = pool
        self._files = {file.name: file for file in files}
        self._raw = {name: file.SerializeToString() for name, file in self._files.items()}
        self._symbols: dict[str, str] = {}
        self._extensions: dict[str, dict[int, str]] = {}
        for file in self._files.values():
            self._symbols.update(dict.fromkeys(_symbols(file), file.name))
            for extension in _extensions(file):
                known = self._extensions.setdefault(extension.extendee.removeprefix("."), {})
                known[extension.number] = file.name

    def file_of(self, symbol: str) -> str:
        """Return the name of the file that declares a symbol."""
        known = self._symbols.get(symbol)
        return known or str(self._pool.FindFileContainingSymbol(symbol).name)

    def file_of_extension(self, extended: str, number: int) -> str:
        """Return the name of the file that declares an extension of a message."""
        return self._extensions[extended][number]

    def extensions_of(self, extended: str) -> list[int]:
        """Return the numbers of the known extensions of a message."""
        if extended not in self._extensions:
            self.file_of(extended)
        return sorted(self._extensions.get(extended, ()))

    def with_imports(self, name: str) -> dict[str, bytes]:
        """Return a serialized file and, after it, everything it imports, by name."""
        found: dict[str, bytes] = {}
        waiting = [name]
        while waiting:
            current = waiting.pop(0)
            if current not in found:
                file = self._file(current)
                found[current] = self._raw.get(current) or file.SerializeToString()
                waiting.extend(file.dependency)
        return found

    def _file(self, name: str) -> FileDescriptorProto:
        if name in self._files:
            return self._files[name]
        file = FileDescriptorProto()
        self._pool.FindFileByName(name).CopyToProto(file)
        return file


def _symbols(file: FileDescriptorProto) -> Iterator[str]:
    scope = f"{file.package}." if file.package else ""
    for message in file.message_type:
        yield from _of_message(message, scope)
    for enum in file.enum_type:
        yield from _of_enum(enum, scope)
    for extension in file.extension:
        yield scope + extension.name
    for service in file.service:
        yield scope + service.name
        for method in service.method:
            yield f"{scope}{service.name}.{method.name}"


def _of_message(message: DescriptorProto, scope: str) -> Iterator[str]:
    name = scope + message.name
    yield name
    for field in (*message.field, *message.extension):
        yield f"{name}.{field.name}"
    for oneof in message.oneof_decl:
        yield f"{name}.{oneof.name}"
    for nested in message.nested_type:
        yield from _of_message(nested, f"{name}.")
    for enum in message.enum_type:
        yield from _of_enum(enum, f"{name}.")


def _of_enum(enum: EnumDescriptorProto, scope: str) -> Iterator[str]:
    yield scope + enum.name
    # Values live beside their enum, not in it.
    for value in enum.value:
        yield scope + value.name


def _extensions(file: FileDescriptorProto) -> Iterator[FieldDescriptorProto]:
    yield from file.extension
    waiting = list(file.message_type)
    while waiting:
        message = waiting.pop()
        yield from message.extension
        waiting.extend(message.nested_type)
