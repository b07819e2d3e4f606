"""A service that looks for what no webhook told, one look at a time."""

from datetime import timedelta
from pathlib import Path

from service.core.model import Session
from service.storage.registry import open_store
from tests.core.builders import request
from tests.core.conftest import CountingIds, Interruptible, ManualClock, Service, serving
from tests.core.scripted import ScriptedProvider

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


class open_shop:  # noqa: N801 - a context manager that reads as a function
    """Open a service over a store of its own, and look once: that notes where to begin."""

    def __init__(self, folder: Path, empty_store: bytes, seller: ScriptedProvider) -> None:
        self._path = folder / "checkout.db"
        self._path.write_bytes(empty_store)
        self._seller = seller

    async def __aenter__(self) -> Service:
        store = Interruptible(await open_store(f"sqlite:///{self._path}"))
        self._service = await serving(store, ManualClock(), self._seller, CountingIds())
        await look(self._service, timedelta(0))
        return self._service

    async def __aexit__(self, *_: object) -> None:
        await self._service.background.drain(5 * MINUTE)
        await self._service.store.close()


async def look(service: Service, later: timedelta = MINUTE, times: int = 1) -> None:
    """Let time pass and look, so many times."""
    for _ in range(times):
        service.clock.time += later
        for account in service.reconciliation.accounts:
            await account.look()


async def opened(service: Service, **asked: object) -> str:
    """Create a session and return its id."""
    made = await service.create(request(**asked), caller="anonymous", deadline=None)
    return made.session.session_id


async def read(service: Service, session_id: str) -> Session:
    """Return a session as it is now."""
    return (await service.get(session_id)).session


async def again(service: Service) -> Service:
    """Return a service over the same store that remembers nothing else, and has begun to watch."""
    restarted = await serving(service.store, service.clock, service.provider, service.ids)
    await look(restarted, timedelta(0))
    return restarted
