"""Clean environments to install packages into."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STUBS = ROOT / "generated" / "python"


@dataclass(frozen=True)
class Environment:
    """A virtual environment that holds only what a test installs."""

    folder: Path

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.folder / "bin" / "python"

    def install(self, *requirements: str | Path) -> None:
        """Install requirements with pip."""
        pip: list[str | Path] = [
            sys.executable,
            "-m",
            "pip",
            "--python",
            self.python,
            "--disable-pip-version-check",
        ]
        subprocess.run([*pip, "install", "--quiet", "--no-input", *requirements], check=True)

    def run(self, program: str) -> str:
        """Run a program with warnings as errors and return what it prints."""
        command: list[str | Path] = [self.python, "-I", "-W", "error", "-c", program]
        done = subprocess.run(command, check=True, cwd=self.folder, capture_output=True, text=True)
        return done.stdout.strip()


def create(folder: Path) -> Environment:
    """Make an empty environment; the pip that runs the tests installs into it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return Environment(folder)


def pinned(name: str) -> str:
    """Read the requirement the service itself is locked to."""
    lock = (ROOT / ".requirements" / "run.txt").read_text("utf-8")
    found = re.search(rf"^{re.escape(name)}==\S+", lock, re.MULTILINE)
    assert found, f"{name} is not locked"
    return found[0]
