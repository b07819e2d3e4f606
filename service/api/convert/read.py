"""The requests that read or end sessions to the model, and their answers back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checkout.v1 import checkout_service_pb2
from service.api.convert.session import PAYMENT_STATUSES, STATES, session_to_proto
from service.api.convert.times import moment_if_set
from service.core.query import ListFilter

if TYPE_CHECKING:
    from service.core.gate import GateLinks
    from service.core.query import Page
    from service.core.view import SessionView

STATES_BY_NUMBER = {number: state for state, number in STATES.items()}
"""Each state by its number in the contract."""

_PAYMENT_STATUSES = {number: status for status, number in PAYMENT_STATUSES.items()}


def filter_from_proto(message: checkout_service_pb2.ListSessionsRequest) -> ListFilter:
    """Return a listing's conditions. Raises InvalidRequest for a time that is none."""
    return ListFilter(
        states=frozenset(STATES_BY_NUMBER[number] for number in message.states),
        payment_statuses=frozenset(
            _PAYMENT_STATUSES[number] for number in message.payment_statuses
        ),
        provider=message.provider,
        account=message.account,
        live=message.live if message.HasField("live") else None,
        reference_id=message.reference_id,
        create_time_from=moment_if_set(message, "create_time_from"),
        create_time_to=moment_if_set(message, "create_time_to"),
        metadata=dict(message.metadata),
    )


def page_to_proto(page: Page, links: GateLinks | None) -> checkout_service_pb2.ListSessionsResponse:
    """Return the answer to ListSessions."""
    answer = checkout_service_pb2.ListSessionsResponse(next_page_token=page.next_page_token)
    for session in page.sessions:
        session_to_proto(session, page.now, links, answer.sessions.add())
    return answer


def found_to_proto(
    view: SessionView, links: GateLinks | None, *, include_provider_url: bool
) -> checkout_service_pb2.GetSessionResponse:
    """Return the answer to GetSession."""
    answer = checkout_service_pb2.GetSessionResponse()
    session_to_proto(
        view.session,
        view.now,
        links,
        answer.session,
        include_provider_url=include_provider_url,
    )
    return answer


def ended_to_proto(
    view: SessionView, links: GateLinks | None
) -> checkout_service_pb2.ExpireSessionResponse:
    """Return the answer to ExpireSession."""
    answer = checkout_service_pb2.ExpireSessionResponse()
    session_to_proto(view.session, view.now, links, answer.session)
    return answer
