"""The part that measures what a session takes in PostgreSQL: bytes of its tables and indexes, and of the log."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import asyncpg

from tests.benchmarks.bench import TOGETHER, Bench, Found
from tests.benchmarks.report import table

_PIECE = 1000
_VACUUM = "VACUUM (ANALYZE)"
_SIZES = """
    SELECT t.relname, i.relname, pg_relation_size(coalesce(i.oid, t.oid))
        + CASE WHEN i.oid IS NULL AND t.reltoastrelid <> 0
            THEN pg_total_relation_size(t.reltoastrelid) ELSE 0 END
    FROM pg_class AS t
    LEFT JOIN LATERAL (
        SELECT c.oid, c.relname FROM pg_index AS x JOIN pg_class AS c ON c.oid = x.indexrelid
        WHERE x.indrelid = t.oid
        UNION ALL SELECT NULL, NULL
    ) AS i ON true
    WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace
    ORDER BY t.relname, i.relname NULLS FIRST
"""
_LOGGED = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"

Sizes = dict[tuple[str, str], int]


class Taken(NamedTuple):
    """How many bytes each table and index has, and how many were logged so far."""

    sizes: Sizes
    logged: int


def sizes(bench: Bench) -> Found:
    """Create sessions, then complete each by a webhook, and look at the database before and after."""
    number = bench.asked.weighed
    url = bench.new_database()
    ours = bench.serve(url=url)
    empty = _looked(url)
    for _ in range(number // _PIECE):
        bench.client.ask(
            kind="create", address=ours.address, number=_PIECE, together=TOGETHER, remember=True
        )
        ours.forget_log()
    opened = _looked(url)
    webhooks = f"http://{ours.web}/webhooks/dodo/default"
    for _ in range(number // _PIECE):
        bench.client.ask(
            kind="webhook",
            address=ours.address,
            url=webhooks,
            number=_PIECE,
            together=TOGETHER,
            pays=True,
        )
        ours.forget_log()
    paid = _looked(url)
    head = ("bytes a session", "created", "paid")
    return Found(
        notes=[
            f"PostgreSQL, {number:,} sessions created one by one, then paid:",
            table(head, [*_rows(empty, opened, paid, number)]),
        ]
    )


def _rows(empty: Taken, opened: Taken, paid: Taken, number: int) -> Iterator[Sequence[str]]:
    sums = [0, 0]
    for name, size in paid.sizes.items():
        before = empty.sizes[name]
        added = [opened.sizes[name] - before, size - before]
        if added[1] < number:
            continue
        sums = [one + other for one, other in zip(sums, added, strict=True)]
        of_table, index = name
        label = f"{of_table}, index {index}" if index else of_table
        yield (label, *(f"{one / number:.0f}" for one in added))
    yield ("all", *(f"{one / number:.0f}" for one in sums))
    logged = (opened.logged - empty.logged, paid.logged - empty.logged)
    yield ("written to the log", *(f"{one / number:.0f}" for one in logged))


def _looked(url: str) -> Taken:
    async def look() -> Taken:
        connection = await asyncpg.connect(url)
        try:
            logged = await connection.fetchval(_LOGGED)
            await connection.execute(_VACUUM)
            rows = await connection.fetch(_SIZES)
            return Taken({(of, index or ""): size for of, index, size in rows}, logged)
        finally:
            await connection.close()

    return asyncio.run(look())
