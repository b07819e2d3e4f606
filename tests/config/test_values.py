"""The types of settings: what they read, and what they refuse."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from service.config.values import (
    ListenAddress,
    check_public_url,
    check_store_url,
    check_url,
    check_webhook_secret,
    format_duration,
    parse_address,
    parse_duration,
    parse_list,
)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:50051", "127.0.0.1", 50051),
        ("localhost:0", "localhost", 0),
        ("[::1]:8", "::1", 8),
    ],
)
def test_address_is_read_and_written(text: str, host: str, port: int) -> None:
    """An address reads back as it was written."""
    address = parse_address(text)
    assert address == ListenAddress(host, port)
    assert str(address) == text


@pytest.mark.parametrize(
    "text", ["", "localhost", "50051", ":50051", "::1:50051", "a:b", "a:65536", "a:-1", "a:٣"]
)
def test_address_without_host_or_port_is_refused(text: str) -> None:
    """Half an address is refused, with an example of a whole one."""
    with pytest.raises(ValueError, match="write for example"):
        parse_address(text)


@pytest.mark.parametrize(
    ("host", "is_loopback", "reachable"),
    [
        ("127.0.0.1", True, "127.0.0.1"),
        ("127.8.8.8", True, "127.8.8.8"),
        ("::1", True, "::1"),
        ("localhost", True, "localhost"),
        ("0.0.0.0", False, "127.0.0.1"),
        ("::", False, "::1"),
        ("10.0.0.1", False, "10.0.0.1"),
        ("example.com", False, "example.com"),
    ],
)
def test_address_knows_who_reaches_it(host: str, is_loopback: bool, reachable: str) -> None:
    """Only loopback addresses are private, and a wildcard is reached by loopback."""
    address = ListenAddress(host, 1)
    assert address.is_loopback is is_loopback
    assert address.reachable == ListenAddress(reachable, 1)


@given(st.integers(min_value=0, max_value=10**9), st.sampled_from(["ms", "s", "m", "h", "d"]))
def test_duration_survives_being_written(count: int, unit: str) -> None:
    """A duration reads back from how it is shown."""
    try:
        duration = parse_duration(f"{count}{unit}")
    except OverflowError:
        return
    assert isinstance(duration, timedelta)
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize("value", ["", "5", 7, 1.5, "-5s", "5 s", "s", "1.5s", "5w"])
def test_duration_without_number_or_unit_is_refused(value: object) -> None:
    """A bare number could mean anything, so it is refused."""
    with pytest.raises(ValueError, match="as in 30s"):
        parse_duration(value)


def test_list_is_split_at_commas() -> None:
    """The one text of a variable holds several values."""
    assert parse_list("a, b,") == ["a", "b"]
    assert parse_list(["a,b"]) == ["a,b"]


@pytest.mark.parametrize(
    "url", ["example.com", "ftp://a", "https://", "https://u:p@a", "https://a?b", "https://a#b"]
)
def test_url_that_cannot_be_extended_is_refused(url: str) -> None:
    """A base URL has a scheme and a host and ends with its path."""
    with pytest.raises(ValueError, match="URL"):
        check_url(url)


def test_url_loses_its_closing_slash() -> None:
    """Paths are added to a base URL with a slash of their own."""
    assert check_url("http://localhost:8080/a/") == "http://localhost:8080/a"


@pytest.mark.parametrize(
    "url", ["", "sqlite:///", "sqlite://a", "mysql://u@h/d", "sqlite:///:memory:", "a.db"]
)
def test_store_that_is_no_file_is_refused(url: str) -> None:
    """What is no SQLite file and no PostgreSQL database is refused."""
    with pytest.raises(ValueError, match=r"sqlite:///relative/path\.db|must name a database file"):
        check_store_url(url)


def test_store_on_a_server_is_taken() -> None:
    """A PostgreSQL database can be named, but not with its password."""
    assert check_store_url("postgresql://u@h/d?pooled=true") == "postgresql://u@h/d?pooled=true"
    with pytest.raises(ValueError, match="no password"):
        check_store_url("postgresql://u:p@h/d")


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_!", "A" * 32])
def test_webhook_secret_of_another_form_is_refused(secret: str) -> None:
    """A secret that no verifier takes is refused without being shown."""
    with pytest.raises(ValueError, match="24 to 64 bytes in base64"):
        check_webhook_secret(SecretStr(secret))


def test_webhook_secret_is_kept() -> None:
    """A secret of the right form is taken as it is."""
    secret = SecretStr("whsec_" + "A" * 32)
    assert check_webhook_secret(secret) is secret


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://pay.example.com", "https://pay.example.com"),
        ("https://pay.example.com/", "https://pay.example.com"),
        ("https://example.com:8443/pay/v1", "https://example.com:8443/pay/v1"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://pay.localhost", "http://pay.localhost"),
    ],
)
def test_public_url_is_taken(text: str, url: str) -> None:
    """An https origin, with or without a path, or one of this machine."""
    assert check_public_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pay.example.com",
        "ftp://example.com",
        "https://",
        "https://a@example.com",
        "https://example.com?a=b",
        "https://example.com/#a",
        "https://example.com//a",
        "https://example.com/a b",
        "https://example.com\n",
        "https://example.com:0",
        "https://example.com:65536",
        "https://example.com:٣",
        "https://exämple.com",
        "http://example.com",
        "http://localhost.example.com",
        "http://10.0.0.1",
    ],
)
def test_public_url_nobody_should_be_sent_to_is_refused(text: str) -> None:
    """Half a URL, one with more than a path, and one that others can listen to are refused."""
    with pytest.raises(ValueError, match=r"write for example|need an https URL"):
        check_public_url(text)
