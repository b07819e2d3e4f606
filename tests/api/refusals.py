"""What a client sees of a failed call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2

from service.api.status import DETAILS_KEY

Details = dict[str, dict[str, Any]]


@dataclass
class Refusal:
    """A failed call: its code, its text, and its details by the name of their type."""

    code: grpc.StatusCode
    message: str
    details: Details

    @property
    def info(self) -> dict[str, Any]:
        """The detail that names the reason."""
        return self.details["ErrorInfo"]

    @property
    def fields(self) -> list[str]:
        """The paths of all violations."""
        return [wrong.get("field", "") for wrong in self.details["BadRequest"]["fieldViolations"]]


def refused(call: Callable[[], object]) -> Refusal:
    """Return how a call fails."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    error: Any = caught.value
    trailers = dict(error.trailing_metadata() or ())
    return Refusal(error.code(), error.details(), decoded(trailers.get(DETAILS_KEY, b"")))


def decoded(raw: bytes) -> Details:
    """Return the details of a serialized status; each type may come once."""
    found: Details = {}
    for part in status_pb2.Status.FromString(raw).details:
        name = part.TypeName().removeprefix("google.rpc.")
        message = getattr(error_details_pb2, name)()
        part.Unpack(message)
        assert name not in found
        found[name] = json_format.MessageToDict(message)
    return found
