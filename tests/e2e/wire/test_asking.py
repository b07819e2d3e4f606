"""Who takes a cart, which currencies there are, and payments of nobody: by grpcurl and stubs at a real process."""

import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from checkout.sandbox.v1 import sandbox_service_pb2 as sandbox_pb
from checkout.sandbox.v1.sandbox_service_pb2_grpc import SandboxServiceStub
from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1 import session_pb2, unmatched_payment_pb2
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from tests.e2e.process import BIN, ServiceProcess, log_lines, start
from tests.e2e.wire.provider import SERVE_ACCOUNTS, Provider, account, answers
from tests.e2e.wire.requests import TIMEOUT, create_request, fresh_id, metrics, provider_calls
from tests.e2e.wire.webhooks import deliver, payment_event, signed

pytestmark = pytest.mark.slow

Call = Callable[[str, object], dict[str, Any]]
LIST = pb.ListUnmatchedPaymentsRequest
Kind = unmatched_payment_pb2.UnmatchedPayment


@pytest.fixture(scope="module")
def call(service: ServiceProcess) -> Call:
    """Calls by grpcurl, which knows no more than reflection tells it."""
    if not (BIN / "grpcurl").exists():
        pytest.skip("grpcurl has no binary for this platform")

    def by_grpcurl(method: str, request: object) -> dict[str, Any]:
        command = [str(BIN / "grpcurl"), "-plaintext", "-d", json.dumps(request), service.grpc]
        done = subprocess.run(
            [*command, f"checkout.v1.CheckoutService/{method}"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    return by_grpcurl


def test_who_takes_a_cart(call: Call, service: ServiceProcess) -> None:
    """Every account of the sandbox answers for itself, and the one that takes the cart also makes the page."""
    calls = provider_calls(service)
    demo = {"cart": {"line_items": [{"product_id": "pdt_demo"}]}}
    verdicts = {one["provider"]: one for one in call("CheckSession", {"request": demo})["verdicts"]}
    accounts = call("ListProviders", {})["accounts"]
    assert sorted(verdicts) == sorted({one["provider"] for one in accounts})
    assert verdicts["dodo"]["accepted"]
    assert verdicts["dodo"]["totals"]["source"] == "SOURCE_UNKNOWN"
    assert "expireTime" in verdicts["dodo"]
    line = {"name": "Tea", "unit_price": {"amount": "350", "currency": "USD"}, "quantity": "2"}
    ad_hoc = {"request": {"cart": {"line_items": [line]}}}
    verdicts = {one["provider"]: one for one in call("CheckSession", ad_hoc)["verdicts"]}
    assert not verdicts["dodo"].get("accepted")
    assert "cart.line_items[0].name" in {w["field"] for w in verdicts["dodo"]["violations"]}
    assert verdicts["square"]["accepted"]
    assert verdicts["square"]["totals"]["total"] == {"amount": "700", "currency": "USD"}
    assert provider_calls(service) == calls


def test_one_cart_with_the_options_of_two(call: Call) -> None:
    """Where nobody is named, each account is asked with its own options; named, others' are refused."""
    request: dict[str, Any] = {
        "cart": {"line_items": [{"product_id": "pdt_demo"}]},
        "provider_options": {
            "dodo": {"customization": {"theme": "THEME_DARK"}},
            "square": {"ask_for_shipping_address": True},
        },
    }
    verdicts = {
        one["provider"]: one for one in call("CheckSession", {"request": request})["verdicts"]
    }
    assert verdicts["dodo"]["accepted"]
    fields = {wrong["field"] for wrong in verdicts["square"].get("violations", [])}
    assert not any("provider_options" in field for field in fields)
    request["provider"] = "square"
    (verdict,) = call("CheckSession", {"request": request})["verdicts"]
    assert any(w["field"].startswith("provider_options.dodo") for w in verdict["violations"])


def test_which_currencies_there_are(call: Call) -> None:
    """Exponents are told, and every configured account has its line."""
    answer = call("ListCurrencies", {})
    exponents = {one["code"]: one.get("exponent", 0) for one in answer["currencies"]}
    assert (exponents["USD"], exponents["JPY"], exponents["KWD"]) == (2, 0, 3)
    accounts = {(one["provider"], one["account"]) for one in answer["accounts"]}
    listed = call("ListProviders", {})["accounts"]
    assert accounts == {(one["provider"], one["account"]) for one in listed}


def test_payments_of_nobody(
    accounts: ServiceProcess, stub: CheckoutServiceStub, running: Provider
) -> None:
    """A payment that no session is known for is listed once, page by page, and counted."""
    before = len(stub.ListUnmatchedPayments(LIST(), timeout=TIMEOUT).unmatched_payments)
    stranger = payment_event("cs_00000000000000000000000000", total_amount=4200)
    deliveries = [signed(stranger), signed(payment_event("cs_11111111111111111111111111"))]
    for delivery in (*deliveries, deliveries[0]):
        assert deliver(accounts.web, delivery).status == 200
    answer = stub.ListUnmatchedPayments(LIST(provider="dodo", page_size=1), timeout=TIMEOUT)
    rest = stub.ListUnmatchedPayments(
        LIST(provider="dodo", page_size=1, page_token=answer.next_page_token), timeout=TIMEOUT
    )
    (payment,) = rest.unmatched_payments
    assert payment.event_id == deliveries[0].headers["webhook-id"]
    assert payment.session_id == "cs_00000000000000000000000000"
    assert (payment.kind, payment.event_type) == (Kind.KIND_PAYMENT, "payment.succeeded")
    assert (payment.amount.amount, payment.amount.currency) == (4200, "USD")
    assert payment.provider_payment_id == stranger["data"]["payment_id"]
    listed = stub.ListUnmatchedPayments(LIST(), timeout=TIMEOUT).unmatched_payments
    assert len(listed) == before + 2
    counted = metrics(accounts)
    labels = frozenset({"provider": "dodo", "outcome": "unmatched"}.items())
    assert counted["checkout_webhooks_total", labels] >= 2
    told = {one.event_id for one in listed[:2]}
    assert accounts.stderr.wait_for(lambda text: told <= noted(text) or None, TIMEOUT)


def noted(log: str) -> set[object]:
    """Return the events that a log says are unmatched."""
    return {line["event_id"] for line in log_lines(log, "webhook.unmatched")}


def test_a_payment_that_overtakes_its_create(
    accounts: ServiceProcess, stub: CheckoutServiceStub, provider: Provider
) -> None:
    """An event that names only the provider's session is applied when the create is answered."""
    made, released = f"cks_{fresh_id()}", threading.Event()
    answer = answers(200, {"session_id": made, "checkout_url": f"{provider.url}/session/{made}"})
    provider.respond = lambda handler: answer(handler) if released.wait(TIMEOUT) else None
    creating = stub.CreateSession.future(create_request(), timeout=TIMEOUT)
    provider.wait_for_request()
    event = payment_event("", metadata={}, checkout_session_id=made)
    assert deliver(accounts.web, signed(event)).body == {"outcomes": ["unmatched"]}
    released.set()
    session = creating.result().session
    assert (session.state, session.provider_session_id) == (
        session_pb2.Session.STATE_COMPLETED,
        made,
    )
    listed = stub.ListUnmatchedPayments(LIST(), timeout=TIMEOUT).unmatched_payments
    assert event["data"]["payment_id"] not in {one.provider_payment_id for one in listed}
    assert accounts.wait_for_log("webhook.matched")["session_id"] == session.session_id


def test_unmatched_payments_survive_a_kill(running: Provider, tmp_path: Path) -> None:
    """What was acknowledged without a session is still there when the process comes back."""
    settings = account(running.url)
    with start(tmp_path, settings, SERVE_ACCOUNTS) as service:
        assert deliver(service.web, signed(payment_event("cs_none"))).status == 200
        service.kill()
    with start(tmp_path, settings, SERVE_ACCOUNTS) as service, service.channel() as channel:
        answer = CheckoutServiceStub(channel).ListUnmatchedPayments(LIST(), timeout=TIMEOUT)
        assert len(answer.unmatched_payments) == 1


def test_the_sandbox_leaves_nothing_unmatched(
    checkout: CheckoutServiceStub, sandbox: SandboxServiceStub
) -> None:
    """A session that is created and paid in the sandbox leads every event of it to itself."""
    for name, line in (
        ("dodo", {"product_id": "pdt_demo"}),
        ("square", {"name": "Tea", "unit_price": {"amount": 350, "currency": "USD"}}),
    ):
        request = create_request(provider=name, cart={"line_items": [line]})
        session_id = checkout.CreateSession(request, timeout=TIMEOUT).session.session_id
        sandbox.PaySession(sandbox_pb.PaySessionRequest(session_id=session_id), timeout=TIMEOUT)
    listed = checkout.ListUnmatchedPayments(LIST(), timeout=TIMEOUT).unmatched_payments
    assert list(listed) == []
