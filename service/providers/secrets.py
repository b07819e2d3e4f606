"""Secrets that can be used and replaced, but not printed."""

from pathlib import Path


class SecretUnreadableError(Exception):
    """A secret cannot be had; the text names the place and never the value."""


class Secret:
    """A secret given as a value or as a file that is read again when it changes."""

    __slots__ = ("_file", "_seen", "_value")

    def __init__(self, *, value: str = "", file: Path | None = None) -> None:
        self._file = file
        self._value = value.strip()
        self._seen: tuple[int, int, int] | None = None

    def __repr__(self) -> str:
        return f"Secret({self._place})"

    def current(self) -> str:
        """Return the secret as it is now. Raises SecretUnreadableError when there never was one."""
        if self._file is not None and (seen := _state(self._file)) != self._seen and seen:
            self._read(self._file, seen)
        if not self._value:
            raise SecretUnreadableError(f"no secret in {self._place}")
        if not (self._value.isascii() and self._value.isprintable()):
            raise SecretUnreadableError(f"unprintable characters in {self._place}")
        return self._value

    def reread(self) -> str:
        """Return the secret after reading its file once more, whether it seems changed or not."""
        self._seen = None
        return self.current()

    @property
    def _place(self) -> str:
        return "a value" if self._file is None else f"file {str(self._file)!r}"

    def _read(self, file: Path, seen: tuple[int, int, int]) -> None:
        try:
            text = file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            if self._value:
                return
            raise SecretUnreadableError(f"cannot read {self._place}") from error
        # A file is empty for a moment while it is written in place.
        if text:
            self._value, self._seen = text, seen


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
