"""What happened to each session, in the order in which it happened to all of them."""

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
)


def upgrade() -> None:
    """Begin the timelines: what happened before is not in them."""
    for statement in _STATEMENTS:
        op.execute(statement)
