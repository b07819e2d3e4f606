"""Writes one line per call, with everything in it and nothing personal."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from time import perf_counter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import grpc

from service.api.interceptors.facts import Facts
from service.core.errors import CheckoutError
from service.core.faults import fault

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from service.api.interceptors.base import Call, Proceed

_FAULTS = (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)
_MAX_PEERS = 1024
_PREFIX_BITS = {4: 24, 6: 48}


class Logging:
    """Logs `call.finished` once the outcome of a call is known, so it stands around everything."""

    def __init__(self, *, logger: FilteringBoundLogger) -> None:
        # Bound once: one that is not binds itself anew for every line.
        self._logger: FilteringBoundLogger = logger.bind()
        self._facts = Facts()
        self._peers: dict[str, str] = {}

    async def intercept(self, call: Call, proceed: Proceed) -> Any:  # noqa: ANN401 - any response
        """Log the call when it has ended, whatever its end."""
        started = perf_counter()
        response = None
        try:
            response = await proceed(call)
        finally:
            self._log(call, response, perf_counter() - started)
        return response

    def _log(self, call: Call, response: object, seconds: float) -> None:
        fields: dict[str, object] = {
            "method": call.method.name,
            "code": call.code.name,
            "latency_ms": round(seconds * 1000, 3),
            "peer": self._peer(call.context.peer()),
        }
        if call.method.is_ours:
            fields |= self._facts.of(call, response)
        if call.reason:
            fields["reason"] = call.reason
        if call.error is not None:
            fields |= _failure(call.error, call.log_id)
        if call.code in _FAULTS:
            self._logger.error("call.finished", **fields)
        elif call.method.is_ours:
            self._logger.info("call.finished", **fields)
        else:
            self._logger.debug("call.finished", **fields)

    def _peer(self, peer: str) -> str:
        host = peer.rpartition(":")[0]
        known = self._peers.get(host)
        if known is None:
            if len(self._peers) >= _MAX_PEERS:
                self._peers.clear()
            self._peers[host] = known = network(host)
        return known


def network(peer: str) -> str:
    """Return the network a peer calls from: a full address may identify a person."""
    kind, _, host = peer.partition(":")
    try:
        address = ip_address(unquote(host).strip("[]").partition("%")[0])
    except ValueError:
        return kind
    return str(ip_network((address, _PREFIX_BITS[address.version]), strict=False))


def _failure(error: Exception, log_id: str) -> dict[str, object]:
    if isinstance(error, CheckoutError):
        cause = type(error.__cause__).__qualname__ if error.__cause__ else ""
        # What was wrong with a request quotes it.
        text = "" if error.violations else error.message
        return {name: value for name, value in (("error", text), ("cause", cause)) if value}
    # So may any other exception's text: its type and place are written alone.
    return {"log_id": log_id, **fault(error)}
