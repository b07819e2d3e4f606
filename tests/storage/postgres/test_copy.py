"""From SQLite to PostgreSQL: everything a store knows, or nothing at all."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from service.cli import main
from service.core.errors import EventKnown, StoreUnavailable
from service.core.gate import Gate, GateLinks, Outcome
from service.core.model import State
from service.core.ports import SessionQuery, Store
from service.core.record import RequestKey
from service.core.unmatched import UnmatchedFilter, UnmatchedQuery
from service.storage.copy import copy_store
from service.storage.registry import open_store
from tests.core.builders import EXPIRY, NOW, SECOND, request
from tests.core.conftest import CountingIds, ManualClock, Service, serving
from tests.core.scripted import ScriptedProvider
from tests.core.test_webhooks import deliver
from tests.storage import records
from tests.storage.events_suite import call, change, newest, numbered, timeline, webhook
from tests.storage.postgres.server import Server
from tests.storage.records import HOUR, changed, record, session_id, unmatched

# Texts that one engine keeps as they are, and the other does not.
ODD = RequestKey('shop\\0 "', "request\0 \\ é")
ODD_REFERENCES = ("payment:\0", "order:\\0")


async def test_copies_every_kind_of_row(path: Path, url: str) -> None:
    """Whatever is read from the copy is what is read from the store it was made of."""
    source = await open_store(f"sqlite:///{path}")
    ids = await fill(source)
    expected = await everything(source, ids)
    await source.close()
    copied = await asyncio.to_thread(copy_store, f"sqlite:///{path}", url)
    assert copied == counted(path)
    assert min(copied.values()) > 0
    target = await open_store(url)
    assert await everything(target, ids) == expected
    await target.close()


async def test_the_service_goes_on_where_it_was(path: Path, url: str) -> None:
    """On the copy a retry is a replay, a gate link opens, pages lead on, and what waits is matched."""
    clock, provider, ids = ManualClock(), ScriptedProvider(), CountingIds()
    before = await serving(await open_store(f"sqlite:///{path}"), clock, provider, ids)
    made = await create(before, "r1")
    await create(before, "r2")
    for number in range(3):
        clock.time += SECOND
        await deliver(
            before, id=f"e{number}", references=["order:o"], payment=f"p{number}", status="PAID"
        )
    page = await before.unmatched(UnmatchedFilter(), 1, "")
    links = GateLinks(public_url="https://pay.example", secret=await before.store.secret())
    address = links.address((await before.store.find(made)).session)
    await before.store.close()
    await asyncio.to_thread(copy_store, f"sqlite:///{path}", url)

    after = await serving(await open_store(url), clock, provider, ids)
    calls = len(provider.calls)
    assert await create(after, "r1") == made
    assert len(provider.calls) == calls
    kept = GateLinks(public_url="https://pay.example", secret=await after.store.secret())
    gate = Gate(links=kept, store=after.store, clock=clock)
    assert (await gate(address.rpartition("/c/")[2])).outcome is Outcome.OPEN
    second = await after.unmatched(UnmatchedFilter(), 2, page.next_page_token)
    assert [one.event_id for one in second.payments] == ["e1", "e0"]
    await deliver(after, id="e9", session=made, references=["order:o"], payment="p9", status="PAID")
    assert (await after.get(made)).session.state is State.COMPLETED
    assert (await after.unmatched(UnmatchedFilter(), 9, "")).payments == ()
    newest = await deliver(after, id="e10", references=["order:new"], payment="p10", status="PAID")
    assert newest.value == "unmatched"
    await after.store.close()


async def test_copies_what_a_crash_left_in_the_log(path: Path, tmp_path: Path, url: str) -> None:
    """What stands in SQLite's log alone is copied too."""
    source = await open_store(f"sqlite:///{path}")
    await source.create(record())
    crashed = tmp_path / "crashed.db"
    for suffix in ("", "-wal"):
        crashed.with_name(f"crashed.db{suffix}").write_bytes(
            path.with_name(f"{path.name}{suffix}").read_bytes()
        )
    await source.close()
    copied = await asyncio.to_thread(copy_store, f"sqlite:///{crashed}", url)
    assert copied["sessions"] == 1


async def test_refuses_a_store_in_use(path: Path, url: str) -> None:
    """A service that runs on the source keeps it from being copied."""
    source = await open_store(f"sqlite:///{path}")
    with pytest.raises(StoreUnavailable, match="in use by the process"):
        await asyncio.to_thread(copy_store, f"sqlite:///{path}", url)
    await source.close()


async def test_refuses_a_target_in_use(path: Path, url: str) -> None:
    """A service that runs on the empty target would go on by another secret than that of what is copied."""
    target = await open_store(url)
    secret = await target.secret()
    with pytest.raises(StoreUnavailable, match="in use: stop the service first"):
        await asyncio.to_thread(copy_store, f"sqlite:///{path}", url)
    assert await target.secret() == secret
    await target.close()


def test_refuses_a_source_that_is_not_there(tmp_path: Path, url: str) -> None:
    """A mistyped path is told as such, and nothing is made there."""
    path = tmp_path / "mistyped.db"
    with pytest.raises(StoreUnavailable, match=r"There is no store .*mistyped\.db"):
        copy_store(f"sqlite:///{path}", url)
    assert list(tmp_path.iterdir()) == []


async def test_refuses_a_target_that_is_not_empty(path: Path, url: str) -> None:
    """Nothing is copied over anything, and what is there stays as it is."""
    target = await open_store(url)
    await target.create(record(9))
    secret = await target.secret()
    await target.close()
    with pytest.raises(StoreUnavailable, match="not empty: its table sessions has rows"):
        await asyncio.to_thread(copy_store, f"sqlite:///{path}", url)
    target = await open_store(url)
    assert await target.find(session_id(9)) == record(9)
    assert await target.secret() == secret
    await target.close()


async def test_refuses_a_target_without_tables(path: Path, server: Server) -> None:
    """A database that was never migrated is refused with what to do about it."""
    with pytest.raises(StoreUnavailable, match="run `checkout migrate`"):
        await asyncio.to_thread(copy_store, f"sqlite:///{path}", server.url())


async def test_refuses_a_source_of_another_revision(path: Path, url: str) -> None:
    """A file that is not at the required revision is refused with what to do about it."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '001'")
    with pytest.raises(StoreUnavailable, match="run `checkout migrate`"):
        await asyncio.to_thread(copy_store, f"sqlite:///{path}", url)


def test_refuses_any_other_direction(path: Path, url: str) -> None:
    """Only from a file to a server can be copied."""
    for pair in ((url, f"sqlite:///{path}"), (url, url)):
        with pytest.raises(ValueError, match="from a sqlite:/// URL to a postgresql:// URL"):
            copy_store(*pair)


async def test_leaves_nothing_of_a_copy_that_failed(path: Path, url: str) -> None:
    """Where a row cannot be copied, the target is as empty as before, and a second try is not in its way."""
    source = await open_store(f"sqlite:///{path}")
    await source.create(record(1))
    await source.save(changed(record(1)), expected_version=1, references=("order:1",))
    await source.receive(unmatched(2))
    await source.close()
    both = "UPDATE provider_refs SET reference = 'order:{}'"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(both.format(2))
    with pytest.raises(StoreUnavailable, match="cannot be written: duplicate key"):
        await asyncio.to_thread(copy_store, f"sqlite:///{path}", url)
    target = await open_store(url)
    assert await target.find(session_id(1)) is None
    await target.close()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(both.format(1))
    copied = await asyncio.to_thread(copy_store, f"sqlite:///{path}", url)
    assert copied["provider_refs"] == 3


async def fill(store: Store) -> list[str]:
    """Store a record of every kind, and what leads to some; return the ids."""
    ids = [session_id(number) for number in range(1, 5)]
    whole = records.whole_record("personal")
    await store.create(whole)
    made = record(1, ODD, reference_id="order\0 \\", metadata={"a\0": "\\"})
    await store.create(made, (change("session.created"),))
    first = changed(record(1, ODD, reference_id="order\0 \\", metadata={"a\0": "\\"}))
    await store.save(
        first,
        expected_version=1,
        references=ODD_REFERENCES,
        event=records.event(1, event_id="\0"),
        facts=(call(), webhook(), change("session.opened", "payment.paid")),
    )
    await store.create(record(6), (change("session.created"),))
    await store.delete_sessions([record(6)])
    await store.create(record(2, state=State.CREATING, provider="square", live=True))
    await store.create(record(3, state=State.FAILED, account="second"))
    await store.create(record(4, expire_time=NOW - HOUR))
    for number in (2, 3):
        await store.receive(unmatched(number, received=NOW + number * HOUR))
    await store.receive(unmatched(4, received=NOW - HOUR))
    await store.receive(records.event(5, event_id="evt\\0 5", session_id=session_id(3)))
    await store.purge_events(matched_before=NOW - HOUR, unmatched_before=NOW, limit=9)
    await store.look_from("dodo", "default", NOW)
    await store.look_from("square", "a-b_c", NOW + HOUR)
    return [*ids, whole.session.session_id]


async def everything(store: Store, ids: list[str]) -> dict[str, object]:
    """Read a store in every way there is."""
    found = [await store.find(one) for one in ids]
    keys = [one.key for one in found if one and one.key]
    references = (*ODD_REFERENCES, "order:2", "payment:3", "order:4")
    now = EXPIRY + HOUR
    return {
        "found": found,
        "by key": [await store.find_by_request(key) for key in keys],
        "by reference": [
            await store.find_by_reference("dodo", "default", (one,)) for one in references
        ],
        "listed": list(await store.list_sessions(SessionQuery(now=now))),
        "by metadata": list(
            await store.list_sessions(SessionQuery(now=now, metadata={"a\0": "\\"}))
        ),
        "by reference id": list(
            await store.list_sessions(SessionQuery(now=now, reference_id="order\0 \\"))
        ),
        "due": await store.claim_due(now, now, 99),
        "old": list(await store.list_old(now, None, 99)),
        "waiting": msgspec.to_builtins(await store.find_waiting("dodo", "default", references)),
        "unmatched": list(await store.list_unmatched(UnmatchedQuery())),
        "marks": [
            await store.looked_until(*one) for one in (("dodo", "default"), ("square", "a-b_c"))
        ],
        "secret": await store.secret(),
        "store id": await store.store_id(),
        "timelines": [await timeline(store, number) for number in (1, 2)],
        "numbered": await numbered(store, 0),
        "newest": await newest(store),
        "known": [await is_known(store, event_id) for event_id in ("\0", "evt\\0 5", "evt_2")],
    }


async def is_known(store: Store, event_id: str) -> bool:
    """Tell whether an event was received."""
    try:
        await store.receive(unmatched(1, event_id=event_id))
    except EventKnown:
        return True
    return False


async def create(service: Service, request_id: str) -> str:
    """Create a session, or find the one of the request, and return its id."""
    made = await service.create(request(request_id=request_id), caller="shop", deadline=None)
    return made.session.session_id


def counted(path: Path) -> dict[str, int]:
    """Count what each table of a copy must hold."""
    with closing(sqlite3.connect(path)) as database:

        def count(of: str) -> int:
            return int(database.execute(f"SELECT count(*) FROM {of}").fetchone()[0])

        waited_for = count("(SELECT DISTINCT provider, account, reference FROM waiting_refs)")
        return {
            "sessions": count("sessions"),
            "request_keys": count("request_keys"),
            "provider_refs": count("provider_refs") + waited_for,
            "inbox": count("inbox"),
            "marks": count("store_meta WHERE name LIKE 'looked_until/%'"),
            "timeline": count("timeline WHERE session_id <> ''"),
            "feed": count("timeline WHERE types IS NOT NULL"),
        }


async def test_the_command_copies_and_says_how_much(path: Path, url: str) -> None:
    """An operator sees how many rows each table has got, or why nothing was copied."""
    source = await open_store(f"sqlite:///{path}")
    await source.create(record(1, ODD))
    await source.close()
    command = ["copy-store", "--from", f"sqlite:///{path}", "--to", url]
    first = await asyncio.to_thread(CliRunner().invoke, main, command)
    assert (first.exit_code, first.output.split("\n")[:2]) == (
        0,
        ["sessions: 1", "request_keys: 1"],
    )
    second = await asyncio.to_thread(CliRunner().invoke, main, command)
    assert (second.exit_code, "is not empty" in second.output) == (1, True)
    command[2] = url
    third = await asyncio.to_thread(CliRunner().invoke, main, command)
    assert (third.exit_code, "is copied from a sqlite:/// URL" in third.output) == (1, True)
