"""What an answer of any provider means where it says nothing of its own: by status, and in whose words."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from service.core.errors import (
    ProviderCredentialsRejected,
    ProviderError,
    ProviderOutcomeUnknown,
    ProviderRateLimited,
    ProviderRejected,
    ProviderUnavailable,
)
from service.providers.answers import Answer

T = TypeVar("T")

BY_STATUS: Mapping[int, type[ProviderError]] = {
    401: ProviderCredentialsRejected,
    403: ProviderCredentialsRejected,
    # A server that gave up waiting does not say how much it had read.
    408: ProviderOutcomeUnknown,
    429: ProviderRateLimited,
}
TEXTS: Mapping[type[ProviderError], str] = {
    ProviderRejected: "the provider refused the request",
    ProviderCredentialsRejected: "the provider refused the configured credentials",
    ProviderRateLimited: "the provider limits the rate of calls",
    ProviderUnavailable: "the provider did nothing and says to repeat the call",
    ProviderOutcomeUnknown: "the request was sent and no usable answer came",
}


def by_status(status: int) -> type[ProviderError]:
    """Return what an unsuccessful status means by itself: 4xx refuses, anything else leaves open what was done."""
    is_refusal = 400 <= status < 500
    return BY_STATUS.get(status, ProviderRejected if is_refusal else ProviderOutcomeUnknown)


def without_refusal(
    kind: type[ProviderError], answer: Answer, names: Mapping[str, str], *, cause: str = ""
) -> ProviderError | None:
    """Return the error of a kind that is no refusal; `cause` is the provider's own word for it.

    A refusal has more to say, and each provider says it in its own way.
    """
    if kind is ProviderRateLimited:
        return kind(TEXTS[kind], metadata=names, retry_after=answer.retry_after)
    if kind in (ProviderOutcomeUnknown, ProviderUnavailable):
        metadata = {**names, "cause": cause or f"status_{answer.status}"}
        return kind(TEXTS[kind], metadata=metadata, retry_after=answer.retry_after)
    return None


def usable(reading: Callable[[], T], names: Mapping[str, str]) -> T:
    """Return what an answer says. Raises ProviderOutcomeUnknown where it says nothing usable."""
    try:
        return reading()
    except ValueError as error:
        metadata = {**names, "cause": str(error)}
        raise ProviderOutcomeUnknown(TEXTS[ProviderOutcomeUnknown], metadata=metadata) from error
