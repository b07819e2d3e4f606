"""Composition root of a service of several workers: takes what they share, and has them served by it."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import structlog

from service.config import ListenAddress, Settings
from service.migration import bring_up_to_date
from service.signals import stop_signal
from service.web.listening import listener
from service.workers.failure import WorkersFailedError
from service.workers.figures import SUPERVISOR, Figures
from service.workers.orders import Order
from service.workers.ports import reserve
from service.workers.supervisor import Supervisor

# Each of the steps of a drain may take the time that is set.
_DRAINS = 3
_SPARE = 5.0


async def serve(settings: Settings) -> int:
    """Run the service's workers until SIGTERM or SIGINT and return the exit status.

    Raises OSError, StoreUnavailable or WorkersFailedError where they cannot start.
    """
    stop, log = stop_signal(), structlog.get_logger()
    web, grpc = settings.web.address, settings.grpc.address
    with ExitStack() as kept:
        heard = kept.enter_context(listener(web.host, web.port))
        held = kept.enter_context(reserve(grpc.host, grpc.port))
        await bring_up_to_date(settings.store.url)
        figures = kept.enter_context(_figures(settings.workers))
        found = _at(settings, grpc=held.getsockname()[1], web=heard.getsockname()[1])
        supervisor = Supervisor(
            workers=settings.workers,
            drain_limit=_DRAINS * settings.drain_timeout.total_seconds() + _SPARE,
            figures=figures,
            order=lambda number: Order(number, os.getpid(), found, heard.fileno(), figures.folder),
            announce=lambda: _announce(found),
        )
        status = await supervisor.run(stop)
    log.info("service.stopped")
    return status


@contextmanager
def _figures(workers: int) -> Iterator[Figures]:
    try:
        figures = Figures.prepare(workers)
    except OSError as error:
        raise WorkersFailedError(
            f"there is no room for the workers' metrics in the folder for temporary files: {error.strerror or error}"
        ) from error
    figures.begin(SUPERVISOR, os.getpid())
    try:
        yield figures
    finally:
        figures.remove()


def _at(settings: Settings, *, grpc: int, web: int) -> Settings:
    # The system has chosen where port 0 was asked for, and every worker is to go to the same.
    return settings.model_copy(
        update={
            "grpc": settings.grpc.model_copy(
                update={"address": _with(settings.grpc.address, grpc)}
            ),
            "web": settings.web.model_copy(update={"address": _with(settings.web.address, web)}),
        }
    )


def _with(address: ListenAddress, port: int) -> ListenAddress:
    return ListenAddress(address.host, port)


def _announce(settings: Settings) -> None:
    structlog.get_logger().info(
        "service.started",
        grpc=str(settings.grpc.address.reachable),
        web=str(settings.web.address.reachable),
        workers=settings.workers,
    )
