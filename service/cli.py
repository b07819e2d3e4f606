"""The command `checkout`; each command imports what it needs when it runs, so that all start fast."""
# ruff: noqa: PLC0415 - the health probe must not wait for what only the service needs

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from service.loading import loading

if TYPE_CHECKING:
    from service.config import ListenAddress, Problem, Reading, Settings

_config_option = click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    help="Read settings from this TOML file (CHECKOUT_CONFIG); the environment wins over it.",
)
_sandbox_option = click.option(
    "--sandbox", is_flag=True, help="Emulate the providers instead of calling them."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="checkout-service", message="%(version)s")
def main() -> None:
    """One gRPC contract for hosted checkout sessions at five payment providers."""


@main.command()
@_config_option
@_sandbox_option
@click.option(
    "--workers", type=int, help="Serve with so many processes (CHECKOUT_WORKERS); PostgreSQL only."
)
@click.pass_context
def serve(context: click.Context, file: Path | None, *, sandbox: bool, workers: int | None) -> None:
    """Run the service until it is told to stop."""
    with _expected_errors():
        with loading():
            settings = _read(file, sandbox=sandbox, workers=workers).valid(_service_rules)
            _configure_logging(settings)
            run = _server(settings)
        with _listening(
            CHECKOUT_GRPC_ADDRESS=settings.grpc.address, CHECKOUT_WEB_ADDRESS=settings.web.address
        ):
            context.exit(run())


def _server(settings: "Settings") -> Callable[[], int]:
    if settings.workers > 1:
        # The supervisor waits for signals and for its workers, and has no use for what they need.
        import asyncio

        from service.workers.service import serve as supervise

        return lambda: asyncio.run(supervise(settings))
    import uvloop

    from service.app import serve as run

    return lambda: uvloop.run(run(settings))


@main.command()
@_config_option
def migrate(file: Path | None) -> None:
    """Bring the store to the newest revision."""
    with _expected_errors():
        settings = _read(file).valid(_no_rules)
        from service.storage.migrate import migrate as run

        _configure_logging(settings)
        click.echo(f"{settings.store.url} is at revision {run(settings.store.url)}.")


@main.command("copy-store")
@click.option("--from", "source", required=True, help="The store that is copied: sqlite:///….")
@click.option("--to", "target", required=True, help="Where to: postgresql://…, migrated and empty.")
def copy_store(source: str, target: str) -> None:
    """Copy a stopped service's SQLite store into PostgreSQL, all of it or nothing."""
    from service.storage.copy import copy_store as run

    with _expected_errors():
        try:
            copied = run(source, target)
        except ValueError as error:
            raise click.ClickException(str(error)) from error
    for table, rows in copied.items():
        click.echo(f"{table}: {rows}")


@main.command()
@_config_option
def sandbox(file: Path | None) -> None:
    """Run the emulated providers alone, without the service."""
    with _expected_errors():
        from service.config import sandbox_problems

        settings = _read(file).valid(sandbox_problems)
        import uvloop

        from service.standalone import serve_sandbox

        _configure_logging(settings)
        with _listening(CHECKOUT_SANDBOX_ADDRESS=settings.sandbox.address):
            uvloop.run(serve_sandbox(settings, click.echo))


@main.command()
@_config_option
@click.option("--timeout", default=2.0, show_default=True, help="Seconds to wait for the answer.")
@click.pass_context
def health(context: click.Context, file: Path | None, timeout: float) -> None:
    """Ask the running service whether it is serving; exit with 0 or 1."""
    import grpc
    from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

    with _expected_errors():
        # The address that stands in for one that cannot be read may be another service's.
        address = str(_read(file).valid(_no_rules).grpc.address.reachable)
    with grpc.insecure_channel(address, [("grpc.enable_http_proxy", 0)]) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=HealthCheckRequest.SerializeToString,
            response_deserializer=HealthCheckResponse.FromString,
        )
        try:
            status = check(HealthCheckRequest(), timeout=timeout).status
        except grpc.RpcError as error:
            raise click.ClickException(
                f"{address}: {error.code().name}; where the service listens elsewhere, set CHECKOUT_GRPC_ADDRESS"
            ) from error
    click.echo(f"{address}: {HealthCheckResponse.ServingStatus.Name(status)}")
    context.exit(0 if status == HealthCheckResponse.SERVING else 1)


@main.command()
@_config_option
@_sandbox_option
def config(file: Path | None, *, sandbox: bool) -> None:
    """Print every setting, secrets masked, and every problem with them."""
    from service.accounts import own_settings

    reading = _read(file, sandbox=sandbox)
    rows = [
        (setting.key, value or "-", source, setting.variable)
        for setting, value, source in reading.effective(own_settings())
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*cells, row[3]]))
    with _expected_errors():
        reading.valid(_service_rules)


@main.command()
@_config_option
@_sandbox_option
@click.pass_context
def doctor(context: click.Context, file: Path | None, *, sandbox: bool) -> None:
    """Check settings, accounts, clock, store and addresses; change nothing; exit with 0 or 1."""
    from service.doctor.examination import examine
    from service.doctor.findings import Level

    findings = examine(_read(file, sandbox=sandbox))
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        click.echo(f"{finding.level.value:4}  {finding.subject:{width}}  {finding.text}")
    context.exit(1 if any(finding.level is Level.FAIL for finding in findings) else 0)


def _read(file: Path | None, *, sandbox: bool = False, workers: int | None = None) -> "Reading":
    from service.config import read

    overrides: dict[str, object] = {"sandbox": {"enabled": True}} if sandbox else {}
    if workers is not None:
        overrides["workers"] = workers
    return read(file=file, overrides=overrides)


def _service_rules(settings: "Settings") -> Iterable["Problem"]:
    from service.accounts import problems

    return problems(settings)


def _no_rules(_settings: "Settings") -> Iterable["Problem"]:
    return ()


def _configure_logging(settings: "Settings") -> None:
    from service.telemetry import configure_logging

    configure_logging(level=settings.log.level, style=settings.log.format)


@contextmanager
def _expected_errors() -> Iterator[None]:
    """Tell in words what an operator can mend; let a bug show its trace."""
    from service.config import SettingsInvalidError
    from service.core.errors import StoreUnavailable
    from service.workers.failure import WorkersFailedError

    try:
        yield
    except SettingsInvalidError as error:
        lines = "\n".join(f"  {problem}" for problem in error.problems)
        raise click.ClickException(f"the configuration has problems:\n{lines}") from error
    except StoreUnavailable as error:
        raise click.ClickException(error.message) from error
    except WorkersFailedError as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def _listening(**addresses: "ListenAddress") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        name = next((name for name, at in addresses.items() if str(at) == error.filename), "")
        if not name:
            raise
        raise click.ClickException(
            f"cannot listen on {error.filename}: {error.strerror}; "
            f"stop what is there, or set another address in {name}"
        ) from error
