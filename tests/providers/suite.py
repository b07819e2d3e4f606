"""What every adapter must do, checked against its emulator over real HTTP: declared means works."""

import abc
import zlib
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import ClassVar

import msgspec
import pytest

from service.core import capability
from service.core.attempts import references
from service.core.errors import (
    ProviderCredentialsRejected,
    ProviderRejected,
    ProviderUnavailable,
    WebhookNotVerified,
)
from service.core.model import (
    RESERVED_METADATA_KEY,
    CreateRequest,
    ItemKind,
    PaymentState,
)
from service.core.ports import (
    CreateCall,
    PaymentReport,
    Provider,
    ProviderEvent,
    ProviderSession,
    Step,
    SubscriptionReport,
)
from service.core.window import ListingProvider, Window
from service.providers.registry import build_provider
from service.providers.secrets import Secret
from service.providers.settings import AccountSettings
from tests.providers.fields import leaves, with_field
from tests.providers.sandbox import API_TOKEN, NOW, WEBHOOK_SECRET, Place

SESSION_ID = "cs_01JNW8G3Z0CONFORMANCE00001"
HOUR = timedelta(hours=1)


def settings_for(place: Place, provider: str, **changes: object) -> AccountSettings:
    """Return the settings of the sandbox's account at a provider."""
    settings = AccountSettings(
        provider=provider,
        live=False,
        base_url=f"{place.url}/sandbox/{provider}",
        api_key=Secret(value=API_TOKEN),
        webhook_secrets=(Secret(value=WEBHOOK_SECRET),),
    )
    return msgspec.structs.replace(settings, **changes)


def build(settings: AccountSettings) -> Provider:
    """Build an adapter without jitter and metrics."""
    return build_provider(settings, chance=lambda: 0.0, observe=lambda *_: None)


def call_for(request: CreateRequest, session_id: str = SESSION_ID) -> CreateCall:
    """Return an attempt to create a request, another one for each: a key stands for one body."""
    return CreateCall(
        session_id=session_id,
        attempt=zlib.crc32(msgspec.json.encode(request)),
        request=request,
        expire_time=NOW + timedelta(hours=1),
    )


async def created(provider: Provider, call: CreateCall) -> ProviderSession:
    """Create a session, going on from each step."""
    answer = await provider.create(call)
    while isinstance(answer, Step):
        answer = await provider.create(msgspec.structs.replace(call, kept=answer.kept))
    return answer


def accepted(request: CreateRequest, provider: Provider) -> bool:
    """Tell whether a request passes every check before it is sent."""
    unmet = [
        *capability.unsupported(request, provider.capabilities, provider.name),
        *provider.check(request),
    ]
    return unmet == []


class ProviderSuite(abc.ABC):
    """Subclass it for each configurable call of a provider."""

    name: str
    base: CreateRequest
    """The smallest request that works; each sample changes it by one field."""
    subscription: CreateRequest | None = None
    unknown_item: CreateRequest
    carries_our_id: ClassVar[bool] = True
    """Whether the provider has a place for our id; without one its own id leads back to us."""
    samples: ClassVar[Mapping[str, tuple[CreateRequest, object]]]
    """For every declared field: a request it can be added to, and a value for it."""

    def lines(self, count: int) -> list[object]:
        """Return so many lines of a cart."""
        return [msgspec.to_builtins(self.base.cart.line_items[0])] * count

    def settings(self, place: Place, **changes: object) -> AccountSettings:
        """Return the settings of the account under test."""
        return settings_for(place, self.name, **changes)

    @pytest.fixture
    async def provider(self, place: Place) -> AsyncIterator[Provider]:
        """The adapter under test."""
        provider = build(self.settings(place))
        yield provider
        await provider.close()

    async def test_creates_a_page_that_carries_our_id(
        self, provider: Provider, place: Place
    ) -> None:
        """A create answers the provider's id and page, and our id travels with it where it can."""
        session = await created(provider, call_for(self.base))
        assert session.provider_session_id
        assert session.url.startswith(place.url)
        sent = _text(place.bodies[-1])
        assert (f'"{RESERVED_METADATA_KEY}":"{SESSION_ID}"' in sent) == self.carries_our_id
        assert (SESSION_ID in sent) == self.carries_our_id

    async def test_every_declared_field_has_a_sample(self, provider: Provider) -> None:
        """Nothing is declared that is not tried."""
        assert provider.capabilities.request_fields == set(self.samples)

    async def test_declared_fields_are_sent_and_taken(
        self, provider: Provider, place: Place
    ) -> None:
        """A declared field changes what is sent, and the provider takes it."""
        for path, (base, value) in self.samples.items():
            await created(provider, call_for(base))
            request = with_field(base, path, value)
            assert accepted(request, provider), path
            assert (await created(provider, call_for(request))).provider_session_id, path
            assert place.bodies[-1] != place.bodies[-2], path

    async def test_undeclared_fields_are_refused_by_name(self, provider: Provider) -> None:
        """Every field that is not declared is refused, at its own path."""
        declared = provider.capabilities.request_fields
        for path, value in leaves():
            if any(path == field or path.startswith(f"{field}.") for field in declared):
                continue
            request = with_field(self.base, path, value)
            unmet = capability.unsupported(request, provider.capabilities, provider.name)
            named = {_without_indexes(violation.field) for violation in unmet}
            assert any(name == path or name.startswith(f"{path}.") for name in named), path

    async def test_item_kinds_are_taken_or_refused_as_declared(self, provider: Provider) -> None:
        """A line says what it sells in the declared ways and in no other."""
        line = self.base.cart.line_items[0]
        price = {"amount": 100, "currency": "USD"}
        lines = {
            ItemKind.CATALOG: {"product_id": line.product_id or "x"},
            ItemKind.CATALOG_WITH_PRICE: {
                "product_id": line.product_id or "x",
                "unit_price": price,
            },
            ItemKind.AD_HOC: {"name": "Thing", "unit_price": price},
        }
        for kind, item in lines.items():
            request = with_field(self.base, "cart.line_items", [item])
            is_taken = not capability.unsupported(request, provider.capabilities, provider.name)
            assert is_taken == (kind in provider.capabilities.item_kinds), kind

    async def test_declared_limits_are_exact(self, provider: Provider) -> None:
        """The largest declared cart and metadata work; one more is refused before it is sent."""
        limits = provider.capabilities
        pairs = {f"k{n}": "v" for n in range(limits.metadata.max_pairs)}
        longest = {
            "k" * limits.metadata.max_key_length: "v" * limits.metadata.max_value_length,
        }
        largest = {
            "cart.line_items": self.lines(limits.max_line_items),
            "metadata": pairs,
        }
        excess = {
            "cart.line_items": self.lines(limits.max_line_items + 1),
            "metadata": pairs | {"one": "more"},
        }
        for path, value in largest.items():
            request = with_field(self.base, path, value)
            assert (await created(provider, call_for(request))).provider_session_id, path
            assert not accepted(with_field(self.base, path, excess[path]), provider), path
        request = with_field(self.base, "metadata", longest)
        assert (await created(provider, call_for(request))).provider_session_id

    async def test_zero_quantity_is_refused_unless_declared(self, provider: Provider) -> None:
        """A line of nothing works where the provider documents it, and passes nowhere else."""
        request = with_field(self.base, "cart.line_items.quantity", 0)
        assert accepted(request, provider) == provider.capabilities.zero_quantity
        if provider.capabilities.zero_quantity:
            assert (await created(provider, call_for(request))).provider_session_id

    async def test_lifetimes_are_within_the_declared_range(self, provider: Provider) -> None:
        """A page lives at least as long as a session does that names no end."""
        limits = provider.capabilities
        assert limits.min_lifetime <= limits.default_lifetime <= limits.max_lifetime
        assert limits.default_lifetime <= provider.lifetime(self.base)
        assert provider.strategy(self.base) is limits.unknown_outcome_strategy

    async def test_retrieves_an_open_and_a_paid_session(
        self, provider: Provider, place: Place
    ) -> None:
        """Asking works before and after payment."""
        if not provider.capabilities.retrieve:
            pytest.skip("retrieve is not declared")
        session = await created(provider, call_for(self.base))
        assert not (await provider.retrieve(session.provider_session_id)).payments
        place.sandbox.emulators[self.name].pay(session.provider_session_id)
        paid = await provider.retrieve(session.provider_session_id)
        assert [payment.status for payment in paid.payments] == [PaymentState.PAID]
        assert paid.payments[0].payment_time == NOW

    async def test_an_unknown_session_is_a_refusal(self, provider: Provider) -> None:
        """Asking for a session that is not there is told apart from other failures."""
        if not provider.capabilities.retrieve:
            pytest.skip("retrieve is not declared")
        with pytest.raises(ProviderRejected) as caught:
            await provider.retrieve("nothing")
        assert caught.value.metadata["provider_status"] == "404"

    async def test_a_refusal_carries_the_providers_words(self, provider: Provider) -> None:
        """What the provider refuses comes with its status and the field of ours."""
        with pytest.raises(ProviderRejected) as caught:
            await provider.create(call_for(self.unknown_item))
        assert caught.value.metadata["provider"] == self.name
        assert caught.value.metadata["provider_status"]
        assert caught.value.violations[0].field.startswith("cart.line_items[0]")

    async def test_wrong_credentials_are_the_operators_fault(self, place: Place) -> None:
        """A refused key is its own error, and is not repeated in it."""
        wrong = build(self.settings(place, api_key=Secret(value="wrong-token")))
        with pytest.raises(ProviderCredentialsRejected) as caught:
            await wrong.create(call_for(self.base))
        assert "wrong-token" not in repr(vars(caught.value))
        await wrong.close()

    async def test_a_closed_adapter_sends_nothing(self, provider: Provider) -> None:
        """After closing, calls fail as not sent."""
        await provider.close()
        with pytest.raises(ProviderUnavailable):
            await provider.create(call_for(self.base))

    async def test_its_webhooks_are_verified_and_read(
        self, provider: Provider, place: Place
    ) -> None:
        """A payment's webhook leads to our session and says that it is paid."""
        session, events = await self._paid(provider, place, self.base)
        paid = [event for event in events if _is_paid(event)]
        assert len(paid) == 1 or (paid and all(event.is_hint for event in paid))
        for event in paid:
            assert isinstance(event.report, PaymentReport)
            assert event.event_type in provider.capabilities.webhook_events
            assert event.event_id
            assert await _leads_to_us(provider, session, event)
            assert event.report.payment_time == NOW

    async def test_webhooks_with_another_body_or_secret_are_refused(
        self, provider: Provider, place: Place
    ) -> None:
        """Neither a changed body nor a foreign or missing secret passes."""
        await self._events(provider, place, self.base)
        hook = place.hooks[-1]
        with pytest.raises(WebhookNotVerified):
            provider.verify(hook.headers, hook.body + b" ", NOW)
        foreign = Secret(value="whsec_" + "A" * 32)
        for secrets in ((), (foreign,)):
            other = build(self.settings(place, webhook_secrets=secrets))
            with pytest.raises(WebhookNotVerified):
                other.verify(hook.headers, hook.body, NOW)

    async def test_subscriptions_start_where_declared(
        self, provider: Provider, place: Place
    ) -> None:
        """A declared subscription is told of by webhook."""
        assert provider.capabilities.subscriptions == (self.subscription is not None)
        if self.subscription is None:
            pytest.skip("subscriptions are not declared")
        session, events = await self._paid(provider, place, self.subscription)
        started = [e.report for e in events if isinstance(e.report, SubscriptionReport)]
        assert len({report.subscription_id for report in started}) == 1
        assert started[0].subscription_id
        told = [event for event in events if event.report is not None]
        assert all([await _leads_to_us(provider, session, event) for event in told])
        assert {event.session_id for event in told} == {SESSION_ID if self.carries_our_id else ""}

    async def test_lists_what_was_paid_where_declared(
        self, provider: Provider, place: Place
    ) -> None:
        """A paid session is told of in the window of its payment, and leads to us without a question."""
        declared = provider.capabilities.lists_payments
        assert isinstance(provider, ListingProvider) == declared
        if not isinstance(provider, ListingProvider):
            pytest.skip("lists_payments is not declared")
        window, before = Window(NOW - HOUR, NOW), Window(NOW - 2 * HOUR, NOW - HOUR)
        session = await created(provider, call_for(self.base))
        assert not any(map(_is_paid, (await provider.recent(window)).events))
        place.sandbox.emulators[self.name].pay(session.provider_session_id)
        listed = await provider.recent(window)
        (event,) = filter(_is_paid, listed.events)
        assert (listed.next_page, event.unreadable) == ("", "")
        assert event.session_id == SESSION_ID or {*references(session)} & {*event.references}
        whole = await provider.whole(event)
        assert isinstance(whole.report, PaymentReport)
        assert (whole.report.status, whole.report.payment_time) == (PaymentState.PAID, NOW)
        assert not any(map(_is_paid, (await provider.recent(before)).events))
        names = (f"payment:{whole.report.payment_id}", f"session:{session.provider_session_id}")
        asked = await provider.whole(ProviderEvent(event_id="", event_type="", references=names))
        # Who lists whatever happens to a payment need not be asked about one.
        assert asked.report is None or _is_paid(asked)

    async def _events(
        self, provider: Provider, place: Place, request: CreateRequest
    ) -> list[ProviderEvent]:
        _, events = await self._paid(provider, place, request)
        return events

    async def _paid(
        self, provider: Provider, place: Place, request: CreateRequest
    ) -> tuple[ProviderSession, list[ProviderEvent]]:
        session = await created(provider, call_for(request))
        deliveries = place.sandbox.emulators[self.name].pay(session.provider_session_id)
        for delivery in deliveries:
            await delivery.tried.wait()
        for hook in place.hooks:
            provider.verify(hook.headers, hook.body, NOW)
        return session, [
            told
            for hook in place.hooks
            for event in provider.parse(hook.headers, hook.body)
            for told in await _read_again(provider, event)
        ]


async def _read_again(provider: Provider, event: ProviderEvent) -> list[ProviderEvent]:
    """Return what an event tells, which for a hint is what the provider says when asked."""
    if not event.is_hint:
        return [event]
    (session_id,) = [r[8:] for r in event.references if r.startswith("session:")]
    found = await provider.retrieve(session_id)
    reports: list[PaymentReport | SubscriptionReport] = list(found.payments)
    if found.subscription_id:
        reports.append(
            SubscriptionReport(subscription_id=found.subscription_id, authorised=found.authorised)
        )
    return [msgspec.structs.replace(event, report=report) for report in reports]


async def _leads_to_us(provider: Provider, session: ProviderSession, event: ProviderEvent) -> bool:
    known = set(references(session))
    if event.session_id == SESSION_ID or known.intersection(event.references):
        return True
    return await provider.locate(event) == SESSION_ID


def _is_paid(event: ProviderEvent) -> bool:
    report = event.report
    return isinstance(report, PaymentReport) and report.status is PaymentState.PAID


def _text(body: object) -> str:
    return msgspec.json.encode(body).decode()


def _without_indexes(path: str) -> str:
    return path.replace("[0]", "")
