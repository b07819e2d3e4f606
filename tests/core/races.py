"""Runs several writers of one session in every order that their steps can have, on a real store."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar

from service.core.ports import Store
from service.storage.registry import open_store
from tests.core.conftest import CountingIds, ManualClock, Service, serving
from tests.core.scripted import ScriptedProvider

Actor = Callable[[Service], Awaitable[object]]

_acting: ContextVar[str] = ContextVar("acting", default="")


class Turns:
    """Stops every actor before each of its steps until it is its turn."""

    def __init__(self) -> None:
        self.waiting: dict[str, asyncio.Event] = {}
        self.changed = asyncio.Event()

    async def stop(self) -> None:
        """Wait for the turn of whoever is acting."""
        if name := _acting.get():
            self.waiting[name] = turn = asyncio.Event()
            self.changed.set()
            await turn.wait()

    async def all_stopped(self, tasks: Mapping[str, asyncio.Task[None]]) -> Sequence[str]:
        """Return who waits, once everybody waits or is done."""
        while not all(task.done() or name in self.waiting for name, task in tasks.items()):
            self.changed.clear()
            await self.changed.wait()
        return sorted(self.waiting)


class Stopping:
    """The real store, which stops an actor between what it has read and what it writes."""

    def __init__(self, store: Store, turns: Turns) -> None:
        self._store = store
        self._turns = turns

    def __getattr__(self, name: str) -> object:
        found = getattr(self._store, name)
        if name not in ("save", "save_each", "receive"):
            return found

        async def write(*args: object, **fields: object) -> object:
            await self._turns.stop()
            return await found(*args, **fields)

        return write


async def race(
    service: Service, turns: Turns, actors: Mapping[str, Actor], plan: Sequence[int]
) -> list[int]:
    """Let actors go by a plan, then the first that waits; return how many there were to choose from each time."""
    tasks = {name: asyncio.create_task(_act(service, turns, name, actors[name])) for name in actors}
    for task in tasks.values():
        task.add_done_callback(lambda _: turns.changed.set())
    choices: list[int] = []
    while names := await turns.all_stopped(tasks):
        chosen = plan[len(choices)] if len(choices) < len(plan) else 0
        choices.append(len(names))
        turns.waiting.pop(names[chosen]).set()
    await asyncio.gather(*tasks.values())
    return choices


async def _act(service: Service, turns: Turns, name: str, actor: Actor) -> None:
    _acting.set(name)
    await turns.stop()
    await actor(service)
    await settled(service)


async def settled(service: Service) -> None:
    """Return once all that the actor has left to others is done."""
    tasks = service.background._tasks
    while mine := [task for task in tasks if task.get_name() == _acting.get()]:
        await asyncio.gather(*mine)


def _named(start: Callable[..., asyncio.Task[object]]) -> Callable[..., asyncio.Task[object]]:
    def started(work: object) -> asyncio.Task[object]:
        task = start(work)
        task.set_name(_acting.get() or task.get_name())
        return task

    return started


def next_plan(plan: Sequence[int], choices: Sequence[int]) -> list[int] | None:
    """Return the plan that follows in the order of all plans; None after the last."""
    taken = [*plan, *[0] * (len(choices) - len(plan))]
    while taken:
        if taken[-1] + 1 < choices[len(taken) - 1]:
            return [*taken[:-1], taken[-1] + 1]
        taken.pop()
    return None


@asynccontextmanager
async def stage(url: str, provider: ScriptedProvider, turns: Turns) -> AsyncIterator[Service]:
    """Open a service on a store, whose writers can be stopped."""
    store = Stopping(await open_store(url), turns)
    service = await serving(store, ManualClock(), provider, CountingIds())
    service.background.start = _named(service.background.start)  # type: ignore[method-assign, assignment]
    yield service
    await service.store.close()
