"""The part that measures calls on PostgreSQL, with statements prepared and without."""

from tests.benchmarks.bench import CREATES, GETS, TOGETHER, Bench, Found
from tests.benchmarks.report import Bar
from tests.benchmarks.rounds import Rounds, alternate
from tests.benchmarks.service import Service
from tests.benchmarks.worker import Child


def postgres(bench: Bench) -> Found:
    """Measure creating and reading on PostgreSQL against the yardsticks."""
    processes: dict[str, Service | Child] = {
        "floor": bench.floor,
        "prepared": bench.serve(url=bench.new_database()),
        "unprepared": bench.serve(url=f"{bench.new_database()}?pooled=true"),
    }

    def measured(kind: str, number: int) -> dict[str, Rounds]:
        subjects = {name: bench.subject(kind, number, one) for name, one in processes.items()}
        return alternate(subjects, bench.rounds, together=TOGETHER)

    made, gets = measured("create", CREATES), measured("get", GETS)
    return Found(
        bars=[
            Bar(
                "PostgreSQL: CreateSession, CPU against I",
                made["prepared"].cpu_against(made["floor"]),
                1.4,
            ),
            Bar(
                "the same, nothing prepared",
                made["unprepared"].cpu_against(made["floor"]),
            ),
            Bar(
                "PostgreSQL: GetSession, CPU against F",
                gets["prepared"].cpu_against(gets["floor"]),
                1.75,
            ),
            Bar(
                "the same, nothing prepared",
                gets["unprepared"].cpu_against(gets["floor"]),
            ),
        ],
        figures=[
            ("PostgreSQL: CreateSession", made["prepared"]),
            ("PostgreSQL: CreateSession, nothing prepared", made["unprepared"]),
            ("PostgreSQL: GetSession", gets["prepared"]),
            ("PostgreSQL: GetSession, nothing prepared", gets["unprepared"]),
        ],
    )
