"""Runs every check at once, each bounded in time, and puts what they find in one order."""

import asyncio
from collections.abc import Coroutine, Iterator

from service.accounts import configured_accounts, problems
from service.config import Reading, Settings
from service.core.clock import SystemClock
from service.core.faults import fault
from service.core.ports import Clock
from service.doctor.accounts import check_account
from service.doctor.addresses import check_grpc, check_public_url, check_web, serving_status
from service.doctor.findings import Finding, broken, doubtful, fine
from service.doctor.store import check_store
from service.doctor.threads import AbandonableThreads
from service.providers.registry import PROVIDERS

LIMIT = 5.0
CONFIGURATION = "configuration"

Check = Coroutine[object, object, list[Finding]]


def examine(reading: Reading) -> list[Finding]:
    """Run all checks and return what they found."""
    wrong = [broken(CONFIGURATION, problem) for problem in reading.problems(problems)]
    if reading.problems(lambda _: ()):
        # What could not be read has its default, which nobody meant: no host to send a key to.
        rest = doubtful("the rest", "is not looked at until the configuration can be read")
        return [*wrong, rest]
    with asyncio.Runner() as runner:
        runner.get_loop().set_default_executor(AbandonableThreads())
        found = runner.run(_all(reading.settings, SystemClock()))
    return [*(wrong or [fine(CONFIGURATION, "no problems")]), *found]


async def _all(settings: Settings, clock: Clock) -> list[Finding]:
    limited = [_limited(subject, check) for subject, check in _checks(settings, clock)]
    return [finding for group in await asyncio.gather(*limited) for finding in group]


def _checks(settings: Settings, clock: Clock) -> Iterator[tuple[str, Check]]:
    wrong = {problem.paths[0][:3] for problem in problems(settings)}
    for account in configured_accounts(settings):
        path = ("providers", account.provider, account.account)
        if account.provider in PROVIDERS and path not in wrong:
            yield f"provider {account.provider}/{account.account}", check_account(account, clock)
    yield "store and gRPC address", _own(settings)
    yield "web address", _web(settings)


async def _own(settings: Settings) -> list[Finding]:
    address, url = settings.grpc.address, settings.store.url
    status = await serving_status(address) if address.port else None
    # Of port 0 nobody knows where the service answers, if it does.
    answers = status is not None or not address.port
    stored = asyncio.to_thread(check_store, url, answers=answers)
    return [*await stored, await check_grpc(address, status)]


async def _web(settings: Settings) -> list[Finding]:
    address = settings.web.address
    found = [await check_web(address)]
    if settings.web.public_url is not None:
        found.append(await check_public_url(settings.web.public_url, address))
    return found


async def _limited(subject: str, check: Check) -> list[Finding]:
    try:
        async with asyncio.timeout(LIMIT):
            return await check
    except TimeoutError:
        mend = "mend what hangs: the network, DNS, or the disk"
        return [broken(subject, f"no answer within {LIMIT:.0f} s; {mend}")]
    except Exception as error:  # noqa: BLE001 - the other checks have something to say all the same
        return [
            broken(subject, f"this check has a fault of its own; report it with {fault(error)}")
        ]
