"""Keeps a writer from files that must not be written: damaged ones, and those that are the store no more."""

import os
from pathlib import Path

_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")


class Guard:
    """Watches one database file from when it was opened.

    SQLite itself would go on writing to a file that was removed, and lose all of it at the end.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened = _identity(path)
        self._damage = ""

    def problem(self) -> str:
        """Return why nothing may be written, empty while it may."""
        if self._damage:
            return f"The store is damaged: {self._damage}."
        if _identity(self._path) != self._opened:
            return "The store was removed, or another file stands in its place."
        return ""

    def note(self, error: Exception) -> None:
        """Remember an error that says that the file is damaged."""
        if getattr(error, "sqlite_errorname", "").startswith(_DAMAGED):
            self._damage = str(error)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - half the time of the other way, before each commit
    except OSError:
        return None
    return status.st_dev, status.st_ino
