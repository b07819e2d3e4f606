"""What every store must remember of how far accounts have been looked through."""

from service.core.ports import Store
from tests.storage.records import HOUR, NOW
from tests.storage.suite import Reopen


class MarksSuite:
    """Marks: one time for each account, there after a restart."""

    async def test_an_account_nobody_looked_through_has_none(self, store: Store) -> None:
        """Before the first look there is no time to go on from."""
        await store.look_from("dodo", "other", NOW)
        assert await store.looked_until("dodo", "default") is None

    async def test_each_account_has_its_own(self, store: Store) -> None:
        """Names that two providers share stay apart."""
        await store.look_from("dodo", "default", NOW)
        await store.look_from("square", "default", NOW + HOUR)
        assert await store.looked_until("dodo", "default") == NOW
        assert await store.looked_until("square", "default") == NOW + HOUR

    async def test_an_account_is_looked_through_by_who_began(self, store: Store) -> None:
        """Whoever looks through an account goes on with it, however long a look takes."""
        for hours in range(3):
            now = NOW + hours * HOUR
            assert await store.look_after("dodo", "default", now=now, until=now + HOUR / 2)

    async def test_survives_a_restart(self, store: Store, reopen: Reopen) -> None:
        """The newest time is found again, and may be earlier than the one before."""
        await store.look_from("dodo", "default", NOW)
        await store.look_from("dodo", "default", NOW - HOUR)
        again = await reopen()
        assert await again.looked_until("dodo", "default") == NOW - HOUR
        assert await again.secret()
