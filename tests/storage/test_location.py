"""URLs of stores."""

from pathlib import Path

import pytest

from service.storage.location import PostgresPlace, place_of, sqlite_path
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
        "postgresql://shop:word@localhost/checkout",
        "postgresql://localhost/checkout?password=word",
        "postgresql://localhost:port/checkout",
        "postgresql://shop@localhost:65536/checkout",
        "postgresql://[::1]:0/checkout",
        "postgresql://first:5432,second:x/checkout",
    ],
)
async def test_anything_else_is_refused(url: str) -> None:
    """What names no database file is refused before anything is touched."""
    with pytest.raises(ValueError, match="store URL must"):
        await open_store(url)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://shop@db/checkout", ("postgresql://shop@db/checkout", False)),
        ("postgres://db:6432/checkout?pooled=true", ("postgres://db:6432/checkout", True)),
        ("postgres://[::1]:1,db/checkout", ("postgres://[::1]:1,db/checkout", False)),
        (
            "postgresql:///checkout?host=/run/db&pooled=false",
            ("postgresql:///checkout?host=%2Frun%2Fdb", False),
        ),
    ],
)
def test_a_server_is_named_by_its_own_url(url: str, place: tuple[str, bool]) -> None:
    """What says that a pooler stands before the database is ours, and all else the driver's."""
    assert place_of(url) == PostgresPlace(*place)


def test_what_is_shown_of_a_server_names_nobody() -> None:
    """Messages name the database and not its user."""
    place = place_of("postgresql://shop@db:5432/checkout?pooled=true")
    assert isinstance(place, PostgresPlace)
    assert place.shown == "postgresql://db:5432/checkout"
