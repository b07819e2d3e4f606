"""What is generated is what the proto files say."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.proto.descriptors import ROOT

STUBS_PYTHON = Path(sys.prefix) / "stubs" / "bin" / "python"
PARTS = ("descriptors", "python/checkout")


def content(folder: Path) -> dict[str, bytes]:
    """Read a folder's files by their path within it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def regenerated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything generated anew from the sources, in a folder of its own."""
    output = tmp_path_factory.mktemp("generated")
    script = ROOT / "proto" / "generate.py"
    subprocess.run([STUBS_PYTHON, script, "--output", output], check=True)
    return output


@pytest.mark.parametrize("part", PARTS)
def test_make_proto_leaves_no_difference(regenerated: Path, part: str) -> None:
    """Sources, descriptor sets and stubs were committed together: else run make proto."""
    expected, actual = content(regenerated / part), content(ROOT / "generated" / part)
    assert sorted(actual) == sorted(expected)
    assert [name for name in expected if actual[name] != expected[name]] == []


def test_a_file_that_is_no_longer_generated_goes_away(regenerated: Path) -> None:
    """A message file that was removed leaves no stub behind."""
    left_over = regenerated / "python" / "checkout" / "v1" / "removed_pb2.py"
    left_over.write_text("")
    script = ROOT / "proto" / "generate.py"
    subprocess.run([STUBS_PYTHON, script, "--output", regenerated], check=True)
    assert not left_over.exists()
