"""The lock that keeps a second process from writing the same database."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from service.core.errors import StoreUnavailable


class StoreLock:
    """An exclusive lock beside a database, held until released or the process ends.

    The file stays when the lock goes: a lock on a file somebody has removed guards nothing.
    """

    def __init__(self, database: Path) -> None:
        # Two names of one database share its lock.
        target = database.resolve()
        path = target.with_name(f"{target.name}.lock")
        try:
            # Not inherited by child processes, which would keep it locked after our death.
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnavailable(
                f"The store's lock {path} cannot be opened: {error.strerror}."
            ) from error
        self._acquire(database)

    def _acquire(self, database: Path) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._file, 20, 0).decode().strip() or "unknown"
            os.close(self._file)
            raise StoreUnavailable(
                f"The store {database} is in use by the process with id {holder}."
            ) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let another process have the database."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
