"""Sessions, their keys and references, the inbox, and what the store knows of itself."""

from alembic import op

revision = "001"
down_revision = None

_STATEMENTS = (
    # Ids sort by their bytes whatever the database's language, as pages of a listing need it.
    # `private` is the only column that holds personal data: customer, collected, provider_details.
    """
    CREATE TABLE sessions (
        session_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        provider TEXT COLLATE "C" NOT NULL,
        account TEXT COLLATE "C" NOT NULL,
        live BOOLEAN NOT NULL,
        reference_id TEXT COLLATE "C",
        create_time BIGINT NOT NULL,
        caller TEXT COLLATE "C",
        request_id TEXT COLLATE "C",
        fingerprint BYTEA NOT NULL,
        state TEXT COLLATE "C" NOT NULL,
        payment_status TEXT COLLATE "C" NOT NULL,
        due_time BIGINT,
        version BIGINT NOT NULL,
        metadata TEXT[] NOT NULL,
        attempt TEXT NOT NULL,
        body TEXT NOT NULL,
        private TEXT,
        claimed_until BIGINT
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
    # No table refers to another's rows: each may be partitioned or sharded by its own key.
    """
    CREATE TABLE request_keys (
        caller TEXT COLLATE "C" NOT NULL,
        request_id TEXT COLLATE "C" NOT NULL,
        session_id TEXT COLLATE "C" NOT NULL,
        PRIMARY KEY (caller, request_id)
    )
    """,
    # A reference leads to a session or is waited for by events, never both. What links it and what
    # waits for it meet in its one row, and so learn of each other without any other lock.
    """
    CREATE TABLE provider_refs (
        provider TEXT COLLATE "C" NOT NULL,
        account TEXT COLLATE "C" NOT NULL,
        reference TEXT COLLATE "C" NOT NULL,
        session_id TEXT COLLATE "C",
        waiting TEXT[] NOT NULL DEFAULT '{}',
        PRIMARY KEY (provider, account, reference),
        CHECK (session_id IS NULL OR waiting = '{}')
    )
    """,
    """
    CREATE INDEX provider_refs_idle
    ON provider_refs (provider, account, reference) WHERE session_id IS NULL AND waiting = '{}'
    """,
    # What leads to a session is deleted with it.
    """
    CREATE INDEX provider_refs_by_session
    ON provider_refs (session_id) WHERE session_id IS NOT NULL
    """,
    # `body` and `private` are personal data. `facts` are there where no session is known, and `private`
    # is too until the event is reduced. `position` orders what was received at one instant.
    # `awaited` are the references an event has waited for.
    """
    CREATE TABLE inbox (
        provider TEXT COLLATE "C" NOT NULL,
        account TEXT COLLATE "C" NOT NULL,
        event_id TEXT COLLATE "C" NOT NULL,
        event_type TEXT NOT NULL,
        received BIGINT NOT NULL,
        position BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY,
        session_id TEXT COLLATE "C",
        body BYTEA NOT NULL,
        facts TEXT,
        payment_time BIGINT,
        private TEXT,
        awaited TEXT[] NOT NULL DEFAULT '{}',
        PRIMARY KEY (provider, account, event_id),
        CHECK ((session_id IS NULL) = (facts IS NOT NULL))
    )
    """,
    "CREATE INDEX inbox_by_age ON inbox (received) WHERE session_id IS NOT NULL",
    """
    CREATE INDEX inbox_unmatched
    ON inbox (provider, account, received, position) WHERE session_id IS NULL
    """,
    "CREATE INDEX inbox_waiting ON inbox (received, position) WHERE private IS NOT NULL",
    """
    CREATE TABLE marks (
        provider TEXT COLLATE "C" NOT NULL,
        account TEXT COLLATE "C" NOT NULL,
        looked_until BIGINT NOT NULL,
        PRIMARY KEY (provider, account)
    )
    """,
    # Which process looks through an account, until when.
    """
    CREATE TABLE leases (
        provider TEXT COLLATE "C" NOT NULL,
        account TEXT COLLATE "C" NOT NULL,
        holder TEXT COLLATE "C" NOT NULL,
        held_until BIGINT NOT NULL,
        PRIMARY KEY (provider, account)
    )
    """,
    # One row for each durable step. Nothing in it is personal. Positions order the rows of one session.
    """
    CREATE TABLE timeline (
        session_id TEXT COLLATE "C" NOT NULL,
        position BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY,
        version BIGINT NOT NULL,
        facts TEXT NOT NULL,
        PRIMARY KEY (session_id, position)
    )
    """,
    # Every change that callers can see. `id` is taken before the commit: a row may turn up below one that
    # was read already. Positions are given to committed rows alone, by whoever holds the counter's row.
    """
    CREATE TABLE feed (
        id BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY,
        position BIGINT,
        session_id TEXT COLLATE "C" NOT NULL,
        version BIGINT NOT NULL,
        types TEXT NOT NULL,
        time BIGINT NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX feed_by_position ON feed (position) WHERE position IS NOT NULL",
    "CREATE UNIQUE INDEX feed_unnumbered ON feed (id) WHERE position IS NULL",
    "CREATE TABLE feed_counter (value BIGINT NOT NULL)",
    "INSERT INTO feed_counter (value) VALUES (0)",
    # Each statement in here sees what was committed before it began: under the counter's lock that is
    # all that anybody has numbered.
    """
    CREATE FUNCTION number_events(most INTEGER) RETURNS INTEGER LANGUAGE plpgsql AS $$
    DECLARE
        newest BIGINT;
        given INTEGER;
    BEGIN
        IF NOT EXISTS (SELECT FROM feed WHERE position IS NULL) THEN
            RETURN 0;
        END IF;
        SELECT value INTO newest FROM feed_counter FOR UPDATE SKIP LOCKED;
        IF NOT FOUND THEN
            RETURN 0;
        END IF;
        WITH next AS (
            SELECT id FROM feed WHERE position IS NULL ORDER BY id LIMIT most
        ), placed AS (
            SELECT id, row_number() OVER (ORDER BY id) AS place FROM next
        )
        UPDATE feed SET position = newest + placed.place
        FROM placed WHERE feed.id = placed.id AND feed.position IS NULL;
        GET DIAGNOSTICS given = ROW_COUNT;
        UPDATE feed_counter SET value = newest + given;
        RETURN given;
    END
    $$
    """,
    'CREATE TABLE store_meta (name TEXT COLLATE "C" NOT NULL PRIMARY KEY, value BYTEA NOT NULL)',
    # The database's random ids come from the system's own source; three of them fill 32 bytes.
    """
    INSERT INTO store_meta (name, value) VALUES
        ('store_id', uuid_send(gen_random_uuid())),
        ('secret', sha256(
            uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
        )),
        ('probe', ''),
        ('oldest_code', '001')
    """,
    # A statement that finds a conflict after its writes undoes them by failing.
    """
    CREATE FUNCTION refuse(code TEXT) RETURNS TEXT LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the step met another one' USING ERRCODE = code;
    END
    $$
    """,
)


def upgrade() -> None:
    """Make the first tables."""
    for statement in _STATEMENTS:
        op.execute(statement)
