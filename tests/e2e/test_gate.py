"""A buyer with a real browser comes through the gate, pays, and finds the gate shut behind them."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1 import session_pb2
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from tests.e2e import accessibility
from tests.e2e.browser import ARGUMENTS, executable
from tests.e2e.buyer import PHONE, visiting
from tests.e2e.process import ServiceProcess, start
from tests.e2e.reading import is_completed, reached
from tests.e2e.wire.requests import TIMEOUT, create_request

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

HOST = "pay.localhost"
PUBLIC = f"http://{HOST}"
SETTINGS = {
    "CHECKOUT_WEB_PUBLIC_URL": PUBLIC,
    "CHECKOUT_SANDBOX_PUBLIC_URL": f"{PUBLIC}/sandbox",
}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServiceProcess]:
    """A service that customers reach by a name of its own."""
    with start(tmp_path_factory.mktemp("gated"), SETTINGS) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser(service: ServiceProcess) -> AsyncIterator[Browser]:
    """A browser that finds the service by that name, as behind a proxy."""
    found = executable()
    assert found, "no browser: run make browser"
    named = f"--host-resolver-rules=MAP {HOST}:80 {service.web}"
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=found, args=[*ARGUMENTS, named])
        yield started
        await started.close()


def created(service: ServiceProcess, **fields: object) -> session_pb2.Session:
    """Create a session."""
    with service.channel() as channel:
        request = create_request(**fields)
        return CheckoutServiceStub(channel).CreateSession(request, timeout=TIMEOUT).session


async def ground(page: Page) -> int:
    """Measure how light a page's background is, from 0 to 255."""
    lightest: int = await page.evaluate(
        "Math.max(...getComputedStyle(document.documentElement).backgroundColor.match(/[0-9]+/g))"
    )
    return lightest


async def test_buyer_comes_through_and_pays(service: ServiceProcess, browser: Browser) -> None:
    """Our link leads to the provider's page; opened again after paying, it says that all is done."""
    session = created(service)
    assert session.checkout_url.startswith(f"{PUBLIC}/c/")
    async with visiting(browser, HOST) as buyer:
        await buyer.page.goto(session.checkout_url)
        await expect(buyer.page).to_have_url(re.compile(f"^{PUBLIC}/sandbox/dodo/session/"))
        await buyer.page.get_by_label("E-mail").fill("ada@example.com")
        await buyer.page.get_by_label("Full name").fill("Ada Example")
        await buyer.page.locator("button.pay").click()
        await expect(buyer.page.get_by_role("status")).to_be_visible()
        # The page is the provider's: the service hears of the payment by webhook, a moment later.
        async with service.aio_channel() as channel:
            await reached(CheckoutServiceStub(channel), session.session_id, is_completed)
        answer = await buyer.page.goto(session.checkout_url)
        assert answer
        assert answer.status == 200
        heading = buyer.page.get_by_role("heading", level=1)
        await expect(heading).to_have_text("All done")
        assert await accessibility.problems(buyer.page) == []


@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
async def test_shut_gate_can_be_read(
    scheme: str, is_dark: bool, service: ServiceProcess, browser: Browser
) -> None:
    """The page follows the device's theme and the buyer's language, on a phone too."""
    session = created(service)
    with service.channel() as channel:
        asked = pb.ExpireSessionRequest(session_id=session.session_id)
        CheckoutServiceStub(channel).ExpireSession(asked, timeout=TIMEOUT)
    async with visiting(browser, HOST, PHONE, color_scheme=scheme, locale="fr-CA") as buyer:
        answer = await buyer.page.goto(session.checkout_url)
        assert answer
        assert answer.status == 410
        await expect(buyer.page.locator("html")).to_have_attribute("lang", "fr")
        await expect(buyer.page).to_have_title("Ce lien de paiement a expiré")
        assert (await ground(buyer.page) < 128) is is_dark
        assert await accessibility.problems(buyer.page) == []
        width = await buyer.page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"]


async def test_unknown_link_can_be_read(browser: Browser) -> None:
    """Whoever mistypes an address is told what to do."""
    async with visiting(browser, HOST) as buyer:
        answer = await buyer.page.goto(f"{PUBLIC}/c/mistyped")
        assert answer
        assert answer.status == 404
        heading = buyer.page.get_by_role("heading", level=1)
        await expect(heading).to_have_text("This link leads nowhere")
        assert await accessibility.problems(buyer.page) == []
