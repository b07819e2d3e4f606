"""The program of a worker: loads what serves and hands over to it."""
# ruff: noqa: PLC0415 - what serves must be loaded where nobody looks for garbage

import sys

from service.loading import loading


def main() -> int:
    """Serve as the order on standard input says, and return the exit status."""
    with loading():
        from service.workers.work import run
    return run()


if __name__ == "__main__":
    sys.exit(main())
