"""Composition root: builds everything, runs it, and stops it in reverse order."""

from __future__ import annotations

import asyncio
import errno
import gc
import sys
from contextlib import AsyncExitStack, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import structlog

from service.accounts import configured_accounts, sandbox_accounts
from service.api.server import build as build_grpc
from service.api.servicer import UseCases
from service.config import ListenAddress, Settings
from service.core.clock import RandomIds, chance, unguessable_ids
from service.core.rules import Rules, build_rules
from service.loops import keep_up
from service.migration import bring_up_to_date
from service.observer import TelemetryObserver
from service.outbound import Outbound
from service.providers.registry import build_provider
from service.readiness import Readiness
from service.signals import stop_signal
from service.storage.connections import Connections
from service.storage.registry import open_store
from service.telemetry import create_registry
from service.web.server import WebServer, build_application
from service.welcome import welcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from service.api.server import GrpcServer
    from service.core.background import Background
    from service.core.ports import Clock, Provider
    from service.providers.settings import AccountSettings
    from service.sandbox.app import Sandbox
    from service.workers.orders import Share


async def serve(settings: Settings) -> int:
    """Run the service until SIGTERM or SIGINT and return its exit status.

    Raises OSError or StoreUnavailable where it cannot start.
    """
    stop = stop_signal()
    async with AsyncExitStack() as running:
        turn_away = await start(settings, running)
        await stop.wait()
        # First of all, and said in the log only then: no call is taken while the parts end one by one.
        await turn_away()
        structlog.get_logger().info("service.stopping")
    structlog.get_logger().info("service.stopped")
    return 0


async def start(
    settings: Settings, running: AsyncExitStack, share: Share | None = None
) -> Callable[[], Awaitable[None]]:
    """Start everything, to be ended with `running`; return how to turn calls away before that.

    A worker is given its share: its supervisor has taken the addresses and brought the store up to date.
    """
    registry = share.registry if share else create_registry()
    web = WebServer(
        host=settings.web.address.host,
        port=settings.web.address.port,
        drain=settings.drain_timeout,
        taken=share.web if share else None,
    )
    web_port = web.bind()
    running.push_async_callback(web.close)
    if share is None:
        await bring_up_to_date(settings.store.url)
    store = await open_store(settings.store.url, _connections(settings))
    running.push_async_callback(store.close)
    sandbox = await _sandbox(settings, store.clock, web_port, running)
    number = share.number if share else 1
    accounts = sandbox.accounts if sandbox else configured_accounts(settings, number)
    outbound = Outbound(registry=registry)
    providers = _providers(accounts, outbound, running)
    observer = TelemetryObserver(registry=registry)
    rules = build_rules(
        store=store,
        providers=providers,
        observer=observer,
        clock=store.clock,
        ids=RandomIds(),
        secret=await store.secret(),
        sweep_interval=settings.expiry_sweep_interval,
        reconcile_interval=settings.reconcile_interval,
        public_url=settings.web.public_url,
        session_retention=settings.session_retention,
        max_watchers=settings.grpc.max_watchers,
    )
    with _binding(settings.grpc.address):
        grpc = build_grpc(
            address=str(settings.grpc.address),
            share_port=share is not None,
            use_cases=_use_cases(rules),
            logger=structlog.get_logger(),
            registry=registry,
            providers={provider.name for provider in providers},
            new_log_id=unguessable_ids(),
            links=rules.links,
            sandbox=sandbox.emulators.servicer if sandbox else None,
        )
    readiness = Readiness(
        store=store, clock=store.clock, set_serving=lambda on: grpc.set_serving(is_serving=on)
    )
    application = build_application(
        receive=rules.receive_webhook,
        ready=readiness.reason,
        registry=registry,
        let_pass=rules.gate,
        sandbox=sandbox.emulators.app if sandbox else None,
    )
    _run_beside(rules.sweep.run, store.clock, running)
    await web.start(application)
    await grpc.start()
    running.push_async_callback(_stop, settings, grpc, rules.background)
    await readiness.update()
    _run_beside(readiness.watch, store.clock, running)
    _run_beside(rules.forgetting.run, store.clock, running)
    _run_beside(rules.reconciliation.run, store.clock, running)
    _run_beside(partial(outbound.watch, grpc.set_account_serving), store.clock, running)
    if share is None:
        _announce(settings, grpc.port, web_port, sandbox)
    _leave_to_calls()

    async def turn_away() -> None:
        readiness.stop()
        await grpc.turn_away()

    return turn_away


async def _stop(settings: Settings, grpc: GrpcServer, background: Background) -> None:
    await grpc.stop(settings.drain_timeout)
    if not await background.drain(settings.drain_timeout):
        structlog.get_logger().warning("service.drain_timed_out")


def _connections(settings: Settings) -> Connections:
    store = settings.store
    return Connections(store.write_connections, store.read_connections, store.timeout)


def _use_cases(rules: Rules) -> UseCases:
    return UseCases(
        create_session=rules.create_session,
        get_session=rules.get_session,
        expire_session=rules.expire_session,
        list_sessions=rules.list_sessions,
        list_providers=rules.list_providers,
        check_session=rules.check_session,
        list_currencies=rules.list_currencies,
        list_unmatched_payments=rules.list_unmatched_payments,
        list_session_events=rules.list_session_events,
        watch_sessions=rules.watch_sessions,
    )


def _providers(
    accounts: Iterable[AccountSettings], outbound: Outbound, running: AsyncExitStack
) -> list[Provider]:
    providers = []
    for account in accounts:
        provider = build_provider(
            account, chance=chance, observe=outbound.account(account.provider, account.account)
        )
        running.push_async_callback(provider.close)
        providers.append(provider)
    return providers


class RunningSandbox(NamedTuple):
    """The sandbox inside the service, and the accounts it stands for."""

    emulators: Sandbox
    accounts: tuple[AccountSettings, ...]
    api_token: str


async def _sandbox(
    settings: Settings, clock: Clock, web_port: int, running: AsyncExitStack
) -> RunningSandbox | None:
    if not settings.sandbox.enabled:
        return None
    # A service without emulators starts faster and smaller.
    from service.sandbox.app import build_sandbox  # noqa: PLC0415
    from service.standalone import sandbox_settings  # noqa: PLC0415

    new_id = unguessable_ids()
    address = ListenAddress(settings.web.address.host, web_port)
    local = f"http://{address.reachable}"
    own = sandbox_settings(
        settings.sandbox, address=address, webhooks=f"{local}/webhooks", new_id=new_id
    )
    emulators = build_sandbox(own, clock=clock.now, new_id=new_id)
    await emulators.start()
    running.push_async_callback(emulators.close)
    return RunningSandbox(
        emulators=emulators,
        accounts=tuple(sandbox_accounts(own, f"{local}/sandbox")),
        api_token=own.api_token,
    )


@contextmanager
def _binding(address: ListenAddress) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        # gRPC says no more than that it failed.
        reason = "the address is in use, or not this machine's"
        raise OSError(errno.EADDRINUSE, reason, str(address)) from error


def _run_beside(work: Callable[[], Awaitable[None]], clock: Clock, running: AsyncExitStack) -> None:
    task = asyncio.get_running_loop().create_task(keep_up(work, clock))

    async def end() -> None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    running.push_async_callback(end)


def _leave_to_calls() -> None:
    # What the start has made stays to the end: the collector need not look through it again and again,
    # nor look every 700 objects, of which one call makes as many.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def _announce(
    settings: Settings, grpc_port: int, web_port: int, sandbox: RunningSandbox | None
) -> None:
    grpc = f"{settings.grpc.address.reachable.host}:{grpc_port}"
    web = f"{settings.web.address.reachable.host}:{web_port}"
    structlog.get_logger().info("service.started", grpc=grpc, web=web)
    if sandbox is not None:
        names = [account.provider for account in sandbox.accounts]
        told = welcome(grpc=grpc, web=web, api_token=sandbox.api_token, providers=names)
        sys.stdout.write(told)
        sys.stdout.flush()
