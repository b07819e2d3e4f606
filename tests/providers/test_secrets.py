"""Secrets from values and files."""

from pathlib import Path

import pytest

from service.providers.secrets import Secret, SecretUnreadableError
from service.providers.settings import AccountSettings


def test_a_value_is_returned_and_never_shown() -> None:
    """The value comes out of current() and out of nothing else."""
    secret = Secret(value=" canary \n")
    assert secret.current() == secret.reread() == "canary"
    settings = AccountSettings(provider="dodo", live=False, api_key=secret)
    assert "canary" not in f"{secret!r} {secret} {settings!r}"


def test_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    """A new content is found at the next use."""
    file = tmp_path / "key"
    file.write_text("one\n")
    secret = Secret(file=file)
    assert secret.current() == "one"
    file.write_text("other\n")
    assert secret.current() == "other"


def test_a_replaced_file_is_read_again(tmp_path: Path) -> None:
    """A file moved over the old one, as orchestrators do, is found too."""
    file, new = tmp_path / "key", tmp_path / "new"
    file.write_text("one")
    secret = Secret(file=file)
    assert secret.current() == "one"
    new.write_text("two")
    new.replace(file)
    assert secret.current() == "two"


@pytest.mark.parametrize("content", ["", "\n", None])
def test_a_secret_outlives_its_file(tmp_path: Path, content: str | None) -> None:
    """While a file is gone or empty, the last known secret holds."""
    file = tmp_path / "key"
    file.write_text("one")
    secret = Secret(file=file)
    assert secret.current() == "one"
    if content is None:
        file.unlink()
    else:
        file.write_text(content)
    assert secret.current() == secret.reread() == "one"


def test_a_secret_that_never_was_is_told_by_its_place(tmp_path: Path) -> None:
    """The error names the file, so that an operator finds it."""
    with pytest.raises(SecretUnreadableError, match="none"):
        Secret(file=tmp_path / "none").current()
    with pytest.raises(SecretUnreadableError, match="cannot read"):
        Secret(file=tmp_path).current()
    with pytest.raises(SecretUnreadableError):
        Secret().current()


def test_a_secret_that_no_header_can_carry_is_refused() -> None:
    """Line breaks inside a secret are found here and not by the HTTP client."""
    with pytest.raises(SecretUnreadableError) as caught:
        Secret(value="canary\nX-Other: 1").current()
    assert "canary" not in str(caught.value)
