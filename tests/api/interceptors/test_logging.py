"""One line per call, with everything in it and nothing personal."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import grpc
import pytest
import structlog
from grpc_health.v1 import health_pb2

from checkout.v1 import checkout_service_pb2 as pb
from service.api.interceptors.base import Call
from service.api.interceptors.logging import Logging, network
from service.core.errors import InvalidRequest, StoreUnavailable
from service.core.model import Violation
from tests.api.interceptors.passing import CHECK, answering, passing, raising

EMAIL = "buyer@example.com"


@pytest.fixture
def lines() -> list[MutableMapping[str, Any]]:
    """Return the list that log lines go to."""
    return []


@pytest.fixture
def logging(lines: list[MutableMapping[str, Any]]) -> Logging:
    """Return the interceptor, writing to the list."""

    def keep(_: object, level: str, line: MutableMapping[str, Any]) -> str:
        lines.append({**line, "level": level})
        raise structlog.DropEvent

    return Logging(logger=structlog.wrap_logger(None, processors=[keep]))


async def test_a_line_has_everything(
    logging: Logging, lines: list[MutableMapping[str, Any]]
) -> None:
    """Method, code, latency, provider, account, session, request and network stand in one line."""
    request = pb.CreateSessionRequest(provider="dodo", request_id="order-1")
    request.customer.email = EMAIL
    response = pb.CreateSessionResponse()
    response.session.session_id = "cs_1"
    response.session.account = "default"
    response.session.customer.email = EMAIL
    call, _ = passing(request)
    assert await logging.intercept(call, answering(response)) is response
    (line,) = lines
    assert line.pop("latency_ms") >= 0
    assert line == {
        "event": "call.finished",
        "level": "info",
        "method": "checkout.v1.CheckoutService/GetSession",
        "code": "OK",
        "provider": "dodo",
        "account": "default",
        "session_id": "cs_1",
        "request_id": "order-1",
        "peer": "10.1.2.0/24",
    }


async def test_calls_that_are_not_ours_are_for_debugging(
    logging: Logging, lines: list[MutableMapping[str, Any]]
) -> None:
    """A probe every few seconds does not fill the log."""
    call, _ = passing(health_pb2.HealthCheckRequest(), path=CHECK)
    await logging.intercept(call, answering(health_pb2.HealthCheckResponse()))
    assert [line["level"] for line in lines] == ["debug"]


async def test_a_failure_names_its_cause(
    logging: Logging, lines: list[MutableMapping[str, Any]]
) -> None:
    """An error's own text and the type of what caused it are written."""
    call, _ = passing()
    call.error = StoreUnavailable("the store does not answer")
    call.error.__cause__ = OSError("secret")
    with pytest.raises(StoreUnavailable):
        await logging.intercept(call, raising(call.error))
    assert (lines[0]["error"], lines[0]["cause"]) == ("the store does not answer", "OSError")
    assert "secret" not in str(lines)


async def test_what_was_wrong_with_a_request_is_not_written(
    logging: Logging, lines: list[MutableMapping[str, Any]]
) -> None:
    """Violations quote the request, so a line names the reason alone."""
    call, _ = passing()
    call.reason = "INVALID_REQUEST"
    call.error = InvalidRequest(EMAIL, violations=[Violation(f'metadata["{EMAIL}"]', "too long")])
    with pytest.raises(InvalidRequest):
        await logging.intercept(call, raising(call.error))
    assert lines[0]["reason"] == "INVALID_REQUEST"
    assert EMAIL not in str(lines)


async def test_a_bug_is_written_with_its_place(
    logging: Logging, lines: list[MutableMapping[str, Any]]
) -> None:
    """A fault is an error with its log id, type and stack, and without its text."""
    call, _ = passing()

    async def fail(call: Call) -> None:
        raise ValueError(EMAIL)

    async def proceed(call: Call) -> None:
        call.code, call.log_id = grpc.StatusCode.INTERNAL, "log_1"
        try:
            await fail(call)
        except ValueError as error:
            call.error = error
            raise

    with pytest.raises(ValueError, match=EMAIL):
        await logging.intercept(call, proceed)
    (line,) = lines
    assert (line["level"], line["log_id"], line["error"]) == ("error", "log_1", "ValueError")
    assert line["places"][-1].endswith(" fail")
    assert EMAIL not in str(line)


async def test_long_values_are_cut(logging: Logging, lines: list[MutableMapping[str, Any]]) -> None:
    """What a caller sends in place of an id cannot swell the log."""
    call, _ = passing(pb.GetSessionRequest(session_id="x" * 10_000))
    await logging.intercept(call, answering())
    assert len(lines[0]["session_id"]) < 200


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("ipv4:10.1.2.3", "10.1.2.0/24"),
        ("ipv6:[2001:db8:1:2::3]", "2001:db8:1::/48"),
        ("ipv6:%5B::1%5D", "::/48"),
        ("unix", "unix"),
        ("", ""),
    ],
)
def test_a_peer_is_known_by_its_network(peer: str, expected: str) -> None:
    """Addresses are shortened to the network, in every form gRPC writes them."""
    assert network(peer) == expected


async def test_peers_are_remembered_up_to_a_limit(logging: Logging) -> None:
    """Callers from ever new addresses do not fill the memory."""
    for number in range(3000):
        call, _ = passing(peer=f"ipv4:10.{number // 256}.{number % 256}.1:5")
        await logging.intercept(call, answering())
    assert len(logging._peers) <= 1024
