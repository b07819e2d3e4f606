"""Actors that stop before each of their steps: on the store, and at a provider that tells when it was paid."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import structs

from service.core.model import PaymentState
from service.core.ports import Closing, CreateCall, ProviderEvent, ProviderSession, Store
from service.core.record import Record
from tests.core.builders import payment
from tests.core.conftest import Service
from tests.core.scripted import ScriptedProvider

STEPS = frozenset(
    "find find_by_request find_by_reference find_waiting create save save_each receive claim_due".split()
)


class Saved(msgspec.Struct, frozen=True):
    """A write that the store has taken: which version it follows, and what it stored."""

    expected: int
    record: Record


class Stopping:
    """The real store, which stops its actor before each call and notes what was written."""

    def __init__(self, store: Store, actor: "Actor", written: list[Saved]) -> None:
        self._store = store
        self._actor = actor
        self._written = written

    def __getattr__(self, name: str) -> object:
        found = getattr(self._store, name)
        if name not in STEPS:
            return found

        async def step(*args: object, **fields: object) -> object:
            await self._actor.stop()
            answer = await found(*args, **fields)
            if name in ("create", "save"):
                self._written.append(Saved(fields.get("expected_version", 0), args[0]))  # type: ignore[arg-type]
            if name == "save_each":
                self._written += [
                    Saved(one.expected_version, one.record)
                    for one in args[0]  # type: ignore[attr-defined]
                    if one.record.session.session_id not in answer
                ]
            return answer

        return step


class Teller(ScriptedProvider):
    """Stops its actor while it works, and tells in events when a payment was made."""

    payment_grace = timedelta(0)

    def __init__(self, actor: "Actor") -> None:
        super().__init__()
        self.capabilities = structs.replace(self.capabilities, cancel=True)
        self._actor = actor

    async def create(self, call: CreateCall) -> ProviderSession:
        await self._actor.stop()
        return await super().create(call)

    async def cancel(
        self, provider_session_id: str, details: Mapping[str, object] | None = None
    ) -> Closing:
        await self._actor.stop()
        return await super().cancel(provider_session_id, details)

    def parse(self, headers: Mapping[str, str], body: bytes) -> Sequence[ProviderEvent]:
        told = msgspec.json.decode(body)
        at = datetime.fromisoformat(told["at"])
        return [
            ProviderEvent(
                event_id=told["id"],
                event_type="payment",
                session_id=told["session"],
                references=told["references"],
                report=payment(PaymentState(told["status"]), at, payment_id=told["payment"]),
            )
        ]


class Actor:
    """One process: it does one thing at a time, step by step."""

    service: Service

    def __init__(self) -> None:
        self._gates: list[asyncio.Event] = []
        self._doing: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether all that was begun is done."""
        is_done = self._doing is None or self._doing.done()
        return is_done and not self.service.background._tasks

    async def stop(self) -> None:
        """Wait for the turn."""
        gate = asyncio.Event()
        self._gates.append(gate)
        await gate.wait()

    def begin(self, work: Awaitable[None]) -> None:
        """Begin something, up to its first step."""
        self._doing = asyncio.ensure_future(work)

    def go_on(self) -> None:
        """Take one step."""
        if self._gates:
            self._gates.pop(0).set()

    async def settled(self) -> None:
        """Return once the actor stands before a step, or is done; raise what it met."""
        while not (self._gates or self.is_idle):
            await asyncio.sleep(0)
        if self._doing is not None and self._doing.done():
            self._doing.result()
