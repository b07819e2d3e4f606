"""Prints what a long campaign of crashes came to: `make torture`, its length by TORTURE_KILLS and TORTURE_BLACKOUT."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import time
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from tests.torture.campaign import Kills, black_out, kill_at_random
from tests.torture.emulated import emulated_seller
from tests.torture.nursery import running_nursery
from tests.torture.seller import counting_provider


async def run(folder: Path) -> bool:
    """Run the campaign, print its report, and tell whether nothing was wrong."""
    kills = int(os.environ.get("TORTURE_KILLS", "1000"))
    seconds = float(os.environ.get("TORTURE_BLACKOUT", "60"))
    seed = int(os.environ.get("TORTURE_SEED", "0")) or secrets.randbelow(10**9)
    started = time.monotonic()
    with running_nursery() as nursery:
        async with counting_provider() as provider:
            killed = await kill_at_random(
                nursery, provider, folder / "kills", kills=kills, seed=seed
            )
        tell_kills("Dodo Payments", killed, seed, time.monotonic() - started)
        started = time.monotonic()
        async with emulated_seller("square_links") as seller:
            keyed = await kill_at_random(
                nursery, seller, folder / "keyed", kills=max(kills // 4, 1), seed=seed
            )
        tell_kills("Square", keyed, seed, time.monotonic() - started)
        async with counting_provider() as provider:
            dark = await black_out(nursery, provider, folder / "dark", seconds=seconds, seed=seed)
    say(f"Provider dark for {dark.seconds:.0f} s under load")
    say(f"  waiting when it came back    {dark.waiting:7}")
    say(f"  seconds until all were told  {dark.seconds_after:7.1f}")
    say(*(f"  {line}" for line in dark.audit.lines()))
    return not (killed.audit.faults or keyed.audit.faults or dark.audit.faults)


def tell_kills(provider: str, killed: Kills, seed: int, seconds: float) -> None:
    """Print what random kills came to."""
    say(f"SIGKILL at random, selling at {provider}, seed {seed}, {seconds:.0f} s")
    say(f"  kills                        {killed.total:7}")
    say(f"  of them by itself at a point {killed.at_points:7}")
    say(*(f"  {line}" for line in killed.audit.lines()))


def say(*lines: str) -> None:
    """Print some lines at once."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def main() -> int:
    """Run in a folder of its own, which stays where something was wrong."""
    folder = Path(mkdtemp(prefix="torture-"))
    if asyncio.run(run(folder)):
        rmtree(folder)
        return 0
    say(f"The stores and logs are in {folder}.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
