"""The adapter of Dodo Payments: what it can do, and its calls."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

from service.core.capability import Capabilities, MetadataLimits
from service.core.errors import ProviderError
from service.core.model import (
    AmountBasis,
    CreateRequest,
    ExpiryEnforcement,
    ItemKind,
    UnknownOutcomeStrategy,
    Violation,
)
from service.core.ports import CreateCall, ProviderEvent, ProviderSession
from service.core.window import Listed, Window
from service.providers.adapter import Adapter
from service.providers.answers import Answer
from service.providers.budget import Limits, Rate
from service.providers.dodo import listing, rules, transformers, webhooks
from service.providers.dodo.checkout import checkout_body
from service.providers.dodo.enums import CURRENCIES
from service.providers.dodo.errors import error_of
from service.providers.dodo.options import session_options
from service.providers.entry import Entry
from service.providers.http import Observe, ProviderHttp, bearer
from service.providers.probe import Probe
from service.providers.settings import AccountSettings, secret_problems

LIVE_URL = "https://live.dodopayments.com"
TEST_URL = "https://test.dodopayments.com"

LIFETIME = timedelta(hours=24)
CONFIRMED_LIFETIME = timedelta(minutes=15)

CAPABILITIES = Capabilities(
    retrieve=True,
    cancel=False,
    expiry_enforcement=ExpiryEnforcement.PROVIDER,
    min_lifetime=timedelta(minutes=1),
    max_lifetime=LIFETIME,
    default_lifetime=LIFETIME,
    unknown_outcome_strategy=UnknownOutcomeStrategy.RECREATE,
    item_kinds=frozenset({ItemKind.CATALOG}),
    request_fields=frozenset(
        {
            "buyer_choices.discount_codes",
            "cancel_url",
            "cart.currency",
            "cart.discount_codes",
            "cart.line_items.add_ons.add_on_id",
            "cart.line_items.add_ons.quantity",
            "cart.line_items.custom_amount",
            "cart.line_items.product_id",
            "cart.line_items.provider_options.dodo",
            "cart.line_items.quantity",
            "customer.billing_address.city",
            "customer.billing_address.country",
            "customer.billing_address.line1",
            "customer.billing_address.line2",
            "customer.billing_address.postal_code",
            "customer.billing_address.region",
            "customer.company",
            "customer.customer_id",
            "customer.email",
            "customer.first_name",
            "customer.last_name",
            "customer.locale",
            "customer.phone_number",
            "customer.tax_id",
            "payment_methods.allowed",
            "provider_options.dodo",
            "success_url",
        }
    ),
    max_line_items=20,
    max_amount=rules.MAX_INT32,
    max_quantity=rules.MAX_INT32,
    # The schema's minimum, in all its versions; only the prose of the guide says 1.
    zero_quantity=True,
    max_discount_codes=20,
    metadata=MetadataLimits(max_pairs=49, max_key_length=40, max_value_length=500),
    currencies=CURRENCIES,
    webhook_events=frozenset(webhooks.EVENTS),
    webhook_signature="standard-webhooks-v1",
    subscriptions=True,
    lists_payments=True,
)

# Of the lowest tier: 40 a second and 240 a minute for all of a business. A full burst and what a minute or a
# second refills stay within both.
LIMITS = Limits(rate=Rate(per_second=3.4, burst=36))


class DodoAdapter(Adapter):
    """One account of Dodo Payments behind the `Provider` port."""

    name = "dodo"
    capabilities = CAPABILITIES

    def check(self, request: CreateRequest) -> Sequence[Violation]:
        """Return what of Dodo's rules across fields the request breaks."""
        return list(rules.violations(request))

    def lifetime(self, request: CreateRequest) -> timedelta:
        """Return Dodo's fixed lifetime, which is shorter for a confirmed session."""
        return CONFIRMED_LIFETIME if session_options(request).confirm else LIFETIME

    def amount_basis(self, request: CreateRequest) -> AmountBasis:  # noqa: ARG002 - of the port
        """Return NONE: price, tax and currency are Dodo's and the buyer's."""
        return AmountBasis.NONE

    def strategy(self, request: CreateRequest) -> UnknownOutcomeStrategy:
        """Return RECREATE, or NEVER where the lost request may have charged the buyer."""
        if session_options(request).payment_method_id:
            return UnknownOutcomeStrategy.NEVER
        return UnknownOutcomeStrategy.RECREATE

    async def create(self, call: CreateCall) -> ProviderSession:
        """Send `POST /checkouts`."""
        answer = await self._http.request(
            "create",
            "POST",
            "/checkouts",
            json=checkout_body(call),
            connect_within=call.connect_within,
        )
        body = self._body(answer, call.request)
        return self._read(
            lambda: transformers.created(body, session_options(call.request), self._page_origins)
        )

    async def retrieve(
        self,
        provider_session_id: str,
        details: Mapping[str, object] | None = None,  # noqa: ARG002 - of the port
    ) -> ProviderSession:
        """Send `GET /checkouts/{id}`, and `GET /payments/{payment_id}` where it names one."""
        body = await self._get("retrieve", f"/checkouts/{quote(provider_session_id, safe='')}")
        status = self._read(lambda: transformers.status_of(body))
        if not status.payment_id:
            return transformers.retrieved(provider_session_id, None, status)
        body = await self._get("retrieve_payment", f"/payments/{quote(status.payment_id, safe='')}")
        payment = self._read(lambda: transformers.payment_of(body))
        return transformers.retrieved(provider_session_id, payment, status)

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Check a webhook as Standard Webhooks say."""
        webhooks.verify(headers, body, now, self._webhook_secrets)

    def parse(self, headers: Mapping[str, str], body: bytes) -> Sequence[ProviderEvent]:
        """Return the one event of a webhook."""
        return webhooks.parse(headers, body)

    async def recent(self, window: Window) -> Listed:
        """Send `GET /payments` for a page of the payments created in a window."""
        body = await self._get("list_payments", listing.path(window))
        return self._read(lambda: listing.listed(body, window))

    async def whole(self, event: ProviderEvent) -> ProviderEvent:
        """Send `GET /payments/{payment_id}` for a payment that was listed."""
        body = await self._get("retrieve_payment", listing.whole_path(event))
        return self._read(lambda: listing.whole(event, body))

    async def _get(self, operation: str, path: str) -> object:
        return self._body(await self._http.request(operation, "GET", path, sent_is_safe=True))

    def _error(self, answer: Answer, request: CreateRequest | None) -> ProviderError:
        return error_of(answer, self._names, request)


def build(
    settings: AccountSettings, *, chance: Callable[[], float], observe: Observe
) -> DodoAdapter:
    """Build the adapter of one account."""
    base_url = _base_url(settings)
    http = ProviderHttp.of(
        settings, base_url=base_url, authorize=bearer, chance=chance, observe=observe
    )
    return DodoAdapter(settings=settings, base_url=base_url, http=http)


def problems(settings: AccountSettings) -> Iterator[str]:
    """Yield what is wrong with the secrets of an account, without any value."""
    return secret_problems(settings, webhooks.parse_secret)


def secret_form(secret: str) -> str:
    """Name the encoding that a usable webhook secret was found in."""
    return webhooks.parse_secret(secret).encoding


def probe(settings: AccountSettings) -> Probe:
    """Return `GET /payments` for one payment: the smallest read that needs the key."""
    url = f"{_base_url(settings)}/payments?page_size=1"
    return Probe(url=url, headers=bearer(settings.api_key.current()))


def _base_url(settings: AccountSettings) -> str:
    return settings.address(live=LIVE_URL, test=TEST_URL)


ENTRY = Entry(build=build, problems=problems, probe=probe, limits=LIMITS, secret_form=secret_form)
