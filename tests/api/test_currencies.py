"""ListCurrencies as a client meets it."""

from __future__ import annotations

from checkout.v1 import checkout_service_pb2 as pb
from checkout.v1.checkout_service_pb2_grpc import CheckoutServiceStub
from service.core.model import Money
from tests.api.served import Served


def test_currencies_are_listed(served: Served, grpc_stub: CheckoutServiceStub) -> None:
    """The table comes whole, and every account says whether it restricts it."""
    answer = grpc_stub.ListCurrencies(pb.ListCurrenciesRequest())
    known = {one.code: (one.name, one.exponent) for one in answer.currencies}
    assert known["USD"] == ("US Dollar", 2)
    assert known["JPY"] == ("Yen", 0)
    assert known["KWD"] == ("Kuwaiti Dinar", 3)
    assert [one.code for one in answer.currencies] == sorted(known)
    (account,) = answer.accounts
    assert (account.provider, account.account) == ("scripted", "default")
    assert (account.restricted, list(account.codes)) == (False, [])
    assert served.line("ListCurrencies")["code"] == "OK"


def test_what_is_listed_is_what_carts_may_hold(grpc_stub: CheckoutServiceStub) -> None:
    """A listed code is accepted in an amount by every rule of ours, one that is not is refused."""
    listed = {one.code for one in grpc_stub.ListCurrencies(pb.ListCurrenciesRequest()).currencies}
    request = pb.CheckSessionRequest()
    line = request.request.cart.line_items.add(name="Tea")
    line.unit_price.amount = 1
    for code in sorted(listed):
        line.unit_price.currency = code
        total = grpc_stub.CheckSession(request).verdicts[0].totals.total
        assert Money(total.amount, total.currency) == Money(1, code)
