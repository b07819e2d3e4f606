"""The adapter of FastSpring: one checkout of one store."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

import msgspec

from service.core import money
from service.core.errors import ProviderError
from service.core.model import (
    AmountBasis,
    CreateRequest,
    SessionWarning,
    Totals,
    TotalsSource,
    UnknownOutcomeStrategy,
    Violation,
)
from service.core.ports import (
    CreateCall,
    PaymentReport,
    ProviderEvent,
    ProviderSession,
    SubscriptionReport,
)
from service.core.window import Listed, Window
from service.providers.adapter import Adapter
from service.providers.answers import Answer
from service.providers.entry import Entry
from service.providers.fastspring import payloads, rules, transformers, webhooks
from service.providers.fastspring.amounts import encoded
from service.providers.fastspring.body import is_live, session_body
from service.providers.fastspring.capabilities import CAPABILITIES, LIFETIME
from service.providers.fastspring.errors import error_of
from service.providers.fastspring.history import History
from service.providers.fastspring.options import session_options
from service.providers.fastspring.reading import moment, our_session_id
from service.providers.fastspring.settings import (
    OWN_SETTINGS,
    FastspringSettings,
    settings_problems,
)
from service.providers.http import Observe, ProviderHttp
from service.providers.probe import Probe
from service.providers.settings import AccountSettings, secret_problems

# Live or test is a flag of each session, not an address.
BASE_URL = "https://api.fastspring.com"
WITH_ORDER = frozenset({"COMPLETED", "PENDING_ORDER"})


class FastspringAdapter(Adapter):
    """One account of FastSpring behind the `Provider` port."""

    name = "fastspring"
    capabilities = CAPABILITIES

    def __init__(
        self,
        *,
        settings: AccountSettings,
        base_url: str,
        http: ProviderHttp,
        own: FastspringSettings,
    ) -> None:
        super().__init__(settings=settings, base_url=base_url, http=http)
        self._path = own.sessions_path
        self._history = History(http=http, names=self._names)

    def check(self, request: CreateRequest) -> Sequence[Violation]:
        """Return what of FastSpring's rules across fields the request breaks."""
        return list(rules.violations(request, live=self.live))

    def lifetime(self, request: CreateRequest) -> timedelta:  # noqa: ARG002 - of the port
        """Return FastSpring's fixed lifetime."""
        return LIFETIME

    def amount_basis(self, request: CreateRequest) -> AmountBasis:  # noqa: ARG002 - of the port
        """Return NONE: the buyer's country decides currency and tax, and the buyer may change the cart."""
        return AmountBasis.NONE

    def strategy(self, request: CreateRequest) -> UnknownOutcomeStrategy:  # noqa: ARG002 - of the port
        """Return RECREATE: a session that nobody was given ends by itself."""
        return UnknownOutcomeStrategy.RECREATE

    def totals(self, request: CreateRequest) -> Totals | None:
        """Return the cart's sums as an estimate: FastSpring adds taxes, and converts where it must."""
        sums = money.totals(request.cart)
        if sums.source is not TotalsSource.COMPUTED:
            return None
        return msgspec.structs.replace(sums, source=TotalsSource.ESTIMATED)

    async def create(self, call: CreateCall) -> ProviderSession:
        """Send `POST /v2/checkouts/{store}/{checkout}/sessions`."""
        answer = await self._http.request(
            "create",
            "POST",
            self._path,
            json=msgspec.Raw(encoded(session_body(call, live=self.live))),
            connect_within=call.connect_within,
            shape=transformers.SESSION,
        )
        request = call.request
        body = self._body(answer, request)
        asked = is_live(session_options(request), live=self.live)
        return self._read(
            lambda: transformers.created(body, request, self._page_origins, live=asked)
        )

    async def retrieve(
        self,
        provider_session_id: str,
        details: Mapping[str, object] | None = None,  # noqa: ARG002 - of the port
    ) -> ProviderSession:
        """Read the session and, once it has an order, the events that tell which."""
        path = f"{self._path}/{quote(provider_session_id, safe='')}"
        body = self._body(await self._http.request("retrieve", "GET", path, sent_is_safe=True))
        answer = self._read(lambda: transformers.session_of(body))
        found = transformers.retrieved(answer)
        return await self._with_order(answer, found) if answer.status in WITH_ORDER else found

    async def _with_order(
        self, answer: payloads.Session, found: ProviderSession
    ) -> ProviderSession:
        session_id = our_session_id(answer.order_tags)
        readings = (
            await self._history.readings(session_id, moment(answer.created)) if session_id else ()
        )
        reports = [reading.report for reading in readings]
        payments = [
            _beside(found, report) for report in reports if isinstance(report, PaymentReport)
        ]
        started = [report for report in reports if isinstance(report, SubscriptionReport)]
        authorised = next((report for report in started if report.authorised), None)
        warnings = (
            found.warnings if payments or authorised else (*found.warnings, _orderless(answer))
        )
        return msgspec.structs.replace(
            found,
            payments=tuple(payments),
            authorised=authorised is not None,
            authorised_time=authorised.authorised_time if authorised else None,
            subscription_id=next((report.subscription_id for report in started), ""),
            warnings=warnings,
        )

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:  # noqa: ARG002 - of the port
        """Check a webhook's signature, which covers no time."""
        webhooks.verify(headers, body, self._webhook_secrets)

    def parse(self, headers: Mapping[str, str], body: bytes) -> Sequence[ProviderEvent]:  # noqa: ARG002 - of the port
        """Return the events of a webhook."""
        return webhooks.parse(body, live=self.live)

    async def locate(self, event: ProviderEvent) -> str:
        """Return the id in the tags of an order, which an event without expansion does not have."""
        order_id = next((r for r in event.references if r.startswith("order:")), "")[6:]
        return await self._history.session_id(order_id) if order_id else ""

    async def recent(self, window: Window) -> Listed:
        """Return a page of the events of a window, acknowledged or not."""
        return await self._history.recent(window, live=self.live)

    async def whole(self, event: ProviderEvent) -> ProviderEvent:
        """Return the event: a list tells what a webhook does."""
        return event

    def _error(self, answer: Answer, request: CreateRequest | None) -> ProviderError:
        return error_of(answer, self._names, request)


def _beside(found: ProviderSession, report: PaymentReport) -> PaymentReport:
    """Return a payment without its totals where the session's own say the same, and more."""
    if found.totals is None or report.amount != found.totals.total:
        return report
    return msgspec.structs.replace(report, totals=None)


def _orderless(answer: payloads.Session) -> SessionWarning:
    message = (
        f"FastSpring says {answer.status} and lists no event of the order: a webhook will tell"
    )
    return SessionWarning("ORDER_UNKNOWN", message=message)


def build(
    settings: AccountSettings, *, chance: Callable[[], float], observe: Observe
) -> FastspringAdapter:
    """Build the adapter of one account."""
    own = FastspringSettings.of(settings.own)
    base_url = _base_url(settings)
    http = ProviderHttp.of(
        settings, base_url=base_url, authorize=own.headers, chance=chance, observe=observe
    )
    return FastspringAdapter(settings=settings, base_url=base_url, http=http, own=own)


def problems(settings: AccountSettings) -> Iterator[str]:
    """Yield what is wrong with the secrets and own settings of an account, without any secret."""
    yield from secret_problems(settings)
    yield from settings_problems(settings.own)


def probe(settings: AccountSettings) -> Probe:
    """Return the events of a day that were not acknowledged: a small read that needs the credentials."""
    own = FastspringSettings.of(settings.own)
    url = f"{_base_url(settings)}/events/unprocessed?days=1"
    return Probe(url=url, headers=own.headers(settings.api_key.current()))


def _base_url(settings: AccountSettings) -> str:
    return settings.address(live=BASE_URL, test=BASE_URL)


ENTRY = Entry(build=build, problems=problems, probe=probe, own_settings=OWN_SETTINGS)
