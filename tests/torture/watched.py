"""The service's ports with somebody at every step, told from outside when it is about to be taken or was taken."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import aiohttp

from service.providers.call import CALL
from tests.torture.points import step_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from service.core.due import Change
    from service.core.inbox import InboxEvent
    from service.core.ports import Clock, Store
    from service.core.record import Record

Reach = Callable[[str], None]

_UNTIL_WRITTEN = 0.02


class Killer:
    """Ends its own process, as a crash would, when a point is reached for the n-th time."""

    def __init__(self, kill_at: str) -> None:
        self._point, _, times = kill_at.partition(":")
        self._left = int(times or 1)
        self._replays = False

    def __call__(self, point: str) -> None:
        self._replays = self._replays or point == "replay.after"
        if self._replays and point == "create.sent":
            point = "replay.sent"
        if point != self._point:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class WatchedStore:
    """A store whose commits are told of before and after."""

    def __init__(self, store: Store, clock: Clock, reach: Reach) -> None:
        self._store = store
        self.clock = clock
        self._reach = reach

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else a store does
        return getattr(self._store, name)

    async def create(self, record: Record, *others: Any, **options: Any) -> None:  # noqa: ANN401
        await self._commit("intent", self._store.create(record, *others, **options))

    async def save(
        self,
        record: Record,
        *,
        expected_version: int,
        event: InboxEvent | None = None,
        **options: Any,  # noqa: ANN401
    ) -> None:
        save = partial(
            self._store.save, record, expected_version=expected_version, event=event, **options
        )
        before = await self._store.find(record.session.session_id)
        if before is None or before.session.version != expected_version:
            # Somebody was faster: it is no step, and the store will say so.
            await save()
        else:
            await self._commit(step_of(before, record, is_event=event is not None), save())

    async def save_each(self, changes: Sequence[Change]) -> Sequence[str]:
        steps = []
        for change in changes:
            before = await self._store.find(change.record.session.session_id)
            if before is not None and before.session.version == change.expected_version:
                steps.append(step_of(before, change.record, is_event=False))
        for step in steps:
            self._reach(f"{step}.before")
        stale = await self._store.save_each(changes)
        for step in steps:
            self._reach(f"{step}.after")
        return stale

    async def receive(self, event: InboxEvent, *others: Any, **options: Any) -> None:  # noqa: ANN401
        await self._commit("unmatched", self._store.receive(event, *others, **options))

    async def look_from(self, provider: str, account: str, moment: datetime) -> None:
        await self._commit("mark", self._store.look_from(provider, account, moment))

    async def _commit(self, step: str, commit: Coroutine[object, object, None]) -> None:
        self._reach(f"{step}.before")
        await commit
        self._reach(f"{step}.after")


def watched_client(reach: Reach) -> Callable[..., aiohttp.ClientSession]:
    """Return a maker of HTTP clients that tell when a request has been sent and its answer is awaited."""

    async def sent(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
        # What was handed to the event loop is on its way a moment later.
        operation = CALL.get().operation
        asyncio.get_running_loop().call_later(_UNTIL_WRITTEN, reach, f"{operation}.sent")

    async def headers_sent(
        client: aiohttp.ClientSession,
        context: SimpleNamespace,
        headers: aiohttp.TraceRequestHeadersSentParams,
    ) -> None:
        # Where there is no body, there is no end of it to be told of.
        if headers.headers.get("Content-Length", "0") == "0":
            await sent(client, context, headers)

    def make(**others: Any) -> aiohttp.ClientSession:  # noqa: ANN401
        trace = aiohttp.TraceConfig()
        trace.on_request_chunk_sent.append(sent)
        trace.on_request_headers_sent.append(headers_sent)
        return aiohttp.ClientSession(trace_configs=[trace], **others)

    return make
