"""The table of currencies, and what accounts make of it."""

import re

import pytest
from msgspec import structs

from service.core import money
from service.core.currencies import AccountCurrencies, ListCurrencies
from service.core.directory import Directory
from tests.core.scripted import ScriptedProvider


async def listed(*accounts: ScriptedProvider) -> tuple[AccountCurrencies, ...]:
    """Return what is told of accounts."""
    return (await ListCurrencies(directory=Directory(accounts))()).accounts


@pytest.mark.parametrize(
    ("code", "exponent"), [("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("ISK", 0)]
)
async def test_exponents(code: str, exponent: int) -> None:
    """The table says what counting minor units needs, and agrees with what carts are judged by."""
    known = {one.code: one for one in (await ListCurrencies(directory=Directory([]))()).known}
    assert (known[code].exponent, money.exponent(code)) == (exponent, exponent)


async def test_the_table_is_in_order_and_can_be_paid_in() -> None:
    """Every code stands once, in order, named, and none is a metal or a test."""
    known = (await ListCurrencies(directory=Directory([]))()).known
    codes = [one.code for one in known]
    assert codes == sorted(set(codes))
    assert 150 < len(codes) < 200
    assert {"XAU", "XTS", "XXX", "XDR"}.isdisjoint(codes)
    assert all(re.fullmatch("[A-Z]{3}", one.code) and one.name for one in known)


async def test_accounts_tell_what_they_take() -> None:
    """An account with declared currencies names them, one without names none."""
    free, bound = ScriptedProvider(), ScriptedProvider()
    bound.account = "bound"
    bound.capabilities = structs.replace(bound.capabilities, currencies=frozenset({"USD", "CAD"}))
    assert await listed(free, bound) == (
        AccountCurrencies("scripted", "bound", frozenset({"USD", "CAD"})),
        AccountCurrencies("scripted", "default", frozenset()),
    )
