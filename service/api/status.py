"""The only table from reasons to status codes and their details."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import grpc
from google.protobuf.any_pb2 import Any
from google.rpc import error_details_pb2, status_pb2

from service.core import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from google.protobuf.message import Message

    from service.core.errors import CheckoutError

    Detail = Callable[[CheckoutError], Message | None]

DOMAIN = "checkout.v1"
DETAILS_KEY = "grpc-status-details-bin"
INTERNAL = "INTERNAL"
OMITTED = "violations_omitted"
DEFAULT_RETRY = timedelta(seconds=1)

# Most clients take 8 KiB of trailing metadata, and binary values grow by a third on the wire.
# All limits are in bytes.
MAX_DETAILS_BYTES = 4096
MAX_TEXT = 512
_MAX_METADATA_VALUE = 512
_MAX_FIELD = 128
_MAX_DESCRIPTION = 256

_Code = grpc.StatusCode


class Answer(NamedTuple):
    """How a call fails: what gRPC sends, and the reason for logs and metrics."""

    code: grpc.StatusCode
    message: str
    trailers: tuple[tuple[str, bytes], ...]
    reason: str


class _Row(NamedTuple):
    code: grpc.StatusCode
    detail: Detail | None = None


def of_error(error: CheckoutError) -> Answer:
    """Return how the call that raised `error` fails."""
    row = TABLE[error.reason]
    detail = row.detail(error) if row.detail else None
    return _answer(row.code, _cut(error.message, MAX_TEXT), error.reason, error.metadata, detail)


def of_bug(log_id: str) -> Answer:
    """Return how a call fails by a bug; nothing of the exception is in it."""
    return _answer(_Code.INTERNAL, "internal error", INTERNAL, {"log_id": log_id}, None)


def _answer(
    code: grpc.StatusCode,
    message: str,
    reason: str,
    metadata: dict[str, str],
    detail: Message | None,
) -> Answer:
    values = {key: _cut(value, _MAX_METADATA_VALUE) for key, value in metadata.items()}
    info = error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=values)
    if isinstance(detail, error_details_pb2.BadRequest):
        _fit(detail, info)
    status = status_pb2.Status(code=code.value[0], message=message)
    for part in (info, detail):
        if part is not None:
            packed = Any()
            packed.Pack(part)
            status.details.append(packed)
    return Answer(code, message, ((DETAILS_KEY, status.SerializeToString()),), reason)


def _fit(detail: error_details_pb2.BadRequest, info: error_details_pb2.ErrorInfo) -> None:
    room = MAX_DETAILS_BYTES - info.ByteSize()
    violations = list(detail.field_violations)
    kept = list(_fitting(violations, room))
    if len(kept) < len(violations):
        info.metadata[OMITTED] = str(len(violations) - len(kept))
        del detail.field_violations[len(kept) :]


def _fitting(violations: list[Message], room: int) -> Iterator[Message]:
    framing = 4
    for violation in violations:
        room -= violation.ByteSize() + framing
        if room < 0:
            return
        yield violation


def _cut(text: str, limit: int) -> str:
    raw = text.encode()
    return text if len(raw) <= limit else raw[:limit].decode(errors="ignore") + "…"


def _bad_request(error: CheckoutError) -> error_details_pb2.BadRequest | None:
    violations = [
        error_details_pb2.BadRequest.FieldViolation(
            field=_cut(violation.field, _MAX_FIELD),
            description=_cut(violation.description, _MAX_DESCRIPTION),
        )
        for violation in error.violations
    ]
    return error_details_pb2.BadRequest(field_violations=violations) if violations else None


def _retry(error: CheckoutError) -> error_details_pb2.RetryInfo:
    retry = error_details_pb2.RetryInfo()
    retry.retry_delay.FromTimedelta(error.retry_after or DEFAULT_RETRY)
    return retry


def _account(error: CheckoutError) -> error_details_pb2.ResourceInfo:
    name = f"{error.metadata.get('provider', '')}/{error.metadata.get('account', '')}"
    return error_details_pb2.ResourceInfo(
        resource_type="checkout.v1.ProviderAccount", resource_name=_cut(name, _MAX_FIELD)
    )


def _session(error: CheckoutError) -> error_details_pb2.ResourceInfo:
    name = error.metadata.get("session_id", "")
    return error_details_pb2.ResourceInfo(
        resource_type="checkout.v1.Session", resource_name=_cut(name, _MAX_FIELD)
    )


def _precondition(error: CheckoutError) -> error_details_pb2.PreconditionFailure:
    failure = error_details_pb2.PreconditionFailure()
    failure.violations.add(
        type=error.reason,
        subject=error.metadata.get("session_id", ""),
        description=_cut(error.message, _MAX_DESCRIPTION),
    )
    return failure


TABLE = {
    errors.InvalidRequest.reason: _Row(_Code.INVALID_ARGUMENT, _bad_request),
    errors.UnsupportedByProvider.reason: _Row(_Code.INVALID_ARGUMENT, _bad_request),
    errors.ProviderRejected.reason: _Row(_Code.INVALID_ARGUMENT, _bad_request),
    errors.ProviderNotConfigured.reason: _Row(_Code.NOT_FOUND, _account),
    errors.SessionNotFound.reason: _Row(_Code.NOT_FOUND, _session),
    errors.RequestIdReused.reason: _Row(_Code.ALREADY_EXISTS),
    errors.RequestInFlight.reason: _Row(_Code.ABORTED, _retry),
    errors.SessionCompleted.reason: _Row(_Code.FAILED_PRECONDITION, _precondition),
    errors.PaymentInProgress.reason: _Row(_Code.FAILED_PRECONDITION, _precondition),
    errors.ProviderCredentialsRejected.reason: _Row(_Code.FAILED_PRECONDITION),
    errors.ProviderRateLimited.reason: _Row(_Code.RESOURCE_EXHAUSTED, _retry),
    errors.ProviderUnavailable.reason: _Row(_Code.UNAVAILABLE, _retry),
    errors.ProviderOutcomeUnknown.reason: _Row(_Code.UNAVAILABLE, _retry),
    errors.ProviderOutcomeUnresolved.reason: _Row(_Code.FAILED_PRECONDITION),
    errors.StoreUnavailable.reason: _Row(_Code.UNAVAILABLE, _retry),
    errors.ShuttingDown.reason: _Row(_Code.UNAVAILABLE, _retry),
    errors.DeadlineSpent.reason: _Row(_Code.DEADLINE_EXCEEDED),
    errors.CursorOutOfRange.reason: _Row(_Code.OUT_OF_RANGE),
    errors.WatcherTooSlow.reason: _Row(_Code.RESOURCE_EXHAUSTED, _retry),
    errors.TooManyWatchers.reason: _Row(_Code.RESOURCE_EXHAUSTED, _retry),
}
