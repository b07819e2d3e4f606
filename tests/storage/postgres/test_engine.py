"""The database as a partner: replicas that share it, and what is told when it does not answer."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress

import asyncpg
import pytest

from service.core.due import Change
from service.core.errors import RequestIdTaken, StoreConflict, StoreUnavailable
from service.core.ports import Store
from service.core.record import RequestKey
from service.storage.registry import open_store
from tests.storage.postgres.server import Server
from tests.storage.records import NOW, changed, event, record, session_id, unmatched

REPLICAS = 3
ROUNDS = 20


@pytest.fixture
async def replicas(url: str) -> AsyncIterator[list[Store]]:
    """Open the one database several times."""
    async with AsyncExitStack() as opened:
        stores = []
        for _ in range(REPLICAS):
            store = await open_store(url)
            opened.push_async_callback(store.close)
            stores.append(store)
        yield stores


async def test_replicas_take_a_key_once(replicas: list[Store]) -> None:
    """Of creations with one key at several replicas exactly one wins, and the others find it at once."""
    for number in range(ROUNDS):
        key = RequestKey("shop", str(number))

        async def create(place: int, store: Store, key: RequestKey = key) -> str:
            with suppress(RequestIdTaken):
                await store.create(record(next_number(place, key), key))
            found = await store.find_by_request(key)
            assert found is not None
            return found.session.session_id

        def next_number(place: int, key: RequestKey) -> int:
            return int(key.request_id) * REPLICAS + place

        answers = await asyncio.gather(*(create(i, store) for i, store in enumerate(replicas)))
        assert len(set(answers)) == 1


async def test_replicas_save_a_version_once(replicas: list[Store]) -> None:
    """Of saves from one version at several replicas exactly one is stored."""
    for number in range(ROUNDS):
        await replicas[0].create(record(number))
        saves = [
            store.save(changed(record(number), metadata={"n": str(i)}), expected_version=1)
            for i, store in enumerate(replicas)
        ]
        assert outcomes(await settled(*saves)) == ["None", *["StoreConflict()"] * (REPLICAS - 1)]


async def test_an_event_races_its_link_between_replicas(replicas: list[Store]) -> None:
    """However an event and the link to its session race at two replicas, one learns of the other."""
    linking, receiving, _ = replicas
    for number in range(ROUNDS):
        await linking.create(record(number))
        references = (f"order:{number}", f"payment:{number}")
        link = linking.save(changed(record(number)), expected_version=1, references=references)
        pair = (link, receiving.receive(unmatched(number)))
        answers = await settled(*pair[:: 1 - number % 2 * 2])
        assert outcomes(answers) == ["None", "StoreConflict()"]


async def test_a_delivery_races_the_match_of_its_event(replicas: list[Store]) -> None:
    """An event that is matched, and comes again with its session at that moment, waits no more."""
    matching, receiving, _ = replicas
    for number in range(ROUNDS):
        await matching.create(record(number))
        await matching.receive(unmatched(number))
        save = matching.save(
            changed(record(number)),
            expected_version=1,
            references=(f"order:{number}",),
            matched=(f"evt_{number}",),
        )
        again = receiving.receive(event(number, session_id=session_id(number)))
        answers = await settled(save, again)
        assert answers[0] is None
        found = await matching.find_waiting(
            "dodo", "default", (f"order:{number}", f"payment:{number}")
        )
        assert found == []


async def test_an_event_with_its_session_races_itself_without(replicas: list[Store]) -> None:
    """Two deliveries of one event, of which one knows the session, leave nothing that waits."""
    first, second, _ = replicas
    for number in range(ROUNDS):
        pair = (
            first.receive(unmatched(number)),
            second.receive(event(number, session_id=session_id(1))),
        )
        await settled(*pair[:: 1 - number % 2 * 2])
        assert await first.find_waiting("dodo", "default", (f"order:{number}",)) == []
        # What is still noted as waiting would be in the way of whoever links it.
        await first.create(record(number))
        await first.save(
            changed(record(number)), expected_version=1, references=(f"order:{number}",)
        )


async def test_purges_of_replicas_share_the_work(replicas: list[Store]) -> None:
    """Replicas that purge at once reduce and delete each event once."""
    for number in range(30):
        await replicas[0].receive(event(number) if number % 2 else unmatched(number))
    purged = 0
    while portions := sum(
        await asyncio.gather(
            *(
                store.purge_events(
                    matched_before=NOW.replace(year=2027),
                    unmatched_before=NOW.replace(year=2027),
                    limit=4,
                )
                for store in replicas
            )
        )
    ):
        purged += portions
    assert purged == 30


async def test_a_linked_event_leaves_no_row_behind(replicas: list[Store], url: str) -> None:
    """References of a matched event that lead nowhere go with the next purge."""
    store = replicas[0]
    await store.receive(unmatched(1))
    await store.create(record(1))
    await store.receive(event(1))
    await store.purge_events(matched_before=NOW, unmatched_before=NOW, limit=9)
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT count(*) FROM provider_refs") == 0
    await connection.close()


async def test_gives_up_no_write_for_whoever_leaves(url: str) -> None:
    """A write whose caller has left is stored all the same."""
    store = await open_store(url)
    leaving = asyncio.ensure_future(store.create(record()))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await store.close()
    again = await open_store(url)
    assert await again.find(session_id(1)) == record()
    await again.close()


async def test_a_read_waits_for_no_write(url: str) -> None:
    """While every write waits for a lock, reads are answered."""
    store = await open_store(url)
    await store.create(record())
    holder = await asyncpg.connect(url)
    await holder.execute("BEGIN")
    await holder.execute("SELECT FROM sessions FOR UPDATE")
    writes = [
        asyncio.ensure_future(store.save(changed(record()), expected_version=1)) for _ in range(12)
    ]
    while await holder.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") == 0:
        await asyncio.sleep(0.01)
    assert await store.find(session_id(1)) == record()
    assert not any(write.done() for write in writes)
    await holder.execute("ROLLBACK")
    assert outcomes(await settled(*writes)) == ["None", *["StoreConflict()"] * 11]
    await holder.close()
    await store.close()


async def test_a_write_that_lost_a_deadlock_runs_again(url: str) -> None:
    """A write that the database ends to free another one is stored after it."""
    store = await open_store(url)
    await store.create(record())
    await store.receive(unmatched(1))
    rival = await asyncpg.connect(url)
    # The write is the first to look for the cause of its waiting, and so the one that is ended.
    await rival.execute(
        "SET deadlock_timeout = '1min'; BEGIN; SELECT FROM provider_refs FOR UPDATE"
    )
    write = asyncio.ensure_future(
        store.save(
            changed(record()), expected_version=1, references=("order:1",), matched=("evt_1",)
        )
    )
    while await rival.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") == 0:
        await asyncio.sleep(0.01)
    await rival.execute("SELECT FROM sessions FOR UPDATE; ROLLBACK")
    await write
    assert await store.find(session_id(1)) == changed(record())
    await rival.close()
    await store.close()


GONE = "The store does not answer: (connection re|the connection broke|[a-z ]+ \\(57P0)"
"""Refused or reset, broken, or the server's last or first words: which, depends on the moment."""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
async def test_says_that_the_database_is_gone(
    url: str, server: Server, how: signal.Signals
) -> None:
    """Without its database a store is unavailable, in every call, and works again once it is back."""
    store = await open_store(url)
    await store.create(record())
    server.stop(how)
    try:
        for call in every_call(store):
            with pytest.raises(StoreUnavailable, match=GONE):
                await call()
        with pytest.raises(StoreUnavailable):
            await open_store(url)
    finally:
        server.start()
    await store.ping()
    assert await store.find(session_id(1)) == record()
    await store.close()


async def test_works_without_prepared_statements(url: str) -> None:
    """Where the URL says that a pooler stands before the database, nothing is prepared in its sessions."""
    store = await open_store(f"{url}?pooled=true")
    await store.create(record())
    await store.save(changed(record()), expected_version=1, references=("payment:1",))
    assert await store.find_by_reference("dodo", "default", ("payment:1",)) == changed(record())
    with pytest.raises(StoreConflict):
        await store.save(changed(record()), expected_version=1)
    idle = store._database._writers._idle  # type: ignore[attr-defined]
    prepared = [await one.connection.fetch("SELECT FROM pg_prepared_statements") for one in idle]
    assert prepared
    assert not any(prepared)
    await store.close()


def every_call(store: Store) -> list[Callable[[], Awaitable[object]]]:
    """Return a call of each kind."""
    return [
        store.ping,
        store.secret,
        lambda: store.create(record(2)),
        lambda: store.find(session_id(1)),
        lambda: store.save(changed(record()), expected_version=1),
        lambda: store.receive(event()),
        lambda: store.claim_due(NOW, NOW, 1),
        lambda: store.save_each([Change(record=changed(record()), expected_version=1)]),
        lambda: store.look_from("dodo", "default", NOW),
    ]


async def settled(*work: Awaitable[object]) -> list[object]:
    """Return what came of work that ran together."""
    return list(await asyncio.gather(*work, return_exceptions=True))


def outcomes(answers: list[object]) -> list[str]:
    """Return answers as texts, in one order."""
    return sorted(map(repr, answers))
