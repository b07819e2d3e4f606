"""Prints what a long campaign of crashes came to: `make torture`.

TORTURE_KILLS, TORTURE_BLACKOUT (in seconds) and TORTURE_SEED set its size, TORTURE_STORE names one store of the two.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from msgspec import Struct

from tests.torture.audit import Audit
from tests.torture.campaign import Kills, kill_at_random
from tests.torture.darkness import black_out, black_out_database
from tests.torture.emulated import emulated_seller
from tests.torture.keeper import kept_server
from tests.torture.lives import Lives
from tests.torture.nursery import Nursery, running_nursery
from tests.torture.seller import counting_provider
from tests.torture.stores import POSTGRES, SQLITE, STORES, Databases, replicas
from tests.torture.trade import Trading


class Torture(Struct, frozen=True, kw_only=True):
    """What is asked for."""

    nursery: Nursery
    folder: Path
    kills: int
    seconds: float
    seed: int

    async def on_sqlite(self) -> list[Audit]:
        """Torture one service with a file."""
        place = self.folder / SQLITE
        async with counting_provider() as provider:
            lives = Lives(self.nursery, place / "kills", provider.settings)
            killed = await self._kill("SQLite, Dodo Payments", [lives], provider, self.kills)
        async with emulated_seller("square_links") as seller:
            lives = Lives(self.nursery, place / "keyed", seller.settings)
            kills = max(self.kills // 4, 1)
            keyed = await self._kill("SQLite, Square", [lives], seller, kills)
        async with counting_provider() as provider:
            lives = Lives(self.nursery, place / "dark", provider.settings)
            dark = await black_out(lives, provider, seconds=self.seconds, seed=self.seed)
        say(f"Provider dark for {dark.seconds:.0f} s under load (SQLite, Dodo Payments)")
        say(f"  waiting when it came back    {dark.waiting:7}")
        say(f"  seconds until all were told  {dark.seconds_after:7.1f}")
        tell(dark.audit)
        return [killed, keyed, dark.audit]

    async def on_postgres(self) -> list[Audit]:
        """Torture three replicas with a database, and the database."""
        with kept_server() as server:
            databases, place = Databases(server), self.folder / POSTGRES
            few = max(self.kills // 5, 1)
            async with counting_provider() as provider, databases.fresh() as url:
                lives = replicas(self.nursery, place / "kills", provider.settings, url)
                title = "PostgreSQL, three replicas, Dodo Payments"
                killed = await self._kill(title, lives, provider, max(self.kills - few, 1))
            async with emulated_seller("square_links") as seller, databases.fresh() as url:
                lives = replicas(self.nursery, place / "keyed", seller.settings, url)
                title = "PostgreSQL, three replicas, Square"
                keyed = await self._kill(title, lives, seller, few)
            async with counting_provider() as provider, databases.fresh() as url:
                lease = timedelta(seconds=self.seconds)
                lives = replicas(self.nursery, place / "dark", provider.settings, url, lease=lease)
                dark = await black_out_database(lives, server, provider, seed=self.seed)
        say(f"Database crashed, and then away for {dark.seconds:.0f} s, under load (PostgreSQL)")
        say(f"  seconds until NOT_SERVING    {dark.seconds_until_not_serving:7.1f}")
        say(f"  seconds until SERVING again  {dark.seconds_until_serving:7.1f}")
        tell(dark.audit)
        return [killed, keyed, dark.audit]

    async def _kill(
        self, title: str, lives: Sequence[Lives], provider: Trading, kills: int
    ) -> Audit:
        started = time.monotonic()
        killed = await kill_at_random(lives, provider, kills=kills, seed=self.seed)
        tell_kills(title, killed, self.seed, time.monotonic() - started)
        return killed.audit


def tell_kills(title: str, killed: Kills, seed: int, seconds: float) -> None:
    """Print what random kills came to."""
    say(f"SIGKILL at random ({title}), seed {seed}, {seconds:.0f} s")
    say(f"  kills                        {killed.total:7}")
    say(f"  of them by itself at a point {killed.at_points:7}")
    tell(killed.audit)


def tell(audit: Audit) -> None:
    """Print what was found from outside."""
    say(*(f"  {line}" for line in audit.lines()))


def say(*lines: str) -> None:
    """Print some lines at once."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


async def run(folder: Path) -> bool:
    """Run the campaign on every store that is asked for, and tell whether nothing was wrong."""
    stores = [os.environ["TORTURE_STORE"]] if os.environ.get("TORTURE_STORE") else STORES
    with running_nursery() as nursery:
        torture = Torture(
            nursery=nursery,
            folder=folder,
            kills=int(os.environ.get("TORTURE_KILLS", "1000")),
            seconds=float(os.environ.get("TORTURE_BLACKOUT", "60")),
            seed=int(os.environ.get("TORTURE_SEED", "0")) or secrets.randbelow(10**9),
        )
        runs = {SQLITE: torture.on_sqlite, POSTGRES: torture.on_postgres}
        audits = [audit for store in stores for audit in await runs[store]()]
    return not any(audit.faults for audit in audits)


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
