"""The command line as an operator uses it: real processes, their output and their exit status."""

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ANY_PORT, run, running

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path, str]]:
    """A running service with its sandbox: its gRPC address, its folder and what it printed."""
    folder = tmp_path_factory.mktemp("service")
    with running("serve", "--sandbox", folder=folder, until="Stop with") as (process, printed):
        found = re.search(r"gRPC\s+(\S+)", printed)
        assert found is not None
        yield found[1], folder, printed
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_help_lists_the_commands(tmp_path: Path) -> None:
    """Every command says what it does."""
    shown = run("--help", folder=tmp_path)
    assert shown.returncode == 0
    assert re.findall(r"^  ([a-z][a-z-]+)  ", shown.stdout, re.MULTILINE) == [
        *("config", "copy-store", "doctor", "health", "migrate", "sandbox", "serve")
    ]


@pytest.mark.parametrize("command", ["serve", "migrate", "sandbox", "health", "config", "doctor"])
def test_every_command_takes_a_file(tmp_path: Path, command: str) -> None:
    """Settings come from the same file everywhere."""
    shown = run(command, "--help", folder=tmp_path)
    assert shown.returncode == 0
    assert "CHECKOUT_CONFIG" in shown.stdout


def test_command_line_loads_nothing_heavy() -> None:
    """Help and the health probe do not wait for what only the service needs."""
    script = "import sys, service.cli; print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    loaded = set(shown.stdout.decode().split())
    assert loaded.isdisjoint({"aiohttp", "alembic", "grpc", "pydantic", "structlog", "uvloop"})


def test_config_shows_every_setting_and_its_source(tmp_path: Path) -> None:
    """An operator sees what is in effect and why, without secrets."""
    (tmp_path / "c.toml").write_text(
        '[sandbox]\napi_token = "canary-token"\n[log]\nlevel = "debug"'
    )
    shown = run("config", "--sandbox", "--config", "c.toml", folder=tmp_path)
    assert shown.returncode == 0, shown.stderr
    rows = {line.split()[0]: line.split()[1:] for line in shown.stdout.splitlines()}
    assert rows["log.level"] == ["debug", "file", "CHECKOUT_LOG_LEVEL"]
    assert rows["sandbox.api_token"] == ["********", "file", "CHECKOUT_SANDBOX_API_TOKEN"]
    assert rows["web.address"] == ["127.0.0.1:0", "environment", "CHECKOUT_WEB_ADDRESS"]
    assert rows["sandbox.enabled"] == ["true", "command", "line", "CHECKOUT_SANDBOX"]
    assert rows["store.url"] == ["sqlite:///checkout.db", "default", "CHECKOUT_STORE_URL"]
    assert "canary" not in shown.stdout


@pytest.mark.parametrize("command", ["serve", "config"])
def test_broken_configuration_is_refused_at_once(tmp_path: Path, command: str) -> None:
    """Every problem has its line, no value is shown, and nothing is made."""
    settings = {
        "CHECKOUT_GRPC_ADDRESS": "here",
        "CHECKOUT_WEB_ADRESS": "127.0.0.1:0",
        "CHECKOUT_PROVIDERS__DODO__DEFAULT__API_KEY": "canary-key",
        "CHECKOUT_PROVIDERS__DODO__DEFAULT__WEBHOOK_SECRETS": "canary secret",
        "CHECKOUT_PROVIDERS__DOODO__DEFAULT__API_KEY": "canary",
    }
    refused = run(command, folder=tmp_path, settings=settings)
    assert refused.returncode == 1
    lines = refused.stderr.splitlines()
    assert lines[0] == "Error: the configuration has problems:"
    assert [line.split()[0].rstrip(":") for line in lines[1:]] == [
        "CHECKOUT_WEB_ADRESS",
        "grpc.address",
        "providers.doodo",
        "providers.dodo.default",
    ]
    assert "canary" not in refused.stdout + refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_migrate_makes_the_store_once(tmp_path: Path) -> None:
    """Migrating twice is migrating once."""
    for _ in range(2):
        done = run("migrate", folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert re.fullmatch(r"sqlite:///checkout\.db is at revision \w+\.\n", done.stdout)
    assert (tmp_path / "checkout.db").exists()


def test_store_in_use_is_told(service: tuple[str, Path, str]) -> None:
    """A second process on one store names the first and leaves."""
    _, folder, _ = service
    for command in (["serve", "--sandbox"], ["migrate"]):
        refused = run(*command, folder=folder)
        assert refused.returncode == 1
        assert "Traceback" not in refused.stderr
        assert re.search(r"in use by the process with id \d+", refused.stderr)


@pytest.mark.parametrize("name", ["CHECKOUT_GRPC_ADDRESS", "CHECKOUT_WEB_ADDRESS"])
def test_address_in_use_is_told(tmp_path: Path, name: str) -> None:
    """An address that somebody else has is named, without a trace."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        refused = run("serve", "--sandbox", folder=tmp_path, settings=ANY_PORT | {name: address})
    assert refused.returncode == 1
    assert f"cannot listen on {address}" in refused.stderr
    assert refused.stderr.rstrip().endswith(f"set another address in {name}")
    assert "Traceback" not in refused.stderr


def test_health_of_a_running_service(service: tuple[str, Path, str], tmp_path: Path) -> None:
    """The probe finds the service by the service's own setting."""
    address, *_ = service
    shown = run(
        "health", "--timeout", "20", folder=tmp_path, settings={"CHECKOUT_GRPC_ADDRESS": address}
    )
    assert (shown.returncode, shown.stdout) == (0, f"{address}: SERVING\n")


def test_health_of_nobody(tmp_path: Path) -> None:
    """Where nobody listens, the probe fails in one line."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        failed = run(
            "health",
            "--timeout",
            "20",
            folder=tmp_path,
            settings={"CHECKOUT_GRPC_ADDRESS": address},
        )
    assert failed.returncode == 1
    assert failed.stderr.startswith(f"Error: {address}: UNAVAILABLE; ")
    assert "CHECKOUT_GRPC_ADDRESS" in failed.stderr


def test_health_of_an_address_that_cannot_be_read(tmp_path: Path) -> None:
    """The probe asks nobody else than whom it was told to: what it cannot read it refuses."""
    for arguments, settings in (
        ((), {"CHECKOUT_GRPC_ADDRESS": "here"}),
        (("--config", "none.toml"), ANY_PORT),
    ):
        refused = run("health", *arguments, folder=tmp_path, settings=settings)
        assert refused.returncode == 1
        assert refused.stderr.startswith("Error: the configuration has problems:\n")


def test_log_is_json_lines(service: tuple[str, Path, str]) -> None:
    """Off a terminal a machine can read every line of the log."""
    *_, printed = service
    lines = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    assert "service.started" in [line["event"] for line in lines]


def test_sandbox_alone_takes_its_token_only(tmp_path: Path) -> None:
    """The emulators run by themselves, and say how to use them."""
    with running("sandbox", folder=tmp_path, until="checkout serve") as (process, printed):
        exported = dict(
            re.findall(
                r"export CHECKOUT_PROVIDERS__DODO__DEFAULT__(BASE_URL|API_KEY)=(\S+)", printed
            )
        )
        assert _create_at(exported["BASE_URL"], exported["API_KEY"]) == 200
        assert _create_at(exported["BASE_URL"], "another") == 401
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def _create_at(base_url: str, token: str) -> int:
    request = urllib.request.Request(
        f"{base_url}/checkouts",
        data=b'{"product_cart":[{"product_id":"pdt_demo","quantity":1}]}',
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
