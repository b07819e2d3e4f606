"""Personal and secret fields are marked, so that whatever stores, logs or exports can tell."""

import re

from google.protobuf.descriptor_pb2 import FieldDescriptorProto

from checkout.v1 import privacy_pb2
from tests.proto.descriptors import Field, fields

PERSONAL = re.compile(
    r"(^|_)(email|phone|phone_number|first_name|last_name|full_name|birth_date|tax_id|vat_id"
    r"|ip_address|line1|line2|street|postal_code|shipping_address|billing_address)(_|$)"
)
PERSONAL_MESSAGES = (
    ".checkout.v1.Address",
    ".checkout.v1.CollectedDetails",
    ".checkout.v1.Customer",
)
SECRET = re.compile(r"(^|_)(secret|password|token|api_key|checkout_url|provider_url|long_url)$")

# Positions in a list, the merchant's own address and a region say nothing about the buyer.
HARMLESS = {"page_token", "next_page_token", "support_email", "tax_id_region"}
TEXTS = (FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_BYTES)


def carries_text(field: Field) -> bool:
    """Tell whether a field of the contract can hold somebody's words; the sandbox has no people."""
    return field.proto.type in TEXTS and field.message.startswith("checkout.v1.")


def test_fields_named_after_a_person_are_personal() -> None:
    """Names, addresses and numbers of people carry the mark wherever they stand."""
    unmarked = [
        str(field)
        for field in fields()
        if carries_text(field)
        and PERSONAL.search(field.proto.name)
        and field.proto.name not in HARMLESS
        and field.privacy != privacy_pb2.PRIVACY_PERSONAL
    ]
    assert unmarked == []


def test_fields_that_hold_a_person_are_personal() -> None:
    """A message about a person is marked as a whole, so that nobody has to look inside."""
    unmarked = [
        str(field)
        for field in fields()
        if field.proto.type_name in PERSONAL_MESSAGES
        and field.privacy != privacy_pb2.PRIVACY_PERSONAL
    ]
    assert unmarked == []


def test_fields_that_grant_access_are_secret() -> None:
    """Tokens, passwords and links that let their holder act carry the mark."""
    unmarked = [
        str(field)
        for field in fields()
        if carries_text(field)
        and SECRET.search(field.proto.name)
        and field.proto.name not in HARMLESS
        and field.privacy != privacy_pb2.PRIVACY_SECRET
    ]
    assert unmarked == []
