"""Events without a session: what may be told of them, what they wait with, and for what."""

from alembic import op

revision = "002"
down_revision = "001"

_STATEMENTS = (
    # `body` and `private` are personal data. `facts` are there where no session is known, and `private`
    # is too until the event is reduced. `position` orders what was received at one instant.
    """
    CREATE TABLE inbox_002 (
        position INTEGER PRIMARY KEY,
        provider TEXT NOT NULL,
        account TEXT NOT NULL,
        event_id TEXT NOT NULL,
        event_type TEXT NOT NULL,
        received INTEGER NOT NULL,
        session_id TEXT,
        body BLOB NOT NULL,
        facts TEXT,
        private TEXT,
        UNIQUE (provider, account, event_id),
        CHECK ((session_id IS NULL) = (facts IS NOT NULL))
    )
    """,
    # What revision 001 kept of an unmatched event had not been read: it is reduced at once.
    """
    INSERT INTO inbox_002
        (provider, account, event_id, event_type, received, session_id, body, facts)
    SELECT provider, account, event_id, iif(session_id IS NULL, '', event_type), received, session_id,
        iif(session_id IS NULL, x'', body),
        iif(session_id IS NULL, json_object(
            'live', json(iif(
                (
                    SELECT max(live) FROM sessions AS s
                    WHERE s.provider = i.provider AND s.account = i.account
                ), 'true', 'false'
            )),
            'kind', CASE
                WHEN event_type LIKE 'refund%' THEN 'REFUND'
                WHEN event_type LIKE 'dispute%' THEN 'DISPUTE'
                WHEN event_type LIKE 'subscription%' THEN 'SUBSCRIPTION'
                ELSE 'PAYMENT'
            END
        ), NULL)
    FROM inbox AS i ORDER BY received, rowid
    """,
    "DROP TABLE inbox",
    "ALTER TABLE inbox_002 RENAME TO inbox",
    "CREATE INDEX inbox_by_age ON inbox (received) WHERE session_id IS NOT NULL",
    "CREATE INDEX inbox_unmatched ON inbox (provider, account, received) WHERE session_id IS NULL",
    "CREATE INDEX inbox_waiting ON inbox (received) WHERE private IS NOT NULL",
    """
    CREATE TABLE waiting_refs (
        provider TEXT NOT NULL,
        account TEXT NOT NULL,
        reference TEXT NOT NULL,
        position INTEGER NOT NULL REFERENCES inbox,
        PRIMARY KEY (provider, account, reference, position)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX waiting_refs_by_event ON waiting_refs (position)",
)


def upgrade() -> None:
    """Widen the inbox, and keep what events wait for."""
    for statement in _STATEMENTS:
        op.execute(statement)
