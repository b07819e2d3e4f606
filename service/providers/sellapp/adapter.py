"""The adapter of SellApp: what it can do, and its calls."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

import msgspec

from service.core.capability import Capabilities, MetadataLimits
from service.core.errors import ProviderError, ProviderOutcomeUnknown, ProviderRejected
from service.core.model import (
    AmountBasis,
    CreateRequest,
    ExpiryEnforcement,
    ItemKind,
    UnknownOutcomeStrategy,
    Violation,
)
from service.core.money import MAX_AMOUNT
from service.core.ports import Closing, CreateCall, ProviderEvent, ProviderSession, Step
from service.core.window import Listed, Window
from service.providers.adapter import Adapter
from service.providers.answers import Answer
from service.providers.entry import Entry
from service.providers.http import Observe, ProviderHttp, bearer
from service.providers.meanings import TEXTS
from service.providers.probe import Probe
from service.providers.sellapp import (
    listing,
    matching,
    payloads,
    rules,
    transformers,
    webhooks,
)
from service.providers.sellapp.errors import error_of, is_missing
from service.providers.sellapp.fields import MINE
from service.providers.sellapp.invoices import invoice_body
from service.providers.sellapp.listing import INVOICES
from service.providers.sellapp.options import session_options
from service.providers.sellapp.settings import OWN_SETTINGS, settings_problems
from service.providers.sellapp.transformers import INVOICE_ID, MAY_BE_FREE
from service.providers.settings import AccountSettings, secret_problems

URL = "https://sell.app/api"
# The shorter of the two lives that SellApp's documents show; each invoice says its own.
DEFAULT_LIFETIME = timedelta(hours=9)
LIFETIME = timedelta(hours=24)
MAX_PAGES = 10

CAPABILITIES = Capabilities(
    retrieve=True,
    cancel=True,
    expiry_enforcement=ExpiryEnforcement.PROVIDER,
    min_lifetime=timedelta(minutes=1),
    max_lifetime=LIFETIME,
    default_lifetime=DEFAULT_LIFETIME,
    unknown_outcome_strategy=UnknownOutcomeStrategy.SEARCH,
    item_kinds=frozenset({ItemKind.CATALOG}),
    request_fields=frozenset(
        {
            "cart.discount_codes",
            "cart.line_items.custom_amount",
            "cart.line_items.product_id",
            "cart.line_items.quantity",
            "customer.billing_address.country",
            "customer.email",
            "customer.ip_address",
            "customer.tax_id",
            "payment_methods.allowed",
            "provider_options.sellapp",
        }
    ),
    # SellApp documents no limit of lines and quantities: these are the contract's.
    max_line_items=500,
    max_amount=MAX_AMOUNT,
    max_quantity=2**31 - 1,
    zero_quantity=False,
    max_discount_codes=1,
    # Kept here and not sent: an invoice has no place for it.
    metadata=MetadataLimits(max_pairs=49, max_key_length=60, max_value_length=500),
    currencies=frozenset(),
    webhook_events=webhooks.EVENTS,
    webhook_signature="sellapp-hmacsha256",
    subscriptions=True,
    lists_payments=True,
)


class SellappAdapter(Adapter):
    """One store at SellApp behind the `SearchingProvider` and `ListingProvider` ports."""

    name = "sellapp"
    capabilities = CAPABILITIES

    def check(self, request: CreateRequest) -> Sequence[Violation]:
        """Return what of SellApp's rules across fields the request breaks."""
        return list(rules.violations(request))

    def lifetime(self, request: CreateRequest) -> timedelta:  # noqa: ARG002 - of the port
        """Return the longest life of an invoice that is known; each answer says the invoice's own."""
        return LIFETIME

    def amount_basis(self, request: CreateRequest) -> AmountBasis:  # noqa: ARG002 - of the port
        """Return EXACT: the processor asks for what the invoice says."""
        return AmountBasis.EXACT

    def strategy(self, request: CreateRequest) -> UnknownOutcomeStrategy:
        """Return SEARCH, because SellApp takes no key; an invoice that is named was made before."""
        if session_options(request).invoice_id:
            return UnknownOutcomeStrategy.RECREATE
        return UnknownOutcomeStrategy.SEARCH

    async def create(self, call: CreateCall) -> ProviderSession | Step:
        """Make the invoice, or read the one that is named; from there on, ask for its checkout."""
        if INVOICE_ID in call.kept:
            return await self._checkout(call)
        if session_options(call.request).invoice_id:
            return await self._named(call.request)
        answer = await self._http.request(
            "create",
            "POST",
            INVOICES,
            json=invoice_body(call.request),
            connect_within=call.connect_within,
            shape=transformers.INVOICE,
        )
        body = self._body(answer, call.request)
        return transformers.step(self._read(lambda: transformers.wrapped(body)))

    async def search(self, call: CreateCall, since: datetime) -> Sequence[Step]:
        """List the buyer's invoices, newest first, and keep those that may be of this request."""
        found: list[Step] = []
        for number in range(1, MAX_PAGES + 1):
            page = await self._page(call.request, number)
            found += [
                transformers.step(invoice)
                for invoice in page
                if matching.may_be_of(call.request, invoice, since)
            ]
            if len(page) < listing.PAGE_SIZE or listing.is_older(page[-1], since):
                return found
        raise ProviderOutcomeUnknown(
            "the buyer has too many invoices to look through",
            metadata=self._names | {"cause": "too_many_invoices"},
        )

    async def cancel(
        self,
        provider_session_id: str,
        details: Mapping[str, object] | None = None,  # noqa: ARG002 - of the port
    ) -> Closing:
        """Void a pending invoice; where SellApp refuses, the invoice is read to learn why."""
        answer = await self._http.request(
            "cancel",
            "PATCH",
            f"{_path(provider_session_id)}/mark-voided",
            json={"expected_status": transformers.PENDING},
            sent_is_safe=True,
        )
        try:
            body = self._body(answer)
        except ProviderRejected as error:
            return await self._after_refusal(error, provider_session_id)
        return transformers.closing(self._read(lambda: transformers.bare(body)))

    async def retrieve(
        self,
        provider_session_id: str,
        details: Mapping[str, object] | None = None,  # noqa: ARG002 - of the port
    ) -> ProviderSession:
        """Send `GET /v2/invoices/{id}`."""
        return transformers.retrieved(await self._invoice(provider_session_id))

    def verify(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:  # noqa: ARG002 - of the port
        """Check a webhook's signature, which covers no time."""
        webhooks.verify(headers, body, self._webhook_secrets)

    def parse(self, headers: Mapping[str, str], body: bytes) -> Sequence[ProviderEvent]:
        """Return the one event of a webhook."""
        return webhooks.parse(headers, body)

    async def recent(self, window: Window) -> Listed:
        """List a page of the store's invoices, and keep what changed in a window."""
        body = await self._get("list_invoices", listing.path(int(window.page or "1")))
        return self._read(lambda: listing.listed(body, window, LIFETIME))

    async def whole(self, event: ProviderEvent) -> ProviderEvent:
        """Read the invoice of an event that was listed."""
        return listing.whole(event, await self._invoice(listing.invoice_id(event)))

    async def _checkout(self, call: CreateCall) -> ProviderSession:
        invoice_id = call.kept[INVOICE_ID]
        answer = await self._http.request(
            "checkout",
            "POST",
            f"{_path(invoice_id)}/checkout",
            connect_within=call.connect_within,
            # SellApp hands the same page out again; where nothing is due, the call ends the purchase.
            sent_is_safe=MAY_BE_FREE not in call.kept,
            shape=transformers.CHECKOUT,
        )
        try:
            body = self._body(answer, call.request)
        except ProviderRejected as error:
            return await self._settled_before(error, invoice_id)
        found = self._read(lambda: transformers.checked_out(body, self._page_origins))
        return transformers.warned(found, call.expire_time)

    async def _settled_before(self, error: ProviderRejected, invoice_id: str) -> ProviderSession:
        """Return what an invoice has come to whose checkout is refused, or raise the refusal."""
        if is_missing(error):
            raise error
        found = transformers.retrieved(await self._invoice(invoice_id))
        if found.payments or found.authorised:
            return found
        raise error

    async def _named(self, request: CreateRequest) -> Step:
        invoice = await self._invoice(session_options(request).invoice_id, request)
        if transformers.word(invoice) != transformers.PENDING:
            raise self._unfit(f"{MINE}.invoice_id", "NOT_PENDING", "the invoice is not pending")
        if not matching.sells(request, invoice):
            text = "the invoice sells other variants or quantities"
            raise self._unfit("cart.line_items", "OTHER_CONTENT", text)
        return msgspec.structs.replace(transformers.step(invoice), preexisting=True)

    def _unfit(self, field: str, code: str, text: str) -> ProviderRejected:
        metadata = self._names | {"provider_code": code, "provider_message": text}
        return ProviderRejected(
            TEXTS[ProviderRejected], metadata=metadata, violations=[Violation(field, text)]
        )

    async def _after_refusal(self, error: ProviderRejected, invoice_id: str) -> Closing:
        if is_missing(error):
            return Closing(closed=True)
        return transformers.closing(await self._invoice(invoice_id))

    async def _invoice(
        self, invoice_id: str, request: CreateRequest | None = None
    ) -> payloads.Invoice:
        body = await self._get("retrieve", _path(invoice_id), request)
        return self._read(lambda: transformers.wrapped(body))

    async def _page(self, request: CreateRequest, number: int) -> list[payloads.Invoice]:
        email = request.customer.email if request.customer else ""
        body = await self._get("search", listing.path(number, email), request)
        return self._read(lambda: transformers.found(body))

    async def _get(self, operation: str, path: str, request: CreateRequest | None = None) -> object:
        answer = await self._http.request(operation, "GET", path, sent_is_safe=True)
        return self._body(answer, request)

    def _error(self, answer: Answer, request: CreateRequest | None) -> ProviderError:
        return error_of(answer, self._names, request)


def _path(invoice_id: str) -> str:
    return f"{INVOICES}/{quote(invoice_id, safe='')}"


def build(
    settings: AccountSettings, *, chance: Callable[[], float], observe: Observe
) -> SellappAdapter:
    """Build the adapter of one account."""
    base_url = _base_url(settings)
    http = ProviderHttp.of(
        settings,
        base_url=base_url,
        authorize=lambda secret: _headers(secret, settings.own),
        chance=chance,
        observe=observe,
    )
    return SellappAdapter(settings=settings, base_url=base_url, http=http)


def problems(settings: AccountSettings) -> Iterator[str]:
    """Yield what is wrong with the secrets and own settings of an account, without any secret."""
    yield from secret_problems(settings)
    yield from settings_problems(settings)


def probe(settings: AccountSettings) -> Probe:
    """Return the list of invoices, one at most: a small read that needs the key and the store."""
    url = f"{_base_url(settings)}{INVOICES}?limit=1"
    return Probe(url=url, headers=_headers(settings.api_key.current(), settings.own))


def _base_url(settings: AccountSettings) -> str:
    return settings.address(live=URL, test=URL)


def _headers(secret: str, own: Mapping[str, str]) -> Mapping[str, str]:
    return {**bearer(secret), "X-STORE": own["store"]}


ENTRY = Entry(build=build, problems=problems, probe=probe, own_settings=OWN_SETTINGS)
