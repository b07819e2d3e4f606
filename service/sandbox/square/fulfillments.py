"""The part of an order that says how the buyer gets it."""

from service.sandbox.square.enums import FULFILLMENT_STATES, FULFILLMENT_TYPES, SCHEDULE_TYPES
from service.sandbox.square.parts import ADDRESS, ANY_TEXT, UID, phone
from service.sandbox.square.schema import Fields, Flag, Labels, Text

RECIPIENT = Fields(
    takes={
        "customer_id": Text(most=191),
        "display_name": Text(most=255),
        "email_address": Text(most=255),
        "phone_number": phone(),
        "address": ADDRESS,
    }
)

SHIPMENT = Fields(
    takes={
        "recipient": RECIPIENT,
        "carrier": Text(most=50),
        "shipping_note": Text(most=500),
        "shipping_type": Text(most=50),
        "tracking_number": Text(most=100),
        "tracking_url": Text(most=2000),
        "expected_shipped_at": ANY_TEXT,
        "canceled_at": ANY_TEXT,
        "cancel_reason": Text(most=100),
    },
    read_only=(
        "placed_at",
        "in_progress_at",
        "packaged_at",
        "shipped_at",
        "failed_at",
        "failure_reason",
    ),
)

PICKUP = Fields(
    takes={
        "recipient": RECIPIENT,
        "expires_at": ANY_TEXT,
        "auto_complete_duration": ANY_TEXT,
        "schedule_type": Text(choices=SCHEDULE_TYPES),
        "pickup_at": ANY_TEXT,
        "pickup_window_duration": ANY_TEXT,
        "prep_time_duration": ANY_TEXT,
        "note": Text(most=500),
        "cancel_reason": Text(most=100),
        "is_curbside_pickup": Flag(),
        "curbside_pickup_details": Fields(
            takes={"curbside_details": Text(most=250), "buyer_arrived_at": ANY_TEXT}
        ),
    },
    read_only=(
        "placed_at",
        "accepted_at",
        "rejected_at",
        "ready_at",
        "expired_at",
        "picked_up_at",
        "canceled_at",
    ),
)

DELIVERY = Fields(
    takes={
        "recipient": RECIPIENT,
        "schedule_type": Text(choices=SCHEDULE_TYPES),
        "deliver_at": ANY_TEXT,
        "prep_time_duration": ANY_TEXT,
        "delivery_window_duration": ANY_TEXT,
        "note": Text(most=550),
        "completed_at": ANY_TEXT,
        "cancel_reason": Text(most=100),
        "courier_pickup_at": ANY_TEXT,
        "courier_pickup_window_duration": ANY_TEXT,
        "is_no_contact_delivery": Flag(),
        "dropoff_notes": Text(most=550),
        "courier_provider_name": Text(most=255),
        "courier_support_phone_number": phone(),
        "square_delivery_id": Text(most=50),
        "external_delivery_id": Text(most=50),
        "managed_delivery": Flag(),
    },
    read_only=(
        "placed_at",
        "in_progress_at",
        "rejected_at",
        "ready_at",
        "delivered_at",
        "canceled_at",
    ),
)

FULFILLMENT = Fields(
    takes={
        "uid": UID,
        "type": Text(choices=FULFILLMENT_TYPES),
        "state": Text(choices=FULFILLMENT_STATES),
        "metadata": Labels(),
        "shipment_details": SHIPMENT,
        "pickup_details": PICKUP,
        "delivery_details": DELIVERY,
    },
    needs=("type",),
    read_only=("line_item_application", "entries"),
)
