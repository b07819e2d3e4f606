"""The handlers of CheckoutService: convert, call the use case, convert."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceServicer
from service.api.convert.check import below_request, check_from_proto, checked_to_proto
from service.api.convert.create import create_from_proto, created_to_proto
from service.api.convert.currencies import currencies_to_proto
from service.api.convert.events import events_to_proto
from service.api.convert.provider import providers_to_proto
from service.api.convert.read import (
    ended_to_proto,
    filter_from_proto,
    found_to_proto,
    page_to_proto,
)
from service.api.convert.unmatched import unmatched_filter_from_proto, unmatched_to_proto
from service.core.check import CheckSession
from service.core.create import CreateSession
from service.core.currencies import ListCurrencies
from service.core.expire import ExpireSession
from service.core.history import ListSessionEvents
from service.core.query import GetSession, ListProviders, ListSessions
from service.core.unmatched import ListUnmatchedPayments
from service.core.watch import WatchSessions

if TYPE_CHECKING:
    from typing import Any

    import grpc.aio

    from checkout.v1 import checkout_service_pb2 as pb
    from service.api.watching import Watching
    from service.core.gate import GateLinks

    Context = grpc.aio.ServicerContext[Any, Any]

ANONYMOUS = "anonymous"
"""The caller's name while nobody has to say who they are."""


class UseCases(Struct, frozen=True, kw_only=True):
    """What the service does, one use case for each RPC."""

    create_session: CreateSession
    get_session: GetSession
    expire_session: ExpireSession
    list_sessions: ListSessions
    list_providers: ListProviders
    check_session: CheckSession
    list_currencies: ListCurrencies
    list_unmatched_payments: ListUnmatchedPayments
    list_session_events: ListSessionEvents
    watch_sessions: WatchSessions


class CheckoutServicer(CheckoutServiceServicer):
    """Serves checkout.v1.CheckoutService; `links` lead customers through the gate where there is one."""

    def __init__(self, *, use_cases: UseCases, links: GateLinks | None, watching: Watching) -> None:
        self._use_cases = use_cases
        self._links = links
        self._watching = watching

    async def CreateSession(
        self, request: pb.CreateSessionRequest, context: Context
    ) -> pb.CreateSessionResponse:
        """Create a checkout page and the session that tracks it."""
        result = await self._use_cases.create_session(
            create_from_proto(request), caller=ANONYMOUS, deadline=_remaining(context)
        )
        return created_to_proto(result, self._links)

    async def GetSession(
        self, request: pb.GetSessionRequest, context: Context
    ) -> pb.GetSessionResponse:
        """Return a session as it is now."""
        view = await self._use_cases.get_session(request.session_id, refresh=request.refresh)
        return found_to_proto(view, self._links, include_provider_url=request.include_provider_url)

    async def ExpireSession(
        self, request: pb.ExpireSessionRequest, context: Context
    ) -> pb.ExpireSessionResponse:
        """End a session now."""
        view = await self._use_cases.expire_session(request.session_id)
        return ended_to_proto(view, self._links)

    async def ListSessions(
        self, request: pb.ListSessionsRequest, context: Context
    ) -> pb.ListSessionsResponse:
        """List sessions, newest first."""
        page = await self._use_cases.list_sessions(
            filter_from_proto(request), request.page_size, request.page_token
        )
        return page_to_proto(page, self._links)

    async def WatchSessions(  # type: ignore[override] # it writes by itself instead of yielding
        self, request: pb.WatchSessionsRequest, context: Context
    ) -> None:
        """Follow sessions for as long as the caller stays."""
        await self._watching(request, context.write)

    async def ListProviders(
        self, request: pb.ListProvidersRequest, context: Context
    ) -> pb.ListProvidersResponse:
        """List the configured provider accounts."""
        return providers_to_proto(await self._use_cases.list_providers())

    async def CheckSession(
        self, request: pb.CheckSessionRequest, context: Context
    ) -> pb.CheckSessionResponse:
        """Tell which provider accounts would take a request."""
        with below_request():
            verdicts = await self._use_cases.check_session(check_from_proto(request))
        return checked_to_proto(verdicts)

    async def ListCurrencies(
        self, request: pb.ListCurrenciesRequest, context: Context
    ) -> pb.ListCurrenciesResponse:
        """List every currency and what the configured accounts make of it."""
        return currencies_to_proto(await self._use_cases.list_currencies())

    async def ListUnmatchedPayments(
        self, request: pb.ListUnmatchedPaymentsRequest, context: Context
    ) -> pb.ListUnmatchedPaymentsResponse:
        """List payment events that no session could be found for, newest first."""
        page = await self._use_cases.list_unmatched_payments(
            unmatched_filter_from_proto(request), request.page_size, request.page_token
        )
        return unmatched_to_proto(page)

    async def ListSessionEvents(
        self, request: pb.ListSessionEventsRequest, context: Context
    ) -> pb.ListSessionEventsResponse:
        """List what happened to a session, oldest first."""
        page = await self._use_cases.list_session_events(
            request.session_id, request.page_size, request.page_token
        )
        return events_to_proto(page)


def _remaining(context: Context) -> timedelta | None:
    seconds: float | None = context.time_remaining()
    return None if seconds is None else timedelta(seconds=seconds)
