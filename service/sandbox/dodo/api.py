"""The HTTP routes of the emulated API: who may call, what comes back, and what is counted."""

import hmac
from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol

from aiohttp import web

from service.sandbox.dodo import payloads
from service.sandbox.dodo.errors import Refusal, not_found
from service.sandbox.dodo.pricing import PricedCart
from service.sandbox.dodo.queries import PaymentsQuery
from service.sandbox.dodo.records import WAITING, Payment, Session
from service.sandbox.dodo.request import CheckoutRequest, decode
from service.sandbox.requests import RequestLog, SeenRequest

DEFAULT_COUNTRY = "US"
CREATE_ROUTE = "/checkouts"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Merchant(Protocol):
    """What the routes need of the emulator."""

    requests: RequestLog

    def create(self, request: CheckoutRequest) -> Session:
        """Open a session."""

    def quote(self, request: CheckoutRequest) -> PricedCart:
        """Price a cart."""

    def find(self, name: str) -> Session | None:
        """Find a session."""

    def payment(self, payment_id: str) -> Payment | None:
        """Find a payment."""

    def payments(self) -> Iterator[Payment]:
        """Yield payments, newest first."""

    def checkout_url(self, session: Session) -> str | None:
        """Return the link that the caller asked for."""

    def page_url(self, session: Session) -> str:
        """Return the address of the page."""


def routes(merchant: Merchant, *, api_token: str) -> web.Application:
    """Build the web application of the emulated API."""
    api = DodoApi(merchant, api_token=api_token)
    app = web.Application(middlewares=[api.answer])
    app.add_routes(
        [
            web.post(CREATE_ROUTE, api.create),
            web.post("/checkouts/preview", api.preview),
            web.get("/checkouts/{id}", api.status),
            web.get("/payments", api.list_payments),
            web.get("/payments/{payment_id}", api.payment),
            web.get("/buy/{slug}", api.follow_short_link),
        ]
    )
    return app


class DodoApi:
    """Handlers of the emulated API."""

    def __init__(self, merchant: Merchant, *, api_token: str) -> None:
        self._merchant = merchant
        self._authorization = f"Bearer {api_token}".encode()

    @web.middleware
    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check the key, answer every refusal in Dodo's shape, and count the request."""
        try:
            response = await self._respond(request, handler)
        except Refusal as error:
            response = _error(error)
        except web.HTTPException as error:
            response = _http_error(request, error)
        self._count(request, response.status)
        return response

    async def create(self, request: web.Request) -> web.Response:
        """Answer `POST /checkouts`."""
        session = self._merchant.create(await _body(request))
        payment = session.last_payment
        is_waiting = payment is not None and payment.status == WAITING
        return _json(
            {
                "session_id": session.session_id,
                "checkout_url": self._merchant.checkout_url(session),
                "payment_id": payment.payment_id if payment else None,
                "client_secret": f"{payment.payment_id}_secret_sandbox"
                if payment and is_waiting
                else None,
                "publishable_key": "pk_sandbox" if is_waiting else None,
            }
        )

    async def preview(self, request: web.Request) -> web.Response:
        """Answer `POST /checkouts/preview`."""
        body = await _body(request)
        country = body.billing_address.country if body.billing_address else DEFAULT_COUNTRY
        return _json(payloads.preview(self._merchant.quote(body), country))

    async def status(self, request: web.Request) -> web.Response:
        """Answer `GET /checkouts/{id}`."""
        session_id = request.match_info["id"]
        session = self._merchant.find(session_id)
        if session is None or session.session_id != session_id:
            raise not_found("Checkout session", session_id)
        return _json(payloads.session_status(session))

    async def payment(self, request: web.Request) -> web.Response:
        """Answer `GET /payments/{payment_id}`."""
        payment_id = request.match_info["payment_id"]
        payment = self._merchant.payment(payment_id)
        if payment is None:
            raise not_found("Payment", payment_id)
        link = self._merchant.page_url(payment.session)
        return _json(payloads.payment_details(payment, link=link))

    async def list_payments(self, request: web.Request) -> web.Response:
        """Answer `GET /payments`."""
        query = PaymentsQuery.parse(request.query)
        page = query.page(self._merchant.payments())
        return _json({"items": [payloads.payment_summary(payment) for payment in page]})

    async def follow_short_link(self, request: web.Request) -> web.Response:
        """Lead a buyer from a short link to the page."""
        slug = request.match_info["slug"]
        session = self._merchant.find(slug)
        if session is None or session.slug != slug:
            raise not_found("Link", slug)
        location = f"../session/{session.session_id}"
        return web.Response(status=302, headers={"location": location})

    async def _respond(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method == "OPTIONS":
            return web.Response(status=204)
        given = request.headers.get("authorization", "").encode()
        is_buyer = handler == self.follow_short_link
        if not is_buyer and not hmac.compare_digest(given, self._authorization):
            message = "You are not authorised to perform this action"
            raise Refusal(401, "UNAUTHORIZED", message)
        return await handler(request)

    def _count(self, request: web.Request, status: int) -> None:
        route = _route(request)
        created = request.method == "POST" and route == CREATE_ROUTE and status == 200
        seen = SeenRequest(method=request.method, route=route, status=status)
        self._merchant.requests.add(seen, created=created)


async def _body(request: web.Request) -> CheckoutRequest:
    if request.content_type != "application/json":
        # No document gives a status for this; 400 is the one for requests that are malformed.
        raise Refusal(400, "INVALID_REQUEST_BODY", "Content-Type must be application/json")
    return decode(await request.read())


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    if resource is None:
        return ""
    prefix, _, path = resource.canonical.rpartition("/dodo")
    return path or prefix


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=payloads.encode(body), content_type="application/json")


def _error(refusal: Refusal) -> web.Response:
    return _json({"code": refusal.code, "message": refusal.message}, refusal.status)


def _http_error(request: web.Request, error: web.HTTPException) -> web.Response:
    match error.status:
        case 404:
            return _error(Refusal(404, "NOT_FOUND", "Item not found"))
        case 405:
            message = f"{request.method} is not supported here"
            return _error(Refusal(405, "UNSUPPORTED_ACTION", message))
        case 413:
            return _error(Refusal(413, "INVALID_REQUEST_BODY", "The request body is too large"))
        case status:
            return _error(Refusal(status, "INVALID_REQUEST_BODY", error.reason))
