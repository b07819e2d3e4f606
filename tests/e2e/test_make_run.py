"""A newcomer with nothing but a fresh clone is two commands away from a session."""

import json
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.e2e.documents import ROOT
from tests.e2e.process import ServiceProcess, start

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

MAKE_RUN = ("make", "--no-print-directory", "run")
# The first words of whatever has something to install.
INSTALLING = "Installing "


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh clone of what is committed."""
    if not shutil.which("git"):
        pytest.fail("git is needed: install it (Debian, Ubuntu: apt install git)")
    folder = tmp_path_factory.mktemp("newcomer") / "checkout"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, folder], check=True)
    return folder


def printed(process: ServiceProcess, method: str) -> str:
    """Wait for the welcome and return the line that calls a method."""
    line = re.compile(rf"^ *(.+/{method})$", re.MULTILINE)
    found = process.stdout.wait_for(line.search, timeout=60)
    assert found, process.stdout.text
    return str(found[1])


def paste(line: str, folder: Path) -> dict[str, dict[str, str]]:
    """Run a line as a newcomer pastes it and read the answer."""
    done = subprocess.run(line, shell=True, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, dict[str, str]] = json.loads(done.stdout)
    return answer


def test_two_commands_make_a_session(clone: Path, tmp_path: Path) -> None:
    """`make run` sets everything up, and the lines it prints create and pay a session as pasted.

    Ctrl-C ends it in order; the second start installs nothing and has the session completed.
    """
    with start(tmp_path, program=MAKE_RUN, cwd=clone, start_timeout=300) as first:
        session = paste(printed(first, "CreateSession"), clone)["session"]
        assert session["state"] == "STATE_OPEN"
        assert session["checkoutUrl"].startswith(f"http://{first.web}/sandbox/dodo/")
        line = printed(first, "PaySession").replace("cs_...", session["sessionId"])
        assert paste(line, clone)["session"]["state"] == "STATE_PAID"
        press_ctrl_c(first)
        assert INSTALLING in first.stdout.text
    with start(tmp_path, program=MAKE_RUN, cwd=clone) as second:
        assert INSTALLING not in second.stdout.text
        line = printed(second, "GetSession").replace("cs_...", session["sessionId"])
        assert paste(line, clone)["session"]["state"] == "STATE_COMPLETED"
        press_ctrl_c(second)
    command = ("git", "status", "--porcelain")
    left = subprocess.run(command, cwd=clone, capture_output=True, text=True, check=True)
    assert left.stdout == ""


def press_ctrl_c(process: ServiceProcess) -> None:
    """Interrupt make and the service below it, as a terminal does; the service ends in order."""
    process.send(signal.SIGINT, group=True)
    process.wait()
    assert process.log("service.stopped")
    assert "Error" not in process.stderr.text
    assert "Traceback" not in process.stderr.text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_service_ends_well_when_told(number: signal.Signals, tmp_path: Path) -> None:
    """Being told to stop is no failure."""
    with start(tmp_path) as service:
        assert service.stop(number) == 0
        assert service.log("service.stopped")
