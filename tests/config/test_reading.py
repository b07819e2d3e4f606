"""Reading settings: which source wins, and how every problem is told at once."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from service.config import Problem, Reading, Settings, SettingsInvalidError, read, service_problems
from service.config.environment import Document, put
from service.config.names import Setting, account_table, settings_table


def no_rules(_settings: Settings) -> list[Problem]:
    """Check nothing but the values themselves."""
    return []


def every_setting() -> list[Setting]:
    """List the settings of the service and of one account."""
    return [*settings_table(), *account_table("dodo", "default")]


def from_text(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> Reading:
    """Read a file with some text beside an environment."""
    file = folder / "checkout.toml"
    file.write_text(text, "utf-8")
    return read(file=file, environ=environ or {})


def test_defaults_are_the_stable_names_of_operators() -> None:
    """Without any setting the documented addresses and store are used."""
    settings = read(environ={}).valid(no_rules)
    assert str(settings.grpc.address) == "127.0.0.1:50051"
    assert str(settings.web.address) == "127.0.0.1:8080"
    assert settings.store.url == "sqlite:///checkout.db"
    assert settings.sandbox.enabled is False
    assert settings.providers == {}


def test_stable_environment_names_are_read() -> None:
    """The names that operators are promised work exactly so."""
    settings = read(
        environ={
            "CHECKOUT_GRPC_ADDRESS": "127.0.0.1:1",
            "CHECKOUT_WEB_ADDRESS": "127.0.0.1:2",
            "CHECKOUT_STORE_URL": "sqlite:////data/a.db",
            "CHECKOUT_SANDBOX": "true",
            "CHECKOUT_DRAIN_TIMEOUT": "3s",
        }
    ).valid(no_rules)
    assert (settings.grpc.address.port, settings.web.address.port) == (1, 2)
    assert settings.store.url == "sqlite:////data/a.db"
    assert settings.sandbox.enabled is True
    assert settings.drain_timeout == timedelta(seconds=3)


def test_command_line_wins_over_environment_and_that_over_file(tmp_path: Path) -> None:
    """Sources are merged key by key, the nearest to the operator first."""
    file = tmp_path / "checkout.toml"
    file.write_text('[grpc]\naddress = "h:1"\n[web]\naddress = "h:1"\n[log]\nlevel = "debug"\n')
    reading = read(
        file=file,
        environ={"CHECKOUT_GRPC_ADDRESS": "h:2", "CHECKOUT_WEB_ADDRESS": "h:2"},
        overrides={"web": {"address": "h:3"}},
    )
    settings = reading.valid(no_rules)
    assert (settings.grpc.address.port, settings.web.address.port) == (2, 3)
    assert settings.log.level == "debug"
    sources = {setting.key: source for setting, _, source in reading.effective({})}
    assert sources["grpc.address"] == "environment"
    assert sources["web.address"] == "command line"
    assert sources["log.level"] == "file"
    assert sources["log.format"] == "default"


def test_file_is_found_by_the_environment(tmp_path: Path) -> None:
    """CHECKOUT_CONFIG names the file, and --config another one."""
    (tmp_path / "a.toml").write_text("drain_timeout = '1s'")
    (tmp_path / "b.toml").write_text("drain_timeout = '2s'")
    environ = {"CHECKOUT_CONFIG": str(tmp_path / "a.toml")}
    assert read(environ=environ).settings.drain_timeout == timedelta(seconds=1)
    other = read(environ=environ, file=tmp_path / "b.toml")
    assert other.settings.drain_timeout == timedelta(seconds=2)


def test_account_is_read_from_the_environment() -> None:
    """Everything of an account can be set without a file."""
    prefix = "CHECKOUT_PROVIDERS__DODO__SECOND_SHOP__"
    settings = read(
        environ={
            f"{prefix}API_KEY_FILE": "/run/secrets/key",
            f"{prefix}WEBHOOK_SECRETS": "one,two",
            f"{prefix}PAYMENT_GRACE": "90s",
            f"{prefix}LIVE": "true",
        }
    ).valid(no_rules)
    account = settings.providers["dodo"]["second_shop"]
    assert account.api_key_file == Path("/run/secrets/key")
    assert [secret.get_secret_value() for secret in account.webhook_secrets] == ["one", "two"]
    assert account.payment_grace == timedelta(seconds=90)
    assert account.live is True


def test_empty_variable_is_no_setting() -> None:
    """Composition tools set what they have no value for to nothing."""
    assert read(environ={"CHECKOUT_STORE_URL": "", "CHECKOUT_CONFIG": ""}).problems(no_rules) == ()


@pytest.mark.parametrize(
    "name",
    [
        "CHECKOUT_SERVICE_HOST",
        "CHECKOUT_SERVICE_PORT_GRPC",
        "CHECKOUT_PORT",
        "CHECKOUT_PORT_50051_TCP_ADDR",
        "CHECKOUT_GRPC_SERVICE_HOST",
        "CHECKOUT_GRPC_PORT_50051_TCP",
    ],
)
def test_variables_of_a_kubernetes_service_are_ignored(name: str) -> None:
    """A Service called checkout does not keep its own pods from starting."""
    assert read(environ={name: "tcp://10.0.0.1:50051"}).problems(no_rules) == ()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("CHECKOUT_GRPC_ADRESS", "did you mean CHECKOUT_GRPC_ADDRESS?"),
        ("CHECKOUT_GRPC__ADDRESS", "did you mean CHECKOUT_GRPC_ADDRESS?"),
        ("CHECKOUT_SANDBOX_ENABLED", "did you mean CHECKOUT_SANDBOX"),
        ("CHECKOUT_ZZZ", "checkout config"),
        ("CHECKOUT_PROVIDERS__DODO__API_KEY", "CHECKOUT_PROVIDERS__<PROVIDER>__<ACCOUNT>__"),
    ],
)
def test_unknown_variable_is_refused_with_a_hint(name: str, hint: str) -> None:
    """A slip in a name is told, not ignored."""
    (problem,) = read(environ={name: "x"}).problems(no_rules)
    assert problem.startswith(f"{name} (environment): unknown name")
    assert hint in problem


@pytest.mark.parametrize(
    ("text", "start", "hint"),
    [
        ("[grpc]\nadress = 'x'", "grpc.adress (file): unknown key", "did you mean grpc.address?"),
        ("[gprc]\naddress = 'x'", "gprc (file): unknown key", "did you mean grpc?"),
        ("[providers.dodo.d]\nkey = 5", "providers.dodo.d.key (CHECKOUT_", "not text"),
        ("[providers.dodo]\napi_key = 'x'", "providers.dodo.api_key", "[providers.dodo.default]"),
        ("[providers.Dodo.default]\n", "providers.Dodo", "lower-case letters"),
        ("[web]\naddress = 8080", "web.address (CHECKOUT_WEB_ADDRESS)", "host:port"),
        ("web = 5", "web", "not a table"),
        ("[log]\nlevel = 'loud'", "log.level (CHECKOUT_LOG_LEVEL)", "'debug', 'info'"),
        ("drain_timeout = '2h'", "drain_timeout (CHECKOUT_DRAIN_TIMEOUT)", "must be 0s to 10m"),
        ("[sandbox]\nenabled = 'maybe'", "sandbox.enabled (CHECKOUT_SANDBOX)", "true or false"),
        ("not toml", "", "not TOML"),
    ],
)
def test_wrong_file_is_told_by_key(tmp_path: Path, text: str, start: str, hint: str) -> None:
    """Each problem begins with the key it is about and says how to mend it."""
    (problem,) = from_text(tmp_path, text).problems(no_rules)
    assert problem.startswith(start)
    assert hint in problem


def test_missing_file_is_told(tmp_path: Path) -> None:
    """A file that was asked for must be there."""
    (problem,) = read(file=tmp_path / "none.toml", environ={}).problems(no_rules)
    assert "none.toml: cannot be read (No such file or directory)" in problem


def test_every_problem_is_listed_at_once(tmp_path: Path) -> None:
    """Unknown names, unreadable values and broken rules come in one list, one line each."""
    reading = from_text(
        tmp_path,
        """
        drain_timeout = "soon"
        [grpc]
        address = "here"
        colour = "red"
        [providers.dodo.default]
        timeout = "1ms"
        [providers.other.default]
        api_key = "k"
        """,
        {"CHECKOUT_WEB_ADDRESS": "there", "CHECKOUT_WEB_COLOUR": "blue"},
    )
    with pytest.raises(SettingsInvalidError) as caught:
        reading.valid(lambda settings: service_problems(settings, {"dodo"}))
    assert [problem.split(" ")[0].rstrip(":") for problem in caught.value.problems] == [
        "CHECKOUT_WEB_COLOUR",
        "drain_timeout",
        "grpc.address",
        "grpc.colour",
        "web.address",
        "providers.dodo.default.timeout",
        "providers.dodo.default.api_key_file",
        "providers.other",
    ]
    assert not any("\n" in problem for problem in caught.value.problems)


def test_refused_value_breaks_no_further_rule(tmp_path: Path) -> None:
    """What follows from a refused value alone is not told as a second problem."""
    reading = from_text(tmp_path, "[providers.dodo]\napi_key = 'x'")
    problems = reading.problems(lambda settings: service_problems(settings, {"dodo"}))
    assert [problem.partition(":")[0] for problem in problems] == ["providers.dodo.api_key"]


def test_no_secret_is_ever_shown(tmp_path: Path) -> None:
    """Neither problems nor effective values nor settings show what a secret is."""
    reading = from_text(
        tmp_path,
        """
        [sandbox]
        api_token = "canary1"
        webhook_secret = "canary2"
        [providers.dodo.default]
        api_key = "canary3"
        api_key_file = "/nowhere"
        webhook_secrets = ["canary4", "canary5", "canary6"]
        base_url = "https://canary7:canary8@example.com"
        secret = "canary9"
        [providers.dodo]
        api_key = "canary0"
        """,
        {
            "CHECKOUT_PROVIDERS__DODO__A__API_KEY": "canaryA",
            "CHECKOUT_PROVIDERS__DODO__API_KEY": "canaryB",
            "CHECKOUT_SANDBOX_TOKEN": "canaryC",
        },
    )
    problems = reading.problems(lambda settings: service_problems(settings, {"dodo"}))
    shown = f"{problems} {reading.effective({})} {reading.settings!r} {reading.settings}"
    assert "canary" not in shown
    assert "********" in shown


@pytest.mark.parametrize("setting", every_setting(), ids=lambda setting: setting.key)
@pytest.mark.parametrize(
    "value", [-7, 1.5, True, "canary", ["canary", 5], {"canary": "canary"}], ids=str
)
def test_value_of_any_type_is_taken_or_told(setting: Setting, value: object) -> None:
    """Whatever stands in a file, it leads to settings or to one line, and never to a trace."""
    document: Document = {}
    put(document, setting.path, value)
    reading = read(environ={}, overrides=document)
    told = reading.problems(no_rules)
    assert all(line.startswith(setting.key) for line in told)
    assert len(told) <= 1 or isinstance(value, dict)
