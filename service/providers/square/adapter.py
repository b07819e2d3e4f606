"""The adapter of Square: one account that makes payment links or checkouts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

import msgspec

from service.core.errors import ProviderError, ProviderRejected
from service.core.model import (
    AmountBasis,
    CreateRequest,
    Totals,
    UnknownOutcomeStrategy,
    Violation,
)
from service.core.ports import Closing, CreateCall, ProviderEvent, ProviderSession
from service.core.window import Listed, Window
from service.providers.adapter import Adapter
from service.providers.answers import Answer, converted
from service.providers.entry import Entry
from service.providers.http import Observe, ProviderHttp, bearer
from service.providers.probe import Probe
from service.providers.settings import AccountSettings, secret_problems
from service.providers.square import (
    created,
    links,
    listing,
    payloads,
    pricing,
    rules,
    transformers,
    webhooks,
)
from service.providers.square.capabilities import LIFETIMES, capabilities_of
from service.providers.square.checkouts import checkout_body, checkout_path
from service.providers.square.errors import error_of, faults, is_missing
from service.providers.square.order import encoded
from service.providers.square.reading import Reading, SquareReader
from service.providers.square.settings import OWN_SETTINGS, Call, SquareSettings, settings_problems

LIVE_URL = "https://connect.squareup.com"
SANDBOX_URL = "https://connect.squareupsandbox.com"


class SquareAdapter(Adapter):
    """One account of Square behind the `Provider` port."""

    name = "square"

    def __init__(
        self, *, settings: AccountSettings, base_url: str, http: ProviderHttp, own: SquareSettings
    ) -> None:
        super().__init__(settings=settings, base_url=base_url, http=http)
        self.capabilities = capabilities_of(own.call, own.currency)
        self._own = own
        self._reader = SquareReader(http=http, names=self._names)

    def check(self, request: CreateRequest) -> Sequence[Violation]:
        """Return what of Square's rules across fields the request breaks."""
        return list(rules.violations(request, self._own.call, self._own.currency))

    def lifetime(self, request: CreateRequest) -> timedelta:  # noqa: ARG002 - of the port
        """Return how long the page of the configured call lives, however long the session shall."""
        return LIFETIMES[self._own.call]

    def amount_basis(self, request: CreateRequest) -> AmountBasis:
        """Return EXACT, unless the buyer may add to the total or change it."""
        return pricing.amount_basis(request)

    def strategy(self, request: CreateRequest) -> UnknownOutcomeStrategy:  # noqa: ARG002 - of the port
        """Return REPLAY: both calls take a key of ours."""
        return UnknownOutcomeStrategy.REPLAY

    def totals(self, request: CreateRequest) -> Totals | None:
        """Return the totals by Square's published rules."""
        return pricing.totals(request)

    def prepare(self, call: CreateCall) -> bytes:
        """Return the body with the key of this session and attempt."""
        key = f"{call.session_id}-{call.attempt}"
        location_id = self._own.location_id
        if self._own.call is Call.LINKS:
            return encoded(links.link_body(call, location_id, key))
        return encoded(checkout_body(call, location_id, key))

    async def create(self, call: CreateCall) -> ProviderSession:
        """Send the configured call; its key makes sending it again harmless."""
        is_link = self._own.call is Call.LINKS
        answer = await self._http.request(
            "create",
            "POST",
            links.PATH if is_link else checkout_path(self._own.location_id),
            json=msgspec.Raw(call.body or self.prepare(call)),
            connect_within=call.connect_within,
            sent_is_safe=True,
            shape=created.LINK if is_link else created.CHECKOUT,
        )
        read = created.link if is_link else created.checkout
        body = self._body(answer, call.request)
        return self._reader.usable(lambda: read(body, call.request, self._page_origins))

    async def cancel(
        self, provider_session_id: str, details: Mapping[str, object] | None = None
    ) -> Closing:
        """Delete a payment link and read its order again, because a deletion alone proves nothing."""
        if self._own.call is not Call.LINKS:
            return Closing(closed=False)
        order_id = _known_order(details)
        try:
            cancelled = await self._delete(provider_session_id)
        except ProviderRejected as error:
            return await self._after_refusal(error, order_id)
        reading = await self._reader.order(cancelled or order_id) if cancelled or order_id else None
        closing = _closing(reading)
        return closing if cancelled else msgspec.structs.replace(closing, closed=_is_paid(reading))

    async def retrieve(
        self, provider_session_id: str, details: Mapping[str, object] | None = None
    ) -> ProviderSession:
        """Read the order and its payments; the payment link itself only where the order is not known."""
        order_id = _known_order(details) or await self._reader.order_id(provider_session_id)
        found = await self._reader.order(order_id)
        return transformers.retrieved(
            provider_session_id, order_id, found.order, found.payments, found.refunds
        )

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:  # noqa: ARG002 - of the port
        """Check a webhook's signature, which covers no time."""
        webhooks.verify(headers, body, self._own.webhook_url, self._webhook_secrets)

    def parse(self, headers: Mapping[str, str], body: bytes) -> Sequence[ProviderEvent]:  # noqa: ARG002 - of the port
        """Return the one event of a webhook."""
        return webhooks.parse(body, self._own.location_id)

    async def locate(self, event: ProviderEvent) -> str:
        """Return the id that we put on the order of a payment, which no answer may have named before."""
        order_id = next((r for r in event.references if r.startswith("order:")), "")[6:]
        return await self._reader.session_id(order_id) if order_id else ""

    async def recent(self, window: Window) -> Listed:
        """Send `GET /v2/payments` for a page, and read the orders of what it lists in one call."""
        body = await self._reader.payments_page(listing.path(window, self._own))
        page = self._reader.usable(lambda: listing.page_of(body))
        payments = listing.payments_of(page)
        read = [payment for payment in payments if isinstance(payment, payloads.Payment)]
        orders = [payment.order_id for payment in read if payment.order_id]
        sessions = await self._reader.session_ids(orders)
        refunds = {
            payment.id: await self._reader.refunds((payment,))
            for payment in read
            if payment.order_id in sessions
        }
        return listing.listed(page, payments, sessions, refunds)

    async def whole(self, event: ProviderEvent) -> ProviderEvent:
        """Send `GET /v2/payments/{payment_id}`, and read its refunds."""
        names = (r for r in event.references if r.startswith("payment:"))
        payment = await self._reader.payment(next(names).removeprefix("payment:"))
        report = transformers.payment_report(payment, await self._reader.refunds((payment,)))
        return msgspec.structs.replace(event, report=report, is_hint=False)

    async def _delete(self, link_id: str) -> str:
        path = f"{links.PATH}/{quote(link_id, safe='')}"
        answer = await self._http.request("cancel", "DELETE", path, sent_is_safe=True)
        body = self._body(answer)
        told = self._reader.usable(lambda: converted(body, payloads.DeletedLink))
        return told.cancelled_order_id or ""

    async def _after_refusal(self, error: ProviderRejected, order_id: str) -> Closing:
        if not order_id:
            if is_missing(error):
                return Closing(closed=True)
            raise error
        try:
            reading = await self._reader.order(order_id)
        except ProviderRejected as unread:
            if is_missing(error) and is_missing(unread):
                return Closing(closed=True)
            raise error from unread
        closing = _closing(reading)
        if is_missing(error) or closing.closed or closing.payments:
            return closing
        raise error

    def _body(self, answer: Answer, request: CreateRequest | None = None) -> object:
        if not 200 <= answer.status < 300 or _is_refusal(answer.body):
            raise self._error(answer, request)
        return answer.body

    def _error(self, answer: Answer, request: CreateRequest | None) -> ProviderError:
        return error_of(answer, self._names, request)


def _is_refusal(body: object) -> bool:
    """Tell whether a success has nothing but errors in it, which Square's schemas allow."""
    return bool(faults(body)) and isinstance(body, dict) and set(body) == {"errors"}


def _known_order(details: Mapping[str, object] | None) -> str:
    order_id = (details or {}).get("order_id")
    return order_id if isinstance(order_id, str) else ""


def _is_paid(reading: Reading | None) -> bool:
    return reading is not None and transformers.is_covered(reading.order, reading.payments)


def _closing(reading: Reading | None) -> Closing:
    if reading is None:
        return Closing(closed=False)
    has_ended = reading.order.state in transformers.ENDED_ORDERS
    return Closing(
        closed=has_ended or _is_paid(reading),
        payments=transformers.reports(reading.order, reading.payments, reading.refunds),
    )


def build(
    settings: AccountSettings, *, chance: Callable[[], float], observe: Observe
) -> SquareAdapter:
    """Build the adapter of one account."""
    own = SquareSettings.of(settings.own)
    base_url = _base_url(settings)
    http = ProviderHttp.of(
        settings,
        base_url=base_url,
        authorize=lambda secret: _headers(secret, own),
        chance=chance,
        observe=observe,
    )
    return SquareAdapter(settings=settings, base_url=base_url, http=http, own=own)


def problems(settings: AccountSettings) -> Iterator[str]:
    """Yield what is wrong with the secrets and own settings of an account, without any secret."""
    yield from secret_problems(settings)
    yield from settings_problems(settings.own, has_secrets=bool(settings.webhook_secrets))


def probe(settings: AccountSettings) -> Probe:
    """Return the list of payment links, one at most: a small read that needs the token."""
    own = SquareSettings.of(settings.own)
    url = f"{_base_url(settings)}{links.PATH}?limit=1"
    return Probe(url=url, headers=_headers(settings.api_key.current(), own))


def _base_url(settings: AccountSettings) -> str:
    return settings.address(live=LIVE_URL, test=SANDBOX_URL)


def _headers(secret: str, own: SquareSettings) -> Mapping[str, str]:
    return {**bearer(secret), "Square-Version": own.api_version}


ENTRY = Entry(build=build, problems=problems, probe=probe, own_settings=OWN_SETTINGS)
