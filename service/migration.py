"""Brings the store to the newest revision before anything is served from it."""

import asyncio
import signal
import sys

import structlog

from service.core.errors import StoreUnavailable
from service.storage.revision import pending_revision


async def bring_up_to_date(url: str) -> None:
    """Migrate the store in a process of its own, where that is needed. Raises StoreUnavailable."""
    revision = await pending_revision(url)
    if not revision:
        return
    program = (sys.executable, "-P", "-m", "service.storage.migrate", url)
    process = await asyncio.create_subprocess_exec(*program, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    if process.returncode == -signal.SIGINT:
        # A terminal's Ctrl-C reaches that process too, whose trace is no answer.
        raise StoreUnavailable("The migration was interrupted, and the store is as it was.")
    if process.returncode:
        raise StoreUnavailable(said.decode(errors="replace").strip() or "the migration failed")
    structlog.get_logger().info("store.migrated", revision=revision)
