"""A buyer with a real browser, who notes everything a page does that it should not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from playwright.async_api import Browser, ConsoleMessage, Page, Response, Route, ViewportSize

DESKTOP = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=360, height=740)
SHOP = "https://shop.example.com"
BLANK = "<!doctype html><html lang=en><title>Shop</title><h1>The shop</h1>"


class Buyer:
    """One browser window: `page` to act on, and what came of it."""

    def __init__(self, page: Page, *, host: str) -> None:
        self.page = page
        self.left_for: list[str] = []
        self.problems: list[str] = []
        self._host = host
        page.on("console", self._note_console)
        page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        page.on("response", self._note_response)

    async def route(self, route: Route) -> None:
        """Let requests to the page's own host pass, and stand in for the shop."""
        url = route.request.url
        if urlsplit(url).netloc == self._host:
            await route.continue_()
        elif url.startswith(SHOP) and route.request.is_navigation_request():
            self.left_for.append(url)
            await route.fulfill(body=BLANK, content_type="text/html")
        else:
            self.problems.append(f"foreign request: {url}")
            await route.abort()

    def _note_console(self, message: ConsoleMessage) -> None:
        # The browser also logs the status of a page that says it is gone; responses are judged below.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.problems.append(f"console: {message.text}")

    def _note_response(self, response: Response) -> None:
        if response.status >= 400 and not response.request.is_navigation_request():
            self.problems.append(f"{response.status}: {response.url}")


@asynccontextmanager
async def visiting(
    browser: Browser, host: str, viewport: ViewportSize = DESKTOP, **look: str
) -> AsyncIterator[Buyer]:
    """Open a window; on closing it nothing that a page should not do may have happened."""
    settings: dict[str, str] = {"locale": "en-US", **look}
    context = await browser.new_context(viewport=viewport, **settings)  # type: ignore[arg-type]
    try:
        page = await context.new_page()
        page.set_default_timeout(40_000)
        buyer = Buyer(page, host=host)
        await context.route("**/*", buyer.route)
        yield buyer
        assert buyer.problems == []
    finally:
        await context.close()
