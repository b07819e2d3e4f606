"""Where a store's URL says that its data stand."""

from pathlib import Path

_SCHEME = "sqlite:///"


def sqlite_path(url: str) -> Path:
    """Return the database file of a store URL. Raises ValueError for anything else."""
    if not url.startswith(_SCHEME):
        raise ValueError(
            "The store URL must be sqlite:///relative/path.db or sqlite:////absolute/path.db."
        )
    path = url.removeprefix(_SCHEME)
    if not path or path.endswith("/") or path.startswith(":memory:") or "?" in path:
        raise ValueError(
            "The store URL must name a database file: a store in memory keeps nothing."
        )
    return Path(path)
