"""Requests to send over the wire, and what a service says it did with them."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from google.protobuf import json_format
from prometheus_client.parser import text_string_to_metric_families

from checkout.v1 import checkout_service_pb2 as pb

if TYPE_CHECKING:
    from tests.e2e.process import ServiceProcess

Fields = dict[str, Any]

TIMEOUT = 20.0
LINE: Fields = {"product_id": "pdt_demo", "quantity": 1}


def create_request(**changes: object) -> pb.CreateSessionRequest:
    """Build a create of one demo product; None takes a field away."""
    fields = {"provider": "dodo", "cart": {"line_items": [LINE]}, **changes}
    said = {name: value for name, value in fields.items() if value is not None}
    return json_format.ParseDict(said, pb.CreateSessionRequest())


def fresh_id() -> str:
    """Return a request id that nobody has used."""
    return str(uuid4())


def metrics(service: ServiceProcess) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Read every figure the service tells, by its name and labels."""
    with urllib.request.urlopen(f"http://{service.web}/metrics", timeout=TIMEOUT) as answer:
        text = answer.read().decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def provider_calls(service: ServiceProcess) -> int:
    """Count the calls the service has made to providers, however they ended."""
    name = "checkout_provider_call_duration_seconds_count"
    return int(sum(value for (found, _), value in metrics(service).items() if found == name))
