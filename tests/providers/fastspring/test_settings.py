"""What an operator sets for FastSpring alone."""

import base64

import pytest

from service.providers.fastspring.settings import FastspringSettings, settings_problems

GOOD = {"username": "U1", "store": "my-store", "checkout": "web-main"}


def test_good_settings_have_no_problems() -> None:
    """And make the path with a real slash between its halves."""
    assert list(settings_problems(GOOD)) == []
    path = FastspringSettings.of(GOOD).sessions_path
    assert path == "/v2/checkouts/my-store/web-main/sessions"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("username", ""),
        ("username", "a:b"),
        ("username", "a\nb"),
        ("store", ""),
        ("store", "my-store/web-main"),
        ("checkout", "web main"),
        ("checkout", ""),
    ],
)
def test_each_problem_names_its_setting(name: str, value: str) -> None:
    """A path in one setting, and a user name that Basic authentication cannot carry, are told."""
    (problem,) = settings_problems(GOOD | {name: value})
    assert problem.startswith(f"{name}:")


def test_everything_missing_is_told_at_once() -> None:
    """One problem for each setting."""
    assert len(list(settings_problems({}))) == len(GOOD)


def test_credentials_go_as_basic_authentication() -> None:
    """User name and password in any alphabet, and the header FastSpring insists on."""
    headers = FastspringSettings.of(GOOD | {"username": "Ü"}).headers("pässwörd")
    scheme, _, encoded = headers["Authorization"].partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(encoded).decode() == "Ü:pässwörd"
    assert headers["User-Agent"]
