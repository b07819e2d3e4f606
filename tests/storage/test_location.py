"""URLs of stores."""

from pathlib import Path

import pytest

from service.storage.location import sqlite_path
from service.storage.registry import open_store


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///checkout.db", "checkout.db"),
        ("sqlite:///data/checkout.db", "data/checkout.db"),
        ("sqlite:////var/lib/checkout/a b%20#1.db", "/var/lib/checkout/a b%20#1.db"),
    ],
)
def test_three_slashes_are_relative_four_absolute(url: str, path: str) -> None:
    """The path is what follows the third slash, as it is."""
    assert sqlite_path(url) == Path(path)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "checkout.db",
        "sqlite:checkout.db",
        "sqlite://checkout.db",
        "sqlite:///",
        "sqlite:///data/",
        "sqlite:///:memory:",
        "sqlite:///data.db?mode=memory",
        "mysql://localhost/checkout",
        "postgresql://localhost",
        "postgresql://localhost/",
        "postgresql://localhost/checkout?pooled=perhaps",
    ],
)
async def test_anything_else_is_refused(url: str) -> None:
    """What names no database file is refused before anything is touched."""
    with pytest.raises(ValueError, match="store URL must"):
        await open_store(url)
