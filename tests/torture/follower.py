"""Somebody who follows all sessions over every death: nothing is left out, nothing told twice, and all in order."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import grpc
import grpc.aio

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1.session_change_pb2 import SessionChange
from tests.torture.calls import Session, changes_of
from tests.torture.lives import Life
from tests.torture.stage import Stage

AGAIN = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED}
_PAUSE = 0.05
_PATIENCE = 30.0


class Follower:
    """Goes on by its cursor at whichever service lives, and keeps what it was told."""

    def __init__(self, stage: Stage) -> None:
        self.streams = 0
        self.changes = 0
        self.contradictions: list[str] = []
        self._stage = stage
        self._cursor = ""
        self._begun: datetime | None = None
        self._known: dict[str, int] = {}
        self._told: dict[str, list[SessionChange]] = defaultdict(list)

    async def follow(self) -> None:
        """Follow until cancelled."""
        life: Life | None = None
        while True:
            life = await self._stage.life(other_than=life)
            self.streams += 1
            try:
                stream = life.stub.WatchSessions(pb.WatchSessionsRequest(cursor=self._cursor))
                async for message in stream:
                    for change in message.changes:
                        self._take(change)
                    self._cursor = message.cursor
                    if not message.changes and self._begun is None:
                        self._begun = datetime.now(UTC)
            except grpc.aio.AioRpcError as error:
                if error.code() not in AGAIN:
                    self.contradictions.append(f"the stream ended: {error.code()}")
                await asyncio.sleep(_PAUSE)

    def _take(self, change: SessionChange) -> None:
        self.changes += 1
        if SessionChange.TYPE_SNAPSHOT in change.types:
            self._known[change.session_id] = change.version
        elif change.version > self._known.get(change.session_id, 0):
            # Around a snapshot what is part of it may be told once more.
            self._told[change.session_id].append(change)

    async def finish(self, life: Life, listed: Sequence[Session]) -> list[str]:
        """Return what is wrong with what was told of sessions, once all of it can have been."""
        wrong, until = [*self.contradictions], time.monotonic() + _PATIENCE
        for session in listed:
            stored = await changes_of(life, session.session_id)
            while self._lags(session, stored[-1]) and time.monotonic() < until:
                await asyncio.sleep(_PAUSE)
            wrong += self._wrong(session, stored)
        return wrong

    def _lags(self, session: Session, version: int) -> bool:
        told, known = self._told.get(session.session_id), self._known.get(session.session_id, 0)
        is_followed = known or not self._is_older(session)
        return bool(is_followed and (told[-1].version if told else known) < version)

    def _wrong(self, session: Session, stored: Sequence[int]) -> Iterator[str]:
        told = self._told.get(session.session_id, [])
        known = self._known.get(session.session_id, 0)
        versions = [change.version for change in told]
        expected = [version for version in stored if version > known]
        if not known and self._is_older(session):
            # It ended while the first snapshot was taken, of which it is no part then.
            expected = expected[len(expected) - len(versions) :]
        if versions != expected:
            yield f"{session.session_id} was told in versions {versions}, and not {expected}"
        elif told and told[-1].session.state != session.state:
            yield f"{session.session_id} was told last in another state"

    def _is_older(self, session: Session) -> bool:
        return self._begun is None or session.create_time.ToDatetime(UTC) < self._begun


@asynccontextmanager
async def following(stage: Stage) -> AsyncIterator[Follower]:
    """Let somebody follow what happens on a stage."""
    follower = Follower(stage)
    task = asyncio.create_task(follower.follow())
    try:
        yield follower
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
