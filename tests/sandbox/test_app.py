"""The sandbox is built from its settings and stands alone or inside another application."""

from datetime import UTC, datetime

from aiohttp import web

from service.sandbox.app import SandboxSettings, build_sandbox
from tests.sandbox.harness import SECRET, Bench, ids


def test_settings_do_not_print_their_secrets() -> None:
    """A log line or traceback with the settings shows neither token nor secret."""
    settings = SandboxSettings(
        public_url="http://127.0.0.1:1/sandbox", api_token="tok-1", webhook_secret=SECRET
    )
    assert "tok-1" not in repr(settings)
    assert SECRET not in repr(settings)


def test_two_sandboxes_share_nothing() -> None:
    """Each sandbox has its own state, so tests run beside each other."""
    settings = SandboxSettings(
        public_url="http://127.0.0.1:1/sandbox", api_token="tok-1", webhook_secret=SECRET
    )
    first, second = (
        build_sandbox(settings, clock=lambda: datetime.now(UTC), new_id=ids()) for _ in range(2)
    )
    assert first.emulators["dodo"] is not second.emulators["dodo"]
    assert first.emulators["dodo"].app is not second.emulators["dodo"].app


async def test_it_stands_alone_under_the_same_paths(bench: Bench) -> None:
    """Served alone, the sandbox answers below /sandbox/ and nowhere else."""
    async with bench.http.get(f"{bench.url}/page.css") as found:
        assert found.status == 200
    async with bench.http.get(f"{bench.url.removesuffix('/sandbox')}/page.css") as missing:
        assert missing.status == 404


def test_it_joins_another_application() -> None:
    """A host application mounts the sandbox under the prefix of its choice."""
    settings = SandboxSettings(
        public_url="http://127.0.0.1:1/sandbox", api_token="tok-1", webhook_secret=SECRET
    )
    sandbox = build_sandbox(settings, clock=lambda: datetime.now(UTC), new_id=ids())
    host = web.Application()
    host.add_subapp("/sandbox/", sandbox.app)
    paths = {resource.canonical for resource in sandbox.app.router.resources()}
    assert "/sandbox/dodo/session/{session_id}" in paths
