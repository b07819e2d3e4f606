"""What the doctor says of a store on a server."""

import pytest

from service.doctor.findings import Finding, Level
from service.doctor.store import check_store
from service.storage.migrate import migrate
from service.storage.postgres.revision import REVISIONS
from tests.storage.postgres.conftest import run
from tests.storage.postgres.server import running_server

pytestmark = pytest.mark.slow


def test_a_database_is_described_as_it_changes() -> None:
    """It is told whether the database answers, has its tables, and is of a version known here."""
    with running_server() as server:
        url = server.url()
        empty = only(url)
        migrate(url)
        ready = only(url)
        run(url, "UPDATE alembic_version SET version_num = '999'")
        expanded = only(url)
        run(url, "UPDATE store_meta SET value = '999' WHERE name = 'oldest_code'")
        newer = only(url)
    gone = only(url)
    levels = [finding.level for finding in (empty, ready, expanded, newer, gone)]
    assert levels == [Level.OK, Level.OK, Level.OK, Level.FAIL, Level.FAIL]
    assert f"without tables; `checkout serve` brings it to {REVISIONS[-1]}" in empty.text
    assert ready.text.endswith(f"is at revision {REVISIONS[-1]}")
    assert "at revision 999, which a newer version of this service wrote" in newer.text
    assert "cannot be read" in gone.text


def only(url: str) -> Finding:
    """Return the one thing said of a store on a server."""
    (finding,) = check_store(url, answers=False)
    return finding
