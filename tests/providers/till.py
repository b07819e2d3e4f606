"""A service at the emulated providers with one clock for all of them: what ends, ends for everybody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import aiohttp
import msgspec
from prometheus_client import CollectorRegistry

from service.core.model import CreateRequest, ProviderLink, Session
from service.core.page import provider_link
from service.core.rules import Rules, build_rules
from service.sandbox.emulator import EmulatedSession, Emulator
from service.storage.registry import open_store
from service.web.server import build_application
from tests.core.conftest import CountingIds, ManualClock, Observations
from tests.providers.clover.test_conformance import TestClover
from tests.providers.dodo.test_conformance import TestDodo
from tests.providers.fastspring.test_conformance import TestFastspring
from tests.providers.sandbox import Place, free_port, running_sandbox, serving
from tests.providers.sellapp.test_conformance import TestSellapp
from tests.providers.square.test_conformance import TestCheckouts, TestLinks
from tests.providers.suite import ProviderSuite, build

# One entry for each call that an account can be set to.
CALLS: Mapping[str, type[ProviderSuite]] = MappingProxyType(
    {
        "clover": TestClover,
        "dodo": TestDodo,
        "fastspring": TestFastspring,
        "sellapp": TestSellapp,
        "square links": TestLinks,
        "square checkouts": TestCheckouts,
    }
)


class Till(NamedTuple):
    """The rules, the emulator behind them, and the customers' browser."""

    suite: ProviderSuite
    rules: Rules
    clock: ManualClock
    place: Place
    browser: aiohttp.ClientSession

    @property
    def emulator(self) -> Emulator:
        """Return the emulated provider."""
        return self.place.sandbox.emulators[self.suite.name]

    async def create(self, ttl: timedelta | None = None) -> Session:
        """Create a session."""
        made = await self.rules.create_session(
            self._request(ttl), caller="anonymous", deadline=None
        )
        return made.session

    async def promised(self, ttl: timedelta | None = None) -> Session | None:
        """Return the session that is promised to who asks before creating one."""
        (verdict,) = await self.rules.check_session(self._request(ttl))
        return verdict.planned

    async def read(self, session: Session) -> Session:
        """Read a session."""
        return (await self.rules.get_session(session.session_id)).session

    async def link(self, session: Session) -> ProviderLink | None:
        """Return what is said of the provider's page."""
        view = await self.rules.get_session(session.session_id)
        return provider_link(view.session, view.now)

    def emulated(self, session: Session) -> EmulatedSession:
        """Return how the provider sees a session."""
        return self.emulator.session(session.provider_session_id)

    async def pay(self, session: Session) -> Session:
        """Pay at the provider, and return the session once the news is taken."""
        self.place.hooks.clear()
        for delivery in self.emulator.pay(session.provider_session_id):
            await delivery.tried.wait()
        for hook in self.place.hooks:
            await self.rules.receive_webhook(self.suite.name, "default", hook.headers, hook.body)
        return await self.read(session)

    async def visit(self, session: Session) -> tuple[int, str]:
        """Come to the gate by the session's link; return the answer's status and where it leads."""
        assert self.rules.links is not None
        address = self.rules.links.address(session)
        async with self.browser.get(address, allow_redirects=False) as answer:
            return answer.status, answer.headers.get("Location", "")

    async def sweep(self) -> None:
        """Record what has ended, then close its pages, and wait until that is done."""
        for _ in range(2):
            await self.rules.sweep.sweep()
            await asyncio.gather(*self.rules.background._tasks)

    def _request(self, ttl: timedelta | None) -> CreateRequest:
        return msgspec.structs.replace(self.suite.base, ttl=ttl)


@asynccontextmanager
async def open_till(name: str, store_path: Path, *, has_gate: bool = True) -> AsyncIterator[Till]:
    """Sell by a call of a provider, over a migrated store."""
    clock, suite, (listener, url) = ManualClock(), CALLS[name](), free_port()
    store = await open_store(f"sqlite:///{store_path}")
    async with running_sandbox(clock.now) as place, aiohttp.ClientSession() as browser:
        adapter = build(suite.settings(place))
        rules = build_rules(
            store=store,
            providers=[adapter],
            observer=Observations(),
            clock=clock,
            ids=CountingIds(),
            secret=await store.secret(),
            sweep_interval=timedelta(seconds=1),
            public_url=url if has_gate else None,
        )
        web = build_application(
            receive=rules.receive_webhook,
            ready=_ready,
            registry=CollectorRegistry(),
            let_pass=rules.gate,
        )
        async with serving(web, listener):
            yield Till(suite, rules, clock, place, browser)
        await rules.background.drain(timedelta(seconds=60))
        await adapter.close()
    await store.close()


async def _ready() -> str | None:
    return None
