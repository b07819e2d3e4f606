"""Whole services on machines whose clocks are hours apart, as operators would start them."""

import sys
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

from google.protobuf.timestamp_pb2 import Timestamp

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1 import session_pb2
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from service.storage.rows import moment
from tests.architecture.source import ROOT
from tests.e2e.process import ServiceProcess, start
from tests.e2e.wire.requests import TIMEOUT, create_request
from tests.storage.postgres.conftest import read

HOUR = 3600
OPEN = session_pb2.Session.STATE_OPEN
MINUTE = timedelta(minutes=1)
NOW = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"


def test_no_machine_is_believed(url: str, tmp_path: Path) -> None:
    """What is made on a machine that is hours late or early is open for all until the same moment, and no longer."""
    with ExitStack() as running:
        early, late = (
            running.enter_context(
                start(
                    tmp_path,
                    {"CHECKOUT_STORE_URL": url, "CHECKOUT_EXPIRY_SWEEP_INTERVAL": "100ms"},
                    _program(shift),
                    cwd=ROOT,
                )
            )
            for shift in (-HOUR, HOUR)
        )
        for maker, reader in ((early, late), (late, early)):
            with maker.channel() as channel:
                asked = create_request(ttl="1800s")
                made = CheckoutServiceStub(channel).CreateSession(asked, timeout=TIMEOUT).session
            told = read(url, NOW)
            assert isinstance(told, int)
            assert abs(moment(told) - _time(made.create_time)) < MINUTE
            seen = _get(reader, made.session_id)
            assert (seen.state, seen.expire_time) == (OPEN, made.expire_time)
            assert _time(made.expire_time) - _time(made.create_time) == timedelta(minutes=30)


def _program(shift: int) -> tuple[str, ...]:
    return (
        sys.executable,
        "-m",
        "tests.storage.postgres.machine",
        str(shift),
        "serve",
        "--sandbox",
    )


def _get(service: ServiceProcess, session_id: str) -> session_pb2.Session:
    with service.channel() as channel:
        asked = pb.GetSessionRequest(session_id=session_id)
        return CheckoutServiceStub(channel).GetSession(asked, timeout=TIMEOUT).session


def _time(stamp: Timestamp) -> datetime:
    return moment(stamp.ToMicroseconds())
