"""Streams of WatchSessions: what is told, written as fast as it is read."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge

from service.api.convert.watch import conditions_from_proto, told_to_wire
from service.core.errors import WatcherTooSlow

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from prometheus_client import CollectorRegistry

    from checkout.v1 import checkout_service_pb2 as pb
    from service.core.gate import GateLinks
    from service.core.news import Told
    from service.core.watch import Watch, WatchSessions

    Write = Callable[[bytes], Awaitable[None]]

# Clients take messages of 4 MiB unless told otherwise; what waits for a stream is copied into one.
_MESSAGE_BYTES = 64 * 1024


class Watching:
    """Serves the streams, and counts them."""

    def __init__(
        self, *, watch: WatchSessions, links: GateLinks | None, registry: CollectorRegistry
    ) -> None:
        self._watch = watch
        self._links = links
        self._open = Gauge(
            "checkout_watchers_open",
            "Streams of WatchSessions that are open.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._sent = Counter(
            "checkout_watch_changes_sent",
            "Changes sent to watchers, each as often as it was sent.",
            registry=registry,
        )
        self._cut = Counter(
            "checkout_watchers_cut",
            "Streams of WatchSessions that were ended for not being read.",
            registry=registry,
        )

    async def __call__(self, request: pb.WatchSessionsRequest, write: Write) -> None:
        """Write messages until the caller goes away; whatever else ends the stream is raised."""
        async with self._watch(conditions_from_proto(request), request.cursor) as watch:
            with self._open.track_inprogress():
                try:
                    await self._follow(watch, write)
                except WatcherTooSlow:
                    self._cut.inc()
                    raise

    def close(self) -> None:
        """End every stream with ShuttingDown, and begin no more."""
        self._watch.close()

    async def _follow(self, watch: Watch, write: Write) -> None:
        loop, watcher = asyncio.get_running_loop(), watch.watcher
        try:
            async with asyncio.timeout(None) as limit, aclosing(watch.messages()) as messages:
                # A write that nobody reads returns by this alone.
                watcher.when_ended(lambda: limit.reschedule(loop.time()))
                async for told in messages:
                    for message in self._messages(told):
                        watcher.is_busy = True
                        await write(message)
                        watcher.done()
        except TimeoutError:
            if watcher.failure is None:
                raise
            raise watcher.failure from None

    def _messages(self, told: Sequence[Told]) -> Iterator[bytes]:
        parts: list[bytes] = []
        size = 0
        for one in told:
            wire = told_to_wire(one, self._links)
            if parts and size + len(wire) > _MESSAGE_BYTES:
                yield b"".join(parts)
                parts, size = [], 0
            parts.append(wire)
            size += len(wire)
            self._sent.inc(one.view is not None)
        yield parts[0] if len(parts) == 1 else b"".join(parts)
