"""The program of a worker."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


def test_program_loads_nothing_heavy_by_itself() -> None:
    """What serves is loaded where nobody looks for garbage among it."""
    script = "import sys, service.workers.worker; print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    loaded = set(shown.stdout.decode().split())
    assert loaded.isdisjoint({"aiohttp", "asyncpg", "grpc", "pydantic", "structlog", "uvloop"})
