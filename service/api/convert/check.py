"""CheckSession's request to the model, and its verdicts back."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import structs

from checkout.v1 import checkout_service_pb2
from service.api.convert.create import create_from_proto
from service.api.convert.provider import ENFORCEMENTS
from service.api.convert.session import totals_to_proto
from service.api.convert.times import moment_to_proto
from service.core.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from checkout.v1 import verdict_pb2
    from service.core.check import Verdict
    from service.core.model import CreateRequest, Session

REQUEST = "request"
"""The field of CheckSessionRequest that holds what is checked."""

# A cart of 500 lines can be wrong in thousands of places, at every account.
MOST_VIOLATIONS = 100


@contextmanager
def below_request() -> Iterator[None]:
    """Name the fields of a refused request as the request that carries it does."""
    try:
        yield
    except InvalidRequest as error:
        error.violations = tuple(
            structs.replace(one, field=f"{REQUEST}.{one.field}") for one in error.violations
        )
        raise


def check_from_proto(message: checkout_service_pb2.CheckSessionRequest) -> CreateRequest:
    """Return the request to judge; its account is empty where neither it nor a provider is named."""
    request = create_from_proto(message.request)
    is_anyone = not (message.request.provider or message.request.account)
    return structs.replace(request, account="") if is_anyone else request


def checked_to_proto(verdicts: Iterable[Verdict]) -> checkout_service_pb2.CheckSessionResponse:
    """Return the answer to CheckSession."""
    answer = checkout_service_pb2.CheckSessionResponse()
    for verdict in verdicts:
        _verdict_to_proto(verdict, answer.verdicts.add())
    return answer


def _verdict_to_proto(verdict: Verdict, message: verdict_pb2.Verdict) -> None:
    message.provider = verdict.provider
    message.account = verdict.account
    message.live = verdict.live
    message.accepted = verdict.planned is not None
    for wrong in verdict.violations[:MOST_VIOLATIONS]:
        message.violations.add(field=wrong.field, description=wrong.description)
    message.violations_omitted = max(len(verdict.violations) - MOST_VIOLATIONS, 0)
    if verdict.planned is not None:
        _planned_to_proto(verdict.planned, message)


def _planned_to_proto(planned: Session, message: verdict_pb2.Verdict) -> None:
    totals_to_proto(planned.totals, message.totals)
    moment_to_proto(planned.expire_time, message.expire_time)
    message.expiry_enforcement = ENFORCEMENTS[planned.expiry_enforcement]
    for warning in planned.warnings:
        message.warnings.add(code=warning.code, field=warning.field, message=warning.message)
