"""Every element of the contract explains itself."""

from collections.abc import Iterator

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FileDescriptorProto

from tests.proto.descriptors import own_files

Path = tuple[int, ...]
FILES = {file.name: file for file in own_files()}


def elements(file: FileDescriptorProto) -> Iterator[tuple[Path, str]]:
    """Yield the source path and name of everything in a file that a caller can name."""
    for index, message in enumerate(file.message_type):
        yield from message_elements((4, index), message)
    for index, enum in enumerate(file.enum_type):
        yield from enum_elements((5, index), enum)
    for index, service in enumerate(file.service):
        yield (6, index), service.name
        for number, method in enumerate(service.method):
            yield (6, index, 2, number), f"{service.name}.{method.name}"
    for index, extension in enumerate(file.extension):
        yield (7, index), extension.name


def message_elements(path: Path, message: DescriptorProto) -> Iterator[tuple[Path, str]]:
    """Yield a message and everything in it, entries of maps aside."""
    if message.options.map_entry:
        return
    yield path, message.name
    synthetic = {field.oneof_index for field in message.field if field.proto3_optional}
    for index, field in enumerate(message.field):
        yield (*path, 2, index), f"{message.name}.{field.name}"
    for index, nested in enumerate(message.nested_type):
        yield from message_elements((*path, 3, index), nested)
    for index, enum in enumerate(message.enum_type):
        yield from enum_elements((*path, 4, index), enum)
    for index, oneof in enumerate(message.oneof_decl):
        if index not in synthetic:
            yield (*path, 8, index), f"{message.name}.{oneof.name}"


def enum_elements(path: Path, enum: EnumDescriptorProto) -> Iterator[tuple[Path, str]]:
    """Yield an enum and its values."""
    yield path, enum.name
    for index, value in enumerate(enum.value):
        yield (*path, 2, index), value.name


@pytest.mark.parametrize("name", FILES)
def test_everything_has_a_comment(name: str) -> None:
    """A caller who asks grpcurl to describe anything is told what it is for."""
    comments = {
        tuple(location.path): location.leading_comments.strip()
        for location in FILES[name].source_code_info.location
    }
    silent = [element for path, element in elements(FILES[name]) if not comments.get(path)]
    assert silent == []
    assert comments.get((2,)), "the package line says what the file holds"


@pytest.mark.parametrize("name", FILES)
def test_comments_are_sentences(name: str) -> None:
    """A comment ends, and does not speak of work to be done."""
    comments = [at.leading_comments.strip() for at in FILES[name].source_code_info.location]
    wrong = [text for text in comments if text and (text[-1] not in '.:)`"' or "TODO" in text)]
    assert wrong == []
