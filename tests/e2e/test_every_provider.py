"""One contract, every provider: each documented first session is made, shown on a page, and paid."""

import json
import shlex
import urllib.request

import pytest
from google.protobuf import json_format

from checkout.sandbox.v1 import sandbox_service_pb2
from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1 import session_pb2
from service.providers.registry import PROVIDERS
from tests.e2e.conftest import CheckoutStub, SandboxStub
from tests.e2e.documents import SANDBOX, shell

pytestmark = pytest.mark.slow

Session = session_pb2.Session
TIMEOUT = 30


def first_requests() -> dict[str, dict[str, object]]:
    """Read the documented request for each provider."""
    commands = [shlex.split(line) for line in shell(SANDBOX) if line.endswith("/CreateSession")]
    requests = [json.loads(words[words.index("-d") + 1]) for words in commands]
    return {request["provider"]: request for request in requests}


def test_every_provider_has_a_documented_first_session() -> None:
    """None is left out."""
    assert set(first_requests()) == set(PROVIDERS)


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_a_session_is_made_shown_and_paid(
    provider: str, checkout: CheckoutStub, sandbox: SandboxStub
) -> None:
    """The same three calls do the same at every provider."""
    request = json_format.ParseDict(first_requests()[provider], pb.CreateSessionRequest())
    made = checkout.CreateSession(request, timeout=TIMEOUT).session
    assert made.state == Session.STATE_OPEN
    with urllib.request.urlopen(made.checkout_url, timeout=TIMEOUT) as page:
        assert "19.99" in page.read().decode()
    paid = sandbox_service_pb2.PaySessionRequest(session_id=made.provider_session_id)
    sandbox.PaySession(paid, timeout=TIMEOUT)
    read = pb.GetSessionRequest(session_id=made.session_id)
    session = checkout.GetSession(read, timeout=TIMEOUT).session
    assert session.state == Session.STATE_COMPLETED
    assert session.payment_status == Session.PAYMENT_STATUS_PAID
    assert session.amount_paid.amount >= 1999
