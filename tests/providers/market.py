"""A whole service at one emulated provider: real rules, store and adapter, and webhooks delivered one by one."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

import msgspec

from service.core.model import Session
from service.core.ports import CreateCall, Provider, ProviderSession, Step, Store
from service.core.rules import Rules, build_rules
from service.core.unmatched import UnmatchedFilter, UnmatchedPayment
from service.core.webhooks import Receipt
from service.sandbox.delivery import Delivery
from service.sandbox.emulator import Emulator
from service.sandbox.registry import EMULATIONS
from service.storage.registry import open_store
from tests.core.conftest import CountingIds, ManualClock, Observations
from tests.providers.sandbox import WEBHOOK_SECRET, Hook, Place, running_sandbox
from tests.providers.suite import build, settings_for
from tests.providers.tellers import Later, Teller, Told

NOBODY: Mapping[str, Mapping[str, str]] = MappingProxyType({})


class Market:
    """The service, the provider, and the way between them."""

    def __init__(
        self,
        *,
        teller: Teller,
        rules: Rules,
        adapter: Provider,
        store: Store,
        place: Place,
        clock: ManualClock,
        seen: Observations,
    ) -> None:
        self.teller = teller
        self.rules = rules
        self.adapter = adapter
        self.store = store
        self.place = place
        self.clock = clock
        self.seen = seen

    @property
    def emulator(self) -> Emulator:
        """Return the emulated provider."""
        return self.place.sandbox.emulators[self.teller.provider]

    async def open(self, **asked: object) -> Session:
        """Create a session."""
        request = msgspec.structs.replace(self.teller.request, **asked)
        made = await self.rules.create_session(request, caller="anonymous", deadline=None)
        return made.session

    async def read(self, session: Session) -> Session:
        """Return a session as it is now."""
        return (await self.rules.get_session(session.session_id)).session

    async def caught(self, deliveries: Sequence[Delivery]) -> list[Hook]:
        """Return the webhooks that have come in, once all of what was started has."""
        for delivery in deliveries:
            await delivery.tried.wait()
        found = [*self.place.hooks]
        self.place.hooks.clear()
        return found

    async def paid(self, session: Session) -> list[Hook]:
        """Let the buyer pay, and return what the provider tells of it, undelivered."""
        return await self.caught(self.emulator.pay(session.provider_session_id))

    async def declined(self, session: Session) -> list[Hook]:
        """Let the buyer be declined, and return what the provider tells of it, undelivered."""
        return await self.caught(self.emulator.decline(session.provider_session_id))

    async def deliver(self, *hooks: Hook) -> list[Receipt]:
        """Deliver webhooks one after the other."""
        receipts: list[Receipt] = []
        for hook in hooks:
            receipts += await self.rules.receive_webhook(
                self.teller.provider, "default", hook.headers, hook.body
            )
        return receipts

    def signed(self, body: bytes, event_id: str, secret: str = WEBHOOK_SECRET) -> Hook:
        """Sign a body as the provider does, now."""
        signer = EMULATIONS[self.teller.provider].signer(secret, self.clock.now)
        url = f"{self.place.url}/hook"
        headers = signer.headers(url=url, webhook_id=event_id, body=body)
        return Hook({name.lower(): value for name, value in headers.items()}, body)

    def telling(self, session: Session, told: Told) -> Hook:
        """Return a webhook about a payment of a session."""
        return self.signed(self.teller.payment(self.place, session, told), told.event_id)

    async def tell(self, session: Session, told: Told) -> Receipt:
        """Deliver a webhook about a payment of a session."""
        (receipt,) = await self.deliver(self.telling(session, told))
        return receipt

    async def add(self, session: Session, told: Later) -> Receipt:
        """Deliver a webhook about a refund or a dispute."""
        body = self.teller.later(self.place, session, told)
        (receipt,) = await self.deliver(self.signed(body, told.event_id))
        return receipt

    async def kept(self) -> Sequence[UnmatchedPayment]:
        """Return the payments that no session was found for."""
        return (await self.rules.list_unmatched_payments(UnmatchedFilter(), 0, "")).payments

    async def sweep(self) -> None:
        """Do everything that is due, and what that makes due."""
        for _ in range(2):
            await self.rules.sweep.sweep()
            while self.rules.background._tasks:
                await asyncio.gather(*self.rules.background._tasks)

    def hold_answers(self) -> asyncio.Event:
        """Keep the answers to creates back until an event is set."""
        gate, create = asyncio.Event(), self.adapter.create

        async def held(call: CreateCall) -> ProviderSession | Step:
            answer = await create(call)
            if not isinstance(answer, Step):
                await gate.wait()
            return answer

        self.adapter.create = held  # type: ignore[method-assign]
        return gate


@asynccontextmanager
async def opened(
    teller: Teller,
    folder: Path,
    empty_store: bytes,
    *,
    grace: timedelta | None = None,
    others: Mapping[str, Mapping[str, str]] = NOBODY,
) -> AsyncIterator[Market]:
    """Open a market on a store and a sandbox of its own, both of which live by its clock.

    `others` are further accounts that share the endpoint's secret, by name with what is different in each.
    """
    path = folder / "checkout.db"
    path.write_bytes(empty_store)
    clock, seen = ManualClock(), Observations()
    store = await open_store(f"sqlite:///{path}")
    async with running_sandbox(clock.now) as place:
        own = dict(teller.own(place))
        account = settings_for(place, teller.provider, own=own, payment_grace=grace)
        adapter = build(account)
        further = [
            build(msgspec.structs.replace(account, account=name, own=own | dict(different)))
            for name, different in others.items()
        ]
        rules = build_rules(
            store=store,
            providers=[adapter, *further],
            observer=seen,
            clock=clock,
            ids=CountingIds(),
            secret=await store.secret(),
            sweep_interval=timedelta(seconds=1),
        )
        yield Market(
            teller=teller,
            rules=rules,
            adapter=adapter,
            store=store,
            place=place,
            clock=clock,
            seen=seen,
        )
        await rules.background.drain(timedelta(seconds=60))
        for one in (adapter, *further):
            await one.close()
    await store.close()
