"""The body that creates a session: every documented field with its limits, and no other.

Whether FastSpring ignores or refuses unknown fields is not published; the sandbox refuses them, so that a
misspelt field is found here and not in production.
"""

from decimal import Decimal
from typing import Any, cast

import msgspec

from service.sandbox.fastspring.enums import BEHAVIORS, METHODS, SHIP_TO_TYPES, UNITS
from service.sandbox.fastspring.errors import Refusal, invalid
from service.sandbox.fastspring.schema import (
    Fields,
    Flag,
    JsonObject,
    Labels,
    Many,
    Prices,
    Text,
    Texts,
    Whole,
    problems,
)

EMAIL = r"[^@\s]+@[^@\s]+\.[^@\s]+"

CONTACT = Fields(
    takes={
        "email": Text(most=255, pattern=EMAIL, code="INVALID_EMAIL_FORMAT"),
        "firstName": Text(most=50),
        "lastName": Text(most=50),
        "company": Text(most=255),
        "phoneNumber": Text(most=64),
    }
)
# Examples of FastSpring's send the country, which its schema lacks.
ADDRESS = Fields(
    takes={
        "addressLine1": Text(most=256),
        "addressLine2": Text(most=256),
        "city": Text(most=256),
        "region": Text(most=256),
        "postalCode": Text(most=50),
        "country": Text(pattern="[A-Z]{2}", code="INVALID_COUNTRY"),
    }
)
CUSTOMER = Fields(
    takes={
        "accountId": Text(most=64),
        "externalAccountId": Text(pattern="[A-Za-z0-9_-]{4,512}"),
        "billToContact": CONTACT,
        "shipToContact": CONTACT,
        "billToAddress": ADDRESS,
        "shipToAddress": ADDRESS,
        "shipToType": Text(choices=SHIP_TO_TYPES),
        "accountTags": Labels(),
        "taxId": Text(most=255),
        "taxIdRegion": Text(most=2),
    }
)
CUSTOM_PRICE = Fields(
    takes={
        "unitPrice": Prices(),
        "discounts": Many(
            Fields(
                takes={
                    "minQuantity": Whole(low=1),
                    "amountDiscount": Prices(),
                    "percentDiscount": Whole(low=1),
                }
            )
        ),
        "discountDuration": Whole(),
        "setupFee": Prices(),
        "edsFee": Prices(),
        "shippingFee": Prices(),
    }
)
LINE_ITEM = Fields(
    takes={
        "productPath": Text(most=256),
        "quantity": Whole(low=1),
        "quantityBehavior": Text(choices=BEHAVIORS),
        "quantityDefault": Whole(),
        "descriptions": Fields(
            takes={
                "display": Texts(),
                "instructions": Texts(),
                "summary": Texts(),
                "imageUrl": Text(pattern="https?://.+"),
            }
        ),
        "customPrice": CUSTOM_PRICE,
        "attributes": Labels(),
        "subscriptionOverrides": Fields(
            takes={
                "billingFrequency": Fields(
                    takes={
                        "intervalUnit": Text(choices=UNITS),
                        "intervalLength": Whole(low=1),
                        "intervalCount": Whole(),
                    }
                ),
                "trialDays": Whole(),
            }
        ),
    },
    needs=("productPath",),
)
METHOD_LIST = Many(Text(choices=frozenset(METHODS)))
CREATE = Fields(
    takes={
        "locale": Text(most=5),
        "country": Text(),
        "buyerIp": Text(most=39),
        "live": Flag(),
        "customer": CUSTOMER,
        "orderTags": Labels(),
        "cart": Fields(takes={"couponCode": Text(most=256), "lineItems": Many(LINE_ITEM)}),
        "paymentMethodsOrder": METHOD_LIST,
        "hidePaymentMethods": METHOD_LIST,
    }
)


def decode(body: bytes) -> JsonObject:
    """Decode a body, its numbers exactly, or refuse it with every mistake in it."""
    try:
        value: Any = msgspec.json.Decoder(float_hook=Decimal).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, "The request body is not JSON.") from error
    found = list(problems(CREATE, value))
    if found:
        raise invalid(found)
    return cast("JsonObject", value)
