"""The one tree of errors; each leaf is a fact with a public reason, and knows no status code.

CheckoutError
├── InvalidRequest             INVALID_REQUEST
├── UnsupportedByProvider      UNSUPPORTED_BY_PROVIDER
├── ProviderNotConfigured      PROVIDER_NOT_CONFIGURED
├── SessionNotFound            SESSION_NOT_FOUND
├── RequestIdReused            REQUEST_ID_REUSED
├── RequestInFlight            REQUEST_IN_FLIGHT
├── SessionCompleted           SESSION_COMPLETED
├── PaymentInProgress          PAYMENT_IN_PROGRESS
├── ProviderError
│   ├── ProviderRejected             PROVIDER_REJECTED
│   ├── ProviderCredentialsRejected  PROVIDER_CREDENTIALS_REJECTED
│   ├── ProviderRateLimited          PROVIDER_RATE_LIMITED
│   ├── ProviderUnavailable          PROVIDER_UNAVAILABLE
│   ├── ProviderOutcomeUnknown       PROVIDER_OUTCOME_UNKNOWN
│   └── ProviderOutcomeUnresolved    PROVIDER_OUTCOME_UNRESOLVED
├── StoreUnavailable           STORE_UNAVAILABLE
├── ShuttingDown               SHUTTING_DOWN
├── DeadlineSpent              DEADLINE_SPENT
├── CursorOutOfRange           CURSOR_OUT_OF_RANGE
├── WatcherTooSlow             WATCHER_TOO_SLOW
└── TooManyWatchers            TOO_MANY_WATCHERS

StoreConflict, RequestIdTaken, EventKnown and WebhookNotVerified never reach a gRPC caller.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.core.model import Violation


class CheckoutError(Exception):
    """Something a caller is told: a reason, a text without personal data, and every dynamic value apart."""

    reason: ClassVar[str]

    def __init__(
        self,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[Violation] = (),
        retry_after: timedelta | None = None,
        session_id: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.metadata = dict(metadata or {})
        self.violations = tuple(violations)
        self.retry_after = retry_after
        if session_id:
            self.metadata["session_id"] = session_id


class InvalidRequest(CheckoutError):
    """The request breaks a rule of the contract."""

    reason = "INVALID_REQUEST"


class UnsupportedByProvider(CheckoutError):
    """The provider cannot honour a field of the request."""

    reason = "UNSUPPORTED_BY_PROVIDER"


class ProviderNotConfigured(CheckoutError):
    """No such provider account is configured; metadata names `provider` and `account`."""

    reason = "PROVIDER_NOT_CONFIGURED"


class SessionNotFound(CheckoutError):
    """No session has this id."""

    reason = "SESSION_NOT_FOUND"


class RequestIdReused(CheckoutError):
    """The request id was used for other content."""

    reason = "REQUEST_ID_REUSED"


class RequestInFlight(CheckoutError):
    """The session's creation is still running."""

    reason = "REQUEST_IN_FLIGHT"


class SessionCompleted(CheckoutError):
    """The session is paid and cannot be ended."""

    reason = "SESSION_COMPLETED"


class PaymentInProgress(CheckoutError):
    """The buyer has committed and the provider has not decided."""

    reason = "PAYMENT_IN_PROGRESS"


class ProviderError(CheckoutError):
    """A provider call did not succeed."""


class ProviderRejected(ProviderError):
    """The provider refused the request; nothing was created."""

    reason = "PROVIDER_REJECTED"


class ProviderCredentialsRejected(ProviderError):
    """The provider refused our credentials; nothing was created."""

    reason = "PROVIDER_CREDENTIALS_REJECTED"


class ProviderRateLimited(ProviderError):
    """The provider limits the rate of calls; nothing was created."""

    reason = "PROVIDER_RATE_LIMITED"


class ProviderUnavailable(ProviderError):
    """Nothing was sent, or the provider documents that it did nothing."""

    reason = "PROVIDER_UNAVAILABLE"


class ProviderOutcomeUnknown(ProviderError):
    """The request was sent and no usable answer came."""

    reason = "PROVIDER_OUTCOME_UNKNOWN"


class ProviderOutcomeUnresolved(ProviderError):
    """The request was sent, no usable answer came, and no retry can resolve it."""

    reason = "PROVIDER_OUTCOME_UNRESOLVED"


class StoreUnavailable(CheckoutError):
    """The store does not answer."""

    reason = "STORE_UNAVAILABLE"


class ShuttingDown(CheckoutError):
    """This server takes no new work."""

    reason = "SHUTTING_DOWN"


class DeadlineSpent(CheckoutError):
    """The caller's deadline is spent; metadata `leg` names what used it."""

    reason = "DEADLINE_SPENT"


class CursorOutOfRange(CheckoutError):
    """Nothing can go on from a cursor; metadata `cause` says why."""

    reason = "CURSOR_OUT_OF_RANGE"


class WatcherTooSlow(CheckoutError):
    """What a watcher is told was not read in time."""

    reason = "WATCHER_TOO_SLOW"


class TooManyWatchers(CheckoutError):
    """As many watchers follow as may; metadata `limit` says how many."""

    reason = "TOO_MANY_WATCHERS"


class StoreConflict(Exception):
    """The record changed since it was read: read again, decide again."""


class RequestIdTaken(Exception):
    """Another record holds this request key."""


class EventKnown(Exception):
    """The inbox holds this event already."""


class WebhookNotVerified(Exception):
    """A webhook's signature, time or secret is wrong; the text names which, and no value."""
