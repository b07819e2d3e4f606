"""Who ends a session, and when: what is said of it is what happens at the gate and at every provider's page."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from service.core.model import ExpiryEnforcement, PaymentStatus, ProviderLink, State
from service.sandbox.emulator import SessionEnded
from service.sandbox.registry import EMULATIONS
from service.sandbox.sellapp.emulator import SellappEmulator
from service.storage.migrate import migrate
from tests.providers.till import CALLS, Till, open_till

# Quick one by one, and many: they would take a tenth of the quick tests' time.
pytestmark = pytest.mark.slow

SECOND = timedelta(seconds=1)
SHORT = timedelta(minutes=5)
GRACE = timedelta(minutes=5)
DAY = timedelta(days=1)
PROVIDER, GATE, ADVISORY = (
    ExpiryEnforcement.PROVIDER,
    ExpiryEnforcement.GATE,
    ExpiryEnforcement.ADVISORY,
)
# The life of a page that ends by itself; None where it does not.
LIVES = {
    "clover": timedelta(minutes=15),
    "dodo": DAY,
    "fastspring": DAY,
    "sellapp": timedelta(hours=9),
    "square links": None,
    "square checkouts": 180 * DAY,
}
CLOSED_ON_REQUEST = ("sellapp", "square links")
LEFT_ALONE = tuple(name for name in CALLS if name not in CLOSED_ON_REQUEST)
# A wish, and who ends it: without a gate, and with one.
WHOLE_LIFE = {
    "clover": (None, PROVIDER, PROVIDER),
    "dodo": (None, PROVIDER, PROVIDER),
    "fastspring": (None, PROVIDER, PROVIDER),
    "sellapp": (None, PROVIDER, PROVIDER),
    "square links": (None, PROVIDER, PROVIDER),
    "square checkouts": (180 * DAY, PROVIDER, PROVIDER),
}
A_DAY_OF_MANY = {"square checkouts": (None, ADVISORY, GATE)}
SHORTER = {
    name: (SHORT, PROVIDER, PROVIDER) if name in CLOSED_ON_REQUEST else (SHORT, ADVISORY, GATE)
    for name in CALLS
}
EXPECTED = [
    (name, *case) for cases in (WHOLE_LIFE, A_DAY_OF_MANY, SHORTER) for name, case in cases.items()
]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a migrated, empty store."""
    path = tmp_path_factory.mktemp("store") / "empty.db"
    migrate(f"sqlite:///{path}")
    return path.read_bytes()


@pytest.fixture
def path(tmp_path: Path, empty: bytes) -> Path:
    """A store of its own for one test."""
    path = tmp_path / "checkout.db"
    path.write_bytes(empty)
    return path


@pytest.fixture
async def till(path: Path, name: str) -> AsyncIterator[Till]:
    """A service with a gate that sells by the call of that name."""
    async with open_till(name, path) as opened:
        yield opened


def test_every_call_is_tried() -> None:
    """No provider is left out."""
    assert {suite.name for suite in CALLS.values()} == set(EMULATIONS)
    assert set(LIVES) == set(CALLS)


@pytest.mark.parametrize("has_gate", [False, True], ids=["no gate", "gate"])
@pytest.mark.parametrize(("name", "ttl", "without", "behind"), EXPECTED)
async def test_it_is_said_who_ends_a_session(
    path: Path,
    name: str,
    ttl: timedelta | None,
    without: ExpiryEnforcement,
    behind: ExpiryEnforcement,
    *,
    has_gate: bool,
) -> None:
    """The provider where its page ends then or is closed, else the gate where there is one, else nobody."""
    async with open_till(name, path, has_gate=has_gate) as till:
        promised, session = await till.promised(ttl), await till.create(ttl)
        assert promised is not None
        assert promised.expiry_enforcement is session.expiry_enforcement
        expected = behind if has_gate else without
        assert session.expiry_enforcement is expected
        assert session.payment_grace == (timedelta(0) if expected is PROVIDER else GRACE)
        if ttl is not None:
            assert session.expire_time == session.create_time + ttl


@pytest.mark.parametrize("name", CALLS)
async def test_it_is_said_until_when_a_page_takes_payments(till: Till, name: str) -> None:
    """`payable_until` is the provider's own end, whatever was asked for; where there is none it is years away."""
    for ttl in (None, SHORT):
        session = await till.create(ttl)
        assert session.payable_until is not None
        life = LIVES[name]
        if life is None:
            assert till.emulated(session).expire_time is None
            assert session.payable_until > session.create_time + 365 * DAY
        else:
            assert session.payable_until == session.create_time + life
            assert session.payable_until == till.emulated(session).expire_time


@pytest.mark.parametrize("name", [name for name, life in LIVES.items() if life])
async def test_a_page_ends_by_itself(till: Till, name: str) -> None:
    """One second before the provider's end the page takes a payment, in time; at the end it takes none."""
    ttl, *_ = WHOLE_LIFE[name]
    session, other = await till.create(ttl), await till.create(ttl)
    assert session.payable_until == session.expire_time
    assert session.expiry_enforcement is PROVIDER
    till.clock.time = session.expire_time - SECOND
    assert await till.link(other) is ProviderLink.LIVE
    assert await till.visit(other) == (303, other.provider_url)
    paid = await till.pay(session)
    assert (paid.state, paid.payment_status) == (State.COMPLETED, PaymentStatus.PAID)
    till.clock.time = session.expire_time
    assert (await till.read(other)).state is State.EXPIRED
    assert await till.link(other) is ProviderLink.CLOSED
    assert (await till.visit(other))[0] == 410
    with pytest.raises(SessionEnded):
        await till.pay(other)


@pytest.mark.parametrize("name", CALLS)
async def test_a_shorter_life_ends_at_the_gate_to_the_second(till: Till, name: str) -> None:
    """The gate lets through up to the end and nobody from then on, long before a sweep has noticed."""
    session = await till.create(SHORT)
    till.clock.time = session.expire_time - SECOND
    assert await till.visit(session) == (303, session.provider_url)
    async with till.browser.get(session.provider_url) as page:
        assert page.status == 200
    assert await till.link(session) is ProviderLink.LIVE
    till.clock.time = session.expire_time
    assert await till.visit(session) == (410, "")
    assert (await till.read(session)).state is State.EXPIRED
    assert await till.link(session) is ProviderLink.STILL_PAYABLE


@pytest.mark.parametrize("name", CLOSED_ON_REQUEST)
async def test_a_shorter_life_ends_at_the_provider_where_it_can(till: Till, name: str) -> None:
    """The page counts as payable until it is closed, what is paid there by then is late, and then nothing is."""
    session, hurried = await till.create(SHORT), await till.create(SHORT)
    till.clock.time = session.expire_time + SECOND
    late = await till.pay(hurried)
    assert (late.state, late.payment_status) == (State.EXPIRED, PaymentStatus.PAID)
    assert [payment.late for payment in late.payments] == [True]
    assert await till.link(session) is ProviderLink.STILL_PAYABLE
    await till.sweep()
    assert await till.link(session) is ProviderLink.CLOSED
    with pytest.raises(SessionEnded):
        await till.pay(session)


@pytest.mark.parametrize("name", ["sellapp"])
async def test_an_invoice_that_outlives_its_session_is_closed(till: Till, name: str) -> None:
    """Of the two lives that the documents show the session has the shorter; a page of the longer one is closed."""
    emulator = till.emulator
    assert isinstance(emulator, SellappEmulator)
    emulator.habits = msgspec.structs.replace(emulator.habits, lifetime=DAY, voids_at_expiry=False)
    session = await till.create()
    assert session.expire_time == session.create_time + timedelta(hours=9)
    assert session.payable_until == session.create_time + DAY
    till.clock.time = session.expire_time
    assert await till.link(session) is ProviderLink.STILL_PAYABLE
    await till.sweep()
    assert await till.link(session) is ProviderLink.CLOSED
    with pytest.raises(SessionEnded):
        await till.pay(session)


@pytest.mark.parametrize("name", LEFT_ALONE)
async def test_a_page_outlives_its_session_where_nobody_can_close_it(till: Till, name: str) -> None:
    """It is said to be payable for as long as it is; who was on it by then is in time, later is late."""
    inside, late, last, never = [await till.create(SHORT) for _ in range(4)]
    end = inside.expire_time
    till.clock.time = end + GRACE
    paid = await till.pay(inside)
    assert (paid.state, paid.payment_status) == (State.COMPLETED, PaymentStatus.PAID)
    assert [payment.late for payment in paid.payments] == [False]
    assert never.payable_until is not None
    for session, moment in ((late, end + GRACE + SECOND), (last, never.payable_until - SECOND)):
        till.clock.time = moment
        await till.sweep()
        assert await till.link(session) is ProviderLink.STILL_PAYABLE
        paid = await till.pay(session)
        assert (paid.state, paid.payment_status) == (State.EXPIRED, PaymentStatus.PAID)
        assert [payment.late for payment in paid.payments] == [True]
        assert paid.end_time == end
    till.clock.time = never.payable_until
    assert await till.link(never) is ProviderLink.CLOSED
    with pytest.raises(SessionEnded):
        await till.pay(never)
