"""What every answer of the HTTP port has in common: JSON errors, safe headers, one log line."""

from time import perf_counter

import msgspec
import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from structlog.typing import FilteringBoundLogger

from service.core.faults import fault

SANDBOX = "/sandbox/"

_HEADERS = {
    hdrs.X_CONTENT_TYPE_OPTIONS: "nosniff",
    hdrs.CACHE_CONTROL: "no-store",
    "Referrer-Policy": "no-referrer",
}
_NOWHERE = (
    "Nothing is at this path: webhooks come to /webhooks/{provider}/{account}, "
    "and sessions are made by gRPC, at another port."
)
# The sandbox's pages have a policy of their own.
_CLOSED = _HEADERS | {
    hdrs.CONTENT_SECURITY_POLICY: "default-src 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
}
# Asked all the time, or logged by their own line.
_ROUTINE = frozenset({"/livez", "/readyz", "/metrics", "/webhooks/{provider}/{account}"})


def json_answer(status: int, content: object) -> web.Response:
    """Answer with JSON."""
    body = msgspec.json.encode(content)
    return web.Response(status=status, body=body, content_type="application/json")


def json_error(status: int, code: str, message: str) -> web.Response:
    """Answer with an error that a program and a person can read."""
    return json_answer(status, {"error": code, "message": message})


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what a handler raises into JSON; the sandbox speaks for itself."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if request.path.startswith(SANDBOX) or error.status < 400:
            raise
        text = _NOWHERE if isinstance(error, web.HTTPNotFound) else error.reason
        answer = json_error(error.status, error.reason.lower().replace(" ", "_"), text)
        if hdrs.ALLOW in error.headers:
            answer.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
        return answer
    except Exception as error:  # noqa: BLE001 - the last resort
        structlog.get_logger().error("http.failed", route=route(request), **fault(error))
        return json_error(500, "internal", "The request failed; the log says why.")


def access_log() -> Middleware:
    """Return what writes one line for each request, without its query, body or address."""
    log: FilteringBoundLogger = structlog.get_logger().bind()

    def write(request: web.Request, status: int, start: float) -> None:
        template = route(request)
        tell = log.debug if template in _ROUTINE else log.info
        tell(
            "http.handled",
            method=request.method,
            route=template,
            status=status,
            latency_ms=round((perf_counter() - start) * 1000, 2),
        )

    @web.middleware
    async def log_access(request: web.Request, handler: Handler) -> web.StreamResponse:
        start = perf_counter()
        try:
            answer = await handler(request)
        except web.HTTPException as error:
            write(request, error.status, start)
            raise
        write(request, answer.status, start)
        return answer

    return log_access


async def add_headers(request: web.Request, answer: web.StreamResponse) -> None:
    """Tell browsers to make nothing of an answer but what it is."""
    headers = _HEADERS if request.path.startswith(SANDBOX) else _CLOSED
    for name, value in headers.items():
        answer.headers.setdefault(name, value)
    answer.headers.popall(hdrs.SERVER, None)


def route(request: web.Request) -> str:
    """Return the pattern that the path matched: unlike the path, it holds no id."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "unknown"
