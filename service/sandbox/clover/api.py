"""The HTTP routes of the emulated API: who may call, what comes back, and what is counted."""

import hmac
import re
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec
from aiohttp import web

from service.sandbox.clover.catalogue import MERCHANT_ID
from service.sandbox.clover.errors import Refusal
from service.sandbox.clover.records import Session
from service.sandbox.clover.request import CheckoutRequest, CustomerRule, decode
from service.sandbox.clover.times import TimeFormat, written
from service.sandbox.requests import RequestLog, SeenRequest

CREATE_ROUTE = "/invoicingcheckoutservice/v1/checkouts"
MERCHANT = "X-Clover-Merchant-Id"
WORD = r"[\w!#$%&'*+.^`|~-]+"
# Asked for from April 2026 on: product, version and, if wanted, a comment.
USER_AGENT = re.compile(rf"{WORD}/{WORD}( \([^()]*\))?", re.ASCII)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Merchant(Protocol):
    """What the routes need of the emulator."""

    requests: RequestLog
    customer_rule: CustomerRule
    time_format: TimeFormat

    def create(self, request: CheckoutRequest) -> Session:
        """Open a checkout."""

    def find(self, name: str) -> Session | None:
        """Find a checkout."""

    def checkout_url(self, session: Session) -> str:
        """Return the address that the API tells."""


def routes(merchant: Merchant, *, api_token: str) -> web.Application:
    """Build the web application of the emulated API."""
    api = CloverApi(merchant, api_token=api_token)
    app = web.Application(middlewares=[api.answer])
    app.add_routes([web.post(CREATE_ROUTE, api.create), web.get("/checkout/{id}", api.follow)])
    return app


class CloverApi:
    """Handlers of the emulated API."""

    def __init__(self, merchant: Merchant, *, api_token: str) -> None:
        self._merchant = merchant
        self._authorization = f"Bearer {api_token}".encode()

    @web.middleware
    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer every refusal as JSON with a message, and count the request."""
        try:
            response = await handler(request)
        except Refusal as error:
            response = _json({"message": error.message}, error.status)
        except web.HTTPException as error:
            response = _json({"message": error.reason}, error.status)
        resource = request.match_info.route.resource
        route = resource.canonical.rpartition("/clover")[2] if resource else ""
        seen = SeenRequest(method=request.method, route=route, status=response.status)
        self._merchant.requests.add(seen, created=route == CREATE_ROUTE and response.status == 200)
        return response

    async def create(self, request: web.Request) -> web.Response:
        """Answer the create."""
        self._check_caller(request)
        body = decode(await request.read(), self._merchant.customer_rule)
        session = self._merchant.create(body)
        form = self._merchant.time_format
        return _json(
            {
                "href": self._merchant.checkout_url(session),
                "checkoutSessionId": session.session_id,
                "createdTime": written(session.created_at, form),
                "expirationTime": written(session.expires_at, form),
            }
        )

    async def follow(self, request: web.Request) -> web.Response:
        """Lead a buyer from the told address to the page."""
        session = self._merchant.find(request.match_info["id"])
        if session is None:
            raise Refusal(404, "Not Found")
        return web.Response(status=302, headers={"location": f"../session/{session.session_id}"})

    def _check_caller(self, request: web.Request) -> None:
        # No document gives a status for any of these but the token.
        if not USER_AGENT.fullmatch(request.headers.get("User-Agent", "")):
            raise Refusal(400, "User-Agent must be product/version")
        given = request.headers.get("Authorization", "").encode(errors="replace")
        if not hmac.compare_digest(given, self._authorization):
            raise Refusal(401, "401 Unauthorized")
        if MERCHANT not in request.headers:
            raise Refusal(400, f"{MERCHANT} is required")
        if request.headers[MERCHANT] != MERCHANT_ID:
            raise Refusal(401, "401 Unauthorized")
        if request.content_type != "application/json":
            raise Refusal(400, "Content-Type must be application/json")


def _json(body: object, status: int = 200) -> web.Response:
    encoded = msgspec.json.encode(body)
    return web.Response(status=status, body=encoded, content_type="application/json")
