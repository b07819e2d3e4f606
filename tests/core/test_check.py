"""Judging a request at every account, without calling or storing anything."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from msgspec import structs

from service.core.capability import Capabilities
from service.core.check import CheckSession, Verdict
from service.core.directory import Directory
from service.core.errors import InvalidRequest, ProviderNotConfigured
from service.core.model import (
    Cart,
    CreateRequest,
    ExpiryEnforcement,
    LineItem,
    Money,
    TotalsSource,
    Violation,
)
from tests.core.builders import NOW, SECOND, request
from tests.core.conftest import ManualClock
from tests.core.scripted import LIFETIME, ScriptedProvider


class Account(ScriptedProvider):
    """A provider account under any two names."""

    def __init__(self, name: str, account: str = "default", **declared: object) -> None:
        super().__init__()
        self.name = name
        self.account = account
        fields = self.capabilities.request_fields | {
            f"provider_options.{name}",
            f"cart.line_items.provider_options.{name}",
        }
        self.capabilities: Capabilities = structs.replace(
            self.capabilities, **{"request_fields": fields, **declared}
        )
        self.seen: list[CreateRequest] = []

    def check(self, request: CreateRequest) -> list[Violation]:
        self.seen.append(request)
        return list(self.violations)


A, B, C = Account("alpha"), Account("alpha", "eu"), Account("beta", max_line_items=1)


def judge(*accounts: Account, has_gate: bool = False) -> CheckSession:
    """Return the use case over some accounts."""
    return CheckSession(directory=Directory(accounts), clock=ManualClock(), has_gate=has_gate)


def anyone(**changes: object) -> CreateRequest:
    """Return a request that names neither provider nor account."""
    return request(**{"provider": "", "account": "", **changes})


def names(verdicts: Sequence[Verdict]) -> list[tuple[str, str]]:
    """Return whose verdicts they are."""
    return [(one.provider, one.account) for one in verdicts]


async def test_the_named_account_alone_is_judged() -> None:
    """A provider with an account is judged, and nobody else."""
    verdicts = await judge(A, B, C)(request(provider="alpha", account="eu"))
    assert names(verdicts) == [("alpha", "eu")]


async def test_every_account_is_judged_where_none_is_named() -> None:
    """Verdicts come by provider, then account, and one's refusal is no other's."""
    two = Cart(line_items=(LineItem(product_id="a"), LineItem(product_id="b")))
    verdicts = await judge(C, B, A)(anyone(cart=two))
    assert names(verdicts) == [("alpha", "default"), ("alpha", "eu"), ("beta", "default")]
    assert [one.planned is not None for one in verdicts] == [True, True, False]
    assert verdicts[2].violations == (Violation("cart.line_items", "beta takes at most 1 lines"),)


async def test_an_account_name_narrows() -> None:
    """An account without a provider is every provider's account of that name."""
    verdicts = await judge(A, B, C)(anyone(account="default"))
    assert names(verdicts) == [("alpha", "default"), ("beta", "default")]


@pytest.mark.parametrize(
    "asked",
    [
        {"provider": "gamma", "account": "default"},
        {"provider": "beta", "account": "eu"},
        {"provider": "", "account": "asia"},
    ],
)
async def test_an_account_nobody_configured(asked: dict[str, str]) -> None:
    """What nobody configured is an error, as it is for a create."""
    with pytest.raises(ProviderNotConfigured) as caught:
        await judge(A, B, C)(request(**asked))
    assert caught.value.metadata == asked


async def test_all_violations_are_found() -> None:
    """Capabilities, the provider's own rules and the expiry are all judged."""
    account = Account("alpha")
    account.violations = [Violation("customer", "is required")]
    asked = request(provider="alpha", success_url="https://a.example/", ttl=2 * LIFETIME)
    (verdict,) = await judge(account)(asked)
    assert [one.field for one in verdict.violations] == ["success_url", "customer", "ttl"]
    assert verdict.planned is None


async def test_totals_and_expiry_are_told() -> None:
    """An accepted request tells what its session would have."""
    line = LineItem(name="Tea", unit_price=Money(350, "USD"), quantity=3)
    asked = request(provider="alpha", cart=Cart(line_items=(line,)), ttl=timedelta(hours=1))
    (verdict,) = await judge(A, has_gate=True)(asked)
    assert verdict.planned
    assert verdict.planned.totals.source is TotalsSource.COMPUTED
    assert verdict.planned.totals.total == Money(1050, "USD")
    assert verdict.planned.expire_time == NOW + timedelta(hours=1)
    assert verdict.planned.expiry_enforcement is ExpiryEnforcement.GATE


async def test_what_would_be_adjusted_is_told() -> None:
    """A wish a little above the limit is accepted with the warning the session would have."""
    (verdict,) = await judge(A)(request(provider="alpha", ttl=LIFETIME + SECOND))
    assert verdict.planned
    assert [one.code for one in verdict.planned.warnings] == ["EXPIRY_CLAMPED"]


async def test_each_account_sees_its_own_options() -> None:
    """One cart can carry the options of several providers, of the order and of its lines."""
    alpha, beta = Account("alpha"), Account("beta")
    options: dict[str, object] = {"alpha": {"x": 1}, "beta": {"y": 2}}
    line = LineItem(product_id="a", provider_options={"beta": {"z": 3}})
    asked = anyone(cart=Cart(line_items=(line,)), provider_options=options)
    verdicts = await judge(alpha, beta)(asked)
    assert all(one.planned for one in verdicts)
    (to_alpha,), (to_beta,) = alpha.seen, beta.seen
    assert to_alpha.provider_options == {"alpha": {"x": 1}}
    assert to_alpha.cart.line_items[0].provider_options is None
    assert to_beta.provider_options == {"beta": {"y": 2}}
    assert to_beta.cart.line_items[0].provider_options == {"beta": {"z": 3}}


async def test_a_named_account_refuses_options_of_others() -> None:
    """Where the provider is named, options of another are refused, as a create refuses them."""
    options: dict[str, object] = {"alpha": {"x": 1}, "beta": {"y": 2}}
    (verdict,) = await judge(A, C)(request(provider="alpha", provider_options=options))
    assert [one.field for one in verdict.violations] == ["provider_options.beta.y"]


async def test_money_that_is_none_is_an_error() -> None:
    """A currency that does not exist is wrong at every provider."""
    with pytest.raises(InvalidRequest) as caught:
        await judge(A, C)(anyone(cart=structs.replace(request().cart, currency="ZZZ")))
    assert [one.field for one in caught.value.violations] == ["cart.currency"]


async def test_nobody_is_called() -> None:
    """Judging costs no provider call."""
    account = Account("alpha")
    await judge(account)(request(provider="alpha", request_id="r1", validate_only=True))
    assert (account.calls, account.asked_for, account.retrieved) == ([], [], 0)
