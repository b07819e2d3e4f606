"""The service with limits shorter than a test's patience: `python -m tests.workers.hasty --workers 2`.

What a killed worker had begun is taken over when its lease has ended, and one that hangs is ended when it has said
nothing for some seconds: a minute later otherwise.
"""

import sys
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from unittest.mock import patch

from service import cli
from service.workers import worker
from service.workers.supervisor import Supervisor

LEASE = timedelta(seconds=5)
SILENCE = 15.0
BEAT = 0.5
WORKER = "worker"


def serve(arguments: list[str]) -> int:
    """Run `checkout serve`, with workers that are this program again."""
    program = (sys.executable, "-m", "tests.workers.hasty", WORKER)
    quick = partial(Supervisor, program=program, silence_limit=SILENCE)
    with patch("service.workers.service.Supervisor", quick):
        return int(cli.main(["serve", *arguments], standalone_mode=False) or 0)


def work() -> int:
    """Run a worker."""
    with ExitStack() as patched:
        for target in ("service.core.create.LEASE", "service.core.rules.LEASE"):
            patched.enter_context(patch(target, LEASE))
        patched.enter_context(patch("service.workers.work.BEAT", BEAT))
        return worker.main()


if __name__ == "__main__":
    sys.exit(work() if sys.argv[1:] == [WORKER] else serve(sys.argv[1:]))
