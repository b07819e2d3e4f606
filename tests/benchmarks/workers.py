"""The part that measures two workers against one, and two bare processes against one beside them."""

import urllib.request
from collections.abc import Callable, Mapping
from functools import partial

from prometheus_client.parser import text_string_to_metric_families

from checkout.v1 import checkout_service_pb2 as pb
from tests.benchmarks.bench import Bench, Found, one_session
from tests.benchmarks.h2load import PACKAGE, PROGRAM, is_installed, per_second
from tests.benchmarks.measure import Spread
from tests.benchmarks.messages import CREATE, GET, TEMPLATES, get
from tests.benchmarks.report import Bar, spread
from tests.benchmarks.service import Service

SECONDS = 4
LEAST_SHARE = 0.9
"""Of the gain that a bare server has by a second process."""

_NUMBERS = (1, 2)
_HANDLED = "checkout_grpc_calls_handled_total"

Measure = Callable[[], float]


def workers(bench: Bench) -> Found:
    """Measure how many more calls two workers answer than one."""
    if not is_installed():
        return Found(notes=[f"Workers are not measured without {PROGRAM} (package {PACKAGE})."])
    measures = _measures(bench)
    rates: dict[tuple[str, int], list[float]] = {name: [] for name in measures}
    for _ in range(bench.rounds):
        for name, measure in measures.items():
            rates[name].append(measure())

    def gains(what: str) -> list[float]:
        pairs = zip(rates[what, 1], rates[what, 2], strict=True)
        return [two / one for one, two in pairs]

    bare = gains("bare")
    return Found(
        bars=[
            Bar(
                f"two workers: gain of a bare server against that of {what}",
                Spread.of(theirs / ours for theirs, ours in zip(bare, gains(what), strict=True)),
                1 / LEAST_SHARE,
            )
            for what in ("GetSession", "CreateSession")
        ],
        notes=[
            f"{what}, processes: {number}: {spread(Spread.of(found), 0)} calls/s"
            for (what, number), found in rates.items()
        ],
    )


def _measures(bench: Bench) -> Mapping[tuple[str, int], Measure]:
    services = {
        number: bench.serve(url=bench.new_database(), workers=number) for number in _NUMBERS
    }
    sessions = {number: one_session(served.address) for number, served in services.items()}
    create = TEMPLATES["dodo"].SerializeToString()
    found: dict[tuple[str, int], Measure] = {}
    for number, served in services.items():
        session_id = pb.GetSessionResponse.FromString(sessions[number]).session.session_id
        address, read = _bare(bench, sessions[number], number), get(session_id)
        found["bare", number] = partial(_rate, bench, address, GET, read)
        found["GetSession", number] = partial(_checked, bench, served, GET, read)
        # Without a request id each is a session of its own.
        found["CreateSession", number] = partial(_checked, bench, served, CREATE, create)
    # Two processes right after one, so that both meet the same moments.
    return dict(sorted(found.items()))


def _bare(bench: Bench, session: bytes, number: int) -> str:
    stored = bench.new_folder() / "session"
    stored.write_bytes(session)
    port = "0"
    for _ in range(number):
        process = bench.child("-m", "tests.benchmarks.bare", str(stored), port)
        port = process.address.rpartition(":")[2]
    return f"127.0.0.1:{port}"


def _rate(bench: Bench, address: str, method: str, message: bytes) -> float:
    return per_second(address, method, message, seconds=SECONDS, folder=bench.folder)


def _checked(bench: Bench, served: Service, method: str, message: bytes) -> float:
    before = _refused(served)
    rate = _rate(bench, served.address, method, message)
    served.forget_log()
    assert _refused(served) == before, "the service refused calls"
    return rate


def _refused(served: Service) -> float:
    with urllib.request.urlopen(f"http://{served.web}/metrics") as answer:
        text = answer.read().decode()
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == _HANDLED and sample.labels["code"] not in {"OK", "CANCELLED"}
    )
