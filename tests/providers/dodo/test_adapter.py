"""The Dodo adapter's calls, where the emulator cannot show it."""

import msgspec
import pytest

from service.core.errors import ProviderError, ProviderOutcomeUnknown, ProviderRejected
from service.core.ports import ProviderSession
from service.providers.registry import build_provider
from service.providers.secrets import Secret
from service.providers.settings import AccountSettings
from tests.providers.dodo.documents import call, data_of, document, request
from tests.providers.servers import Behaviour, Misbehaving, answer, misbehaving


async def retrieved(*behaviours: Behaviour) -> tuple[ProviderSession, Misbehaving]:
    """Retrieve a session from a server that behaves so."""
    async with misbehaving(*behaviours) as server:
        provider = build_provider(account(server.url), chance=lambda: 0.0, observe=lambda *_: None)
        try:
            return await provider.retrieve("cks/1"), server
        finally:
            await provider.close()


def account(url: str) -> AccountSettings:
    """Return the settings of an account at an address."""
    return AccountSettings(
        provider="dodo", live=False, base_url=f"{url}/", api_key=Secret(value="key")
    )


def json(body: object) -> Behaviour:
    """Return the behaviour of answering with a JSON body."""
    return answer(200, msgspec.json.encode(body))


@pytest.mark.parametrize(
    ("name", "behaviour", "cause"),
    [
        ("no id", json({"checkout_url": "https://checkout.dodopayments.com/"}), "no_session_id"),
        ("empty", answer(200, b""), "unreadable_body"),
        ("page", answer(200, b"<html>"), "unreadable_body"),
        ("foreign", json({"session_id": "1", "checkout_url": "https://x.example/"}), "foreign"),
        ("gateway", answer(504, b"<html>"), "status_504"),
        ("moved", answer(301, b"", "Location: /"), "redirect"),
    ],
)
async def test_an_unusable_answer_leaves_the_outcome_unknown(
    name: str, behaviour: Behaviour, cause: str
) -> None:
    """Something may have been created, and the error says why nobody knows."""
    async with misbehaving(behaviour) as server:
        provider = build_provider(account(server.url), chance=lambda: 0.0, observe=lambda *_: None)
        with pytest.raises(ProviderOutcomeUnknown) as caught:
            await provider.create(call(request()))
        await provider.close()
    assert caught.value.metadata["cause"].startswith(cause), name
    assert caught.value.metadata["provider"] == "dodo"


async def test_a_session_and_its_payment_are_read() -> None:
    """The payment that a session names is read too; ids cannot leave their place in the path."""
    session, server = await retrieved(
        json(document("checkout_status")), json(data_of("payment_succeeded"))
    )
    paths = [sent.split()[1] for sent in server.requests]
    assert paths == [b"/checkouts/cks%2F1", b"/payments/pay_2IjeQm4hqU6RA4Z4kwDee"]
    assert len(session.payments) == 1


async def test_a_session_without_payment_is_one_call() -> None:
    """Nothing is asked that the session does not name."""
    session, server = await retrieved(json(document("checkout_status") | {"payment_id": None}))
    assert (session.payments, len(server.requests)) == ((), 1)


@pytest.mark.parametrize(
    ("name", "payment", "kind"),
    [
        ("another shape", json({"payment_id": 7}), ProviderOutcomeUnknown),
        ("not found", answer(404, b'{"code":"NOT_FOUND"}'), ProviderRejected),
    ],
)
async def test_a_payment_that_cannot_be_read_fails_the_call(
    name: str, payment: Behaviour, kind: type[ProviderError]
) -> None:
    """Half an answer is none."""
    with pytest.raises(kind):
        await retrieved(json(document("checkout_status")), payment)
