"""The order object as a request may write it."""

from service.sandbox.square.enums import (
    DISCOUNT_TYPES,
    ITEM_TYPES,
    ORDER_STATES,
    PHASES,
    SCOPES,
    TAX_TYPES,
    TREATMENTS,
)
from service.sandbox.square.fulfillments import FULFILLMENT
from service.sandbox.square.parts import (
    ANY_TEXT,
    CATALOG_ID,
    CATALOG_VERSION,
    MONEY,
    PERCENT,
    UID,
)
from service.sandbox.square.schema import Fields, Flag, Labels, Many, Shape, Text, Whole

MAX_LINES = 500
QUANTITY = Text(most=12, least=1, pattern=r"[0-9]+(\.[0-9]{1,5})?", code="INVALID_VALUE")
CATALOG: dict[str, Shape] = {"catalog_object_id": CATALOG_ID, "catalog_version": CATALOG_VERSION}
APPLIED_TAX = Fields(
    takes={"uid": UID, "tax_uid": UID}, needs=("tax_uid",), read_only=("applied_money",)
)
APPLIED_DISCOUNT = Fields(
    takes={"uid": UID, "discount_uid": UID}, needs=("discount_uid",), read_only=("applied_money",)
)
APPLIED_CHARGE = Fields(
    takes={"uid": UID, "service_charge_uid": UID},
    needs=("service_charge_uid",),
    read_only=("applied_money",),
)

UNITS = ("area_unit", "length_unit", "volume_unit", "weight_unit", "generic_unit", "time_unit")
QUANTITY_UNIT = Fields(
    takes={
        "measurement_unit": Fields(
            takes={
                "custom_unit": Fields(
                    takes={"name": ANY_TEXT, "abbreviation": ANY_TEXT},
                    needs=("name", "abbreviation"),
                ),
                **dict.fromkeys(UNITS, ANY_TEXT),
                "type": ANY_TEXT,
            }
        ),
        "precision": Whole(high=5),
        **CATALOG,
    }
)

MODIFIER = Fields(
    takes={
        "uid": UID,
        **CATALOG,
        "name": Text(most=255),
        "quantity": Text(least=1, most=12, pattern=r"[0-9]+", code="INVALID_VALUE"),
        "base_price_money": MONEY,
        "metadata": Labels(),
    },
    read_only=("total_price_money",),
)

BLOCKLISTS = Fields(
    takes={
        "blocked_discounts": Many(
            of=Fields(
                takes={"uid": UID, "discount_uid": UID, "discount_catalog_object_id": CATALOG_ID}
            )
        ),
        "blocked_taxes": Many(
            of=Fields(takes={"uid": UID, "tax_uid": UID, "tax_catalog_object_id": CATALOG_ID})
        ),
    }
)

LINE_ITEM = Fields(
    takes={
        "uid": UID,
        "name": Text(most=512),
        "quantity": QUANTITY,
        "quantity_unit": QUANTITY_UNIT,
        "note": Text(most=2000),
        **CATALOG,
        "variation_name": Text(most=400),
        "item_type": Text(choices=ITEM_TYPES),
        "metadata": Labels(),
        "modifiers": Many(of=MODIFIER),
        "applied_taxes": Many(of=APPLIED_TAX),
        "applied_discounts": Many(of=APPLIED_DISCOUNT),
        "applied_service_charges": Many(of=APPLIED_CHARGE),
        "base_price_money": MONEY,
        "pricing_blocklists": BLOCKLISTS,
    },
    needs=("quantity",),
    read_only=(
        "variation_total_price_money",
        "gross_sales_money",
        "total_tax_money",
        "total_discount_money",
        "total_money",
        "total_service_charge_money",
    ),
)

TAX = Fields(
    takes={
        "uid": UID,
        **CATALOG,
        "name": Text(most=255),
        "type": Text(choices=TAX_TYPES),
        "percentage": PERCENT,
        "metadata": Labels(),
        "scope": Text(choices=SCOPES),
    },
    read_only=("applied_money", "auto_applied"),
)

DISCOUNT = Fields(
    takes={
        "uid": UID,
        **CATALOG,
        "name": Text(most=255),
        "type": Text(choices=DISCOUNT_TYPES),
        "percentage": PERCENT,
        "amount_money": MONEY,
        "metadata": Labels(),
        "scope": Text(choices=SCOPES),
    },
    read_only=("applied_money", "reward_ids", "pricing_rule_id"),
)

SERVICE_CHARGE = Fields(
    takes={
        "uid": UID,
        "name": Text(most=512),
        **CATALOG,
        "percentage": PERCENT,
        "amount_money": MONEY,
        "calculation_phase": Text(choices=PHASES),
        "taxable": Flag(),
        "applied_taxes": Many(of=APPLIED_TAX),
        "metadata": Labels(),
        "treatment_type": Text(choices=TREATMENTS),
        "scope": Text(choices=SCOPES),
    },
    read_only=("applied_money", "total_money", "total_tax_money", "type"),
)

ORDER = Fields(
    takes={
        "location_id": Text(least=1),
        "reference_id": Text(most=40),
        "source": Fields(takes={"name": Text(most=255)}),
        "customer_id": Text(most=191),
        "line_items": Many(of=LINE_ITEM, most=MAX_LINES),
        "taxes": Many(of=TAX),
        "discounts": Many(of=DISCOUNT),
        "service_charges": Many(of=SERVICE_CHARGE),
        "fulfillments": Many(of=FULFILLMENT, most=1),
        "metadata": Labels(),
        # Taken and ignored: an order starts as a draft whatever its request says.
        "state": Text(choices=ORDER_STATES),
        "ticket_name": Text(most=30),
        "pricing_options": Fields(
            takes={"auto_apply_discounts": Flag(), "auto_apply_taxes": Flag()}
        ),
    },
    needs=("location_id",),
    read_only=(
        "id",
        "returns",
        "return_amounts",
        "net_amounts",
        "rounding_adjustment",
        "tenders",
        "refunds",
        "created_at",
        "updated_at",
        "closed_at",
        "version",
        "total_money",
        "total_tax_money",
        "total_discount_money",
        "total_tip_money",
        "total_service_charge_money",
        "rewards",
        "net_amount_due_money",
    ),
)
