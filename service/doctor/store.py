"""Checks the store: its folder, its file, its revision, its room, and who uses it."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

from service.core.errors import StoreUnavailable
from service.doctor.findings import Finding, broken, doubtful, fine
from service.storage.inspection import holder, peek_revision
from service.storage.location import PostgresPlace, place_of
from service.storage.revision import REVISIONS, required_revision

SUBJECT = "store"
ROOM = "store's disk"
MEBIBYTE = 1024 * 1024
FULL = 64 * MEBIBYTE
TIGHT = 512 * MEBIBYTE
_SETTING = "store.url (CHECKOUT_STORE_URL)"


def check_store(url: str, *, answers: bool) -> list[Finding]:
    """Look at the store of a URL; `answers` tells whether our service does at its gRPC address."""
    place = place_of(url)
    if isinstance(place, PostgresPlace):
        return [_database(place)]
    return _disk(place, answers=answers)


def _database(place: PostgresPlace) -> Finding:
    # Whoever keeps sessions in a file need not pay for the driver of a server.
    from service.storage.postgres.revision import REVISIONS as KNOWN  # noqa: PLC0415
    from service.storage.postgres.revision import read_schema  # noqa: PLC0415

    try:
        schema = asyncio.run(read_schema(place))
    except StoreUnavailable as error:
        text = error.message.rstrip(".")
        return broken(SUBJECT, f"{text}; start it, let this machine in, or change {_SETTING}")
    if schema.is_too_new:
        return _too_new(place.shown, schema.revision, KNOWN[-1])
    if schema.is_too_old:
        return _older(place.shown, schema.revision, KNOWN[-1])
    return fine(SUBJECT, f"{place.shown} is at revision {schema.revision}")


def _disk(path: Path, *, answers: bool) -> list[Finding]:
    try:
        folder = next(above for above in path.absolute().parents if above.exists())
        return [_file(path, folder, answers=answers), *_room(folder)]
    except OSError as error:
        return [_unusable(f"{error.filename or path}: {error.strerror}")]
    except StoreUnavailable as error:
        return [_unusable(error.message.rstrip("."))]


def _unusable(text: str) -> Finding:
    return broken(SUBJECT, f"{text}; mend its rights, restore a back-up, or change {_SETTING}")


def _file(path: Path, folder: Path, *, answers: bool) -> Finding:
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        mend = "give it to the user who runs the service, mount it writable"
        return broken(SUBJECT, f"nothing can be made in {folder}; {mend}, or change {_SETTING}")
    if not path.exists():
        return fine(SUBJECT, f"{path} is not there yet; `checkout serve` makes it")
    if not path.is_file() or not os.access(path, os.R_OK | os.W_OK):
        return _unusable(f"{path} is no file that can be read and written")
    return _contents(path, holder(path), answers=answers)


def _contents(path: Path, pid: str | None, *, answers: bool) -> Finding:
    revision, required = peek_revision(path), required_revision()
    if revision and revision not in REVISIONS:
        return _too_new(path, revision, required)
    if pid is not None and not answers:
        return broken(
            SUBJECT,
            f"{path} is in use by the process with id {pid}, which does not answer at "
            f"grpc.address; wait, stop it, or change {_SETTING}",
        )
    user = f", in use by the process with id {pid}" if pid is not None else ""
    if revision != required:
        return _older(path, revision, required, user)
    return fine(SUBJECT, f"{path} is at revision {revision}{user}")


def _too_new(place: Path | str, revision: str, required: str) -> Finding:
    return broken(
        SUBJECT,
        f"{place} is at revision {revision}, which a newer version of this service wrote; "
        f"run that version, or restore a back-up at {required}",
    )


def _older(place: Path | str, revision: str, required: str, user: str = "") -> Finding:
    found = f"at revision {revision}" if revision else "without tables"
    return fine(SUBJECT, f"{place} is {found}; `checkout serve` brings it to {required}{user}")


def _room(folder: Path) -> Iterator[Finding]:
    status = os.statvfs(folder)
    free = status.f_bavail * status.f_frsize
    text = f"{free // MEBIBYTE} MiB free"
    if free < FULL:
        yield broken(ROOM, f"{text}; make room: nothing can be created on a full disk")
    elif free < TIGHT:
        yield doubtful(ROOM, f"{text}; make room before it is full")
    else:
        yield fine(ROOM, text)
