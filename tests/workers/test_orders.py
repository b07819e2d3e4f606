"""What a supervisor and its workers say to each other."""

from io import BytesIO
from pathlib import Path

import pytest

from service.accounts import problems
from service.config import read
from service.workers.orders import Order, Report, reported

ACCOUNT = "CHECKOUT_PROVIDERS__SQUARE__DEFAULT__"


def test_a_worker_gets_every_setting() -> None:
    """Settings from any source arrive as they were read, secrets and what only one provider has included."""
    environ = {
        "CHECKOUT_STORE_URL": "postgresql://host/name",
        "CHECKOUT_WORKERS": "2",
        "CHECKOUT_DRAIN_TIMEOUT": "7s",
        f"{ACCOUNT}API_KEY": "the key",
        f"{ACCOUNT}LOCATION_ID": "L1",
        f"{ACCOUNT}CURRENCY": "USD",
    }
    settings = read(environ=environ, overrides={"grpc": {"address": "[::1]:7"}}).valid(problems)
    order = Order(2, 4711, settings, 5, Path("/tmp/figures"))
    told = Order.read(BytesIO(order.written()))
    assert told[:2] + told[3:] == order[:2] + order[3:]
    assert told.settings.model_dump() == settings.model_dump()
    account = told.settings.providers["square"]["default"]
    assert account.api_key
    assert account.api_key.get_secret_value() == "the key"
    assert account.own == {"location_id": "L1", "currency": "USD"}
    assert str(told.settings.grpc.address) == "[::1]:7"


def test_no_order_is_told_apart() -> None:
    """A worker whose supervisor died before it could speak knows."""
    with pytest.raises(EOFError):
        Order.read(BytesIO())


@pytest.mark.parametrize(
    "report", [Report("serving"), Report("stopping"), Report("failed", "no\nstore")]
)
def test_a_report_is_one_line(report: Report) -> None:
    """Whatever the reason, it arrives whole."""
    written = report.written()
    assert written.count(b"\n") == 1
    assert written.endswith(b"\n")
    assert reported(written) == report


@pytest.mark.parametrize("line", [b"hello\n", b'{"event":"dancing"}\n', b"[]\n", b"\xff\n", b"\n"])
def test_other_lines_are_no_reports(line: bytes) -> None:
    """What a library may print is passed over."""
    assert reported(line) is None
