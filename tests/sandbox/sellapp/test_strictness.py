"""The emulated SellApp refuses what its documents refuse, in their shape."""

import pytest

from tests.sandbox.sellapp.bench import (
    INVOICES,
    SellappBench,
    invoice_body,
    running,
    variants,
)


@pytest.mark.parametrize(
    ("fields", "at_fault"),
    [
        ({"customer_email": None}, "customer_email"),
        ({"customer_email": "ada"}, "customer_email"),
        ({"payment_method": None}, "payment_method"),
        ({"payment_method": "GOLD"}, "payment_method"),
        ({"payment_method": "PADDLE"}, "payment_method"),
        ({"product_variants": None}, "product_variants"),
        ({"product_variants": [{"id": 4321}]}, "product_variants"),
        ({"product_variants": {}}, "product_variants"),
        ({"product_variants": variants(v9=1)}, "product_variants.9"),
        ({"product_variants": {"x": {"quantity": 1}}}, "product_variants.x"),
        ({"product_variants": {"4321": 1}}, "product_variants.4321"),
        ({"product_variants": {"4321": {"price": 1}}}, "product_variants.4321"),
        ({"product_variants": variants(v4321=0)}, "product_variants.4321.quantity"),
        ({"product_variants": {"4321": {"quantity": True}}}, "product_variants.4321.quantity"),
        ({"product_variants": variants(v4321=1, v4326=1)}, "product_variants"),
        ({"product_variants": variants(v4324=2)}, "quantity"),
        ({"product_variants": variants(v4324=1, v4321=1)}, "product_variants.4324"),
        ({"customer_ip": "here"}, "customer_ip"),
        ({"coupon": "NOTHING"}, "coupon"),
        ({"coupon": "LARGE"}, "coupon"),
        ({"coupon": 1}, "coupon"),
        ({"vat_id": ""}, "vat_id"),
        ({"extra": {"amount": 1}}, "extra"),
        ({"extra": {"amount": "1", "currency": "USD"}}, "extra.amount"),
        ({"extra": {"amount": 1, "currency": "EUR"}}, "extra.currency"),
        ({"return_url": "https://shop.example"}, "return_url"),
        ({"metadata": {"a": "b"}}, "metadata"),
    ],
)
async def test_each_wrong_field_is_named(
    sellapp: SellappBench, fields: dict[str, object], at_fault: str
) -> None:
    """A 422 names the field, as `param` and among the errors."""
    assert list(await sellapp.refused(**fields)) == [at_fault]


async def test_a_null_is_taken_where_the_documents_allow_it(sellapp: SellappBench) -> None:
    """Address and affiliate may be null, a coupon may not."""
    body = invoice_body()
    status, _ = await sellapp.call(
        "POST", INVOICES, body | {"customer_ip": None, "affiliate": None}
    )
    assert status == 201
    status, answer = await sellapp.call("POST", INVOICES, body | {"coupon": None})
    assert (status, list(answer["errors"])) == (422, ["coupon"])


async def test_all_faults_come_at_once(sellapp: SellappBench) -> None:
    """The message speaks of the first; without the container only that one is told."""
    fields = {"customer_email": "ada", "payment_method": "GOLD"}
    assert set(await sellapp.refused(**fields)) == set(fields)
    sellapp.habit(lists_errors=False)
    status, answer = await sellapp.call("POST", INVOICES, invoice_body(**fields))
    assert (status, "errors" in answer, answer["param"]) == (422, False, "customer_email")
    assert answer["message"].endswith("(and 1 more error)")
    assert {"type", "code", "status", "request_id", "docs_url"} <= set(answer)


async def test_a_plan_is_held_once(sellapp: SellappBench) -> None:
    """A buyer who has the subscription is refused another."""
    plan = {"product_variants": variants(v4324=1)}
    sellapp.sellapp.pay(str((await sellapp.opened(**plan))["id"]))
    assert list(await sellapp.refused(**plan)) == ["invoice"]


async def test_keys_and_abilities_are_checked(sellapp: SellappBench) -> None:
    """A wrong key has the documented code, one without the ability is forbidden."""
    status, answer = await sellapp.call(
        "GET", INVOICES, headers={"authorization": "Bearer another"}
    )
    assert (status, answer["code"]) == (401, "1020")
    sellapp.sellapp.abilities = frozenset({"product"})
    assert (await sellapp.call("GET", INVOICES))[0] == 403


async def test_without_a_store_another_is_used(sellapp: SellappBench) -> None:
    """The key's first store answers without a word; a foreign one is forbidden."""
    invoice = await sellapp.invoice()
    path = f"{INVOICES}/{invoice['id']}"
    assert (await sellapp.call("GET", path, headers={"x-store": "another-store"}))[0] == 404
    assert (await sellapp.call("GET", path, headers={"x-store": "nobody"}))[0] == 403
    async with sellapp.http.get(
        f"{sellapp.url}{path}", headers={"authorization": "Bearer sandbox-token"}
    ) as response:
        assert response.status == 404


async def test_what_is_no_json_is_refused(sellapp: SellappBench) -> None:
    """A body that cannot be read is a 400, and so is one where none belongs."""
    invoice = await sellapp.invoice()
    checkout = f"{INVOICES}/{invoice['id']}/checkout"
    assert (await sellapp.call("POST", checkout, {"return_url": "https://shop.example"}))[0] == 400
    assert (await sellapp.call("POST", INVOICES, [1]))[0] == 400
    headers = {"authorization": "Bearer sandbox-token", "x-store": "demo-store"}
    async with sellapp.http.post(
        f"{sellapp.url}{INVOICES}", data=b"{", headers=headers
    ) as response:
        assert response.status == 400
        assert response.headers["X-Request-ID"]
    assert (await sellapp.call("GET", "/v2/elsewhere"))[0] == 404
    assert (await sellapp.call("DELETE", INVOICES))[0] == 405


async def test_only_the_newest_invoices_are_kept() -> None:
    """The oldest is forgotten with what belongs to it."""
    async with running(retention=1) as sellapp:
        first = await sellapp.opened()
        await sellapp.opened()
        assert (await sellapp.call("GET", f"{INVOICES}/{first['id']}"))[0] == 404
        assert [session.provider for session in sellapp.sellapp.sessions()] == ["sellapp"]


async def test_requests_are_counted_by_route(sellapp: SellappBench) -> None:
    """Tests can tell what was asked, and how many invoices were made."""
    invoice = await sellapp.opened()
    await sellapp.read(invoice)
    await sellapp.refused(coupon="NOTHING")
    requests = sellapp.sellapp.requests
    assert requests.creates == 1
    assert requests.count(method="POST", route="/v2/invoices/{invoice}/checkout") == 1
    assert requests.count(method="GET", route="/v2/invoices/{invoice}") == 1
