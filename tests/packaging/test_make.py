"""The make targets speak for themselves, and say what is missing."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.packaging.environments import ROOT

MAKEFILE = ROOT / "Makefile"
TOOLS = ("sh", "make", "awk", "cat", "cksum", "cut", "echo", "rm", "touch")

TOO_OLD = "#!/bin/sh\nexit 1\n"
WITHOUT_VENV = '#!/bin/sh\ncase "$*" in *ensurepip*) exit 1;; esac\n'


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A checkout on a machine that has make and no Python, its commands in bin/."""
    shutil.copy(MAKEFILE, tmp_path)
    commands = tmp_path / "bin"
    commands.mkdir()
    for tool in TOOLS:
        if path := shutil.which(tool):
            (commands / tool).symlink_to(path)
    return tmp_path


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make with the commands of a machine."""
    environment = {"PATH": str(folder / "bin")}
    command: list[str | Path] = [folder / "bin" / "make", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def add_python(folder: Path, script: str) -> None:
    """Put a stand-in for an unfit Python on the machine."""
    python = folder / "bin" / "python3"
    python.write_text(script)
    python.chmod(0o755)


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """Read the one line that a failing set-up prints, make's own aside."""
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert done.stdout == ""
    assert len(lines) == 1, lines
    return lines[0]


@pytest.mark.parametrize("target", ["run", "test", "check"])
def test_missing_python_is_named_in_one_line(bare: Path, target: str) -> None:
    """Whoever lacks Python is told what to install."""
    assert complaint(make(bare, target)).startswith("Python 3.11 or newer is needed: install it")


def test_old_python_is_as_good_as_none(bare: Path) -> None:
    """A Python below 3.11 is passed over."""
    add_python(bare, TOO_OLD)
    assert complaint(make(bare, "install")).startswith("Python 3.11 or newer is needed")


def test_missing_venv_is_named_in_one_line(bare: Path) -> None:
    """Whoever has a Python without venv, as Debian ships it, is told which package has it."""
    add_python(bare, WITHOUT_VENV)
    line = "Python's venv module is needed: install it (Debian, Ubuntu: apt install python3-venv)."
    assert complaint(make(bare, "install")) == line


def test_help_is_the_default_and_needs_nothing(bare: Path) -> None:
    """Plain make lists the targets, even before anything is installed."""
    done = make(bare)
    assert done.returncode == 0
    assert "make help" not in done.stderr
    assert re.search(r"^ +run +Start the service", done.stdout, re.MULTILINE)


def test_every_target_has_a_help_line(bare: Path) -> None:
    """No target a user may call is missing from the list."""
    text = MAKEFILE.read_text("utf-8").replace("\\\n", "")
    phony = re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    assert phony
    listed = {line.split()[0] for line in make(bare, "help").stdout.splitlines()}
    assert set(phony[1].split()) == listed
