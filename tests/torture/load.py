"""Customers of a service that may die at any moment: each insists, and remembers what it was told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import TypeVar

import grpc
from msgspec import Struct

from checkout.v1 import checkout_service_pb2 as pb
from tests.e2e.wire.requests import Fields
from tests.e2e.wire.webhooks import payment_event, signed
from tests.torture.calls import Refused, Session, create, deliver, expire
from tests.torture.lives import Life
from tests.torture.stage import Stage
from tests.torture.trade import Trading

T = TypeVar("T")

AGAIN = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
}
_PAUSE = 0.5
_NOBODY_THERE = 0.02


class Told(Struct, frozen=True, kw_only=True):
    """What a caller knows for certain of one session."""

    reference: str
    session_id: str
    state: Session.State.ValueType
    payment_id: str = ""
    pages: int


class Load:
    """Lets customers arrive, and keeps what they were told."""

    def __init__(
        self,
        *,
        stage: Stage,
        provider: Trading,
        chance: Random,
        per_second: float,
        room: int,
    ) -> None:
        self.told: list[Told] = []
        self.contradictions: list[str] = []
        self.arrived = 0
        self.repeats = 0
        self.webhooks = 0
        self._stage = stage
        self._provider = provider
        self._chance = chance
        self._interval = 1 / per_second
        self._room = room
        self._waiting: set[asyncio.Task[None]] = set()
        self._shut = asyncio.Event()
        self._arriving = asyncio.create_task(self._arrive())

    @property
    def waiting(self) -> int:
        """How many customers have not been answered yet."""
        return len(self._waiting)

    async def finish(self, patience: float) -> None:
        """Let nobody else arrive and wait until everybody was answered."""
        self._shut.set()
        await self._arriving
        async with asyncio.timeout(patience):
            await asyncio.gather(*self._waiting)

    async def _arrive(self) -> None:
        while not self._shut.is_set():
            # More than a short life can answer would only wait for a longer one.
            if self.waiting < self._room:
                task = asyncio.create_task(self._customer(f"order-{self.arrived}"))
                self.arrived += 1
                self._waiting.add(task)
                task.add_done_callback(self._left)
            await asyncio.sleep(self._chance.random() * 2 * self._interval)

    def _left(self, task: asyncio.Task[None]) -> None:
        self._waiting.discard(task)
        error = "cancelled" if task.cancelled() else task.exception()
        if error:
            self.contradictions.append(repr(error))

    async def _customer(self, reference: str) -> None:
        fields: Fields = {**self._provider.trade.fields, "reference_id": reference}
        kind = self._chance.random()
        if kind < 0.1:
            answer = await create(await self._stage.life(), fields)
        elif kind < 0.25:
            fields["request_id"] = reference
            answer, twin = await asyncio.gather(self._created(fields), self._created(fields))
            if _session_id(answer) != _session_id(twin):
                self.contradictions.append(f"{reference} was told two session ids")
        else:
            fields["request_id"] = reference
            answer = await self._created(fields)
        await self._go_on(reference, answer)

    async def _created(self, fields: Fields) -> pb.CreateSessionResponse | Refused:
        return await self._insist(lambda life: create(life, fields))

    async def _go_on(self, reference: str, answer: pb.CreateSessionResponse | Refused) -> None:
        session_id = _session_id(answer)
        if isinstance(answer, Refused):
            if answer.reason == "PROVIDER_REJECTED":
                self._tell(reference, session_id, Session.STATE_FAILED)
            elif answer.code not in AGAIN and answer.reason != "PROVIDER_OUTCOME_UNRESOLVED":
                self.contradictions.append(f"{reference}: {answer}")
            return
        pages = len(self._provider.made.get(session_id, ()))
        act = self._chance.choice(self._provider.trade.acts)
        state, payment_id = Session.STATE_OPEN, ""
        if act in {"end", "end and pay"}:
            state = await self._ended(session_id)
        if "pay" in act:
            payment_id = await self._paid(session_id)
            state = state if act == "end and pay" else Session.STATE_COMPLETED
        if act == "pay and end":
            state = await self._ended(session_id)
        self._tell(reference, session_id, state, payment_id=payment_id, pages=pages)

    async def _ended(self, session_id: str) -> Session.State.ValueType:
        answer = await self._insist(lambda life: expire(life, session_id))
        if isinstance(answer, Refused):
            assert answer.reason == "SESSION_COMPLETED", answer
            return Session.STATE_COMPLETED
        return answer.state

    async def _paid(self, session_id: str) -> str:
        event = payment_event(session_id)
        delivery = signed(event)
        life = await self._stage.life()
        while (answer := await deliver(life, delivery)) is None or answer[0] != 200:
            self.repeats += 1
            await asyncio.sleep(_PAUSE if answer else _NOBODY_THERE)
            life = await self._stage.life(other_than=life)
        self.webhooks += 1
        return str(event["data"]["payment_id"])

    async def _insist(self, call: Callable[[Life], Awaitable[T | Refused]]) -> T | Refused:
        life: Life | None = None
        while True:
            life = await self._stage.life(other_than=life)
            answer = await call(life)
            if not isinstance(answer, Refused) or answer.code not in AGAIN:
                return answer
            self.repeats += 1
            pause = _PAUSE * (0.5 + self._chance.random()) if answer.reason else _NOBODY_THERE
            await asyncio.sleep(pause)

    def _tell(
        self,
        reference: str,
        session_id: str,
        state: Session.State.ValueType,
        *,
        payment_id: str = "",
        pages: int = 0,
    ) -> None:
        self.told.append(
            Told(
                reference=reference,
                session_id=session_id,
                state=state,
                payment_id=payment_id,
                pages=pages,
            )
        )


def _session_id(answer: pb.CreateSessionResponse | Refused) -> str:
    return answer.session_id if isinstance(answer, Refused) else answer.session.session_id
