"""A service that cannot start says everything that is wrong, in words, and ends with a failure."""

import socket
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.process import BIN, SERVE, environment, start
from tests.e2e.wire.provider import API_KEY, SERVE_ACCOUNTS

pytestmark = pytest.mark.slow

TIMEOUT = 90
NO_ACCOUNT = {"CHECKOUT_PROVIDERS__DODO__DEFAULT__API_KEY": API_KEY}


def refusal(folder: Path, settings: dict[str, str], program: tuple[str, ...] = SERVE) -> list[str]:
    """Return the lines a program says when it refuses to start."""
    ended = subprocess.run(
        program,
        cwd=folder,
        env=environment(folder, settings),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert ended.returncode == 1, ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
    return [line.strip() for line in ended.stderr.splitlines() if not line.startswith("{")]


def test_every_problem_at_once(tmp_path: Path) -> None:
    """Unknown names, values that cannot be read and rules that are broken are listed together, without secrets."""
    file = tmp_path / "config.toml"
    file.write_text('[grpc]\naddres = "127.0.0.1:1"\n[log]\nlevel = "loud"\n')
    settings = {
        "CHECKOUT_DRAIN_TIMEOUT": "soon",
        "CHECKOUT_GRCP_ADDRESS": "127.0.0.1:1",
        "CHECKOUT_PROVIDERS__DODO__DEFAULT__API_KEY_FILE": str(tmp_path / "none"),
        "CHECKOUT_PROVIDERS__DODO__SECOND__API_KEY": "SecretKeyOfNobody",
        "CHECKOUT_PROVIDERS__DODO__SECOND__WEBHOOK_SECRETS": "whsec_SecretOfNobody!",
        "CHECKOUT_PROVIDERS__STRIPE__DEFAULT__API_KEY": "SecretKeyOfNobody",
    }
    program = (*SERVE_ACCOUNTS, "--config", str(file))
    first, *problems = refusal(tmp_path, settings, program)
    text = "\n".join(problems)
    assert first == "Error: the configuration has problems:"
    for name in (
        "grpc.addres",
        "log.level",
        "drain_timeout",
        "CHECKOUT_GRCP_ADDRESS",
        "providers.dodo.default.api_key_file",
        "providers.dodo.second",
        "providers.stripe",
    ):
        assert [line for line in problems if line.startswith(name)], f"{name} is not in:\n{text}"
    assert "Nobody" not in text


def test_no_account_and_no_sandbox(tmp_path: Path) -> None:
    """A service that could create nothing says how to get an account or the sandbox."""
    _, problem = refusal(tmp_path, {}, SERVE_ACCOUNTS)
    assert "no account is configured" in problem
    assert "--sandbox" in problem


def test_the_sandbox_beside_an_account(tmp_path: Path) -> None:
    """Real and pretended payments do not share a service."""
    _, problem = refusal(tmp_path, NO_ACCOUNT)
    assert problem.startswith("providers.dodo.default")
    assert "beside the sandbox" in problem


@pytest.mark.parametrize("name", ["GRPC", "WEB"])
def test_the_sandbox_on_a_public_address(tmp_path: Path, name: str) -> None:
    """The sandbox is not shown to other machines unless somebody says so."""
    settings = {f"CHECKOUT_{name}_ADDRESS": "0.0.0.0:0"}
    _, problem = refusal(tmp_path, settings)
    assert problem.startswith(f"{name.lower()}.address")
    assert "CHECKOUT_SANDBOX_ALLOW_PUBLIC_ADDRESS" in problem


def test_the_sandbox_on_a_public_address_by_permission(tmp_path: Path) -> None:
    """With permission the sandbox listens everywhere."""
    settings = {
        "CHECKOUT_GRPC_ADDRESS": "0.0.0.0:0",
        "CHECKOUT_SANDBOX_ALLOW_PUBLIC_ADDRESS": "true",
    }
    with start(tmp_path, settings) as service:
        assert service.stop() == 0


@pytest.mark.parametrize("name", ["GRPC", "WEB"])
def test_an_address_in_use(tmp_path: Path, name: str) -> None:
    """An address that somebody else listens on is named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        # gRPC's own library says something first.
        *_, problem = refusal(tmp_path, {f"CHECKOUT_{name}_ADDRESS": address})
    assert problem.startswith(f"Error: cannot listen on {address}")


@pytest.mark.parametrize("address", ["two..dots:0", "[fe80::1%none]:0"])
@pytest.mark.parametrize("command", ["serve", "sandbox"])
def test_an_address_of_no_machine(tmp_path: Path, address: str, command: str) -> None:
    """An address that no name leads to is named as one that is in use is."""
    settings = {
        "CHECKOUT_WEB_ADDRESS": address,
        "CHECKOUT_SANDBOX_ADDRESS": address,
        "CHECKOUT_SANDBOX_ALLOW_PUBLIC_ADDRESS": "true",
    }
    program = SERVE if command == "serve" else (str(BIN / "checkout"), command)
    *_, problem = refusal(tmp_path, settings, program)
    assert problem.startswith(f"Error: cannot listen on {address}: ")


@pytest.mark.parametrize("settings", [{}, {"CHECKOUT_WORKERS": "2"}])
def test_several_workers_on_a_file(tmp_path: Path, settings: dict[str, str]) -> None:
    """Several processes do not share a SQLite file, whichever way they were asked for, and nothing is made."""
    program = SERVE_ACCOUNTS if settings else (*SERVE_ACCOUNTS, "--workers", "2")
    _, problem = refusal(tmp_path, {**NO_ACCOUNT, **settings}, program)
    assert problem.startswith("workers (CHECKOUT_WORKERS): 2 processes cannot share a SQLite file")
    assert "PostgreSQL" in problem
    assert list(tmp_path.iterdir()) == []


def test_a_store_in_use(tmp_path: Path) -> None:
    """A second service, or a migration, on one store names the process that holds it."""
    with start(tmp_path) as service:
        (problem,) = refusal(tmp_path, {})
        assert f"in use by the process with id {service.pid}" in problem
        program = (str(BIN / "checkout"), "migrate")
        (problem,) = refusal(tmp_path, {}, program)
        assert f"in use by the process with id {service.pid}" in problem
        assert service.is_running


def test_a_store_of_a_newer_version(tmp_path: Path) -> None:
    """A store written by a newer version is left alone."""
    with start(tmp_path) as service:
        service.stop()
    with closing(sqlite3.connect(tmp_path / "checkout.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '999'")
        database.commit()
    (problem,) = refusal(tmp_path, {})
    assert "revision 999" in problem
    assert "newer version" in problem


def test_a_store_that_is_none(tmp_path: Path) -> None:
    """A file that is no database is left as it is."""
    (tmp_path / "checkout.db").write_text("my diary " * 1000)
    (problem,) = refusal(tmp_path, {})
    assert "checkout.db" in problem
    assert (tmp_path / "checkout.db").read_text() == "my diary " * 1000


def test_a_store_that_cannot_be_made(tmp_path: Path) -> None:
    """A store in a place where no file can be is named."""
    (tmp_path / "file").write_text("")
    (problem,) = refusal(tmp_path, {"CHECKOUT_STORE_URL": f"sqlite:///{tmp_path}/file/store.db"})
    assert f"{tmp_path}/file" in problem
