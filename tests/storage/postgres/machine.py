"""The service on a machine whose clock is off: `python -m tests.storage.postgres.machine 3600 serve`."""

import sys
from datetime import datetime, timedelta
from unittest.mock import patch

from service import cli
from service.core.clock import SystemClock


def main() -> int:
    """Run a command of the service with the machine's clock so many seconds ahead."""
    shift, now = timedelta(seconds=int(sys.argv[1])), SystemClock.now

    def shifted(clock: SystemClock) -> datetime:
        return now(clock) + shift

    with patch.object(SystemClock, "now", shifted):
        return int(cli.main(sys.argv[2:], standalone_mode=False) or 0)


if __name__ == "__main__":
    sys.exit(main())
