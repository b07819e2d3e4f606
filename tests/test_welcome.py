"""The welcome names a program that the newcomer has."""

import shlex
import sys
from pathlib import Path

import pytest

from service.welcome import create_command, welcome

CREATE = "checkout.v1.CheckoutService/CreateSession"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the programs beside the interpreter, empty, on an x86-64 machine."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    return tmp_path


def test_own_grpcurl_comes_first(installed: Path) -> None:
    """The project's grpcurl is named by its place."""
    for tool in ("grpcurl", "buf"):
        (installed / tool).touch()
    program, *_, address, method = shlex.split(create_command("127.0.0.1:1"))
    assert (program, address, method) == (str(installed / "grpcurl"), "127.0.0.1:1", CREATE)


def test_path_is_short_in_the_projects_folder(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the programs are below the working folder, so is the path."""
    (installed / "grpcurl").touch()
    monkeypatch.chdir(installed.parent)
    assert create_command("a:1").startswith(f"{installed.name}/grpcurl ")


def test_buf_stands_in_for_grpcurl(installed: Path) -> None:
    """Where grpcurl has no binary, buf makes the same call."""
    (installed / "buf").touch()
    program, verb, *_, url = shlex.split(create_command("127.0.0.1:1"))
    assert (program, verb, url) == (str(installed / "buf"), "curl", f"http://127.0.0.1:1/{CREATE}")


def test_without_tools_the_newcomers_own_is_named(installed: Path) -> None:
    """Installed as a package alone, the service names grpcurl by its name."""
    assert create_command("127.0.0.1:1").startswith("grpcurl ")


def test_addresses_and_token_are_shown() -> None:
    """What another program needs to use the sandbox is there."""
    text = welcome(
        grpc="127.0.0.1:1",
        web="127.0.0.1:2",
        api_token="sandbox_token",
        providers=("dodo", "square"),
    )
    for wanted in ("127.0.0.1:1", "http://127.0.0.1:2/sandbox/", "dodo, square", "sandbox_token"):
        assert wanted in text
