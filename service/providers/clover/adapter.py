"""The adapter of Clover: one merchant's hosted checkouts, and its calls."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from importlib.metadata import version

from service.core.errors import ProviderError
from service.core.model import (
    AmountBasis,
    CreateRequest,
    Totals,
    UnknownOutcomeStrategy,
    Violation,
)
from service.core.ports import CreateCall, ProviderEvent, ProviderSession
from service.providers.adapter import Adapter
from service.providers.answers import Answer
from service.providers.clover import pricing, rules, transformers, webhooks
from service.providers.clover.capabilities import LIMITS, capabilities_of
from service.providers.clover.checkout import checkout_body
from service.providers.clover.errors import error_of
from service.providers.clover.settings import OWN_SETTINGS, CloverSettings, settings_problems
from service.providers.entry import Entry
from service.providers.http import Observe, ProviderHttp, bearer
from service.providers.probe import Probe
from service.providers.settings import AccountSettings, secret_problems

LIVE_URL = "https://api.clover.com"
TEST_URL = "https://apisandbox.dev.clover.com"
PATH = "/invoicingcheckoutservice/v1/checkouts"


class CloverAdapter(Adapter):
    """One account of Clover behind the `Provider` port."""

    name = "clover"

    def __init__(
        self, *, settings: AccountSettings, base_url: str, http: ProviderHttp, own: CloverSettings
    ) -> None:
        super().__init__(settings=settings, base_url=base_url, http=http)
        self.capabilities = capabilities_of(own.currency)
        self._own = own

    def check(self, request: CreateRequest) -> Sequence[Violation]:
        """Return what of Clover's rules across fields the request breaks."""
        return list(rules.violations(request, self._own.currency))

    def lifetime(self, request: CreateRequest) -> timedelta:  # noqa: ARG002 - of the port
        """Return the fifteen minutes that every page lives."""
        return transformers.LIFETIME

    def amount_basis(self, request: CreateRequest) -> AmountBasis:
        """Return how far what is computed here can be compared with what is paid."""
        return pricing.amount_basis(request)

    def strategy(self, request: CreateRequest) -> UnknownOutcomeStrategy:  # noqa: ARG002 - of the port
        """Return RECREATE: a page that nobody was told of ends by itself in fifteen minutes."""
        return UnknownOutcomeStrategy.RECREATE

    def totals(self, request: CreateRequest) -> Totals | None:
        """Return the totals with taxes, an estimate where Clover's rounding decides."""
        return pricing.totals(request)

    async def create(self, call: CreateCall) -> ProviderSession:
        """Send the create; our id has no place in it, so the answer's id is what leads back to us."""
        answer = await self._http.request(
            "create",
            "POST",
            PATH,
            json=checkout_body(call),
            connect_within=call.connect_within,
        )
        body = self._body(answer, call.request)
        return self._read(lambda: transformers.created(body, self._page_origins))

    async def retrieve(
        self,
        provider_session_id: str,
        details: Mapping[str, object] | None = None,  # noqa: ARG002 - of the port
    ) -> ProviderSession:
        """Return what is known already: Clover documents no call to ask with."""
        return ProviderSession(provider_session_id=provider_session_id)

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Check a webhook's signature and the time in it."""
        webhooks.verify(headers, body, now, self._webhook_secrets)

    def parse(self, headers: Mapping[str, str], body: bytes) -> Sequence[ProviderEvent]:  # noqa: ARG002 - of the port
        """Return the one event of a webhook."""
        own = self._own
        return webhooks.parse(body, merchant_id=own.merchant_id, currency=own.currency)

    def _error(self, answer: Answer, request: CreateRequest | None) -> ProviderError:
        return error_of(answer, self._names, request)


def build(
    settings: AccountSettings, *, chance: Callable[[], float], observe: Observe
) -> CloverAdapter:
    """Build the adapter of one account."""
    own = CloverSettings.of(settings.own)
    base_url = _base_url(settings)
    agent = f"checkout-service/{version('checkout-service')}"
    http = ProviderHttp.of(
        settings,
        base_url=base_url,
        authorize=lambda secret: {
            **bearer(secret),
            "User-Agent": agent,
            "X-Clover-Merchant-Id": own.merchant_id,
        },
        chance=chance,
        observe=observe,
    )
    return CloverAdapter(settings=settings, base_url=base_url, http=http, own=own)


def problems(settings: AccountSettings) -> Iterator[str]:
    """Yield what is wrong with the secrets and own settings of an account, without any secret."""
    yield from secret_problems(settings)
    yield from settings_problems(settings.own)


def probe(settings: AccountSettings) -> Probe:
    """Return a read of the host without the key: Clover documents none that needs it and changes nothing."""
    return Probe(url=f"{_base_url(settings)}/", headers={}, tries_key=False)


def _base_url(settings: AccountSettings) -> str:
    return settings.address(live=LIVE_URL, test=TEST_URL)


ENTRY = Entry(build=build, problems=problems, probe=probe, own_settings=OWN_SETTINGS, limits=LIMITS)
