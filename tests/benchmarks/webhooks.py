"""The part that measures taking webhooks: verified, stored and applied before the answer."""

from tests.benchmarks.bench import TOGETHER, Bench, Found
from tests.benchmarks.report import Bar
from tests.benchmarks.rounds import alternate

_NUMBER = 1000


def webhooks(bench: Bench) -> Found:
    """Deliver one payment for each of many sessions, against a handler that only commits."""
    ours = bench.serve()
    database = str(bench.new_folder() / "intake.db")
    intake = bench.child("-m", "tests.benchmarks.intake", database)
    # As many sessions as payments: each round, and the one that warms up, pays others.
    bench.client.ask(
        kind="create",
        address=ours.address,
        number=_NUMBER * (bench.rounds + 1),
        together=TOGETHER,
        remember=True,
    )
    subjects = {
        "W": bench.subject("webhook", _NUMBER, ours, url=f"{intake.address}/hook"),
        "ours": bench.subject(
            "webhook", _NUMBER, ours, url=f"http://{ours.web}/webhooks/dodo/default", pays=True
        ),
    }
    subjects["W"] = subjects["W"]._replace(pid=intake.pid)
    found = alternate(subjects, bench.rounds, together=TOGETHER)
    return Found(
        bars=[
            Bar("webhook, CPU against W", found["ours"].cpu_against(found["W"]), 1.5),
        ],
        figures=[
            ("W: a handler with one commit", found["W"]),
            ("webhook that completes a session", found["ours"]),
        ],
    )
