"""The options struct, and the details, against their proto messages."""

from google.protobuf import json_format

from checkout.v1 import provider_options_pb2, sellapp_options_pb2
from service.core.model import Cart, CreateRequest
from service.providers.sellapp.details import details_of
from service.providers.sellapp.options import SellappOptions, session_options
from service.providers.sellapp.transformers import bare
from tests.providers.messages import compare
from tests.providers.sellapp.documents import fixture, invoice_with


def test_the_struct_has_the_fields_of_its_message() -> None:
    """Every field has its counterpart, and the struct has no more."""
    compare(sellapp_options_pb2.SellappOptions.DESCRIPTOR, SellappOptions)


def test_options_decode_from_protobuf_json() -> None:
    """What MessageToDict makes of a message is decoded."""
    text = '{"sellapp": {"affiliate": "partner", "invoiceId": "3055526"}}'
    message = json_format.Parse(text, provider_options_pb2.ProviderOptions())
    options = json_format.MessageToDict(message, preserving_proto_field_name=True)
    asked = CreateRequest(provider="sellapp", cart=Cart(), provider_options=options)
    assert session_options(asked) == SellappOptions(affiliate="partner", invoice_id="3055526")


def test_absent_options_are_all_absent() -> None:
    """A request without options, or with another provider's, says nothing to SellApp."""
    nothing = CreateRequest(provider="sellapp", cart=Cart())
    foreign = CreateRequest(provider="sellapp", cart=Cart(), provider_options={"dodo": {"x": 1}})
    assert session_options(nothing) == session_options(foreign) == SellappOptions()


def test_the_details_fill_their_message() -> None:
    """Everything the documents' invoice has goes into SellappDetails, field by field."""
    invoice = invoice_with(
        ("PENDING", "2024-01-09T14:50:11.000000Z"), ("PAID", "2024-01-09T15:00:00.000000Z")
    )
    invoice["webhooks"] = [
        {"url": "https://shop.example/hook", "attempts": 2, "response": "OK", "queried_at": None},
        {"url": "https://shop.example/b", "queried_at": "2024-01-09T15:00:01.000000Z"},
    ]
    invoice |= {"feedback": "Fine", "coupon_id": 31}
    details = details_of(bare(invoice), fixture("checkout")["message"])
    message = json_format.ParseDict(details, sellapp_options_pb2.SellappDetails())
    empty = {field.name for field in message.DESCRIPTOR.fields} - {
        field.name for field, _ in message.ListFields()
    }
    assert empty == set()
    assert message.full_price.total_inclusive.amount == 1999
    assert message.gateway.transaction_id == "CQEGF35V"
    assert message.gateway.total.base.currency == "USD"
    assert [entry.status for entry in message.status_history] == ["PENDING"]
    assert message.webhooks[0].attempts == 2
    assert (message.visitor.country, message.visitor.vat_country) == ("Germany", "DE")
    assert (message.store_id, message.coupon_id) == ("1", "31")
