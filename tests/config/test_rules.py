"""What settings must be together."""

from pathlib import Path

import pytest

from service.config import Settings, read, sandbox_problems, service_problems

KNOWN = {"dodo"}
ACCOUNT = "CHECKOUT_PROVIDERS__DODO__DEFAULT__"


def problems(environ: dict[str, str]) -> list[str]:
    """List what keeps the service from starting in an environment."""
    settings: Settings = read(environ=environ).valid(lambda _: ())
    return [str(problem) for problem in service_problems(settings, KNOWN)]


def test_account_with_a_key_is_enough() -> None:
    """One setting makes a service for one account."""
    assert problems({f"{ACCOUNT}API_KEY": "key"}) == []


def test_sandbox_is_enough() -> None:
    """The sandbox needs no further setting."""
    assert problems({"CHECKOUT_SANDBOX": "true"}) == []


def test_nothing_to_create_sessions_at_is_refused() -> None:
    """The refusal names both ways out."""
    (problem,) = problems({})
    assert f"{ACCOUNT}API_KEY_FILE" in problem
    assert "checkout serve --sandbox" in problem


def test_account_beside_the_sandbox_is_refused() -> None:
    """Real and pretended payments never meet in one process."""
    (problem,) = problems({"CHECKOUT_SANDBOX": "1", f"{ACCOUNT}API_KEY": "key"})
    assert problem.startswith("providers.dodo.default: this account stands beside the sandbox")


@pytest.mark.parametrize("name", ["CHECKOUT_GRPC_ADDRESS", "CHECKOUT_WEB_ADDRESS"])
def test_sandbox_in_public_must_be_allowed(name: str) -> None:
    """Whoever reaches the sandbox ends sessions as paid, so that is never by accident."""
    public = {"CHECKOUT_SANDBOX": "true", name: "0.0.0.0:1"}
    (problem,) = problems(public)
    assert name in problem
    assert "CHECKOUT_SANDBOX_ALLOW_PUBLIC_ADDRESS" in problem
    assert problems(public | {"CHECKOUT_SANDBOX_ALLOW_PUBLIC_ADDRESS": "true"}) == []


def test_sandbox_alone_in_public_must_be_allowed() -> None:
    """The same holds for its own address."""
    settings = read(environ={"CHECKOUT_SANDBOX_ADDRESS": "[::]:1"}).settings
    (problem,) = sandbox_problems(settings)
    assert str(problem).startswith("sandbox.address (CHECKOUT_SANDBOX_ADDRESS)")


def test_public_service_without_sandbox_is_fine() -> None:
    """Only the sandbox minds who reaches it."""
    assert problems({"CHECKOUT_GRPC_ADDRESS": "0.0.0.0:1", f"{ACCOUNT}API_KEY": "key"}) == []


def test_two_ports_at_one_address_are_refused() -> None:
    """The two servers do not share a port, unless the system picks both."""
    one = {"CHECKOUT_GRPC_ADDRESS": "h:7", "CHECKOUT_WEB_ADDRESS": "h:7", f"{ACCOUNT}API_KEY": "k"}
    (problem,) = problems(one)
    assert "choose another port" in problem
    any_port = {"CHECKOUT_GRPC_ADDRESS": "h:0", "CHECKOUT_WEB_ADDRESS": "h:0"}
    assert problems(one | any_port) == []


def test_several_workers_need_a_server() -> None:
    """A SQLite file is one process's, so the refusal says what to change."""
    workers = {"CHECKOUT_WORKERS": "2", f"{ACCOUNT}API_KEY": "key"}
    (problem,) = problems(workers)
    assert problem.startswith("workers (CHECKOUT_WORKERS): 2 processes cannot share a SQLite file")
    assert "CHECKOUT_STORE_URL" in problem
    assert problems(workers | {"CHECKOUT_STORE_URL": "postgresql://host/name"}) == []


def test_several_workers_have_no_sandbox_inside() -> None:
    """The emulators' sessions are one process's, and the refusal says how to run them beside."""
    settings = {"CHECKOUT_WORKERS": "2", "CHECKOUT_STORE_URL": "postgresql://host/name"}
    (problem,) = problems(settings | {"CHECKOUT_SANDBOX": "true"})
    assert problem.startswith("workers (CHECKOUT_WORKERS): the sandbox")
    assert "checkout sandbox" in problem


@pytest.mark.parametrize("number", ["0", "65", "two"])
def test_workers_are_a_number_of_processes(number: str) -> None:
    """No worker at all, more than a machine has use for, and words are refused."""
    (problem,) = read(environ={"CHECKOUT_WORKERS": number}).problems(lambda _: ())
    assert problem.startswith("workers (CHECKOUT_WORKERS)")


def test_unknown_provider_is_refused() -> None:
    """The refusal lists the providers there are."""
    (problem,) = problems({"CHECKOUT_PROVIDERS__DODDO__DEFAULT__API_KEY": "key"})
    assert problem == "providers.doddo: unknown provider; known are: dodo"


def test_account_needs_exactly_one_key(tmp_path: Path) -> None:
    """No key and two keys are both told."""
    file = tmp_path / "key"
    file.write_text("key")
    (missing,) = problems({f"{ACCOUNT}LIVE": "true"})
    assert missing.startswith("providers.dodo.default.api_key_file")
    (double,) = problems({f"{ACCOUNT}API_KEY": "key", f"{ACCOUNT}API_KEY_FILE": str(file)})
    assert "keep one" in double
    assert problems({f"{ACCOUNT}API_KEY_FILE": str(file)}) == []


def test_secret_files_must_hold_something(tmp_path: Path) -> None:
    """A file that is missing or empty is told before the first call needs it."""
    empty = tmp_path / "empty"
    empty.write_text("\n")
    absent = tmp_path / "absent"
    found = problems(
        {f"{ACCOUNT}API_KEY_FILE": str(absent), f"{ACCOUNT}WEBHOOK_SECRET_FILES": str(empty)}
    )
    assert f"cannot read {absent} (No such file or directory)" in found[0]
    assert f"{empty} is empty" in found[1]


def test_at_most_two_webhook_secrets(tmp_path: Path) -> None:
    """Values and files count together."""
    file = tmp_path / "secret"
    file.write_text("c")
    (problem,) = problems(
        {
            f"{ACCOUNT}API_KEY": "key",
            f"{ACCOUNT}WEBHOOK_SECRETS": "a,b",
            f"{ACCOUNT}WEBHOOK_SECRET_FILES": str(file),
        }
    )
    assert "keep at most two" in problem


def test_live_account_is_never_spoken_to_in_the_clear() -> None:
    """A live key goes over https alone."""
    clear = {f"{ACCOUNT}API_KEY": "key", f"{ACCOUNT}BASE_URL": "http://example.com"}
    assert problems(clear) == []
    (problem,) = problems(clear | {f"{ACCOUNT}LIVE": "true"})
    assert "use an https URL" in problem
