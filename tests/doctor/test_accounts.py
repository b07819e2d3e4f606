"""What the doctor says of provider accounts."""

import socket
import time
from pathlib import Path

import pytest

from service.doctor import examination
from service.doctor.findings import Level
from tests.doctor.provider import Words, answering
from tests.doctor.reports import ACCOUNT, KEY, SECRET, report

PROVIDER = "provider dodo/default"
CLOCK = "clock against dodo/default"
WEBHOOKS = "webhooks of dodo/default"


@pytest.mark.parametrize(
    ("status", "body", "level", "said"),
    [
        (200, b'{"items":[]}', Level.OK, "takes the key, test mode"),
        (200, b"<html>welcome to the network</html>", Level.FAIL, "correct the account's base_url"),
        (301, b"", Level.FAIL, "correct the account's base_url"),
        (401, b'{"message":"key canary"}', Level.FAIL, "refuses the key (401); set api_key_file"),
        (403, b"", Level.FAIL, "refuses the key (403)"),
        (404, b"", Level.FAIL, "no answer of this provider (404)"),
        (429, b"", Level.WARN, "the key was not tried"),
        (503, b"", Level.FAIL, "is out of order (503)"),
    ],
)
def test_answer_is_judged(
    tmp_path: Path, status: int, body: bytes, level: Level, said: str
) -> None:
    """Each answer has its meaning, after one harmless request with the key."""
    with answering(Words(status=status, body=body, now=time.time())) as (url, seen):
        finding = report(tmp_path, **{f"{ACCOUNT}BASE_URL": url})[PROVIDER]
    assert seen == [f"GET /payments?page_size=1 Bearer {KEY}"]
    assert finding.level is level
    assert said in finding.text


@pytest.mark.parametrize(
    ("ahead", "level", "said"),
    [
        (0, Level.OK, "agrees within 5 s"),
        (20, Level.WARN, "20 s behind; synchronise it"),
        (-20, Level.WARN, "20 s ahead; synchronise it"),
        (90, Level.FAIL, "90 s behind"),
        (-3600, Level.FAIL, "3600 s ahead"),
    ],
)
def test_clock_is_compared(tmp_path: Path, ahead: float, level: Level, said: str) -> None:
    """A clock that is wrong by seconds is doubtful, by a minute broken."""
    with answering(Words(ahead=ahead, now=time.time())) as (url, _):
        finding = report(tmp_path, **{f"{ACCOUNT}BASE_URL": url})[CLOCK]
    assert finding.level is level
    seconds = [word for word in finding.text.split() if word.isdigit()]
    if level is not Level.OK:
        assert abs(int(seconds[0]) - abs(ahead)) <= 2
        said = said.split(maxsplit=1)[1]
    assert said in finding.text


def test_unreachable_provider_is_told(tmp_path: Path) -> None:
    """Where nobody listens, the line says so, and the rest is looked at all the same."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        found = report(tmp_path, **{f"{ACCOUNT}BASE_URL": url})
    assert found[PROVIDER].level is Level.FAIL
    assert "cannot be reached: the connection is refused" in found[PROVIDER].text
    assert CLOCK not in found
    assert found[WEBHOOKS].level is found["store"].level is Level.OK


def test_name_without_address_is_told(tmp_path: Path) -> None:
    """A host that DNS does not know is named as the cause."""
    found = report(tmp_path, **{f"{ACCOUNT}BASE_URL": "https://nobody.invalid"})
    assert "its name is not known to DNS" in found[PROVIDER].text


def test_missing_encryption_is_told(tmp_path: Path) -> None:
    """A server that does not speak TLS is named as the cause."""
    with answering(Words(now=time.time())) as (url, seen):
        encrypted = url.replace("http:", "https:")
        found = report(tmp_path, **{f"{ACCOUNT}BASE_URL": encrypted})
    assert "TLS" in found[PROVIDER].text
    assert seen == []


def test_unknown_certificate_is_told(tmp_path: Path) -> None:
    """A certificate of nobody is named as the cause, before the key is sent."""
    with answering(Words(now=time.time()), encrypted=True) as (url, seen):
        found = report(tmp_path, **{f"{ACCOUNT}BASE_URL": url})
    assert "its certificate is refused (self" in found[PROVIDER].text
    assert seen == []


def test_impossible_name_is_told(tmp_path: Path) -> None:
    """A name that no host can have is told like any other mistake."""
    found = report(tmp_path, **{f"{ACCOUNT}BASE_URL": f"https://{'a' * 64}.example"})
    assert "its address is none that can be" in found[PROVIDER].text


@pytest.mark.slow
def test_silence_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that takes the connection and says nothing ends its own check alone."""
    monkeypatch.setattr(examination, "LIMIT", 3.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        found = report(tmp_path, **{f"{ACCOUNT}BASE_URL": url})
    assert found[PROVIDER].level is Level.FAIL
    assert "no answer within" in found[PROVIDER].text
    assert found["store"].level is Level.OK


@pytest.mark.parametrize(
    ("secrets", "said"),
    [
        (SECRET, "1 usable secret for /webhooks/dodo/default, taken as whsec_ and base64"),
        (f"{SECRET},{'0a' * 24}", "taken as whsec_ and base64 and as hexadecimal"),
    ],
)
def test_encoding_of_webhook_secrets_is_named(secrets: str, said: str, tmp_path: Path) -> None:
    """What a secret was taken for is told, never the secret."""
    finding = report(tmp_path, **{f"{ACCOUNT}WEBHOOK_SECRETS": secrets})[WEBHOOKS]
    assert finding.level is Level.OK
    assert finding.text.endswith(said)
    assert secrets not in finding.text


def test_missing_webhook_secret_is_doubtful(tmp_path: Path) -> None:
    """An account works without webhooks, only worse."""
    finding = report(tmp_path, **{f"{ACCOUNT}WEBHOOK_SECRETS": ""})[WEBHOOKS]
    assert finding.level is Level.WARN
    assert "/webhooks/dodo/default refuses every webhook" in finding.text


def test_missing_webhook_secret_of_who_cannot_be_asked_is_told(tmp_path: Path) -> None:
    """Without webhooks, payments are noticed where sessions can be read or payments listed, else never."""
    common = {"BASE_URL": "http://127.0.0.1:1", "API_KEY": "k", "CURRENCY": "USD"}
    at_square = common | {"LOCATION_ID": "L1"}
    for provider, own, level, said in (
        ("square", at_square | {"CALL": "links"}, Level.WARN, "noticed minutes late"),
        ("square", at_square | {"CALL": "checkouts"}, Level.WARN, "noticed minutes late"),
        ("clover", common | {"MERCHANT_ID": "M1"}, Level.FAIL, "no payment is ever noticed"),
    ):
        account = f"CHECKOUT_PROVIDERS__{provider.upper()}__DEFAULT__"
        settings = {f"{account}{name}": value for name, value in own.items()}
        found = report(tmp_path, **settings)[f"webhooks of {provider}/default"]
        assert found.level is level
        assert said in found.text
        assert "; set webhook_secret_files" in found.text


@pytest.mark.parametrize(
    ("status", "level", "said"),
    [
        (404, Level.OK, "is reached, test mode"),
        (401, Level.OK, "the key is tried by the first session"),
        (503, Level.FAIL, "is out of order (503)"),
    ],
)
def test_provider_without_a_harmless_request_is_reached(
    tmp_path: Path, status: int, level: Level, said: str
) -> None:
    """Where nothing can try the key it is not sent, and any answer shows the way and the clock."""
    clover = "CHECKOUT_PROVIDERS__CLOVER__DEFAULT__"
    with answering(Words(status=status, body=b"", now=time.time())) as (url, seen):
        own = {"BASE_URL": url, "API_KEY": KEY, "MERCHANT_ID": "M1", "CURRENCY": "USD"}
        found = report(tmp_path, **{f"{clover}{name}": value for name, value in own.items()})
    assert seen == ["GET / None"]
    assert found["provider clover/default"].level is level
    assert said in found["provider clover/default"].text
    assert found["clock against clover/default"].level is Level.OK
