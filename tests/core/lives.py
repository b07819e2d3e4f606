"""A service that dies in the middle of its work, and what the next one finds."""

import asyncio

from service.core.create import LEASE
from service.core.model import UnknownOutcomeStrategy
from service.core.ports import Step
from service.core.record import AttemptOutcome, Record
from tests.core.builders import NOW, request
from tests.core.conftest import Service, serving

AFTER = NOW + LEASE


def step(
    number: int = 1, strategy: UnknownOutcomeStrategy = UnknownOutcomeStrategy.RECREATE
) -> Step:
    """Return the first of two calls done: an invoice is made, its page is not."""
    name = f"inv_{number}"
    return Step(
        provider_session_id=name,
        kept={"invoice": name},
        strategy=strategy,
        references=[f"order:{number}"],
        details={"invoice": {"id": name}},
    )


async def killed(service: Service, calls: int = 1, **asked: object) -> Record:
    """Kill the process while the provider works at the given call, and return what is stored by then."""
    service.provider.script.append(asyncio.Event())
    wanted = len(service.provider.calls) + calls
    running = asyncio.create_task(
        service.create(request(**asked), caller="anonymous", deadline=None)
    )
    while len(service.provider.calls) < wanted:
        await asyncio.sleep(0)
    for task in service.background._tasks | {running}:
        task.cancel()
    await asyncio.gather(running, return_exceptions=True)
    record = await stored(service, service.provider.calls[-1].session_id)
    assert AttemptOutcome.IN_FLIGHT is record.attempt.outcome
    return record


async def stored(service: Service, session_id: str) -> Record:
    """Return the record of a session."""
    record = await service.store.find(session_id)
    assert isinstance(record, Record)
    return record


async def restarted(service: Service) -> Service:
    """Return a service over the same store that remembers nothing else."""
    return await serving(service.store, service.clock, service.provider, service.ids)


async def swept(service: Service, session_id: str) -> Record:
    """Sweep once, wait for what that started, and return the record."""
    await service.sweep.sweep()
    while service.background._tasks:
        await asyncio.gather(*service.background._tasks)
    return await stored(service, session_id)
