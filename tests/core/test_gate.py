"""The gate: addresses nobody can make up, and where each leads in every state at every moment."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import structs

from service.core import base32
from service.core.gate import Gate, GateLinks, Outcome, Passage, passage
from service.core.model import (
    Customer,
    ExpiryEnforcement,
    PaymentState,
    PaymentStatus,
    Session,
    State,
)
from service.core.payments import recorded
from service.core.planning import plan
from service.core.ports import Store
from service.core.record import Record
from service.storage.registry import open_store
from tests.core.builders import EXPIRY, NOW, SECOND, payment, record, request, session
from tests.core.conftest import ManualClock
from tests.core.scripted import ScriptedProvider

LINKS = GateLinks(public_url="https://pay.example/shop", secret=bytes(range(32)))
PAGE = "https://checkout.example/cks_1"
INSTANT = timedelta(microseconds=1)

TOKENS = st.text(st.sampled_from(base32.ALPHABET), min_size=52, max_size=52)
IDS = st.integers(0, 2**128 - 1).map(lambda number: f"cs_{base32.encode(number)}")


def token_of(made: Session, links: GateLinks = LINKS) -> str:
    """Return the last part of a session's address."""
    return links.address(made).rpartition("/c/")[2]


def paying(status: PaymentState, state: State = State.OPEN) -> Session:
    """Return a session of which a payment is known."""
    told = recorded(session(state), payment(status), NOW)
    return structs.replace(told, state=state)


def test_address_is_known() -> None:
    """The same secret makes the same address for ever: handed-out links survive every release."""
    assert LINKS.address(session()) == (
        "https://pay.example/shop/c/000000000000000000000000015s2wjfve25jswgravh4fsps8jc"
    )


def test_address_is_made_for_one_secret() -> None:
    """Another store's address leads nowhere here, even for the same session."""
    other = GateLinks(public_url="https://pay.example/shop", secret=b"other")
    assert LINKS.session_id(token_of(session(), other)) is None


def test_nobody_is_sent_where_nothing_is() -> None:
    """Without a page of the provider, and once the session has ended, there is no address."""
    assert LINKS.address(session(provider_url="")) == ""
    assert LINKS.address(session(State.EXPIRED)) == ""
    assert LINKS.address(session(State.COMPLETED)) == ""


@given(IDS)
def test_address_leads_back(session_id: str) -> None:
    """A token names the session it was made for, and is no longer than it must be."""
    token = token_of(session(session_id=session_id))
    assert LINKS.session_id(token) == session_id
    assert len(token) == 2 * base32.LENGTH


@given(st.one_of(TOKENS, st.text()))
def test_invented_token_is_refused(token: str) -> None:
    """Whatever somebody makes up names no session."""
    assert LINKS.session_id(token) is None


@given(IDS, st.integers(0, 51), st.characters())
def test_changed_token_is_refused(session_id: str, place: int, character: str) -> None:
    """One changed character anywhere is enough, be it the other case of a letter."""
    token = token_of(session(session_id=session_id))
    assume(token[place] != character)
    assert LINKS.session_id(token[:place] + character + token[place + 1 :]) is None


@given(IDS, IDS)
def test_mark_counts_for_its_own_session(session_id: str, other_id: str) -> None:
    """A mark moved to another session opens nothing."""
    assume(session_id != other_id)
    mine, other = (token_of(session(session_id=made)) for made in (session_id, other_id))
    assert LINKS.session_id(other[:26] + mine[26:]) is None


@pytest.mark.parametrize("token", ["", "short", "0" * 53, " " * 52, "é" * 52, "\udcff" * 52])
def test_token_of_another_shape_is_refused(token: str) -> None:
    """Length and characters are looked at before anything is computed."""
    assert LINKS.session_id(token) is None


@pytest.mark.parametrize(
    ("moment", "outcome"),
    [
        (NOW, Outcome.OPEN),
        (EXPIRY - INSTANT, Outcome.OPEN),
        (EXPIRY, Outcome.ENDED),
        (EXPIRY + SECOND, Outcome.ENDED),
    ],
)
def test_gate_shuts_at_the_end(moment: datetime, outcome: Outcome) -> None:
    """Customers pass until the session's time has run out, and not one moment longer."""
    assert passage(session(), moment).outcome is outcome


def expected(state: State, status: PaymentStatus, *, is_over: bool) -> Outcome:
    """Say what the contract says of a customer who comes in a state."""
    if state is State.COMPLETED:
        return Outcome.COMPLETED
    if state in (State.EXPIRED, State.FAILED):
        return Outcome.ENDED
    if is_over:
        return Outcome.DECIDING if status is PaymentStatus.PROCESSING else Outcome.ENDED
    return Outcome.OPEN if state is State.OPEN else Outcome.NOT_READY


@pytest.mark.parametrize(
    ("state", "status", "is_over"),
    list(product(State, [None, *PaymentState], [False, True])),
)
def test_every_state_has_its_answer(
    state: State, status: PaymentState | None, is_over: bool
) -> None:
    """Each state, with each payment, before and after the end, leads where it should; only OPEN leads on."""
    made = paying(status, state) if status else session(state)
    found = passage(made, EXPIRY if is_over else NOW)
    paid = PaymentStatus.PROCESSING if status is PaymentState.PROCESSING else PaymentStatus.UNPAID
    assert found.outcome is expected(state, paid, is_over=is_over)
    assert found.url == (PAGE if found.outcome is Outcome.OPEN else "")


def test_page_that_never_was() -> None:
    """A customer who was charged without a page is asked to wait for the decision."""
    assert passage(session(provider_url=""), NOW) == Passage(Outcome.DECIDING)


def test_language_of_the_shop_comes_along() -> None:
    """What is shown instead of the page can speak the customer's language."""
    told = passage(session(State.EXPIRED, customer=Customer(locale="de")), NOW)
    assert told == Passage(Outcome.ENDED, locale="de")


class CountingStore:
    """A real store that counts how often it is asked."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.asked = 0

    async def find(self, session_id: str) -> Record | None:
        self.asked += 1
        return await self._store.find(session_id)


@pytest.fixture
async def store(tmp_path: Path, empty_store: bytes) -> AsyncIterator[Store]:
    """A store with one open session."""
    path = tmp_path / "checkout.db"
    path.write_bytes(empty_store)
    opened = await open_store(f"sqlite:///{path}")
    await opened.create(record())
    yield opened
    await opened.close()


async def test_stored_session_is_found_by_its_token(store: Store) -> None:
    """A genuine token leads to the provider's page, to the second, with one look at the store."""
    clock, counting = ManualClock(), CountingStore(store)
    gate = Gate(links=LINKS, store=counting, clock=clock)  # type: ignore[arg-type]
    token = token_of(session())
    assert await gate(token) == Passage(Outcome.OPEN, PAGE)
    clock.time = EXPIRY
    assert await gate(token) == Passage(Outcome.ENDED)
    assert counting.asked == 2


async def test_store_is_not_asked_for_what_nobody_made(store: Store) -> None:
    """Guessing costs the store nothing, and tells nothing: a missing session answers the same."""
    counting = CountingStore(store)
    gate = Gate(links=LINKS, store=counting, clock=ManualClock())  # type: ignore[arg-type]
    assert await gate(token_of(session())[:26] + "0" * 26) == Passage(Outcome.UNKNOWN)
    assert counting.asked == 0
    missing = token_of(session(session_id=f"cs_{'9' * 26}"))
    assert await gate(missing) == Passage(Outcome.UNKNOWN)
    assert counting.asked == 1


@pytest.mark.parametrize(
    ("declared", "cancel", "hours", "without", "behind"),
    [
        ("PROVIDER", False, 24, "PROVIDER", "PROVIDER"),
        ("PROVIDER", False, 1, "ADVISORY", "GATE"),
        ("PROVIDER", True, 1, "PROVIDER", "PROVIDER"),
        ("ADVISORY", False, 24, "ADVISORY", "GATE"),
        ("GATE", True, 24, "ADVISORY", "GATE"),
    ],
)
def test_gate_takes_over_what_nobody_enforces(
    declared: str, cancel: bool, hours: int, without: str, behind: str
) -> None:
    """Where the provider's page outlives the session, the gate ends it, with minutes of grace for who is inside."""
    provider = ScriptedProvider()
    provider.capabilities = structs.replace(
        provider.capabilities, cancel=cancel, expiry_enforcement=ExpiryEnforcement(declared)
    )
    wish = request(ttl=timedelta(hours=hours))
    for has_gate, enforcement in ((False, without), (True, behind)):
        made = plan(wish, provider, session_id="", now=NOW, has_gate=has_gate)
        assert made.expiry_enforcement is ExpiryEnforcement(enforcement)
        is_provider = enforcement == "PROVIDER"
        assert made.payment_grace == timedelta(minutes=0 if is_provider else 5)
