"""The gate of a real process: each link on its way from created to completed, and what stays out of the log."""

import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from checkout.sandbox.v1 import sandbox_service_pb2 as sandbox_pb
from checkout.sandbox.v1.sandbox_service_pb2_grpc import SandboxServiceStub
from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1 import provider_pb2, session_pb2
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from tests.e2e.process import LogLine, ServiceProcess, log_lines, start
from tests.e2e.wire.requests import TIMEOUT, create_request

pytestmark = pytest.mark.slow

PUBLIC = "https://pay.example.com/shop"
SETTINGS = {"CHECKOUT_WEB_PUBLIC_URL": PUBLIC, "CHECKOUT_LOG_LEVEL": "debug"}


class Answer(NamedTuple):
    """What the gate said."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """A service with its sandbox behind a public URL."""
    with start(tmp_path_factory.mktemp("gated"), SETTINGS) as running:
        yield running


def created(service: ServiceProcess, **fields: object) -> session_pb2.Session:
    """Create a session."""
    with service.channel() as channel:
        request = create_request(**fields)
        return CheckoutServiceStub(channel).CreateSession(request, timeout=TIMEOUT).session


def visit(service: ServiceProcess, url: str, method: str = "GET") -> Answer:
    """Open a link as it arrives once the proxy has taken its path off."""
    assert url.startswith(f"{PUBLIC}/c/")
    connection = http.client.HTTPConnection(service.web, timeout=TIMEOUT)
    connection.request(method, url.removeprefix(PUBLIC))
    answer = connection.getresponse()
    found = Answer(answer.status, answer.headers, answer.read())
    connection.close()
    return found


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_open_link_leads_to_the_provider(gated: ServiceProcess, method: str) -> None:
    """The caller is given our link alone, and the customer arrives at the provider's page."""
    session = created(gated)
    assert session.provider_url == ""
    answer = visit(gated, session.checkout_url, method)
    assert answer.status == 303
    page = urlsplit(answer.headers["Location"])
    assert page.netloc == gated.web
    assert page.path.endswith(session.provider_session_id)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_providers_address_for_those_who_ask(gated: ServiceProcess) -> None:
    """An operator's tool gets where our link leads; once the session has ended there is nothing to get."""
    session = created(gated)
    asked = pb.GetSessionRequest(session_id=session.session_id, include_provider_url=True)
    with gated.channel() as channel:
        stub = CheckoutServiceStub(channel)
        found = stub.GetSession(asked, timeout=TIMEOUT).session
        assert found.checkout_url == session.checkout_url
        assert found.provider_url == visit(gated, session.checkout_url).headers["Location"]
        ending = pb.ExpireSessionRequest(session_id=session.session_id)
        assert stub.ExpireSession(ending, timeout=TIMEOUT).session.provider_url == ""
        assert stub.GetSession(asked, timeout=TIMEOUT).session.provider_url == ""
    page = urlsplit(found.provider_url).path
    for output in (gated.stderr.text, gated.stdout.text):
        assert found.provider_url not in output
        assert page not in output


def test_paid_link_says_so(gated: ServiceProcess) -> None:
    """Once paid, the same link leads on no more."""
    session = created(gated)
    with gated.channel() as channel:
        paying = sandbox_pb.PaySessionRequest(session_id=session.session_id)
        SandboxServiceStub(channel).PaySession(paying, timeout=TIMEOUT)
    answer = visit(gated, session.checkout_url)
    assert (answer.status, answer.headers.get("Location")) == (200, None)
    assert b"All done" in answer.body


def test_ended_link_says_so(gated: ServiceProcess) -> None:
    """Ended by the shop, the page at the provider is still there, and the gate is shut."""
    session = created(gated, customer={"locale": "de"})
    with gated.channel() as channel:
        asked = pb.ExpireSessionRequest(session_id=session.session_id)
        ended = CheckoutServiceStub(channel).ExpireSession(asked, timeout=TIMEOUT).session
    assert ended.provider_link == session_pb2.Session.PROVIDER_LINK_STILL_PAYABLE
    assert ended.checkout_url == ""
    answer = visit(gated, session.checkout_url)
    assert (answer.status, answer.headers["Content-Language"]) == (410, "de")


def test_links_nobody_was_given(gated: ServiceProcess) -> None:
    """A changed mark, another session's mark and nonsense are told the same."""
    mine, other = created(gated).checkout_url, created(gated).checkout_url
    changed = mine[:-1] + ("0" if mine[-1] != "0" else "1")
    swapped = mine[:-26] + other[-26:]
    answers = [visit(gated, url) for url in (changed, swapped, f"{PUBLIC}/c/%FF%00")]
    assert {answer.status for answer in answers} == {404}
    assert len({answer.body for answer in answers}) == 1


def test_short_session_is_enforced_by_the_gate(gated: ServiceProcess) -> None:
    """Shorter than the provider's page lives, the session says that the gate ends it."""
    assert created(gated, ttl="600s").expiry_enforcement == provider_pb2.EXPIRY_ENFORCEMENT_GATE
    whole = created(gated).expiry_enforcement
    assert whole == provider_pb2.EXPIRY_ENFORCEMENT_PROVIDER


def test_sessions_from_before_the_gate_have_links(tmp_path: Path) -> None:
    """A public URL set later gives every open session its link; how it ends stays as it was promised."""
    with start(tmp_path) as running:
        session = created(running, ttl="600s")
        assert session.checkout_url == session.provider_url != ""
    with start(tmp_path, SETTINGS) as running, running.channel() as channel:
        asked = pb.GetSessionRequest(session_id=session.session_id)
        found = CheckoutServiceStub(channel).GetSession(asked, timeout=TIMEOUT).session
        assert found.expiry_enforcement == provider_pb2.EXPIRY_ENFORCEMENT_ADVISORY
        answer = visit(running, found.checkout_url)
        assert (answer.status, answer.headers["Location"]) == (303, session.provider_url)


def test_no_link_stands_in_the_log(gated: ServiceProcess) -> None:
    """At the finest level, visits of every kind leave the pattern behind and no token."""
    token = created(gated).checkout_url.rpartition("/")[2]
    before = len(visits(gated.stderr.text))
    for method, path in (("GET", ""), ("HEAD", ""), ("DELETE", ""), ("GET", f"x?{token}")):
        visit(gated, f"{PUBLIC}/c/{token}{path}", method)
    logged = gated.stderr.wait_for(lambda text: visits(text)[before + 2 :] or None, TIMEOUT)
    assert logged, "not every visit was logged"
    for output in (gated.stderr.text, gated.stdout.text):
        assert token[-26:] not in output


def visits(log: str) -> list[LogLine]:
    """Find the visits of the gate in a log."""
    lines = log_lines(log, "http.handled")
    return [line for line in lines if line["route"] == "/c/{token}"]
