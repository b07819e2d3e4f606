"""Webhooks as Dodo Payments sends them, signed by the reference implementation, over real HTTP."""

from __future__ import annotations

import http.client
import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

from standardwebhooks import Webhook

from tests.e2e.wire.provider import WEBHOOK_SECRET
from tests.e2e.wire.requests import TIMEOUT, Fields, fresh_id

PATH = "/webhooks/dodo/default"


class Delivery(NamedTuple):
    """One webhook, ready to be sent."""

    headers: dict[str, str]
    body: bytes


class Reply(NamedTuple):
    """What the service answered."""

    status: int
    body: dict[str, Any]


def payment_event(session_id: str, *, kind: str = "succeeded", **others: object) -> Fields:
    """Build a payment's event, of the fields that the service reads."""
    now = datetime.now(UTC).isoformat()
    payment = {
        "payload_type": "Payment",
        "payment_id": f"pay_{fresh_id()}",
        "total_amount": 1900,
        "currency": "USD",
        "created_at": now,
        "status": kind,
        "metadata": {"checkout_session_id": session_id},
        **others,
    }
    return {"type": f"payment.{kind}", "timestamp": now, "business_id": "bus_1", "data": payment}


def signed(event: Fields | str, secret: str = WEBHOOK_SECRET) -> Delivery:
    """Sign an event, or a text in the place of one."""
    text = event if isinstance(event, str) else json.dumps(event)
    webhook_id, now = f"evt_{fresh_id()}", datetime.now(UTC)
    headers = {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, now, text),
    }
    return Delivery(headers, text.encode())


def deliver(web: str, delivery: Delivery, path: str = PATH) -> Reply:
    """Send a webhook."""
    connection = http.client.HTTPConnection(web, timeout=TIMEOUT)
    try:
        connection.request("POST", path, delivery.body, delivery.headers)
        answer = connection.getresponse()
        return Reply(answer.status, json.loads(answer.read() or b"{}"))
    finally:
        connection.close()


def get(web: str, path: str) -> Reply:
    """Read a JSON page of the HTTP port, whatever its status."""
    connection = http.client.HTTPConnection(web, timeout=TIMEOUT)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return Reply(answer.status, json.loads(answer.read()))
    finally:
        connection.close()
