"""A buyer with a real browser finishes sessions of the real service on the hosted page."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from checkout.v1 import (
    cart_pb2,
    checkout_service_pb2,
    checkout_service_pb2_grpc,
    customer_pb2,
    dodo_options_pb2,
    provider_options_pb2,
    session_pb2,
)
from service.sandbox.page import languages
from tests.e2e import accessibility
from tests.e2e.browser import ARGUMENTS, executable
from tests.e2e.buyer import PHONE, SHOP, Buyer, visiting
from tests.e2e.process import ServiceProcess
from tests.e2e.reading import Stub, is_completed, reached
from tests.sandbox.harness import running

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

Session = session_pb2.Session
Customization = dodo_options_pb2.DodoOptions.Customization
Theme = dodo_options_pb2.DodoOptions.Customization.Theme

Create = Callable[..., Awaitable[session_pb2.Session]]
Visit = Callable[..., AbstractAsyncContextManager[Buyer]]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    """A browser, started once."""
    found = executable()
    assert found, "no browser: run make browser"
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stub(service: ServiceProcess) -> AsyncIterator[Stub]:
    """A client of the service."""
    async with service.aio_channel() as channel:
        yield checkout_service_pb2_grpc.CheckoutServiceStub(channel)


@pytest.fixture(scope="module")
def create(stub: Stub) -> Create:
    """Creates a session with a page."""

    async def create(**fields: object) -> session_pb2.Session:
        line = cart_pb2.LineItem(product_id="pdt_demo", quantity=2)
        request = checkout_service_pb2.CreateSessionRequest(
            provider="dodo",
            cart=cart_pb2.Cart(line_items=[line]),
            success_url=f"{SHOP}/thanks?session={{SESSION_ID}}",
            cancel_url=f"{SHOP}/cart?back={{SESSION_ID}}",
            **fields,  # type: ignore[arg-type]
        )
        return (await stub.CreateSession(request, timeout=30)).session

    return create


@pytest.fixture
def visit(browser: Browser, service: ServiceProcess) -> Visit:
    """Opens a window on the service's pages."""
    return lambda *viewport, **look: visiting(browser, service.web, *viewport, **look)


async def fill(buyer: Buyer) -> None:
    """Type what the form requires."""
    await buyer.page.get_by_label("E-mail").fill("ada@example.com")
    await buyer.page.get_by_label("Full name").fill("Ada Example")


def words(language: str) -> dict[str, str]:
    """Read the phrases of a language."""
    text = (languages.FOLDER / f"{language}.json").read_text("utf-8")
    loaded: dict[str, str] = json.loads(text)
    return loaded


async def test_paying_completes_the_session(stub: Stub, create: Create, visit: Visit) -> None:
    """A buyer pays, is thanked, and the session is completed with what was typed."""
    session = await create()
    async with visit() as buyer:
        await buyer.page.goto(session.checkout_url)
        await expect(buyer.page.get_by_test_id("total")).to_have_text("$39.98")
        await fill(buyer)
        await buyer.page.get_by_role("button", name="Pay $39.98").click()
        await expect(buyer.page.get_by_role("status")).to_contain_text("Payment successful")
    paid = await reached(stub, session.session_id, is_completed)
    assert paid.payment_status == Session.PAYMENT_STATUS_PAID
    assert paid.amount_paid.amount == 3998
    assert paid.collected.email == "ada@example.com"


async def test_shop_is_told_the_outcome(create: Create, visit: Visit) -> None:
    """Going on leads to the success URL with our id, and the query the provider documents."""
    session = await create()
    async with visit() as buyer:
        await buyer.page.goto(session.checkout_url)
        await fill(buyer)
        await buyer.page.locator("button.pay").click()
        await buyer.page.get_by_role("link", name="Continue").click()
        await expect(buyer.page).to_have_title("Shop")
        address = urlsplit(buyer.left_for[0])
        query = parse_qs(address.query)
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{SHOP}/thanks"
    assert query.pop("payment_id")[0].startswith("pay_")
    assert query == {
        "session": [session.session_id],
        "status": ["succeeded"],
        "email": ["ada@example.com"],
    }


async def test_buyer_can_be_sent_back_at_once(create: Create, visit: Visit) -> None:
    """With redirect_immediately the buyer is at the shop without a click."""
    flags = dodo_options_pb2.DodoOptions.FeatureFlags(redirect_immediately=True)
    session = await create(provider_options=_dodo(feature_flags=flags))
    async with visit() as buyer:
        await buyer.page.goto(session.checkout_url)
        await fill(buyer)
        await buyer.page.locator("button.pay").click()
        await buyer.page.wait_for_url(f"{SHOP}/thanks*")
        assert "status=succeeded" in buyer.left_for[0]


async def test_declined_buyer_tries_again(stub: Stub, create: Create, visit: Visit) -> None:
    """A declined card is told to the buyer and to the caller; the next attempt completes."""
    session = await create()
    async with visit() as buyer:
        await buyer.page.goto(session.checkout_url)
        await fill(buyer)
        await buyer.page.get_by_role("button", name="declined card").click()
        await expect(buyer.page.get_by_role("alert")).to_contain_text("Payment declined")
        assert await accessibility.problems(buyer.page) == []
        declined = await reached(
            stub, session.session_id, lambda s: s.last_payment_error.code != ""
        )
        assert declined.state == Session.STATE_OPEN
        await expect(buyer.page.get_by_label("E-mail")).to_have_value("ada@example.com")
        await buyer.page.locator("button.pay").click()
        await expect(buyer.page.get_by_role("status")).to_be_visible()
    paid = await reached(stub, session.session_id, is_completed)
    assert not paid.HasField("last_payment_error")


async def test_cancel_leads_back_to_the_shop(stub: Stub, create: Create, visit: Visit) -> None:
    """A buyer who turns back is sent to the cancel URL, and the session stays open."""
    session = await create()
    async with visit() as buyer:
        await buyer.page.goto(session.checkout_url)
        await buyer.page.get_by_role("link", name="Cancel").click()
        await expect(buyer.page).to_have_title("Shop")
        assert buyer.left_for == [f"{SHOP}/cart?back={session.session_id}"]
    await reached(stub, session.session_id, lambda found: found.state == Session.STATE_OPEN)


async def test_keyboard_is_enough(stub: Stub, create: Create, visit: Visit) -> None:
    """Tab, typing and Enter pay a session; every stop can be seen, in the order of the page."""
    session = await create()
    async with visit() as buyer:
        await buyer.page.goto(session.checkout_url)
        stops = await accessibility.focus_stops(buyer.page)
        order = [stops.index(name) for name in ("email", "name", "country", "discount_code")]
        assert order == sorted(order)
        assert stops[-1].startswith("Cancel")
        await buyer.page.evaluate("document.activeElement.blur()")
        for name, text in (("email", "ada@example.com"), ("name", "Ada Example")):
            await _tab_to(buyer, name)
            await buyer.page.keyboard.type(text)
        await buyer.page.keyboard.press("Enter")
        await expect(buyer.page.get_by_role("status")).to_be_visible()
    await reached(stub, session.session_id, is_completed)


async def _tab_to(buyer: Buyer, name: str) -> None:
    for _ in range(30):
        await buyer.page.keyboard.press("Tab")
        if await buyer.page.evaluate("document.activeElement.name") == name:
            return
    raise AssertionError(f"{name} cannot be reached by the tab key")


async def test_mistakes_are_named_at_their_field(create: Create, visit: Visit) -> None:
    """A form that cannot be taken lists what is wrong, linked to the fields, which say so too."""
    session = await create()
    async with visit() as buyer:
        await buyer.page.goto(session.checkout_url)
        await buyer.page.get_by_label("E-mail").fill("nobody")
        await buyer.page.locator("button.pay").click()
        await expect(buyer.page.get_by_role("alert").get_by_role("listitem")).to_have_count(2)
        email = buyer.page.get_by_label("E-mail")
        await expect(email).to_have_attribute("aria-invalid", "true")
        await buyer.page.get_by_role("alert").get_by_role("link", name="E-mail").click()
        await expect(email).to_be_focused()
        assert await accessibility.problems(buyer.page) == []


@pytest.mark.parametrize("language", ["de", "ar"])
async def test_phone_needs_no_sideways_scrolling(
    language: str, create: Create, visit: Visit
) -> None:
    """On a small phone the form and the receipt fit the width, whatever the language."""
    session = await create(customer=customer_pb2.Customer(locale=language))
    async with visit(PHONE) as buyer:
        await buyer.page.goto(session.checkout_url)
        assert await _overhang(buyer) == 0
        await buyer.page.locator("[name=email]").fill("ada@example.com")
        await buyer.page.locator("[name=name]").fill("Ada Example")
        await buyer.page.locator("button.pay").click()
        await expect(buyer.page.get_by_role("status")).to_be_visible()
        assert await _overhang(buyer) == 0


async def _overhang(buyer: Buyer) -> int:
    # Before its styles are there, a page has no layout.
    await buyer.page.wait_for_load_state()
    page = "document.documentElement"
    width: int = await buyer.page.evaluate(f"{page}.scrollWidth - {page}.clientWidth")
    return width


@pytest.mark.parametrize(
    ("theme", "preferred", "is_dark"),
    [
        (Theme.THEME_DARK, "light", True),
        (Theme.THEME_LIGHT, "dark", False),
        (Theme.THEME_SYSTEM, "dark", True),
    ],
)
async def test_theme_is_followed(
    theme: Theme.ValueType, preferred: str, is_dark: bool, create: Create, visit: Visit
) -> None:
    """The page is as dark as the request says, else as the browser prefers, and readable."""
    session = await create(provider_options=_dodo(customization=Customization(theme=theme)))
    async with visit(color_scheme=preferred) as buyer:
        await buyer.page.goto(session.checkout_url)
        ground = await buyer.page.evaluate(
            "getComputedStyle(document.documentElement).backgroundColor.match(/[0-9]+/g).map(Number)"
        )
        assert (max(ground[:3]) < 128) is is_dark
        assert await accessibility.problems(buyer.page) == []
        await fill(buyer)
        await buyer.page.locator("button.pay").click()
        await expect(buyer.page.get_by_role("status")).to_be_visible()
        assert await accessibility.problems(buyer.page) == []


@pytest.mark.parametrize(
    ("asked", "preferred", "language"),
    [("de", "en-US", "de"), ("", "fr-CA", "fr"), ("ar", "en-US", "ar"), ("", "fi-FI", "en")],
)
async def test_language_is_followed(
    asked: str, preferred: str, language: str, create: Create, visit: Visit
) -> None:
    """The page speaks the language of the request, else the browser's, else English."""
    session = await create(customer=customer_pb2.Customer(locale=asked))
    async with visit(locale=preferred) as buyer:
        await buyer.page.goto(session.checkout_url)
        page = buyer.page.locator("html")
        await expect(page).to_have_attribute("lang", language)
        await expect(page).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")
        await expect(buyer.page.get_by_text(words(language)["test_note"])).to_be_visible()
        await expect(buyer.page.get_by_label(words(language)["email"])).to_be_visible()


async def test_checks_notice_what_is_wrong(visit: Visit) -> None:
    """A page without structure, names, contrast and visible focus is found out."""
    async with visit() as buyer:
        await buyer.page.set_content(
            "<input id=a><button></button><p style='color:#aaa'>faint</p>"
            "<input id=a aria-label=b aria-invalid=true>"
            "<a href=# style='outline:none'>go</a>"
        )
        found = " | ".join(await accessibility.problems(buyer.page))
        for problem in ("h1", "main", "title", "language", "id a twice", "no label", "no name"):
            assert problem in found
        assert "without a reason" in found
        assert "contrast of 2.3" in found
        with pytest.raises(AssertionError, match="cannot be seen"):
            await accessibility.focus_stops(buyer.page)


async def test_paid_link_says_so(create: Create, visit: Visit) -> None:
    """Whoever opens the link of a paid session is told, and cannot pay again."""
    session = await create()
    async with visit() as buyer:
        await buyer.page.goto(session.checkout_url)
        await fill(buyer)
        await buyer.page.locator("button.pay").click()
        await expect(buyer.page.get_by_role("status")).to_be_visible()
        answer = await buyer.page.goto(session.checkout_url)
        assert answer
        assert answer.status == 410
        heading = buyer.page.get_by_role("heading", level=1)
        await expect(heading).to_have_text(words("en")["used"])
        await expect(buyer.page.get_by_role("button")).to_have_count(0)
        assert await accessibility.problems(buyer.page) == []


async def test_expired_link_says_so(browser: Browser) -> None:
    """Whoever opens the page after its time, or had it open, is told and led back to the shop."""
    async with running() as sandbox:
        created = await sandbox.create(cancel_url=f"{SHOP}/cart")
        host = urlsplit(sandbox.url).netloc
        async with visiting(browser, host) as buyer:
            await buyer.page.goto(created["checkout_url"])
            await fill(buyer)
            sandbox.clock.forward(hours=25)
            await buyer.page.locator("button.pay").click()
            heading = buyer.page.get_by_role("heading", level=1)
            await expect(heading).to_have_text(words("en")["expired"])
            await expect(buyer.page.get_by_role("button")).to_have_count(0)
            assert await accessibility.problems(buyer.page) == []
            await buyer.page.get_by_role("link").click()
            await expect(buyer.page).to_have_title("Shop")


def _dodo(**options: object) -> provider_options_pb2.ProviderOptions:
    dodo = dodo_options_pb2.DodoOptions(**options)  # type: ignore[arg-type]
    return provider_options_pb2.ProviderOptions(dodo=dodo)
