"""The checks of the proto files catch what they are there for."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from tests.proto.descriptors import ROOT, SETS

BUF = Path(sys.prefix) / "bin" / "buf"
CURRENT = SETS / "checkout.binpb"
FINDINGS = 100

Change = Callable[[FileDescriptorProto], object]


def buf(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run buf by the project's own rules."""
    command = [BUF, *arguments, "--config", ROOT / "proto" / "buf.yaml"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def changed(path: Path, change: Change) -> Path:
    """Write the current set with a change to the file of amounts."""
    descriptors = FileDescriptorSet.FromString(CURRENT.read_bytes())
    change(next(file for file in descriptors.file if file.name == "checkout/v1/money.proto"))
    path.write_bytes(descriptors.SerializeToString())
    return path


def remove_field(file: FileDescriptorProto) -> None:
    """Take the last field out of the first message."""
    del file.message_type[0].field[-1]


def rename_field(file: FileDescriptorProto) -> None:
    """Give the first field of the first message another name on the wire's JSON."""
    file.message_type[0].field[0].name = file.message_type[0].field[0].json_name = "renamed"


def silence(file: FileDescriptorProto) -> None:
    """Take every comment away."""
    for location in file.source_code_info.location:
        location.ClearField("leading_comments")


def test_contract_passes_its_own_checks() -> None:
    """What stands in the repository has no findings."""
    assert buf("lint", CURRENT).stdout == ""
    assert buf("breaking", CURRENT, "--against", CURRENT).stdout == ""


@pytest.mark.parametrize("change", [remove_field, rename_field], ids=lambda change: change.__name__)
def test_breaking_change_is_caught(change: Change, tmp_path: Path) -> None:
    """A change that an old client would notice does not pass."""
    new = changed(tmp_path / "new.binpb", change)
    assert buf("breaking", new, "--against", CURRENT).returncode == FINDINGS


def test_missing_comment_is_caught(tmp_path: Path) -> None:
    """A field that does not explain itself does not pass."""
    done = buf("lint", changed(tmp_path / "new.binpb", silence))
    assert done.returncode == FINDINGS
    assert "non-empty comment" in done.stdout
