"""The processor's page takes all, a part or nothing, and leads nowhere."""

from tests.sandbox.sellapp.bench import SellappBench, variants

PAY = {"action": "pay", "attempt": "0"}


async def test_a_buyer_pays(sellapp: SellappBench) -> None:
    """The page shows the purchase, pays once, and has no way back to a shop."""
    invoice = await sellapp.opened(product_variants=variants(v4321=2), coupon="DEMO10")
    path = f"/session/{invoice['id']}"
    _, text, _ = await sellapp.page(path)
    for shown in ("Demo Product", "$39.98", "-$3.99", "$35.99", "ada@example.com"):
        assert shown in text
    status, _, headers = await sellapp.page(path, PAY)
    assert (status, headers["location"]) == (303, f"{invoice['id']}/result")
    assert await sellapp.words(invoice) == ["PENDING", "PAID", "COMPLETED"]
    status, text, _ = await sellapp.page(f"{path}/result")
    assert (status, 'class="pay"' in text) == (200, False)
    assert (await sellapp.page(path))[0] == 410


async def test_coins_may_be_too_few(sellapp: SellappBench) -> None:
    """Half of it is a part, the rest settles it, and what is no amount is not taken."""
    invoice = await sellapp.opened(payment_method="BTC")
    path = f"/session/{invoice['id']}"
    for wrong in ("0", "x", "0.001"):
        status, _, _ = await sellapp.page(path, PAY | {"amount": wrong})
        assert status == 422
    await sellapp.page(path, PAY | {"amount": "9.99"})
    assert await sellapp.words(invoice) == ["PENDING", "PARTIAL"]
    _, text, _ = await sellapp.page(path)
    assert 'value="10.00"' in text
    await sellapp.page(path, PAY | {"attempt": "1", "amount": "10.00"})
    assert await sellapp.words(invoice) == ["PENDING", "PARTIAL", "PAID", "COMPLETED"]


async def test_a_declined_card_leaves_the_invoice_pending(sellapp: SellappBench) -> None:
    """The page says so, and giving up leaves no trace."""
    invoice = await sellapp.opened()
    path = f"/session/{invoice['id']}"
    await sellapp.page(path, PAY | {"action": "decline"})
    _, text, _ = await sellapp.page(path)
    assert "Payment declined" in text
    assert sellapp.sellapp.abandon(str(invoice["id"])) == ()
    assert await sellapp.words(invoice) == ["PENDING"]


async def test_there_is_no_page_before_the_checkout(sellapp: SellappBench) -> None:
    """An invoice alone has no payment session; a voided one has none any more."""
    invoice = await sellapp.invoice()
    assert (await sellapp.page(f"/session/{invoice['id']}"))[0] == 404
    await sellapp.checkout(invoice)
    await sellapp.call("PATCH", f"/v2/invoices/{invoice['id']}/mark-voided")
    assert (await sellapp.page(f"/session/{invoice['id']}"))[0] == 410


async def test_yen_have_no_decimals(sellapp: SellappBench) -> None:
    """Minor units of the currency are what the page writes."""
    invoice = await sellapp.opened(product_variants=variants(v4327=1))
    _, text, _ = await sellapp.page(f"/session/{invoice['id']}")
    assert "¥1,200" in text
