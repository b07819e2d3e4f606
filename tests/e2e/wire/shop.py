"""A service that sells by every call of every provider, with something faulty between it and the emulators."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1 import provider_pb2, session_pb2
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from tests.e2e.process import ServiceProcess, start
from tests.e2e.wire.fault_proxy import FaultProxy, fault_proxy
from tests.e2e.wire.provider import SERVE_ACCOUNTS
from tests.e2e.wire.requests import TIMEOUT, create_request
from tests.e2e.wire.sellers import SELLERS, Emulators, emulators

Session = session_pb2.Session


class Shop(NamedTuple):
    """A service with an account for each call, and one of little patience; a proxy between it and the emulators."""

    service: ServiceProcess
    stub: CheckoutServiceStub
    proxy: FaultProxy
    emulators: Emulators
    buyer: str = ""

    def create(self, name: str, *, hasty: bool = False, **changes: object) -> Session:
        """Create a session by a call."""
        fields = SELLERS[name].fields(f"{name}_hasty" if hasty else name, self.buyer)
        request = create_request(**{**fields, **changes})
        return self.stub.CreateSession(request, timeout=TIMEOUT).session

    def read(self, session_id: str, *, refresh: bool = False) -> Session:
        """Read a session."""
        request = pb.GetSessionRequest(session_id=session_id, refresh=refresh)
        return self.stub.GetSession(request, timeout=TIMEOUT).session

    def capabilities(self, name: str) -> provider_pb2.Capabilities:
        """Return what a call declares."""
        listed = self.stub.ListProviders(pb.ListProvidersRequest(), timeout=TIMEOUT)
        return next(a.capabilities for a in listed.accounts if a.account == name)

    def replays(self, name: str) -> bool:
        """Tell whether a call may be repeated whatever became of it."""
        return self._strategy(name) == provider_pb2.UNKNOWN_OUTCOME_STRATEGY_REPLAY

    def makes_again(self, name: str) -> bool:
        """Tell whether a retry makes another page where the first was made and its answer lost."""
        return self._strategy(name) == provider_pb2.UNKNOWN_OUTCOME_STRATEGY_RECREATE

    def _strategy(self, name: str) -> provider_pb2.UnknownOutcomeStrategy.ValueType:
        return self.capabilities(name).unknown_outcome_strategy


@contextmanager
def running_shop(folder: Path) -> Iterator[Shop]:
    """Open a shop whose sweep leaves the tests alone."""
    with fault_proxy() as proxy, emulators(proxy.address) as behind:
        proxy.behind = behind.address
        settings = {"CHECKOUT_EXPIRY_SWEEP_INTERVAL": "1h"}
        for name, seller in SELLERS.items():
            settings |= seller.settings(proxy.address, name, timeout="5s")
            settings |= seller.settings(proxy.address, f"{name}_hasty", timeout="1s")
        with start(folder, settings, SERVE_ACCOUNTS) as service, service.channel() as channel:
            yield Shop(service, CheckoutServiceStub(channel), proxy, behind)
