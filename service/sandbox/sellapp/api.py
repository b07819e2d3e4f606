"""The HTTP routes of the emulated API: who may call, for which store, and what comes back."""

import hmac
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Protocol

from aiohttp import web

from service.sandbox.requests import RequestLog, SeenRequest
from service.sandbox.sellapp import queries
from service.sandbox.sellapp.catalogue import Catalogue, Store
from service.sandbox.sellapp.enums import STATUSES
from service.sandbox.sellapp.errors import (
    JsonObject,
    Refusal,
    forbidden,
    malformed,
    not_found,
    unauthenticated,
    unfit,
)
from service.sandbox.sellapp.payloads import encode
from service.sandbox.sellapp.records import Invoice
from service.sandbox.sellapp.request import InvoiceRequest, decode, parse

INVOICES_ROUTE = "/v2/invoices"
INVOICE_ROUTE = f"{INVOICES_ROUTE}/{{invoice}}"
SETTABLE = frozenset({"COMPLETED", "VOIDED", "REVIEW", "DISPUTING"})
REQUEST_ID = "X-Request-ID"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Seller(Protocol):
    """What the routes need of the emulator."""

    requests: RequestLog
    abilities: frozenset[str]
    catalogue: Catalogue
    public_url: str

    def create(self, request: InvoiceRequest, store: Store) -> Invoice:
        """Make an invoice."""

    def go_to_checkout(self, invoice: Invoice) -> tuple[int, str, str]:
        """Return a status, a message and the processor's page."""

    def void(self, invoice: Invoice) -> None:
        """Take a pending invoice back."""

    def complete(self, invoice: Invoice) -> None:
        """Take the seller's word that an invoice is paid."""

    def change(self, invoice: Invoice, status: str) -> None:
        """Set a status."""

    def find(self, invoice_id: str, store: Store) -> Invoice | None:
        """Find an invoice of a store."""

    def invoices(self, store: Store) -> Iterator[Invoice]:
        """Yield the invoices of a store."""

    def describe(self, invoice: Invoice, *, is_new: bool = False) -> JsonObject:
        """Describe an invoice."""

    def lists_errors(self) -> bool:
        """Tell whether a refusal lists every field beside the first."""

    def request_id(self) -> str:
        """Return a fresh id for an answer."""


def routes(seller: Seller, *, api_token: str) -> web.Application:
    """Build the web application of the emulated API."""
    api = SellappApi(seller, api_token=api_token)
    app = web.Application(middlewares=[api.answer])
    app.add_routes(
        [
            web.post(INVOICES_ROUTE, api.create),
            web.get(INVOICES_ROUTE, api.list),
            web.post(f"{INVOICES_ROUTE}/search", api.search),
            web.get(INVOICE_ROUTE, api.invoice),
            web.post(f"{INVOICE_ROUTE}/checkout", api.checkout),
            web.patch(f"{INVOICE_ROUTE}/mark-voided", api.void),
            web.patch(f"{INVOICE_ROUTE}/mark-completed", api.complete),
            web.patch(f"{INVOICE_ROUTE}/status", api.change),
        ]
    )
    return app


class SellappApi:
    """Handlers of the emulated API."""

    def __init__(self, seller: Seller, *, api_token: str) -> None:
        self._seller = seller
        self._authorization = f"Bearer {api_token}".encode()

    @web.middleware
    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check the key, answer refusals in SellApp's shape, and count the request."""
        request_id = self._seller.request_id()
        try:
            self._check_key(request)
            response = await handler(request)
        except Refusal as error:
            response = self._error(error, request_id)
        except web.HTTPException as error:
            response = self._error(_http_refusal(error), request_id)
        response.headers[REQUEST_ID] = request_id
        route = _route(request)
        created = request.method == "POST" and route == INVOICES_ROUTE and response.status == 201
        seen = SeenRequest(method=request.method, route=route, status=response.status)
        self._seller.requests.add(seen, created=created)
        return response

    async def create(self, request: web.Request) -> web.Response:
        """Answer `POST /v2/invoices`."""
        store = self._store(request)
        invoice = self._seller.create(parse(await _body(request), store), store)
        return _json({"data": self._seller.describe(invoice, is_new=True)}, 201)

    async def list(self, request: web.Request) -> web.Response:
        """Answer `GET /v2/invoices`."""
        given: dict[str, Any] = {}
        for name, value in request.query.items():
            if name.endswith("[]"):
                given.setdefault(name.removesuffix("[]"), []).append(value)
            else:
                given[name] = value
        return self._listing(request, given)

    async def search(self, request: web.Request) -> web.Response:
        """Answer `POST /v2/invoices/search`, which takes the filters of the list in its body."""
        return self._listing(request, await _body(request))

    async def invoice(self, request: web.Request) -> web.Response:
        """Answer `GET /v2/invoices/{invoice}`."""
        return _json({"data": self._seller.describe(self._find(request))})

    async def checkout(self, request: web.Request) -> web.Response:
        """Answer `POST /v2/invoices/{invoice}/checkout`, which takes no body and wraps nothing."""
        if await request.read():
            raise malformed("This call takes no body.")
        invoice = self._find(request)
        status, message, url = self._seller.go_to_checkout(invoice)
        answer = {"message": message, "invoice": self._seller.describe(invoice)}
        return _json(answer | ({"payment_url": url} if url else {}), status)

    async def void(self, request: web.Request) -> web.Response:
        """Answer `PATCH /v2/invoices/{invoice}/mark-voided` with the bare invoice."""
        return await self._marked(request, self._seller.void)

    async def complete(self, request: web.Request) -> web.Response:
        """Answer `PATCH /v2/invoices/{invoice}/mark-completed` with the bare invoice."""
        return await self._marked(request, self._seller.complete)

    async def change(self, request: web.Request) -> web.Response:
        """Answer `PATCH /v2/invoices/{invoice}/status` with the bare invoice."""
        body = await _body(request)
        if body.get("status") not in SETTABLE:
            raise unfit("status", "The selected status is invalid.")
        invoice = self._find(request)
        _check_expected(body, invoice)
        self._seller.change(invoice, body["status"])
        return _json(self._seller.describe(invoice))

    async def _marked(
        self, request: web.Request, action: Callable[[Invoice], None]
    ) -> web.Response:
        body = await _body(request)
        invoice = self._find(request)
        _check_expected(body, invoice)
        action(invoice)
        return _json(self._seller.describe(invoice))

    def _listing(self, request: web.Request, given: Mapping[str, Any]) -> web.Response:
        query = queries.parse(given)
        found, total = query.select(self._seller.invoices(self._store(request)))
        items = [self._seller.describe(invoice) for invoice in found]
        url = f"{self._seller.public_url}{INVOICES_ROUTE}"
        return _json(queries.listing(query, items, total, url))

    def _check_key(self, request: web.Request) -> None:
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, self._authorization):
            raise unauthenticated()
        if "invoice" not in self._seller.abilities:
            raise forbidden("Invalid ability provided.")

    def _store(self, request: web.Request) -> Store:
        slug = request.headers.get("x-store")
        if slug is None:
            return self._seller.catalogue.first
        if slug not in self._seller.catalogue.stores:
            raise forbidden("You are not a member of this store.")
        return self._seller.catalogue.stores[slug]

    def _find(self, request: web.Request) -> Invoice:
        invoice = self._seller.find(request.match_info["invoice"], self._store(request))
        if invoice is None:
            raise not_found()
        return invoice

    def _error(self, refusal: Refusal, request_id: str) -> web.Response:
        body = refusal.body(request_id, has_container=self._seller.lists_errors())
        return _json(body, refusal.status)


async def _body(request: web.Request) -> JsonObject:
    raw = await request.read()
    if raw and request.content_type != "application/json":
        raise malformed("The body must be JSON.")
    return decode(raw)


def _check_expected(body: JsonObject, invoice: Invoice) -> None:
    expected = body.get("expected_status")
    if expected is not None and expected not in STATUSES:
        raise unfit("expected_status", "The selected expected status is invalid.")
    if expected not in {None, invoice.status}:
        raise unfit("expected_status", f"The invoice is {invoice.status}, not {expected}.")


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical.rpartition("/sellapp")[2] if resource else ""


def _json(body: JsonObject, status: int = 200) -> web.Response:
    return web.Response(status=status, body=encode(body), content_type="application/json")


def _http_refusal(error: web.HTTPException) -> Refusal:
    if error.status == 404:
        return not_found()
    return Refusal(error.status, "invalid_request_error", "bad_request", error.reason)
