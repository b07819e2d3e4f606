"""The request bodies: every documented field with its limits, and no other.

Both published descriptions are taken together, whatever `Square-Version` says. Whether Square refuses
unknown fields is not published; the sandbox does, so that a misspelt field is found here and not in
production.
"""

from typing import Any, cast

import msgspec

from service.sandbox.square.errors import Refusal, refusal
from service.sandbox.square.orders import ORDER
from service.sandbox.square.parts import ADDRESS, ANY_TEXT, MONEY, email, phone, url
from service.sandbox.square.schema import (
    Fields,
    Flag,
    JsonObject,
    Many,
    Text,
    Whole,
    problems,
    pruned,
)

KEY_LENGTH = 192

CHECKOUT_OPTIONS = Fields(
    takes={
        "allow_tipping": Flag(),
        "custom_fields": Many(
            of=Fields(takes={"title": Text(least=1, most=50)}, needs=("title",)), most=2
        ),
        "subscription_plan_id": Text(most=255),
        "redirect_url": url(2048),
        "merchant_support_email": email(256),
        "ask_for_shipping_address": Flag(),
        "accepted_payment_methods": Fields(
            takes=dict.fromkeys(
                ("apple_pay", "google_pay", "cash_app_pay", "afterpay_clearpay"), Flag()
            )
        ),
        "app_fee_money": MONEY,
        "shipping_fee": Fields(takes={"name": Text(most=512), "charge": MONEY}, needs=("charge",)),
        "enable_coupon": Flag(),
        "enable_loyalty": Flag(),
    }
)

PRE_POPULATED_DATA = Fields(
    takes={
        "buyer_email": email(256),
        "buyer_phone_number": phone(),
        "buyer_address": ADDRESS,
    }
)

QUICK_PAY = Fields(
    takes={
        "name": Text(least=1, most=255),
        "price_money": MONEY,
        "location_id": Text(least=1),
    },
    needs=("name", "price_money", "location_id"),
)

CREATE_LINK = Fields(
    takes={
        "idempotency_key": Text(most=KEY_LENGTH),
        "description": Text(most=4096),
        "quick_pay": QUICK_PAY,
        "order": ORDER,
        "checkout_options": CHECKOUT_OPTIONS,
        "pre_populated_data": PRE_POPULATED_DATA,
        "payment_note": Text(most=500),
        "source": ANY_TEXT,
    }
)

UPDATE_LINK = Fields(
    takes={
        "payment_link": Fields(
            takes={
                "version": Whole(high=65_535),
                "description": Text(most=4096),
                "checkout_options": CHECKOUT_OPTIONS,
                "pre_populated_data": PRE_POPULATED_DATA,
            },
            needs=("version",),
            read_only=(
                "id",
                "order_id",
                "url",
                "long_url",
                "created_at",
                "updated_at",
                "payment_note",
            ),
        )
    },
    needs=("payment_link",),
)

CREATE_CHECKOUT = Fields(
    takes={
        "idempotency_key": Text(least=1, most=KEY_LENGTH),
        "order": Fields(
            takes={"order": ORDER, "idempotency_key": Text(most=KEY_LENGTH)}, needs=("order",)
        ),
        "ask_for_shipping_address": Flag(),
        "merchant_support_email": email(254),
        "pre_populate_buyer_email": email(254),
        "pre_populate_shipping_address": ADDRESS,
        "redirect_url": url(800),
        "additional_recipients": Many(
            of=Fields(
                takes={
                    "location_id": Text(least=1, most=50),
                    "description": Text(least=1, most=100),
                    "amount_money": MONEY,
                },
                needs=("location_id", "description", "amount_money"),
            )
        ),
        "note": Text(most=60),
    },
    needs=("idempotency_key", "order"),
)

BATCH_RETRIEVE = Fields(
    takes={"location_id": ANY_TEXT, "order_ids": Many(of=Text(least=1), most=100)},
    needs=("order_ids",),
)


def decode(body: bytes, shape: Fields) -> JsonObject:
    """Decode a body and leave out its nulls, or refuse it with every mistake in it."""
    try:
        value: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refusal("EXPECTED_JSON_BODY", "The request body is not JSON.") from error
    checked = pruned(value)
    found = list(problems(shape, checked))
    if found:
        raise Refusal(400, found)
    return cast("JsonObject", checked)
