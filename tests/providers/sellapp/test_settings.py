"""What an operator sets for SellApp alone."""

import msgspec
import pytest

from service.accounts import problems
from service.config import read
from service.providers.probe import send
from service.providers.sellapp.adapter import probe
from service.providers.sellapp.settings import settings_problems
from tests.providers.sandbox import Place
from tests.providers.sellapp.documents import STORE
from tests.providers.suite import settings_for

SELLAPP = "CHECKOUT_PROVIDERS__SELLAPP__DEFAULT__"
ENOUGH = {
    f"{SELLAPP}API_KEY": "key",
    f"{SELLAPP}STORE": "demo-store",
    f"{SELLAPP}LIVE": "true",
}


def found(environ: dict[str, str]) -> list[str]:
    """List what keeps the service from starting in an environment."""
    return [str(problem) for problem in problems(read(environ=environ).valid(lambda _: ()))]


def test_a_key_and_its_store_are_enough() -> None:
    """An account of SellApp is configured like any other."""
    assert found(ENOUGH) == []


@pytest.mark.parametrize("store", ["", "two words", "../x", "x\r\nX-Other: 1"])
def test_the_store_must_be_named(store: str, place: Place) -> None:
    """Without one SellApp takes the key's first, and says nothing."""
    account = settings_for(place, "sellapp", own={"store": store})
    (problem,) = settings_problems(account)
    assert problem.startswith("store: ")
    assert problem in settings_problems(msgspec.structs.replace(account, own={}))


def test_there_is_no_test_mode() -> None:
    """An account that is not live would sell for real, unless it talks to an emulator."""
    (problem,) = found(ENOUGH | {f"{SELLAPP}LIVE": "false"})
    assert "live: SellApp has no test mode" in problem
    emulated = {f"{SELLAPP}LIVE": "false", f"{SELLAPP}BASE_URL": "http://127.0.0.1:1/sellapp"}
    assert found(ENOUGH | emulated) == []


async def test_doctor_tries_the_key_with_a_list(place: Place) -> None:
    """One invoice at most is read, of the account's store."""
    asked = probe(settings_for(place, "sellapp", own=STORE))
    answer = await send(asked)
    assert (answer.status, answer.is_json) == (200, True)
    assert asked.headers["X-STORE"] == "demo-store"
    live = msgspec.structs.replace(settings_for(place, "sellapp", own=STORE), base_url=None)
    assert probe(live).url == "https://sell.app/api/v2/invoices?limit=1"
