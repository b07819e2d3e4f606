"""Sessions, their keys and references, the inbox, and what the store knows of itself."""

from alembic import op

revision = "001"
down_revision = None

_STATEMENTS = (
    # `private` is the only column that holds personal data: customer, collected, provider_details.
    """
    CREATE TABLE sessions (
        session_id TEXT NOT NULL PRIMARY KEY,
        provider TEXT NOT NULL,
        account TEXT NOT NULL,
        live INTEGER NOT NULL,
        reference_id TEXT,
        create_time INTEGER NOT NULL,
        caller TEXT,
        request_id TEXT,
        fingerprint BLOB NOT NULL,
        state TEXT NOT NULL,
        payment_status TEXT NOT NULL,
        due_time INTEGER,
        version INTEGER NOT NULL,
        attempt TEXT NOT NULL,
        body TEXT NOT NULL,
        private TEXT
    )
    """,
    """
    CREATE INDEX sessions_by_group
    ON sessions (provider, account, live, state, payment_status, session_id)
    """,
    """
    CREATE INDEX sessions_by_reference
    ON sessions (reference_id, session_id) WHERE reference_id IS NOT NULL
    """,
    "CREATE INDEX sessions_by_create_time ON sessions (create_time, session_id)",
    """
    CREATE INDEX sessions_by_due_time
    ON sessions (due_time, session_id) WHERE due_time IS NOT NULL
    """,
    """
    CREATE TABLE request_keys (
        caller TEXT NOT NULL,
        request_id TEXT NOT NULL,
        session_id TEXT NOT NULL REFERENCES sessions,
        PRIMARY KEY (caller, request_id)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE provider_refs (
        provider TEXT NOT NULL,
        account TEXT NOT NULL,
        reference TEXT NOT NULL,
        session_id TEXT NOT NULL REFERENCES sessions,
        PRIMARY KEY (provider, account, reference)
    ) WITHOUT ROWID
    """,
    # `body` is personal data. `session_id` is what the event says, and may name no session.
    """
    CREATE TABLE inbox (
        provider TEXT NOT NULL,
        account TEXT NOT NULL,
        event_id TEXT NOT NULL,
        event_type TEXT NOT NULL,
        received INTEGER NOT NULL,
        session_id TEXT,
        body BLOB NOT NULL,
        PRIMARY KEY (provider, account, event_id)
    )
    """,
    "CREATE INDEX inbox_by_age ON inbox (session_id IS NULL, received)",
    "CREATE TABLE store_meta (name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    """
    INSERT INTO store_meta (name, value)
    VALUES ('store_id', lower(hex(randomblob(16)))), ('secret', randomblob(32)), ('probe', 0)
    """,
)


def upgrade() -> None:
    """Make the first tables."""
    for statement in _STATEMENTS:
        op.execute(statement)
