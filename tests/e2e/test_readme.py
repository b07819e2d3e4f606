"""Everything the README and the pages beside it tell a reader to type works, and answers as shown."""

import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.documents import CLIENTS, PAGES, README, ROOT, SANDBOX, Running, blocks, shell
from tests.e2e.process import BIN, ServiceProcess, start
from tests.packaging.environments import Environment, create

GRPCURL = ".venv/bin/grpcurl"
BUF_CURL = f"{BIN}/buf curl --protocol grpc --http2-prior-knowledge"
OWN_COMMANDS = ("make ", "pip install ", "protoc ", "export CHECKOUT_", ".venv/bin/")


def run(command: str, cwd: Path = ROOT) -> str:
    """Run a shell command and return what it prints."""
    done = subprocess.run(
        ["sh", "-ec", command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def installed(command: str) -> str:
    """Return a command with the environment's own programs named by their place."""
    return command.replace(".venv/bin/", f"{BIN}/")


def by_buf(command: str) -> str:
    """Return the call by `buf curl` that does the same as one by grpcurl; others as they are."""
    arguments = shlex.split(command)
    if arguments[0] != GRPCURL or "-d" not in arguments:
        return installed(command)
    *options, address, method = arguments[1:]
    data = shlex.quote(options[options.index("-d") + 1])
    schema = ""
    if "-protoset" in options:
        schema = f"--schema {options[options.index('-protoset') + 1]}"
    return f"{BUF_CURL} {schema} -d {data} http://{address}/{method}"


TOOLS = {"grpcurl": installed, "buf": by_buf}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ServiceProcess]:
    """A service that nobody has called yet."""
    with start(tmp_path) as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_calls_answer_as_shown(page: Path, tool: str, service: ServiceProcess) -> None:
    """Every call of a page works in the order of the page, and has the answer printed below it."""
    if tool == "grpcurl" and not (BIN / "grpcurl").exists():
        pytest.skip("grpcurl has no binary for this platform")
    running, answer = Running(grpc=service.grpc, web=service.web), ""
    for block in blocks(page):
        if block.language == "json":
            running.learn(json.loads(block.text), json.loads(answer))
        for command in block.commands if block.language == "sh" else ():
            if command.startswith((GRPCURL, ".venv/bin/buf curl")):
                answer = run(TOOLS[tool](running.real(command)))


@pytest.mark.slow
def test_python_programs_run(tmp_path: Path, service: ServiceProcess) -> None:
    """The Python programs work with nothing installed but what the pages say."""
    environment = create(tmp_path / "venv")
    installs = {line for page in PAGES for line in shell(page) if line.startswith("pip install ")}
    assert installs
    run(_pip(environment, *installs))
    running = Running(grpc=service.grpc, web=service.web)
    programs = [
        b.text for page in (README, CLIENTS) for b in blocks(page) if b.language == "python"
    ]
    assert len(programs) > 2
    printed = [environment.run(running.real(program)) for program in programs]
    assert "STATE_OPEN" in printed[0]


def _pip(environment: Environment, *installs: str) -> str:
    wanted = " ".join(line.removeprefix("pip install ") for line in sorted(installs))
    pip = f"{sys.executable} -m pip --python {environment.python} --disable-pip-version-check"
    return f"{pip} install --quiet --no-input {wanted}"


@pytest.mark.slow
@pytest.mark.parametrize("page", [README, SANDBOX], ids=lambda page: page.stem)
def test_programs_that_stay_start_and_stop(page: Path, tmp_path: Path) -> None:
    """What a page says to start comes up with the settings shown, and ends when told."""
    found = [b.text for b in blocks(page) if b.language == "sh" and ".venv/bin/checkout" in b.text]
    assert found
    for text in found:
        _start_and_stop(installed(text), tmp_path)


def _start_and_stop(script: str, folder: Path) -> None:
    environment = {"CHECKOUT_SANDBOX_ADDRESS": "127.0.0.1:0"}
    is_service = "checkout serve" in script
    with start(folder, environment, ("sh", "-ec", script), is_service=is_service) as process:
        if not is_service:
            process.stdout.wait_for(lambda text: "checkout serve" in text or None, timeout=60)
            assert "BASE_URL=http://127.0.0.1:" in process.stdout.text
        process.send(signal.SIGTERM, group=True)
        process.wait()
    assert "Traceback" not in process.stderr.text


def test_make_targets_exist() -> None:
    """Every target a page names is in the Makefile."""
    targets = {line for page in PAGES for line in shell(page) if line.startswith("make ")}
    text = "".join(page.read_text("utf-8") for page in PAGES)
    targets |= set(re.findall(r"`(make [a-z]+)`", text))
    assert {"make run", "make test", "make check"} <= targets
    for target in targets:
        run(f"make --dry-run {target.removeprefix('make ')}")


@pytest.mark.slow
def test_descriptor_set_is_enough_for_a_compiler(tmp_path: Path) -> None:
    """The compiler finds everything it needs in the set, as shown for another language."""
    for command in (line for line in shell(CLIENTS) if line.startswith("protoc ")):
        protoc = f"{ROOT}/.venv/stubs/bin/python -m grpc_tools.protoc "
        # The compiler that comes as a Python package generates Python only.
        own = command.replace("protoc ", protoc, 1).replace("--java_out=.", "--python_out=.")
        run(own.replace("_out=.", f"_out={tmp_path}"))
    assert any(tmp_path.rglob("session_pb2.py"))


def test_no_other_commands() -> None:
    """No page has a command that these tests would not know how to run."""
    strange = [line for page in PAGES for line in shell(page) if not line.startswith(OWN_COMMANDS)]
    assert strange == []
