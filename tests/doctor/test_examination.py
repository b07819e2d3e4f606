"""The doctor as an operator calls it, at a real service and a real sandbox."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.sandbox.registry import EMULATIONS
from tests.doctor.reports import contents
from tests.processes import ANY_PORT, run, running
from tests.test_standalone import free_port

pytestmark = pytest.mark.slow

API_KEY = "CHECKOUT_PROVIDERS__DODO__DEFAULT__API_KEY"
SECRETS = "CHECKOUT_PROVIDERS__DODO__DEFAULT__WEBHOOK_SECRETS"


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The settings that make a service use every provider of a sandbox in a process of its own."""
    folder = tmp_path_factory.mktemp("sandbox")
    with running("sandbox", folder=folder, until="checkout serve") as (_, printed):
        exported = dict(re.findall(r"export (\w+)=(\S+)", printed))
        assert {name.split("__")[1].lower() for name in exported} == EMULATIONS.keys()
        yield exported


def lines(printed: str) -> list[tuple[str, str]]:
    """Return level and subject of every line."""
    return [
        (found[1], found[2]) for found in re.finditer(r"^(\w+) +(.+?)  +\S", printed, re.MULTILINE)
    ]


def account_lines(provider: str) -> list[tuple[str, str]]:
    """Return the lines of an account where all is well."""
    subjects = ("provider", "clock against", "webhooks of")
    return [("OK", f"{subject} {provider}/default") for subject in subjects]


def test_healthy_service_has_nothing_to_mend(emulated: dict[str, str], tmp_path: Path) -> None:
    """Every check is fine with every provider while the service runs, which goes on undisturbed."""
    web = f"127.0.0.1:{free_port()}"
    settings = emulated | {
        "CHECKOUT_GRPC_ADDRESS": f"127.0.0.1:{free_port()}",
        "CHECKOUT_WEB_ADDRESS": web,
        "CHECKOUT_WEB_PUBLIC_URL": f"http://{web}",
    }
    with running("serve", folder=tmp_path, until="service.started", settings=settings) as (
        process,
        _,
    ):
        before = contents(tmp_path)
        shown = run("doctor", folder=tmp_path, settings=settings)
        after = contents(tmp_path)
        assert process.poll() is None
    assert (shown.returncode, shown.stderr) == (0, ""), shown.stdout
    assert lines(shown.stdout) == [
        ("OK", "configuration"),
        *(line for provider in EMULATIONS for line in account_lines(provider)),
        ("OK", "store"),
        ("OK", "store's disk"),
        ("OK", "gRPC address"),
        ("OK", "web address"),
        ("OK", "public URL"),
    ]
    assert f"in use by the process with id {process.pid}" in shown.stdout
    assert "our service answers SERVING" in shown.stdout
    assert not any(secret in shown.stdout for secret in secrets(settings))
    # The service itself goes on writing to the log and its index.
    assert set(after) == set(before)
    assert after["checkout.db"] == before["checkout.db"]


def secrets(settings: dict[str, str]) -> list[str]:
    """Return every key and secret of some settings."""
    return [
        value for name, value in settings.items() if name.endswith(("API_KEY", "WEBHOOK_SECRETS"))
    ]


def test_wrong_keys_are_told(emulated: dict[str, str], tmp_path: Path) -> None:
    """A key that a provider refuses is named with its setting, and the command fails."""
    wrong = {name: "canary-key" for name in emulated if name.endswith("__API_KEY")}
    shown = run("doctor", folder=tmp_path, settings=ANY_PORT | emulated | wrong)
    assert shown.returncode == 1
    refused = re.findall(
        r"^FAIL +provider (\w+)/default +refuses the key \(401\)", shown.stdout, re.MULTILINE
    )
    assert refused == [name for name in EMULATIONS if name != "clover"]
    # Clover documents no request that needs the key and changes nothing.
    assert re.search(r"^OK +provider clover/default +is reached", shown.stdout, re.MULTILINE)
    assert "canary" not in shown.stdout + shown.stderr
    assert list(tmp_path.iterdir()) == []


def test_sandbox_needs_no_account(tmp_path: Path) -> None:
    """With the sandbox inside the service there is no provider to ask."""
    shown = run("doctor", "--sandbox", folder=tmp_path)
    assert shown.returncode == 0, shown.stdout
    assert {level for level, _ in lines(shown.stdout)} == {"OK"}


def test_broken_secrets_are_told_and_not_sent(tmp_path: Path) -> None:
    """Every problem of the configuration has its line, and an account with one is not tried."""
    settings = ANY_PORT | {API_KEY: "canary\u00e9", SECRETS: "canary secret"}
    shown = run("doctor", folder=tmp_path, settings=settings)
    assert shown.returncode == 1
    assert [subject for level, subject in lines(shown.stdout) if level == "FAIL"] == [
        "configuration",
        "configuration",
    ]
    assert "provider dodo/default" not in shown.stdout
    assert "canary" not in shown.stdout + shown.stderr


def test_unreadable_configuration_ends_the_examination(tmp_path: Path) -> None:
    """Where a value was refused, its default is nobody's wish, and no place to look at."""
    settings = ANY_PORT | {API_KEY: "canary-key", "CHECKOUT_GRPC_ADDRESS": "here"}
    shown = run("doctor", folder=tmp_path, settings=settings)
    assert shown.returncode == 1
    assert lines(shown.stdout) == [("FAIL", "configuration"), ("WARN", "the rest")]
