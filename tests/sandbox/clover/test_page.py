"""The hosted page takes tips, pays once, and sends the buyer where the request says."""

from tests.sandbox.clover.bench import CloverBench, cart, line
from tests.sandbox.page.markup import Page

URLS = {
    "success": "https://shop.example/done?s={CHECKOUT_SESSION_ID}",
    "failure": "https://shop.example/failed?c={ERROR_CODE}",
    "cancel": "https://shop.example/back",
}


async def opened(clover: CloverBench, **fields: object) -> tuple[str, Page]:
    """Make a checkout and follow its address to the page."""
    created = await clover.create(**fields)
    status, _, headers = await clover.page(created["href"])
    path = f"/session/{created['checkoutSessionId']}"
    assert (status, headers["location"]) == (302, f"..{path}")
    return path, Page(await shown(clover, path))


async def shown(clover: CloverBench, path: str, status: int = 200) -> str:
    """Return the text of a page."""
    found, text, _ = await clover.page(path)
    assert found == status
    return text


async def test_the_page_shows_the_order(clover: CloverBench) -> None:
    """Lines, notes, taxes and the end, prefilled with the customer."""
    lines = cart(line(1000, 2, note="Blue", taxRates=[{"name": "Tax", "rate": 1_000_000}]))
    _, page = await opened(clover, shoppingCart=lines, redirectUrls=URLS)
    text = " ".join(page.text("main").split()) + page.text("body")
    for part in ("Item", "Blue", "$20.00", "$2.00", "$22.00", "12:15 UTC"):
        assert part in text
    form = page.form()
    assert (form["name"], form["email"]) == ("Ada Lovelace", "ada@example.com")
    assert "tip" not in form
    assert page.one("a", class_="back").attributes["href"] == URLS["cancel"]


async def test_paying_leads_to_success_once(clover: CloverBench) -> None:
    """The placeholder is filled with the checkout's id; a second form pays nothing."""
    path, page = await opened(clover, redirectUrls=URLS)
    entry = page.form() | {"action": "pay"}
    status, _, headers = await clover.page(path, entry)
    assert (status, headers["location"]) == (303, f"{path.rpartition('/')[2]}/result")
    result = Page(await shown(clover, f"{path}/result"))
    session_id = path.rpartition("/")[2]
    target = result.one("a", class_="pay").attributes["href"]
    assert target == f"https://shop.example/done?s={session_id}"
    await clover.page(path, entry)
    assert len(clover.clover.session(session_id).payments) == 1
    assert "already paid" in await shown(clover, path, 410)


async def test_a_declined_card_can_be_tried_again(clover: CloverBench) -> None:
    """The page offers the way to the failure address, keeps what was typed, and still takes a payment."""
    path, page = await opened(clover, redirectUrls=URLS)
    typed = page.form() | {"email": "other@example.com"}
    await clover.page(path, typed | {"action": "decline"})
    page = Page(await shown(clover, path))
    links = {link.attributes["href"] for link in page.all("a")}
    assert links == {"https://shop.example/failed?c=CARD_DECLINED", URLS["cancel"]}
    assert page.form()["email"] == "other@example.com"
    status, _, _ = await clover.page(path, page.form() | {"action": "pay"})
    assert status == 303
    session = clover.clover.session(path.rpartition("/")[2])
    assert [payment.status for payment in session.payments] == ["DECLINED", "APPROVED"]


async def test_a_tip_is_added_where_the_request_allows_it(clover: CloverBench) -> None:
    """The chosen share raises the total, on the page and in the payment."""
    path, page = await opened(clover, tips={"enabled": True})
    assert page.form()["tip"] == "0"
    _, text, _ = await clover.page(path, page.form() | {"tip": "18", "action": "apply"})
    assert Page(text).text("dd", data_testid="total") == "$11.80"
    await clover.page(path, page.form() | {"tip": "18", "action": "pay"})
    assert "$1.80" in await shown(clover, f"{path}/result")
    assert clover.clover.session(path.rpartition("/")[2]).amount == 1180


async def test_no_other_tip_is_taken(clover: CloverBench) -> None:
    """A choice that is not offered is a mistake of the form; where tips are off, none is added."""
    path, page = await opened(clover, tips={"enabled": True})
    status, text, _ = await clover.page(path, page.form() | {"tip": "-50", "action": "pay"})
    assert (status, "Choose one of the options." in text) == (422, True)
    path, page = await opened(clover)
    await clover.page(path, page.form() | {"tip": "20", "action": "pay"})
    assert clover.clover.session(path.rpartition("/")[2]).amount == 1000


async def test_a_page_ends_after_fifteen_minutes(clover: CloverBench) -> None:
    """Until then it is paid, from then on it is a notice with a way back."""
    path, page = await opened(clover, redirectUrls=URLS)
    clover.clock.forward(minutes=14, seconds=59)
    await shown(clover, path)
    clover.clock.forward(seconds=1)
    assert "expired" in await shown(clover, path, 410)
    await clover.page(path, page.form() | {"action": "pay"})
    assert clover.clover.session(path.rpartition("/")[2]).payments == ()


async def test_an_unknown_address_leads_nowhere(clover: CloverBench) -> None:
    """Neither the told address nor the page invents a checkout."""
    await shown(clover, "/checkout/nothing", 404)
    await shown(clover, "/session/nothing", 404)
