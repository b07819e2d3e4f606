"""A service that sells while its store fails, and a provider behind it that is well: the whole of one fault."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import grpc

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1 import session_pb2
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from tests.api.refusals import Refusal, refused
from tests.e2e.process import ServiceProcess, start
from tests.e2e.wire.health import NOT_SERVING, SERVING, check
from tests.e2e.wire.provider import SERVE_ACCOUNTS, Provider, account
from tests.e2e.wire.requests import create_request, fresh_id
from tests.e2e.wire.webhooks import Delivery, deliver, get, payment_event, signed

Session = session_pb2.Session
PATIENCE = 40.0
NO_MATTER = {"CHECKOUT_RECONCILE_INTERVAL": "1h"}


class Till(NamedTuple):
    """A running service as callers and its provider reach it."""

    service: ServiceProcess
    channel: grpc.Channel
    stub: CheckoutServiceStub
    provider: Provider

    def create(self, request_id: str) -> Session:
        """Create a session, or be told of the one that there is."""
        request = create_request(request_id=request_id)
        return self.stub.CreateSession(request, timeout=PATIENCE).session

    def read(self, session_id: str) -> Session:
        """Read a session."""
        request = pb.GetSessionRequest(session_id=session_id)
        return self.stub.GetSession(request, timeout=PATIENCE).session

    def expire(self, session_id: str) -> Session:
        """End a session."""
        request = pb.ExpireSessionRequest(session_id=session_id)
        return self.stub.ExpireSession(request, timeout=PATIENCE).session

    def sessions(self) -> set[str]:
        """Return the id of every session there is."""
        listed = self.stub.ListSessions(pb.ListSessionsRequest(page_size=1000), timeout=PATIENCE)
        return {session.session_id for session in listed.sessions}

    def deliver(self, delivery: Delivery) -> int:
        """Deliver a webhook and return the status of its answer."""
        return deliver(self.service.web, delivery).status

    def readiness(self) -> int:
        """Return the status of the readiness probe."""
        return get(self.service.web, "/readyz").status

    def wait_for_health(self, status: int) -> None:
        """Wait until gRPC health is so."""
        until(lambda: check(self.channel) == status, f"health is not {status}")


def until(holds: Callable[[], bool], otherwise: str) -> None:
    """Wait until something holds."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, otherwise
        time.sleep(0.05)


@contextmanager
def running_till(
    folder: Path,
    provider: Provider,
    settings: Mapping[str, str] | None = None,
    program: tuple[str, ...] = SERVE_ACCOUNTS,
) -> Iterator[Till]:
    """Run a service with an account at a provider."""
    everything = {**account(provider.url), **NO_MATTER, **(settings or {})}
    with start(folder, everything, program) as service, service.channel() as channel:
        yield Till(service, channel, CheckoutServiceStub(channel), provider)


def unavailable(call: Callable[[], object]) -> Refusal:
    """Return how a call fails that the store did not let happen: clearly, and to be repeated."""
    refusal = refused(call)
    assert refusal.code is grpc.StatusCode.UNAVAILABLE
    assert refusal.info["reason"] == "STORE_UNAVAILABLE"
    assert refusal.message.startswith("The store ")
    assert refusal.details["RetryInfo"] == {"retryDelay": "1s"}
    return refusal


class Outage:
    """Everything a caller may be about when the store fails: before, during and after it."""

    def __init__(self, till: Till) -> None:
        self.till = till
        till.provider.reset()
        self.before = till.create(fresh_id())
        self.payment = signed(payment_event(self.before.session_id))
        self._wanted = fresh_id()
        self._begun = fresh_id()
        till.provider.wait_for_request()
        till.provider.respond = till.provider.hangs
        request = create_request(request_id=self._begun)
        self._under_way = till.stub.CreateSession.future(request, timeout=PATIENCE)
        till.provider.wait_for_request()

    def stores_nothing(self) -> None:
        """Check that whoever wants something stored hears that it was not, and that nobody else is sent here."""
        till, session_id = self.till, self.before.session_id
        till.provider.reset()
        with ThreadPoolExecutor(4) as callers:
            lost = callers.submit(unavailable, self._under_way.result)
            refused_too = [
                callers.submit(unavailable, lambda: till.create(self._wanted)),
                callers.submit(unavailable, lambda: till.expire(session_id)),
            ]
            delivered = callers.submit(till.deliver, self.payment)
            assert lost.result().info["metadata"]["session_id"] not in {"", session_id}
            for refusal in refused_too:
                refusal.result()
            assert delivered.result() == 503
        assert till.provider.bodies == []
        assert till.readiness() == 503
        till.wait_for_health(NOT_SERVING)

    def reads(self) -> None:
        """Check that what is stored can be read."""
        assert self.till.read(self.before.session_id) == self.before

    def reads_nothing(self) -> None:
        """Check that whoever reads hears that the store is away, and not that there is nothing."""
        unavailable(lambda: self.till.read(self.before.session_id))

    def is_over(self) -> None:
        """Check that the service is well by itself, that nothing is half-written, and that all can be repeated."""
        till = self.till
        till.wait_for_health(SERVING)
        assert till.read(self.before.session_id) == self.before
        begun = till.create(self._begun)
        assert begun.state == Session.STATE_OPEN
        # It was kept in mind until it could be stored.
        assert till.provider.bodies == []
        wanted = till.create(self._wanted)
        assert till.create(self._wanted) == wanted
        assert len(till.provider.bodies) == 1
        assert till.deliver(self.payment) == 200
        paid = till.read(self.before.session_id)
        assert (paid.state, len(paid.payments)) == (Session.STATE_COMPLETED, 1)
        assert till.deliver(self.payment) == 200
        assert till.read(self.before.session_id) == paid
        assert {self.before.session_id, begun.session_id, wanted.session_id} <= till.sessions()
        faults = [line for line in till.service.log() if line["level"] == "error"]
        assert not faults, faults
