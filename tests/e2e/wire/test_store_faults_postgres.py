"""PostgreSQL refused, silent, slow, restarted, full, read-only, locked, or cut off in the middle of a commit."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest

from tests.api.refusals import refused
from tests.e2e.wire.database_proxy import PATIENCE, Cut, DatabaseProxy, database_proxy
from tests.e2e.wire.provider import Provider, running_provider
from tests.e2e.wire.requests import create_request, fresh_id
from tests.e2e.wire.till import Outage, Session, Till, running_till, unavailable
from tests.e2e.wire.webhooks import payment_event, signed
from tests.storage.postgres.server import Server, running_server

pytestmark = pytest.mark.slow

MIB = 1024 * 1024
FULL = """
    CREATE FUNCTION is_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
    END $$;
    CREATE TRIGGER full_refs BEFORE INSERT ON provider_refs EXECUTE FUNCTION is_full();
    CREATE TRIGGER full_keys BEFORE INSERT ON request_keys EXECUTE FUNCTION is_full();
    CREATE TRIGGER full_meta BEFORE UPDATE ON store_meta EXECUTE FUNCTION is_full();
"""


class Place(NamedTuple):
    """A database, a proxy before it, and a service that knows the proxy only."""

    server: Server
    proxy: DatabaseProxy
    till: Till

    def run(self, statements: str) -> None:
        """Run statements in the service's database, one transaction for all."""
        run(self.server.url("checkout"), f"DO $do$ BEGIN {statements} END $do$")


def run(url: str, statement: str) -> list[asyncpg.Record]:
    """Run a statement beside the service."""

    async def connected() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetch(statement)
        finally:
            await connection.close()

    return asyncio.run(connected())


@pytest.fixture(scope="module")
def database() -> Iterator[tuple[Server, DatabaseProxy]]:
    """Run an empty database, and a proxy before it."""
    with running_server() as server, database_proxy(server.port) as proxy:
        run(server.url(), "CREATE DATABASE checkout")
        yield server, proxy


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """Run a provider that is well."""
    with running_provider() as running:
        yield running


@pytest.fixture(scope="module")
def place(
    database: tuple[Server, DatabaseProxy],
    provider: Provider,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    """Run a service on that database."""
    server, proxy = database
    settings = {"CHECKOUT_STORE_URL": proxy.url("checkout")}
    with running_till(tmp_path_factory.mktemp("till"), provider, settings) as till:
        yield Place(server, proxy, till)


@contextmanager
def restarted(place: Place) -> Iterator[None]:
    """Stop the server, and start it again in the end."""
    place.server.stop()
    try:
        yield
    finally:
        place.server.start()


@contextmanager
def full(place: Place) -> Iterator[None]:
    """Let the server refuse what needs room, in the middle of its statements."""
    place.run(FULL)
    try:
        yield
    finally:
        place.run("DROP FUNCTION is_full CASCADE;")


@contextmanager
def read_only(place: Place) -> Iterator[None]:
    """Let the server write nothing, as one does that a failover has left behind."""
    run(place.server.url(), "ALTER SYSTEM SET default_transaction_read_only = on")
    run(place.server.url(), "SELECT pg_reload_conf()")
    try:
        yield
    finally:
        with_rights = f"{place.server.url()}?options=-cdefault_transaction_read_only%3Doff"
        run(with_rights, "ALTER SYSTEM RESET default_transaction_read_only")
        run(with_rights, "SELECT pg_reload_conf()")


Fault = Callable[[Place], AbstractContextManager[None]]
AWAY: dict[str, Fault] = {
    "refused": lambda place: place.proxy.away(),
    "restarted": restarted,
}
UNWRITABLE: dict[str, Fault] = {"full": full, "read-only": read_only}


@pytest.mark.parametrize("fault", AWAY)
def test_away(place: Place, fault: str) -> None:
    """Without its database the service says so at once, in every call, and goes on when it is back."""
    outage = Outage(place.till)
    with AWAY[fault](place):
        outage.stores_nothing()
        outage.reads_nothing()
    outage.is_over()


@pytest.mark.parametrize("fault", UNWRITABLE)
def test_unwritable(place: Place, fault: str) -> None:
    """What cannot be written changes nothing, while everything can be read."""
    outage = Outage(place.till)
    with UNWRITABLE[fault](place):
        outage.stores_nothing()
        outage.reads()
    outage.is_over()


def test_silent(place: Place) -> None:
    """A database that takes everything and answers nothing is given up after some seconds, and nothing piles up."""
    till, outage = place.till, Outage(place.till)
    with place.proxy.silent(), ThreadPoolExecutor(34) as callers:
        before = memory(till)
        hasty = [callers.submit(refused, lambda: leaves_soon(till)) for _ in range(400)]
        checks = [callers.submit(check) for check in (outage.stores_nothing, outage.reads_nothing)]
        for caller in hasty:
            caller.result()
        for check in checks:
            check.result()
        assert memory(till) - before < 24 * MIB
    outage.is_over()


def leaves_soon(till: Till) -> None:
    """Ask for a session, and leave before the store is given up."""
    till.stub.CreateSession(create_request(request_id=fresh_id()), timeout=0.2)


def memory(till: Till) -> int:
    """Return the bytes of memory that the service has, where the system tells."""
    file = Path(f"/proc/{till.service.pid}/status")
    lines = file.read_text().splitlines() if file.exists() else []
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def test_slow(place: Place) -> None:
    """A database that takes its time slows the service down, and that is all."""
    place.till.provider.reset()
    with place.proxy.slow(0.1), ThreadPoolExecutor(24) as callers:
        sessions = list(callers.map(place.till.create, [fresh_id() for _ in range(24)]))
        assert place.till.readiness() == 200
    assert {session.state for session in sessions} == {Session.STATE_OPEN}
    assert len(place.till.provider.bodies) == 24


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """Hold the lock of a whole table, as a migration that takes long does."""
    url, taken, leave = place.server.url("checkout"), threading.Event(), threading.Event()

    async def hold() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute("BEGIN; LOCK TABLE sessions")
        taken.set()
        await asyncio.to_thread(leave.wait)
        await connection.close()

    holder = threading.Thread(target=lambda: asyncio.run(hold()))
    holder.start()
    assert taken.wait(PATIENCE)
    try:
        yield
    finally:
        leave.set()
        holder.join()


def test_locked(place: Place) -> None:
    """While a table is locked its callers are told after some seconds, and what they asked for is undone."""
    till = place.till
    till.provider.reset()
    session, request_id = till.create(fresh_id()), fresh_id()
    payment = signed(payment_event(session.session_id))
    with locked(place), ThreadPoolExecutor(3) as callers:
        created = callers.submit(unavailable, lambda: till.create(request_id))
        read = callers.submit(unavailable, lambda: till.read(session.session_id))
        delivered = callers.submit(till.deliver, payment)
        created.result()
        read.result()
        assert delivered.result() == 503
    assert till.read(session.session_id) == session
    assert till.create(request_id).state == Session.STATE_OPEN
    assert len(till.provider.bodies) == 2
    assert till.deliver(payment) == 200
    assert till.read(session.session_id).state == Session.STATE_COMPLETED


INTENT, CHANGE = "INSERT INTO sessions", "UPDATE sessions SET"


def stored(place: Place, session_id: str = "") -> list[tuple[str, int]]:
    """Return state and version of a session, or of all, as they stand in the database."""
    rows = run(
        place.server.url("checkout"),
        f"SELECT state, version FROM sessions WHERE '{session_id}' IN ('', session_id)",
    )
    return [(row["state"], row["version"]) for row in rows]


@pytest.mark.parametrize("cut", Cut)
def test_reset_while_the_intent_is_stored(place: Place, cut: Cut) -> None:
    """Whether the intent was stored or not, nothing was sent, and its request can be repeated at once."""
    till, request_id, before = place.till, fresh_id(), len(stored(place))
    till.provider.reset()
    place.proxy.cut(INTENT, cut)
    unavailable(lambda: till.create(request_id))
    place.proxy.wait_until_cut()
    assert till.provider.bodies == []
    assert len(stored(place)) - before == (cut is Cut.AFTER)
    session = till.create(request_id)
    assert session.state == Session.STATE_OPEN
    assert till.create(request_id) == session
    assert len(till.provider.bodies) == 1
    assert len(stored(place)) - before == 1


@pytest.mark.parametrize("cut", Cut)
def test_reset_while_the_result_is_stored(place: Place, cut: Cut) -> None:
    """Whether the provider's answer was stored or not, it is in the end, and the provider is not asked again."""
    till, request_id = place.till, fresh_id()
    till.provider.reset()
    place.proxy.cut(CHANGE, cut)
    session_id = unavailable(lambda: till.create(request_id)).info["metadata"]["session_id"]
    place.proxy.wait_until_cut()
    session = till.create(request_id)
    assert (session.session_id, session.state) == (session_id, Session.STATE_OPEN)
    assert len(till.provider.bodies) == 1
    assert stored(place, session_id) == [("OPEN", 2)]


@pytest.mark.parametrize("cut", Cut)
def test_reset_while_a_webhook_is_stored(place: Place, cut: Cut) -> None:
    """Whether the webhook was stored or not, it is sent again, and its payment counts once."""
    till = place.till
    till.provider.reset()
    session_id = till.create(fresh_id()).session_id
    payment = signed(payment_event(session_id))
    place.proxy.cut(CHANGE, cut)
    assert till.deliver(payment) == 503
    place.proxy.wait_until_cut()
    assert stored(place, session_id) == [("COMPLETED", 3) if cut is Cut.AFTER else ("OPEN", 2)]
    assert till.deliver(payment) == 200
    assert len(till.read(session_id).payments) == 1
    assert stored(place, session_id) == [("COMPLETED", 3)]


@pytest.mark.parametrize("cut", Cut)
def test_reset_while_an_end_is_stored(place: Place, cut: Cut) -> None:
    """Whether the end was stored or not, whoever asks again learns of one end."""
    till = place.till
    till.provider.reset()
    session_id = till.create(fresh_id()).session_id
    place.proxy.cut(CHANGE, cut)
    unavailable(lambda: till.expire(session_id))
    place.proxy.wait_until_cut()
    assert stored(place, session_id) == [("EXPIRED", 3) if cut is Cut.AFTER else ("OPEN", 2)]
    ended = till.expire(session_id)
    assert ended.state == Session.STATE_EXPIRED
    assert till.expire(session_id) == ended
    assert stored(place, session_id) == [("EXPIRED", 3)]
