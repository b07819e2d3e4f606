"""Answers at the gate: on to the provider's page while the session is open, else a page that says why not."""

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry, Counter

from service.core import gate
from service.core.errors import StoreUnavailable
from service.core.faults import fault
from service.core.gate import Outcome, Passage
from service.web.notices import Notices

PATH = gate.PATH + "{token}"

Pass = Callable[[str], Awaitable[Passage]]
"""Tells where a token leads now; raises StoreUnavailable."""

_STATUS = {
    Outcome.COMPLETED: 200,
    Outcome.DECIDING: 200,
    Outcome.ENDED: 410,
    Outcome.NOT_READY: 503,
    Outcome.UNKNOWN: 404,
}
_RETRY_AFTER = 5


class GateEndpoint:
    """Answers `GET /c/{token}`."""

    def __init__(self, *, let_pass: Pass, registry: CollectorRegistry) -> None:
        self._let_pass = let_pass
        self._notices = Notices()
        self._count = Counter(
            "checkout_gate_visits",
            "Visits of gate links, by where they led.",
            ("outcome",),
            registry=registry,
        )

    async def answer(self, request: web.Request) -> web.Response:
        """Redirect to the provider's page, or show where the session stands."""
        try:
            passage = await self._let_pass(request.match_info["token"])
        except StoreUnavailable:
            return self._unavailable(request, 503)
        except Exception as error:  # noqa: BLE001 - a customer is shown a page whatever happens
            structlog.get_logger().error("gate.failed", **fault(error))
            return self._unavailable(request, 500)
        self._count.labels(passage.outcome.value).inc()
        if passage.outcome is Outcome.OPEN:
            return web.Response(status=303, headers={hdrs.LOCATION: passage.url})
        again = _RETRY_AFTER if passage.outcome is Outcome.NOT_READY else 0
        status = _STATUS[passage.outcome]
        kind = passage.outcome.value
        return self._notices.answer(request, kind, status, locale=passage.locale, again=again)

    def _unavailable(self, request: web.Request, status: int) -> web.Response:
        self._count.labels("unavailable").inc()
        return self._notices.answer(request, "unavailable", status, again=_RETRY_AFTER)
