"""Canaries in every personal and secret field turn up in no log line, metric, error or open column."""

import json
import socket
import sqlite3
import urllib.request
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import pytest

from checkout.sandbox.v1 import sandbox_service_pb2 as sandbox_pb
from checkout.sandbox.v1.sandbox_service_pb2_grpc import SandboxServiceStub
from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from tests.e2e.process import ServiceProcess, start
from tests.e2e.wire.canaries import Canary, carrying, request_canaries
from tests.e2e.wire.provider import (
    API_KEY,
    SERVE_ACCOUNTS,
    WEBHOOK_SECRET,
    Provider,
    account,
    answers,
    refuses,
    resets,
)
from tests.e2e.wire.requests import TIMEOUT, Fields, create_request, fresh_id
from tests.e2e.wire.webhooks import PATH, deliver, payment_event, signed

pytestmark = pytest.mark.slow

PRIVATE_COLUMNS = {
    ("sessions", "private"),
    ("inbox", "body"),
    ("inbox", "private"),
    ("store_meta", "value"),
}
DEBUG = {"CHECKOUT_LOG_LEVEL": "debug"}
PAGE_TOKEN = "CanaryPageToken"
CLIENT_SECRET = "CanaryClientSecret"
COLLECTED: Fields = {
    "customer": {
        "customer_id": "cus_1",
        "email": "canary.buyer@leak.example",
        "name": "CanaryBuyer Name",
        "phone_number": "+15557654321",
    },
    "billing": {
        "country": "US",
        "city": "CanaryBuyerCity",
        "state": "CanaryBuyerState",
        "street": "CanaryBuyerStreet",
        "zipcode": "CanaryBuyerZip",
    },
    "custom_field_responses": [{"key": "size", "value": "CanaryBuyerAnswer"}],
}
TYPED = (
    "canary.buyer@leak.example",
    "CanaryBuyer Name",
    "+15557654321",
    "CanaryBuyerCity",
    "CanaryBuyerState",
    "CanaryBuyerStreet",
    "CanaryBuyerZip",
    "CanaryBuyerAnswer",
)
PERSON: Fields = {
    "email": "canary.person@leak.example",
    "first_name": "CanaryPersonFirst",
    "last_name": "CanaryPersonLast",
    "phone_number": "+15551234567",
    "company": "CanaryPersonCompany",
    "tax_id": "CanaryPersonTaxId",
    "billing_address": {
        "country": "US",
        "line1": "CanaryPersonLine1",
        "line2": "CanaryPersonLine2",
        "city": "CanaryPersonCity",
        "region": "CanaryPersonRegion",
        "postal_code": "CanaryPersonZip",
    },
}
PERSONAL = [str(v) for v in PERSON.values() if isinstance(v, str)] + [
    value for name, value in PERSON["billing_address"].items() if name != "country"
]
SAVED_METHOD: Fields = {
    "customer": {"customer_id": "cus_1", "billing_address": PERSON["billing_address"]},
    "provider_options": {"dodo": {"confirm": True, "payment_method_id": "CanarySavedMethod"}},
}


class Told(NamedTuple):
    """Everything a service has told somebody, by whom it was told."""

    places: dict[str, str]

    def check(self, *values: str, but: tuple[str, ...] = ()) -> None:
        """Hold every place but the named ones to not having a value."""
        found = [
            (place, value)
            for place, text in self.places.items()
            if place not in but
            for value in values
            if value.lower() in text.lower()
        ]
        assert found == []


class Watched:
    """A service at debug level, and every error that its callers were sent."""

    def __init__(self, process: ServiceProcess, folder: Path, stub: CheckoutServiceStub) -> None:
        self.process = process
        self.folder = folder
        self.stub = stub
        self.errors: list[str] = []

    def create(self, request: pb.CreateSessionRequest) -> pb.CreateSessionResponse | None:
        """Create, and keep whatever error comes back: its text, its details, its metadata."""
        try:
            return self.stub.CreateSession(request, timeout=TIMEOUT)
        except grpc.RpcError as error:
            self.note(error)
            return None

    def note(self, error: Any) -> None:  # noqa: ANN401 - what a call raises has no type
        """Keep an error."""
        pairs = [*(error.initial_metadata() or ()), *(error.trailing_metadata() or ())]
        values = [v.decode("latin-1") if isinstance(v, bytes) else v for _, v in pairs]
        self.errors += [error.details(), error.debug_error_string(), *values]

    def told(self) -> Told:
        """Collect what the service has told so far, the open columns of its store included."""
        with urllib.request.urlopen(
            f"http://{self.process.web}/metrics", timeout=TIMEOUT
        ) as answer:
            metrics = answer.read().decode()
        return Told(
            {
                "stdout": self.process.stdout.text,
                "stderr": self.process.stderr.text,
                "metrics": metrics,
                "errors": "\n".join(self.errors),
                "store": open_columns(self.folder),
            }
        )


def open_columns(folder: Path) -> str:
    """Read every value of a store that does not stand in a private column."""
    found: list[str] = []
    with closing(sqlite3.connect(f"file:{folder}/checkout.db?mode=ro", uri=True)) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            rows = database.execute(f"SELECT * FROM {table}")
            names = [column[0] for column in rows.description]
            for row in rows:
                cells = zip(names, row, strict=True)
                found += [
                    value.decode("latin-1") if isinstance(value, bytes) else str(value)
                    for name, value in cells
                    if (table, name) not in PRIVATE_COLUMNS
                ]
    return "\n".join(found)


@pytest.fixture(scope="module")
def watched(running: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A service that logs at debug level."""
    folder = tmp_path_factory.mktemp("watched")
    settings = {**account(running.url), **DEBUG}
    with start(folder, settings, SERVE_ACCOUNTS) as process, process.channel() as channel:
        yield Watched(process, folder, CheckoutServiceStub(channel))


def opened(watched: Watched, **fields: object) -> str:
    """Create a session that opens, and return its id."""
    answer = watched.create(create_request(**fields))
    assert answer is not None, watched.errors[-3:]
    return answer.session.session_id


@pytest.mark.parametrize("canary", request_canaries(), ids=lambda canary: ".".join(canary.path))
def test_each_marked_field(provider: Provider, watched: Watched, canary: Canary) -> None:
    """A marked field leaks neither where it is honoured nor where it is refused, here or by the provider."""
    request = carrying(canary)
    request.request_id = fresh_id()
    watched.create(request)
    for respond in (
        refuses(422, "INVALID_REQUEST_BODY", f"customer.name: {canary.value} is not good"),
        answers(500, f"no {canary.value}"),
        resets,
    ):
        provider.respond = respond
        request.request_id = fresh_id()
        watched.create(request)
    request.validate_only = True
    watched.create(request)
    if canary.is_recognisable and canary.path[-1] != "customer_id":
        watched.told().check(canary.value)


def test_a_session_from_create_to_paid(provider: Provider, watched: Watched) -> None:
    """A person's details are in the session's answer and its private column alone, paid and declined."""
    body = {
        "session_id": f"cks_{fresh_id()}",
        "checkout_url": f"{provider.url}/session/{PAGE_TOKEN}",
        "payment_id": None,
        "client_secret": CLIENT_SECRET,
    }
    provider.respond = answers(200, body)
    session_id = opened(watched, customer=PERSON)
    decline = payment_event(
        session_id,
        kind="failed",
        error_code="CARD_DECLINED",
        error_message=f"The card of {TYPED[1]} ({TYPED[0]}) was declined",
        **COLLECTED,
    )
    for event in (decline, payment_event(session_id, **COLLECTED)):
        delivery = signed(event)
        for _ in range(2):
            assert deliver(watched.process.web, delivery).status == 200
        watched.told().check(*PERSONAL, *TYPED)
    read = watched.stub.GetSession(
        pb.GetSessionRequest(session_id=session_id, refresh=True), timeout=TIMEOUT
    ).session
    listed = watched.stub.ListSessions(pb.ListSessionsRequest(page_size=1000), timeout=TIMEOUT)
    with suppress(grpc.RpcError):
        watched.stub.ExpireSession(pb.ExpireSessionRequest(session_id=session_id), timeout=TIMEOUT)
    asked = pb.ListSessionEventsRequest(session_id=session_id)
    timeline = watched.stub.ListSessionEvents(asked, timeout=TIMEOUT)
    kinds = {one.WhichOneof("event") for one in timeline.session_events}
    assert kinds == {"change", "provider_call", "webhook"}
    secret = (*PERSONAL, *TYPED, CLIENT_SECRET, PAGE_TOKEN)
    assert [text for text in secret if text in str(timeline)] == []
    assert session_id in [session.session_id for session in listed.sessions]
    assert (read.collected.email, read.customer.first_name) == (TYPED[0], PERSON["first_name"])
    told = watched.told()
    assert all(session_id in told.places[place] for place in ("stderr", "store"))
    assert '[["call","' in told.places["store"]
    told.check(*PERSONAL, *TYPED, CLIENT_SECRET)
    # The session's own field keeps the page's address, so that it can be answered again.
    told.check(PAGE_TOKEN, but=("store",))


def test_what_is_sent_to_the_wrong_place(watched: Watched) -> None:
    """Requests that are refused before anything is stored leave no trace of the person in them."""
    request_id = fresh_id()
    opened(watched, request_id=request_id)
    wrong: list[Fields] = [
        {"provider": "square"},
        {"request_id": request_id},
        {"cart": {}},
        {"ttl": "1s"},
        {"failure_url": "https://example.com/"},
        {"customer": {**PERSON, "customer_id": "cus_1"}},
        {"customer": {**PERSON, "ip_address": "CanaryNoAddress"}},
        {"customer": {**PERSON, "email": "CanaryNoEmail"}},
    ]
    for fields in wrong:
        assert watched.create(create_request(**{"customer": PERSON, **fields})) is None
    watched.told().check(*PERSONAL, "CanaryNoAddress", "CanaryNoEmail")


def test_webhooks_that_are_not_taken(watched: Watched) -> None:
    """Forged, unreadable and unmatched webhooks leave the buyer's details and the signature unsaid."""
    session_id = opened(watched)
    event = payment_event(session_id, **COLLECTED)
    forged = signed(event, "whsec_" + "Zm9yZ2VkLXNlY3JldC10aGF0LWlzLWxvbmctZW5vdWdo")
    broken = {**event, "data": {**event["data"], "total_amount": TYPED[0], "currency": TYPED[1]}}
    unmatched = payment_event("cs_00000000000000000000000000", **COLLECTED)
    sent = {
        401: forged,
        400: signed(broken),
        404: signed(event),
        200: signed(unmatched),
    }
    for status, delivery in sent.items():
        path = "/webhooks/dodo/other" if status == 404 else PATH
        assert deliver(watched.process.web, delivery, path).status == status
    assert deliver(watched.process.web, signed(f"no event of {TYPED[0]}")).status == 400
    signatures = [delivery.headers["webhook-signature"] for delivery in sent.values()]
    watched.told().check(*TYPED, *signatures)
    listed = str(watched.stub.ListUnmatchedPayments(pb.ListUnmatchedPaymentsRequest()))
    assert unmatched["data"]["payment_id"] in listed
    assert [text for text in TYPED if text in listed] == []


def test_what_is_only_checked(watched: Watched) -> None:
    """A request that is judged leaves no trace of the person in it, and verdicts do not quote them."""
    fields: Fields = {"customer": PERSON, "cancel_url": "https://a.example/", "provider": None}
    request = pb.CheckSessionRequest(request=create_request(**fields))
    verdicts = str(watched.stub.CheckSession(request, timeout=TIMEOUT))
    assert [text for text in PERSONAL if text in verdicts] == []
    watched.told().check(*PERSONAL)


def test_http_that_cannot_be_read(watched: Watched) -> None:
    """Bytes that are no HTTP are not quoted, nor is the address they came from."""
    host, _, port = watched.process.web.rpartition(":")
    post = b"POST /webhooks/dodo/default HTTP/1.1\r\nHost: x\r\n"
    for raw in (
        b"NONSENSE CanaryLine\r\n\r\n",
        post + b"no header CanaryHeader\r\n\r\n",
        post + b"webhook-signature: CanaryLong" + b"x" * 9000 + b"\r\n\r\n",
        post + b"Transfer-Encoding: chunked\r\n\r\nCanaryChunk\r\n\r\n",
        b"GET /CanaryPath?email=CanaryQuery HTTP/1.0\r\n\r\n",
    ):
        with socket.create_connection((host, int(port)), TIMEOUT) as connection:
            connection.sendall(raw)
            with suppress(ConnectionError):
                while connection.recv(4096):
                    pass
    values = ("Line", "Header", "Long", "Chunk", "Path", "Query")
    told = watched.told()
    told.check(*(f"Canary{value}" for value in values))
    assert f"request from {host}" not in told.places["stderr"]


def test_a_saved_way_to_pay(provider: Provider, watched: Watched) -> None:
    """The id of a saved way to pay is sent to the provider, and kept and said nowhere."""
    for respond in (resets, refuses(422, "X", "CanarySavedMethod is unknown"), provider.opens):
        provider.respond = respond
        watched.create(create_request(**SAVED_METHOD, request_id=fresh_id()))
    assert provider.bodies[-1]["payment_method_id"] == "CanarySavedMethod"
    watched.told().check("CanarySavedMethod", *PERSONAL)


def test_the_accounts_own_secrets(provider: Provider, watched: Watched) -> None:
    """The API key and the webhook secret are said nowhere, not even when the provider quotes the key."""
    for status in (401, 403, 422, 500):
        provider.respond = refuses(status, API_KEY, f"{API_KEY} is wrong")
        watched.create(create_request(request_id=fresh_id()))
    assert len(provider.bodies) == 4
    watched.told().check(API_KEY, WEBHOOK_SECRET, WEBHOOK_SECRET.removeprefix("whsec_"))


def test_a_bug(running: Provider, tmp_path: Path) -> None:
    """A bug is answered with a fixed text and an id of its log line, and neither quotes the stored person."""
    settings = {**account(running.url), **DEBUG}
    with start(tmp_path, settings, SERVE_ACCOUNTS) as process, process.channel() as channel:
        running.reset()
        session_id = opened(
            Watched(process, tmp_path, CheckoutServiceStub(channel)), customer=PERSON
        )
    with closing(sqlite3.connect(tmp_path / "checkout.db")) as database:
        person = json.dumps({"customer": {**PERSON, "email": [PERSON["email"]]}})
        database.execute("UPDATE sessions SET private = ?", (person,))
        database.commit()
    with start(tmp_path, settings, SERVE_ACCOUNTS) as process, process.channel() as channel:
        watched = Watched(process, tmp_path, CheckoutServiceStub(channel))
        with pytest.raises(grpc.RpcError) as caught:
            watched.stub.GetSession(pb.GetSessionRequest(session_id=session_id), timeout=TIMEOUT)
        watched.note(caught.value)
        line = process.wait_for_log("call.finished")
        told = watched.told()
    error: Any = caught.value
    assert (error.code(), error.details()) == (grpc.StatusCode.INTERNAL, "internal error")
    assert str(line["log_id"]) in told.places["errors"]
    told.check(*PERSONAL)


def test_the_sandboxs_secrets(tmp_path: Path) -> None:
    """The sandbox's token is printed once for the newcomer, its webhook secret nowhere."""
    token, secret = "CanarySandboxToken", "whsec_Q2FuYXJ5U2FuZGJveFdlYmhvb2tTZWNyZXQwMDAw"
    settings = {
        "CHECKOUT_SANDBOX_API_TOKEN": token,
        "CHECKOUT_SANDBOX_WEBHOOK_SECRET": secret,
        **DEBUG,
    }
    with start(tmp_path, settings) as process, process.channel() as channel:
        watched = Watched(process, tmp_path, CheckoutServiceStub(channel))
        session_id = opened(watched, customer=PERSON)
        SandboxServiceStub(channel).PaySession(
            sandbox_pb.PaySessionRequest(session_id=session_id), timeout=TIMEOUT
        )
        read = watched.stub.GetSession(
            pb.GetSessionRequest(session_id=session_id), timeout=TIMEOUT
        ).session
        url = read.checkout_url or "/sandbox/dodo/session/"
        told = watched.told()
    assert read.collected.email == PERSON["email"]
    assert told.places["stdout"].count(token) == 1
    told.check(token, but=("stdout",))
    told.check(secret, secret.removeprefix("whsec_"), *PERSONAL)
    assert url not in told.places["stderr"]
