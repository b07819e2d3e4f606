"""Creating: the intent first, one session for a request id, and the right end of every failure."""

import asyncio
from datetime import timedelta

import pytest
from msgspec import structs

from service.core import errors
from service.core.create import CreateResult
from service.core.errors import CheckoutError, ProviderError
from service.core.model import (
    Cart,
    CreateRequest,
    ExpiryEnforcement,
    LineItem,
    Money,
    State,
    TotalsSource,
    UnknownOutcomeStrategy,
    Violation,
)
from service.core.ports import SessionQuery
from tests.core.builders import NOW, request
from tests.core.conftest import Service

RETRIABLE = [
    errors.ProviderUnavailable("refused", metadata={"cause": "connect"}),
    errors.ProviderRateLimited("slow down", retry_after=timedelta(seconds=7)),
    errors.ProviderCredentialsRejected("no", metadata={"provider_status": "401"}),
    errors.ProviderOutcomeUnknown("reset", metadata={"cause": "reset"}),
]


async def create(service: Service, asked: CreateRequest, **options: object) -> CreateResult:
    """Call CreateSession as an anonymous caller with time to spare."""
    return await service.create(asked, caller="anonymous", deadline=options.get("deadline"))  # type: ignore[arg-type]


async def failing(service: Service, asked: CreateRequest) -> CheckoutError:
    """Return the error a create ends with."""
    with pytest.raises(CheckoutError) as caught:
        await create(service, asked)
    return caught.value


async def stored(service: Service) -> int:
    """Count the sessions in the store."""
    return len(await service.store.list_sessions(SessionQuery(now=service.clock.now())))


async def test_opens_a_session(service: Service) -> None:
    """A create stores a session that is open at the provider's page until its expiry."""
    made = (await create(service, request(request_id="r1"))).session
    assert State.OPEN is made.state
    assert (made.provider_session_id, made.provider_url) == ("ps_1", "https://pay.example/ps_1")
    assert NOW + timedelta(hours=24) == made.expire_time == made.payable_until
    assert made == (await service.get(made.session_id)).session
    assert service.observations.events == ["session.created", "session.opened"]


async def test_intent_is_durable_before_the_provider_is_called(service: Service) -> None:
    """While the provider works the session can be read, CREATING."""
    gate = asyncio.Event()
    service.provider.script = [gate]
    running = asyncio.create_task(create(service, request()))
    while not service.provider.calls:
        await asyncio.sleep(0)
    view = await service.get(service.provider.calls[0].session_id)
    assert State.CREATING is view.session.state
    gate.set()
    assert State.OPEN is (await running).session.state


async def test_repeat_answers_the_session_as_it_is_now(service: Service) -> None:
    """The same request id and content make no second session."""
    first = await create(service, request(request_id="r1"))
    again = await create(service, request(request_id="r1"))
    assert (first.replayed, again.replayed) == (False, True)
    assert first.session == again.session
    assert len(service.provider.calls) == 1


async def test_volatile_fields_are_not_content(service: Service) -> None:
    """A retry that computes its expiry anew is the same request."""
    at = NOW + timedelta(hours=1)
    await create(service, request(request_id="r1", expire_time=at))
    again = await create(service, request(request_id="r1", expire_time=at + timedelta(seconds=9)))
    assert again.replayed


async def test_other_content_is_refused(service: Service) -> None:
    """A request id stands for one content."""
    first = await create(service, request(request_id="r1"))
    error = await failing(service, request(request_id="r1", reference_id="other"))
    assert error.reason == "REQUEST_ID_REUSED"
    assert first.session.session_id == error.metadata["session_id"]


async def test_callers_do_not_share_request_ids(service: Service) -> None:
    """Two callers may choose the same id."""
    await create(service, request(request_id="r1"))
    other = await service.create(request(request_id="r1"), caller="billing", deadline=None)
    assert not other.replayed


async def test_concurrent_duplicates_call_the_provider_once(service: Service) -> None:
    """Twenty calls at once with one id end in one session, and all but one wait for it."""
    gate = asyncio.Event()
    service.provider.script = [gate]
    # Twenty waiters would spend their patience before the real store has written once.
    service.clock.stands_still = True
    calls = [asyncio.create_task(create(service, request(request_id="r1"))) for _ in range(20)]
    while not service.provider.calls:
        await asyncio.sleep(0)
    gate.set()
    results = await asyncio.gather(*calls)
    assert 1 == len(service.provider.calls) == len({r.session.session_id for r in results})
    assert sum(result.replayed for result in results) == 19


async def test_in_flight_is_said_when_waiting_is_over(service: Service) -> None:
    """A repeat waits no longer than its deadline, and is then told to come back."""
    gate = asyncio.Event()
    service.provider.script = [gate]
    running = asyncio.create_task(create(service, request(request_id="r1")))
    while not service.provider.calls:
        await asyncio.sleep(0)
    began = service.clock.now()
    with pytest.raises(errors.RequestInFlight) as caught:
        await create(service, request(request_id="r1"), deadline=timedelta(seconds=2))
    assert caught.value.retry_after
    assert service.clock.now() - began <= timedelta(seconds=1.9)
    gate.set()
    await running


@pytest.mark.parametrize("error", RETRIABLE, ids=lambda e: e.reason)
async def test_retry_resolves_what_made_no_session(service: Service, error: ProviderError) -> None:
    """After an error that allows it, the same request id makes a new attempt on the same session."""
    service.provider.script = [error]
    first = await failing(service, request(request_id="r1"))
    assert error.reason == first.reason
    session_id = first.metadata["session_id"]
    assert State.CREATING is (await service.get(session_id)).session.state
    again = await create(service, request(request_id="r1"))
    assert (session_id, State.OPEN) == (again.session.session_id, again.session.state)
    assert [call.attempt for call in service.provider.calls] == [1, 2]


@pytest.mark.parametrize("error", RETRIABLE[:3], ids=lambda e: e.reason)
async def test_without_request_id_nothing_stays_half_done(
    service: Service, error: ProviderError
) -> None:
    """Nobody can come back for a session without request id, so it is closed."""
    service.provider.script = [error]
    first = await failing(service, request())
    assert State.FAILED is (await service.get(first.metadata["session_id"])).session.state


async def test_refusal_is_final_and_repeated_word_for_word(service: Service) -> None:
    """The provider's refusal fails the session; a repeat gets the same details and calls nobody."""
    refusal = errors.ProviderRejected(
        "no such product",
        metadata={"provider_code": "NOT_FOUND", "provider_status": "404"},
        violations=[Violation("cart.line_items[0].product_id", "no such product")],
    )
    service.provider.script = [refusal]
    first = await failing(service, request(request_id="r1"))
    again = await failing(service, request(request_id="r1"))
    assert ("PROVIDER_REJECTED", first.metadata, first.violations) == (
        again.reason,
        again.metadata,
        again.violations,
    )
    assert len(service.provider.calls) == 1
    failed = (await service.get(first.metadata["session_id"])).session
    assert State.FAILED is failed.state
    assert failed.failure
    assert failed.failure.provider_code == "NOT_FOUND"


async def test_unknown_outcome_that_nothing_can_resolve(service: Service) -> None:
    """Where a repeat could charge twice, the session is left unresolved and never repeated."""
    service.provider.how_to_repeat = UnknownOutcomeStrategy.NEVER
    service.provider.script = [errors.ProviderOutcomeUnknown("time-out")]
    first = await failing(service, request(request_id="r1"))
    again = await failing(service, request(request_id="r1"))
    assert "PROVIDER_OUTCOME_UNRESOLVED" == first.reason == again.reason
    assert len(service.provider.calls) == 1
    view = await service.get(first.metadata["session_id"])
    assert State.UNRESOLVED is view.session.state


async def test_unknown_outcome_without_request_id(service: Service) -> None:
    """A lost answer nobody can ask for again is not to be retried."""
    service.provider.script = [errors.ProviderOutcomeUnknown("time-out")]
    first = await failing(service, request())
    assert first.reason == "PROVIDER_OUTCOME_UNRESOLVED"
    assert State.FAILED is (await service.get(first.metadata["session_id"])).session.state


async def test_the_call_goes_on_when_the_caller_goes_away(service: Service) -> None:
    """A caller that hangs up leaves a session that opens all the same."""
    gate = asyncio.Event()
    service.provider.script = [gate]
    running = asyncio.create_task(create(service, request(request_id="r1")))
    while not service.provider.calls:
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    gate.set()
    assert await service.background.drain(timedelta(seconds=60))
    session_id = service.provider.calls[0].session_id
    assert State.OPEN is (await service.get(session_id)).session.state


async def test_deadline_spent_names_the_session(service: Service) -> None:
    """A spent deadline is an answer of its own, and the work goes on."""
    gate = asyncio.Event()
    service.provider.script = [gate]
    with pytest.raises(errors.DeadlineSpent) as caught:
        await create(service, request(request_id="r1"), deadline=timedelta(seconds=0.15))
    assert caught.value.metadata["leg"] == "provider"
    gate.set()
    assert await service.background.drain(timedelta(seconds=60))
    view = await service.get(caught.value.metadata["session_id"])
    assert State.OPEN is view.session.state


async def test_draining_takes_no_new_work(service: Service) -> None:
    """A server that stops says so before it stores anything."""
    await service.background.drain(timedelta(0))
    assert (await failing(service, request())).reason == "SHUTTING_DOWN"
    assert await stored(service) == 0


@pytest.mark.parametrize(
    ("asked", "reason", "fields"),
    [
        (request(provider="nobody"), "PROVIDER_NOT_CONFIGURED", []),
        (request(account="other"), "PROVIDER_NOT_CONFIGURED", []),
        (
            request(success_url="https://a.example", cancel_url="https://b.example"),
            "UNSUPPORTED_BY_PROVIDER",
            ["success_url", "cancel_url"],
        ),
        (
            request(provider_options={"square": {"note": "x"}}),
            "UNSUPPORTED_BY_PROVIDER",
            ["provider_options.square.note"],
        ),
        (
            request(
                cart=Cart(
                    line_items=(
                        LineItem(product_id="p", quantity=0, note="n"),
                        LineItem(name="n", unit_price=Money(10_001, "USD")),
                        LineItem(product_id="p", unit_price=Money(1, "USD")),
                    )
                )
            ),
            "UNSUPPORTED_BY_PROVIDER",
            [
                "cart.line_items[0].note",
                "cart.line_items[0].quantity",
                "cart.line_items[1].unit_price.amount",
                "cart.line_items[2].unit_price",
            ],
        ),
        (
            request(metadata={"a-key-too-long": "x", "b": "a value too long", "c": ""}),
            "UNSUPPORTED_BY_PROVIDER",
            ["metadata", 'metadata["a-key-too-long"]', 'metadata["b"]'],
        ),
        (request(ttl=timedelta(seconds=59)), "UNSUPPORTED_BY_PROVIDER", ["ttl"]),
        (request(ttl=timedelta(hours=24, seconds=61)), "UNSUPPORTED_BY_PROVIDER", ["ttl"]),
        (request(ttl=timedelta(days=3_652_500)), "UNSUPPORTED_BY_PROVIDER", ["ttl"]),
        (request(expire_time=NOW), "UNSUPPORTED_BY_PROVIDER", ["expire_time"]),
        (
            request(cart=Cart(line_items=(LineItem(name="n", unit_price=Money(1, "XYZ")),))),
            "INVALID_REQUEST",
            ["cart.line_items[0].unit_price.currency"],
        ),
        (
            request(
                cart=Cart(
                    line_items=(LineItem(name="n", unit_price=Money(2**52, "USD"), quantity=3),)
                )
            ),
            "INVALID_REQUEST",
            ["cart"],
        ),
    ],
)
async def test_bad_input_is_refused_whole(
    service: Service, asked: CreateRequest, reason: str, fields: list[str]
) -> None:
    """Every violation is named at once, nothing is stored, nothing is sent; validate_only says the same."""
    for request_ in (asked, _dry(asked)):
        error = await failing(service, request_)
        assert reason == error.reason
        assert fields == [violation.field for violation in error.violations]
    assert (await stored(service), len(service.provider.calls)) == (0, 0)


def _dry(asked: CreateRequest) -> CreateRequest:
    return structs.replace(asked, validate_only=True)


async def test_validate_only_leaves_the_key_free(service: Service) -> None:
    """A dry run answers a session without id, stores nothing and calls nobody."""
    dry = await create(service, request(request_id="r1", validate_only=True))
    assert dry.session.session_id == ""
    assert (await stored(service), len(service.provider.calls)) == (0, 0)
    assert not (await create(service, request(request_id="r1"))).replayed


@pytest.mark.parametrize(
    ("ttl", "clamped", "enforcement"),
    [
        (timedelta(hours=1), False, ExpiryEnforcement.ADVISORY),
        (timedelta(hours=24), False, ExpiryEnforcement.PROVIDER),
        (timedelta(hours=24, seconds=60), True, ExpiryEnforcement.PROVIDER),
    ],
)
async def test_expiry_is_honest(
    service: Service, ttl: timedelta, clamped: bool, enforcement: ExpiryEnforcement
) -> None:
    """The session says who ends it, and a wish slightly too long is shortened with a warning."""
    made = (await create(service, request(ttl=ttl))).session
    assert NOW + min(ttl, timedelta(hours=24)) == made.expire_time
    assert NOW + timedelta(hours=24) == made.payable_until
    assert enforcement is made.expiry_enforcement
    assert clamped == bool(made.warnings)


async def test_totals_are_exact_where_the_cart_has_all_prices(service: Service) -> None:
    """Prices times quantities are summed; a catalogue's price is nobody's guess."""
    lines = (
        LineItem(name="a", unit_price=Money(333, "USD"), quantity=3),
        LineItem(name="b", unit_price=Money(1, "USD")),
    )
    priced = (await create(service, request(cart=Cart(line_items=lines)))).session
    assert (TotalsSource.COMPUTED, Money(1000, "USD")) == (
        priced.totals.source,
        priced.totals.total,
    )
    catalogue = (await create(service, request())).session
    assert (catalogue.totals.source, catalogue.totals.total) == (TotalsSource.UNKNOWN, None)


async def test_store_that_is_away(service: Service) -> None:
    """A store that cannot take the intent means that no provider is called."""
    await service.store.close()
    assert (await failing(service, request(request_id="r1"))).reason == "STORE_UNAVAILABLE"
    assert not service.provider.calls


async def test_outcome_is_kept_once_the_store_is_back(service: Service) -> None:
    """What the provider did while the store was away is stored when it answers again."""
    gate = asyncio.Event()
    service.provider.script = [gate]
    running = asyncio.create_task(create(service, request(request_id="r1")))
    while not service.provider.calls:
        await asyncio.sleep(0)
    service.store.away = True
    gate.set()
    with pytest.raises(errors.StoreUnavailable) as caught:
        await running
    service.store.away = False
    assert await service.background.drain(timedelta(seconds=60))
    view = await service.get(caught.value.metadata["session_id"])
    assert State.OPEN is view.session.state
