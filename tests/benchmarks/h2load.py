"""Load by h2load, which takes little of the processors that it shares with what it measures."""

import re
import shutil
import struct
import subprocess
from pathlib import Path

PROGRAM = "h2load"
PACKAGE = "nghttp2-client"

_CONNECTIONS = 64
_WARM_UP = 1
_RATE = re.compile(r"^finished in .*?, ([\d.]+) req/s", re.MULTILINE)
_DONE = re.compile(r"^requests: .*?(\d+) succeeded, (\d+) failed", re.MULTILINE)


def is_installed() -> bool:
    """Tell whether there is an h2load to use."""
    return shutil.which(PROGRAM) is not None


def per_second(address: str, method: str, message: bytes, *, seconds: int, folder: Path) -> float:
    """Make one call again and again, over many connections at once, and return how many a second were answered.

    What gRPC says of a call stands after its answer, where h2load does not look: whoever needs to know asks the server.
    """
    body = folder / "h2load-body"
    # A message on the wire: not compressed, its length, itself.
    body.write_bytes(struct.pack(">?I", False, len(message)) + message)
    told = subprocess.run(
        [
            *(PROGRAM, "-c", str(_CONNECTIONS), "-m", "1", "-d", str(body)),
            *("-D", str(seconds), "--warm-up-time", str(_WARM_UP)),
            *("-H", "content-type: application/grpc", "-H", "te: trailers"),
            f"http://{address}{method}",
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    rate, done = _RATE.search(told), _DONE.search(told)
    assert rate, told
    assert done, told
    assert done[2] == "0", told
    return float(rate[1])
