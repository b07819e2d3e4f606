"""The descriptor sets stand alone and agree with each other."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from tests.proto.descriptors import ROOT, load, own_files

RULES = "buf/validate/validate.proto"
SETS = ("checkout.binpb", "checkout-plain.binpb")
RULE_OPTIONS = {1159, 1160}


def option_numbers(message: Message) -> Iterator[int]:
    """Yield the number of every custom option within a descriptor."""
    unknown = UnknownFieldSet(message)
    yield from (unknown[index].field_number for index in range(len(unknown)))
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_MESSAGE and not field.is_extension:
            for child in value if field.is_repeated else [value]:
                yield from option_numbers(child)


@pytest.mark.parametrize("name", SETS)
def test_set_is_complete_and_in_order(name: str) -> None:
    """A reader can add the files one after the other and finds every import."""
    pool = DescriptorPool()
    for file in load(name).file:
        pool.Add(file)
    for file in load(name).file:
        assert pool.FindFileByName(file.name).name == file.name


@pytest.mark.parametrize("name", SETS)
def test_set_can_decode_error_details(name: str) -> None:
    """A client that has only the set can print every detail of an error."""
    names = {file.name for file in load(name).file}
    assert names >= {"google/rpc/error_details.proto", "google/rpc/status.proto"}


def test_full_set_carries_the_rules() -> None:
    """A client with protovalidate can check a request before it sends it."""
    assert any(RULE_OPTIONS & set(option_numbers(file)) for file in own_files())


def test_plain_set_needs_nothing_of_others() -> None:
    """A compiler of any language takes the plain set without knowing the rules."""
    plain = load("checkout-plain.binpb")
    assert [file.name for file in plain.file if RULES in (file.name, *file.dependency)] == []
    assert [file.name for file in plain.file if RULE_OPTIONS & set(option_numbers(file))] == []


def test_both_sets_have_the_same_files() -> None:
    """The plain set lacks the file of the rules and nothing else."""
    full, plain = ({file.name for file in load(name).file} for name in SETS)
    assert full - plain == {RULES}


def test_stubs_import_no_rules() -> None:
    """A caller's own package of the rules cannot clash with ours."""
    stubs = (ROOT / "generated" / "python").rglob("*.py*")
    found = [path.name for path in stubs if path.suffix != ".pyc" and imports_rules(path)]
    assert found == []


def imports_rules(path: Path) -> bool:
    """Tell whether a source file imports a generated package of the rules."""
    return "from buf" in path.read_text("utf-8")
