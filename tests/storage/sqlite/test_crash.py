"""A process that is killed while it writes."""

import subprocess
import sys
from pathlib import Path

import pytest

from service.storage.registry import open_store

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("lines", [1, 100, 400])
async def test_nothing_acknowledged_is_lost(url: str, lines: int) -> None:
    """Whatever was acknowledged before a kill is there after it, and no record is half there."""
    seen = stream_until_killed(url, lines)
    store = await open_store(url)
    try:
        for identity, version in seen.items():
            record = await store.find(identity)
            assert record is not None
            assert record.session.version >= version
            assert record.key is not None
            assert await store.find_by_request(record.key) == record
            reference = (f"payment:{record.key.request_id}",)
            linked = await store.find_by_reference("dodo", "default", reference)
            assert linked == (record if record.session.version == 2 else None)
    finally:
        await store.close()


def stream_until_killed(url: str, lines: int) -> dict[str, int]:
    """Run the program, kill it after some lines, and return the newest version of each id."""
    seen: dict[str, int] = {}
    command = [sys.executable, "-m", "tests.storage.stream", url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        for number, line in enumerate(program.stdout, 1):
            identity, version = line.split()
            seen[identity] = max(seen.get(identity, 0), int(version))
            if number == lines:
                program.kill()
    assert len(seen) >= lines / 2
    return seen
