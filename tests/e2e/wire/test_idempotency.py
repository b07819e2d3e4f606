"""One request id, one session: under concurrency, through crashes, and when callers leave."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest

from checkout.sandbox.v1 import sandbox_service_pb2 as sandbox_pb
from checkout.sandbox.v1.sandbox_service_pb2_grpc import SandboxServiceStub
from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1 import session_pb2
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from tests.api.refusals import Refusal, refused
from tests.e2e.process import ServiceProcess, start
from tests.e2e.wire.provider import SERVE_ACCOUNTS, Provider, account
from tests.e2e.wire.requests import TIMEOUT, create_request, fresh_id, provider_calls

pytestmark = pytest.mark.slow

OPEN = session_pb2.Session.STATE_OPEN
CREATING = session_pb2.Session.STATE_CREATING


def emulated(sandbox: SandboxServiceStub) -> list[str]:
    """List our ids of the sessions the emulator has made."""
    page = sandbox.ListSessions(sandbox_pb.ListSessionsRequest(page_size=1000), timeout=TIMEOUT)
    return [session.session_id for session in page.sessions]


def refused_again(stub: CheckoutServiceStub, request_id: str, timeout: float = 0.6) -> Refusal:
    """Return how a repeat is refused."""
    return refused(
        lambda: stub.CreateSession(create_request(request_id=request_id), timeout=timeout)
    )


def state_of(stub: CheckoutServiceStub, session_id: str) -> session_pb2.Session.State.ValueType:
    """Read a session's state."""
    request = pb.GetSessionRequest(session_id=session_id)
    return stub.GetSession(request, timeout=TIMEOUT).session.state


def test_fifty_at_once(service: ServiceProcess, sandbox: SandboxServiceStub) -> None:
    """Fifty concurrent creates with one request id, over several channels, make one session at one call."""
    request, before = create_request(request_id=fresh_id()), provider_calls(service)
    with ExitStack() as open_channels:
        channels = [open_channels.enter_context(service.channel()) for _ in range(5)]
        stubs = [CheckoutServiceStub(channel) for channel in channels]
        calls = [
            stubs[index % 5].CreateSession.future(request, timeout=TIMEOUT) for index in range(50)
        ]
        answers = [call.result() for call in calls]
        assert provider_calls(service) - before == 1
        listed = stubs[0].ListSessions(pb.ListSessionsRequest(), timeout=TIMEOUT).sessions
    (session_id,) = {answer.session.session_id for answer in answers}
    assert {OPEN} == {answer.session.state for answer in answers}
    assert sum(not answer.replayed for answer in answers) == 1
    assert [session.session_id for session in listed].count(session_id) == 1
    assert emulated(sandbox).count(session_id) == 1


def test_other_content(service: ServiceProcess, checkout: CheckoutServiceStub) -> None:
    """A request id used for other content is refused with the first session's id, and nobody is called."""
    request_id = fresh_id()
    first = checkout.CreateSession(create_request(request_id=request_id), timeout=TIMEOUT).session
    before = provider_calls(service)
    other = create_request(request_id=request_id, reference_id="another")
    refusal = refused(lambda: checkout.CreateSession(other, timeout=TIMEOUT))
    info = {
        "reason": "REQUEST_ID_REUSED",
        "domain": "checkout.v1",
        "metadata": {"session_id": first.session_id},
    }
    assert (grpc.StatusCode.ALREADY_EXISTS, {"ErrorInfo": info}) == (refusal.code, refusal.details)
    assert before == provider_calls(service)


def test_the_parts_that_clients_compute_anew(checkout: CheckoutServiceStub) -> None:
    """Another expire_time is the same content; validate_only leaves the request id free."""
    request_id = fresh_id()
    checkout.CreateSession(
        create_request(request_id=request_id, reference_id="x", validate_only=True),
        timeout=TIMEOUT,
    )
    made = [
        checkout.CreateSession(
            create_request(request_id=request_id, expire_time=expire_time), timeout=TIMEOUT
        )
        for expire_time in (None, in_an_hour(0), in_an_hour(1))
    ]
    assert len({answer.session.session_id for answer in made}) == 1
    assert [answer.replayed for answer in made] == [False, True, True]


def in_an_hour(seconds: int) -> str:
    """Return the time an hour and some seconds from now."""
    moment: Any = pb.CreateSessionRequest().expire_time
    moment.GetCurrentTime()
    moment.seconds += 3600 + seconds
    text: str = moment.ToJsonString()
    return text


def test_a_crash_in_mid_create(provider: Provider, tmp_path: Path) -> None:
    """A request id whose server was killed in mid-call answers that it is in flight, and calls nobody again."""
    provider.respond = provider.hangs
    request_id = fresh_id()
    with start(tmp_path, account(provider.url), SERVE_ACCOUNTS) as first, first.channel() as open_:
        call = CheckoutServiceStub(open_).CreateSession.future(
            create_request(request_id=request_id), timeout=TIMEOUT
        )
        provider.wait_for_request()
        first.kill()
        assert grpc.StatusCode.UNAVAILABLE is refused(call.result).code
    with (
        start(tmp_path, account(provider.url), SERVE_ACCOUNTS) as second,
        second.channel() as open_,
    ):
        stub = CheckoutServiceStub(open_)
        refusal = refused_again(stub, request_id)
        assert (
            refusal.code,
            refusal.info["reason"],
        ) == (grpc.StatusCode.ABORTED, "REQUEST_IN_FLIGHT")
        assert refusal.details["RetryInfo"] == {"retryDelay": "1s"}
        assert state_of(stub, refusal.info["metadata"]["session_id"]) == CREATING
    assert len(provider.bodies) == 1


def test_a_caller_that_goes_away(provider: Provider, stub: CheckoutServiceStub) -> None:
    """A sent request goes on when its caller hangs up, and a repeat waits for its session."""
    provider.respond = provider.hangs
    request = create_request(request_id=fresh_id())
    call = stub.CreateSession.future(request, timeout=TIMEOUT)
    provider.wait_for_request()
    call.cancel()
    repeat = stub.CreateSession.future(request, timeout=TIMEOUT)
    provider.release()
    answer = repeat.result()
    assert (answer.session.state, answer.replayed) == (OPEN, True)
    assert len(provider.bodies) == 1


def test_a_deadline_that_passes(provider: Provider, stub: CheckoutServiceStub) -> None:
    """A deadline spent on the provider is told with the session's id, whose creation goes on."""
    provider.respond = provider.hangs
    # The answer has 100 ms to arrive before the deadline, which a busy machine may miss.
    calls = ((request_id, refused_again(stub, request_id)) for request_id in map(str, range(5)))
    request_id, refusal = next(call for call in calls if call[1].details)
    assert refusal.code is grpc.StatusCode.DEADLINE_EXCEEDED
    session_id = refusal.info["metadata"]["session_id"]
    assert ("DEADLINE_SPENT", {"leg": "provider", "session_id": session_id}) == (
        refusal.info["reason"],
        refusal.info["metadata"],
    )
    assert state_of(stub, session_id) == CREATING
    provider.release()
    answer = stub.CreateSession(create_request(request_id=request_id), timeout=TIMEOUT)
    assert (session_id, OPEN) == (answer.session.session_id, answer.session.state)
    assert state_of(stub, session_id) == OPEN


def test_callers_that_leave_at_any_moment(
    checkout: CheckoutServiceStub, sandbox: SandboxServiceStub
) -> None:
    """Wherever a caller's deadline strikes, a repeat opens the session, and the provider made one."""
    requests = [create_request(request_id=fresh_id()) for _ in range(200)]
    hurried = [
        checkout.CreateSession.future(request, timeout=0.001 * (1 + index / 5))
        for index, request in enumerate(requests)
    ]
    for call in hurried:
        call.exception()
    calls = [checkout.CreateSession.future(request, timeout=TIMEOUT) for request in requests]
    sessions = [call.result().session for call in calls]
    assert {OPEN} == {session.state for session in sessions}
    made = emulated(sandbox)
    assert [made.count(session.session_id) for session in sessions] == [1] * 200
