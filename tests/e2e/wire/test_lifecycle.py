"""Webhooks, probes and a failing disk, at a real process: what it answers, and how it recovers."""

import asyncio
import http.client
import resource
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from checkout.sandbox.v1 import sandbox_service_pb2 as sandbox_pb
from checkout.sandbox.v1.sandbox_service_pb2_grpc import SandboxServiceStub
from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1 import session_pb2
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from tests.api.refusals import refused
from tests.e2e.process import ServiceProcess, start
from tests.e2e.wire.health import NOT_SERVING, SERVING, check, watch
from tests.e2e.wire.provider import SERVE_ACCOUNTS, Provider, account
from tests.e2e.wire.requests import TIMEOUT, create_request, fresh_id, provider_calls
from tests.e2e.wire.webhooks import PATH, Delivery, deliver, get, payment_event, signed

pytestmark = pytest.mark.slow

Session = session_pb2.Session


def created(stub: CheckoutServiceStub, **fields: object) -> str:
    """Create a session and return its id."""
    return stub.CreateSession(create_request(**fields), timeout=TIMEOUT).session.session_id


def read(stub: CheckoutServiceStub, session_id: str) -> session_pb2.Session:
    """Read a session."""
    return stub.GetSession(pb.GetSessionRequest(session_id=session_id), timeout=TIMEOUT).session


def test_a_session_that_is_paid(accounts: ServiceProcess, stub: CheckoutServiceStub) -> None:
    """A genuine webhook completes its session, and sent again it changes nothing."""
    session_id = created(stub)
    delivery = signed(payment_event(session_id))
    first, second = (deliver(accounts.web, delivery) for _ in range(2))
    assert (first.status, first.body) == (200, {"outcomes": ["applied"]})
    assert (second.status, second.body) == (200, {"outcomes": ["duplicate"]})
    session = read(stub, session_id)
    assert (session.state, session.payment_status) == (
        Session.STATE_COMPLETED,
        Session.PAYMENT_STATUS_PAID,
    )
    assert len(session.payments) == 1


def test_one_webhook_many_times_at_once(
    accounts: ServiceProcess, stub: CheckoutServiceStub
) -> None:
    """Of copies that arrive together one is applied."""
    session_id = created(stub)
    delivery = signed(payment_event(session_id))
    with ThreadPoolExecutor(20) as senders:
        replies = list(senders.map(lambda _: deliver(accounts.web, delivery), range(20)))
    outcomes = Counter(reply.body["outcomes"][0] for reply in replies)
    assert outcomes == {"applied": 1, "duplicate": 19}
    session = read(stub, session_id)
    assert (session.state, len(session.payments)) == (Session.STATE_COMPLETED, 1)


def test_webhooks_that_are_refused(accounts: ServiceProcess, stub: CheckoutServiceStub) -> None:
    """What is forged, for nobody, too large or unreadable is refused by the right status, and applied never."""
    session_id = created(stub)
    event = payment_event(session_id)
    delivery = signed(event)
    other_secret = "whsec_" + "YW5vdGhlci1zZWNyZXQtdGhhdC1pcy1sb25nLWVub3VnaA=="
    old = Delivery({**delivery.headers, "webhook-timestamp": "1700000000"}, delivery.body)
    refusals = {
        "forged": (PATH, signed(event, other_secret), 401, "not_verified"),
        "old": (PATH, old, 401, "not_verified"),
        "bare": (PATH, Delivery({}, delivery.body), 401, "not_verified"),
        "account": ("/webhooks/dodo/other", delivery, 404, "unknown_account"),
        "provider": ("/webhooks/square/default", delivery, 404, "unknown_account"),
        "size": (PATH, Delivery(delivery.headers, bytes(1_048_577)), 413, "body_too_large"),
        "text": (PATH, signed("hello"), 400, "unreadable"),
        "shape": (PATH, signed({**event, "data": {}}), 400, "unreadable"),
    }
    for name, (path, sent, status, error) in refusals.items():
        reply = deliver(accounts.web, sent, path)
        assert (name, reply.status, reply.body["error"]) == (name, status, error)
    assert read(stub, session_id).state == Session.STATE_OPEN


def test_webhooks_without_effect(accounts: ServiceProcess) -> None:
    """An event of no session is kept, one of no use is passed over; both are taken."""
    unmatched = signed(payment_event("cs_00000000000000000000000000"))
    useless = signed({"type": "license_key.created", "data": {}})
    assert deliver(accounts.web, unmatched).body == {"outcomes": ["unmatched"]}
    assert deliver(accounts.web, unmatched).body == {"outcomes": ["duplicate"]}
    assert deliver(accounts.web, useless).body == {"outcomes": ["ignored"]}


def test_a_payment_after_the_end(
    checkout: CheckoutServiceStub, sandbox: SandboxServiceStub
) -> None:
    """A session that was ended keeps its state, and a payment its page still took is recorded as late."""
    session_id = created(checkout)
    request = pb.ExpireSessionRequest(session_id=session_id)
    ended, again = (checkout.ExpireSession(request, timeout=TIMEOUT).session for _ in range(2))
    assert (ended.state, ended.provider_link, ended.checkout_url) == (
        Session.STATE_EXPIRED,
        Session.PROVIDER_LINK_STILL_PAYABLE,
        "",
    )
    assert again.version == ended.version
    sandbox.PaySession(sandbox_pb.PaySessionRequest(session_id=session_id), timeout=TIMEOUT)
    session = read(checkout, session_id)
    assert (session.state, session.payment_status, session.payments[0].late) == (
        Session.STATE_EXPIRED,
        Session.PAYMENT_STATUS_PAID,
        True,
    )


def test_a_paid_session_cannot_be_ended(
    checkout: CheckoutServiceStub, sandbox: SandboxServiceStub
) -> None:
    """A completed session answers that it is, with the detail of its kind."""
    session_id = created(checkout)
    sandbox.PaySession(sandbox_pb.PaySessionRequest(session_id=session_id), timeout=TIMEOUT)
    request = pb.ExpireSessionRequest(session_id=session_id)
    refusal = refused(lambda: checkout.ExpireSession(request, timeout=TIMEOUT))
    assert (refusal.code, refusal.info["reason"], refusal.info["metadata"]) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "SESSION_COMPLETED",
        {"session_id": session_id},
    )
    (violation,) = refusal.details["PreconditionFailure"]["violations"]
    assert (violation["type"], violation["subject"]) == ("SESSION_COMPLETED", session_id)


def test_probes(accounts: ServiceProcess) -> None:
    """A running service is live, ready and serving, as a whole and by service; others are unknown."""
    assert get(accounts.web, "/livez") == (200, {"status": "live"})
    assert get(accounts.web, "/readyz") == (200, {"status": "ready"})
    with accounts.channel() as channel:
        assert [check(channel), check(channel, "checkout.v1.CheckoutService")] == [SERVING] * 2
        refusal = refused(lambda: check(channel, "checkout.v1.Other"))
    assert refusal.code is grpc.StatusCode.NOT_FOUND


def test_the_http_port_says_no_in_json(accounts: ServiceProcess) -> None:
    """A path that is none and a wrong method are refused in the same form, with safe headers."""
    connection = http.client.HTTPConnection(accounts.web, timeout=TIMEOUT)
    statuses = {}
    for path in ("/none", PATH, "/webhooks/../metrics/../../etc/passwd"):
        connection.request("GET", path)
        answer = connection.getresponse()
        assert "error" in answer.read().decode()
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Server"] is None
        statuses[path] = answer.status
    connection.close()
    assert list(statuses.values()) == [404, 405, 404]


def test_metrics(accounts: ServiceProcess, stub: CheckoutServiceStub) -> None:
    """The metrics are well formed, documented, and count calls, provider calls, webhooks and events."""
    deliver(accounts.web, signed(payment_event(created(stub))))
    refused(lambda: created(stub, provider="square"))
    with urllib.request.urlopen(f"http://{accounts.web}/metrics", timeout=TIMEOUT) as answer:
        text, kind = answer.read().decode(), answer.headers["Content-Type"]
    assert kind.startswith("text/plain")
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert not [name for name, family in families.items() if not family.documentation]
    ours = {name for name in families if name.startswith("checkout_")}
    assert {
        "checkout_grpc_calls_started",
        "checkout_grpc_calls_handled",
        "checkout_grpc_call_seconds",
        "checkout_grpc_calls_in_flight",
        "checkout_provider_call_duration_seconds",
        "checkout_session_events",
        "checkout_webhooks",
        "checkout_webhook_duration_seconds",
    } <= ours
    errors = [
        sample.labels
        for sample in families["checkout_grpc_calls_handled"].samples
        if sample.name.endswith("_total")
        and sample.labels["code"] == "NOT_FOUND"
        and sample.labels["method"].endswith("/CreateSession")
    ]
    # A provider that nobody configured adds no series.
    assert {(found["reason"], found["provider"]) for found in errors} == {
        ("PROVIDER_NOT_CONFIGURED", "")
    }


@contextmanager
def full_disk(process: ServiceProcess) -> Iterator[None]:
    """Let the process write to no file for a while, as if its disk were full."""
    _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))


async def until(seen: list[int], count: int) -> None:
    """Wait until health has been told so often."""
    async with asyncio.timeout(TIMEOUT):
        while len(seen) < count:
            await asyncio.sleep(0.02)


async def test_a_disk_that_is_full(provider: Provider, tmp_path: Path) -> None:
    """While nothing can be stored nothing is sent or acknowledged, health says so, and all recovers by itself."""
    settings = account(provider.url)
    with start(tmp_path, settings, SERVE_ACCOUNTS) as service, service.channel() as channel:
        stub, seen, request_id = CheckoutServiceStub(channel), list[int](), fresh_id()
        watching = asyncio.create_task(watch(service, seen))
        session_id = created(stub)
        paid, sent = signed(payment_event(session_id)), provider_calls(service)
        await until(seen, 1)
        with full_disk(service):
            refusal = refused(lambda: created(stub, request_id=request_id))
            assert (refusal.code, refusal.info["reason"], refusal.details["RetryInfo"]) == (
                grpc.StatusCode.UNAVAILABLE,
                "STORE_UNAVAILABLE",
                {"retryDelay": "1s"},
            )
            assert deliver(service.web, paid).status == 503
            assert get(service.web, "/readyz").status == 503
            assert get(service.web, "/livez").status == 200
            assert read(stub, session_id).state == Session.STATE_OPEN
            await until(seen, 2)
        assert provider_calls(service) == sent
        answer = stub.CreateSession(create_request(request_id=request_id), timeout=TIMEOUT)
        assert (answer.session.state, answer.replayed) == (Session.STATE_OPEN, False)
        assert deliver(service.web, paid).body == {"outcomes": ["applied"]}
        assert read(stub, session_id).state == Session.STATE_COMPLETED
        await until(seen, 3)
        assert get(service.web, "/readyz").status == 200
        assert await asyncio.to_thread(service.stop) == 0
        await watching
    assert seen == [SERVING, NOT_SERVING, SERVING, NOT_SERVING]


def test_a_disk_that_fills_up_in_mid_create(provider: Provider, tmp_path: Path) -> None:
    """An answer that cannot be stored is not acknowledged, and is stored as soon as there is room."""
    provider.respond = provider.hangs
    settings = account(provider.url)
    with start(tmp_path, settings, SERVE_ACCOUNTS) as service, service.channel() as channel:
        stub = CheckoutServiceStub(channel)
        call = stub.CreateSession.future(create_request(request_id=fresh_id()), timeout=TIMEOUT)
        provider.wait_for_request()
        with full_disk(service):
            provider.release()
            refusal = refused(call.result)
        assert (refusal.code, refusal.info["reason"]) == (
            grpc.StatusCode.UNAVAILABLE,
            "STORE_UNAVAILABLE",
        )
        assert service.wait_for_log("session.opened")
        session = read(stub, refusal.info["metadata"]["session_id"])
    assert session.state == Session.STATE_OPEN
