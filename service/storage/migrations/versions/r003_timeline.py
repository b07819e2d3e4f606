"""What happened to each session, in the order in which it happened to all; and what deleting one needs."""

from alembic import op

revision = "003"
down_revision = "002"

_STATEMENTS = (
    # One row for each durable step. Nothing in it is personal. `types` and `time` are there where callers can
    # see a change. Cursors are made of positions, and the next one follows the newest row: it is never deleted
    # without another in its place.
    """
    CREATE TABLE timeline (
        position INTEGER PRIMARY KEY,
        session_id TEXT NOT NULL,
        version INTEGER NOT NULL,
        types TEXT,
        time INTEGER,
        facts TEXT NOT NULL,
        CHECK ((types IS NULL) = (time IS NULL))
    )
    """,
    "CREATE INDEX timeline_by_session ON timeline (session_id)",
    # What leads to a session is deleted with it. A table that refers to sessions without an index is read
    # from end to end for each that is deleted: keys are found by what stands in their session's row.
    "CREATE INDEX provider_refs_by_session ON provider_refs (session_id)",
    """
    CREATE TABLE request_keys_003 (
        caller TEXT NOT NULL,
        request_id TEXT NOT NULL,
        session_id TEXT NOT NULL,
        PRIMARY KEY (caller, request_id)
    ) WITHOUT ROWID
    """,
    "INSERT INTO request_keys_003 SELECT caller, request_id, session_id FROM request_keys",
    "DROP TABLE request_keys",
    "ALTER TABLE request_keys_003 RENAME TO request_keys",
)


def upgrade() -> None:
    """Begin the timelines: what happened before is not in them."""
    for statement in _STATEMENTS:
        op.execute(statement)
