"""The options struct against its proto message."""

from google.protobuf.json_format import MessageToDict, Parse

from checkout.v1 import clover_options_pb2, provider_options_pb2
from service.core.model import Cart, CreateRequest
from service.providers.clover.options import CloverOptions, session_options
from tests.providers.messages import compare


def test_the_struct_has_the_fields_of_its_message() -> None:
    """Every field has its counterpart, and the struct has no more."""
    compare(clover_options_pb2.CloverOptions.DESCRIPTOR, CloverOptions)


def test_options_decode_from_protobuf_json() -> None:
    """What MessageToDict makes of a message is decoded."""
    text = '{"clover": {"pageConfigId": "8dc30ba1"}}'
    message = Parse(text, provider_options_pb2.ProviderOptions())
    options = MessageToDict(message, preserving_proto_field_name=True)
    asked = CreateRequest(provider="clover", cart=Cart(), provider_options=options)
    assert session_options(asked) == CloverOptions(page_config_id="8dc30ba1")


def test_absent_options_are_all_absent() -> None:
    """A request without options, or with another provider's, says nothing to Clover."""
    nothing = CreateRequest(provider="clover", cart=Cart())
    foreign = CreateRequest(provider="clover", cart=Cart(), provider_options={"dodo": {"x": 1}})
    assert session_options(nothing) == session_options(foreign) == CloverOptions()
