"""The sandbox alone, and a service that uses it as it would use the provider."""

import re
import socket
import urllib.parse
import urllib.request
from pathlib import Path

import grpc
import pytest

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1 import checkout_service_pb2_grpc as pb_grpc
from checkout.v1.cart_pb2 import Cart, LineItem
from checkout.v1.session_pb2 import Session
from tests.processes import running

pytestmark = pytest.mark.slow

FORM = urllib.parse.urlencode(
    {
        "attempt": "0",
        "action": "pay",
        "name": "Ada Lovelace",
        "email": "ada@example.com",
        "country": "DE",
        "zipcode": "10115",
    }
)


def test_service_and_sandbox_in_two_processes(tmp_path: Path) -> None:
    """What the sandbox prints is all that a service needs to get a session paid."""
    web = f"127.0.0.1:{free_port()}"
    alone = {
        "CHECKOUT_SANDBOX_ADDRESS": "127.0.0.1:0",
        "CHECKOUT_SANDBOX_WEBHOOK_URL": f"http://{web}/webhooks",
    }
    (tmp_path / "sandbox").mkdir()
    with running(
        "sandbox", folder=tmp_path / "sandbox", until="checkout serve", settings=alone
    ) as (
        _,
        printed,
    ):
        settings = dict(re.findall(r"export (\w+)=(\S+)", printed))
        settings |= {"CHECKOUT_GRPC_ADDRESS": "127.0.0.1:0", "CHECKOUT_WEB_ADDRESS": web}
        with running("serve", folder=tmp_path, until="service.started", settings=settings) as (
            _,
            logged,
        ):
            found = re.search(r'"grpc":"([^"]+)"', logged)
            assert found is not None
            assert pay_a_session(found[1]) == Session.STATE_COMPLETED


def pay_a_session(address: str) -> Session.State.ValueType:
    """Create a session, pay it on its page, and return its state once it is no longer open."""
    with grpc.insecure_channel(address) as channel:
        stub = pb_grpc.CheckoutServiceStub(channel)
        cart = Cart(line_items=[LineItem(product_id="pdt_demo")])
        request = pb.CreateSessionRequest(provider="dodo", cart=cart)
        session = stub.CreateSession(request, timeout=30).session
        with urllib.request.urlopen(session.checkout_url, FORM.encode(), timeout=30) as page:
            assert page.status == 200
        read = pb.GetSessionRequest(session_id=session.session_id)
        while session.state == Session.STATE_OPEN:
            session = stub.GetSession(read, timeout=30).session
        return session.state


def free_port() -> int:
    """Return a port that nobody had a moment ago: two processes must know it before one has it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
