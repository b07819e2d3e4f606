"""From Clover's answer to the model: pure, `checkout` is the way back."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from service.core.model import SessionWarning
from service.core.ports import ProviderSession
from service.providers.clover.times import moment
from service.providers.pages import is_page
from service.providers.text import said

LIFETIME = timedelta(minutes=15)
PAGE_DOMAIN = "clover.com"


class Created(Struct, frozen=True, rename="camel"):
    """The answer to a create; the times are in any of several forms."""

    checkout_session_id: str | None = None
    href: str | None = None
    created_time: object = None
    expiration_time: object = None


def created(body: object, origins: Iterable[str]) -> ProviderSession:
    """Read the answer to a create. Raises ValueError with a cause when it is unusable."""
    try:
        answer = msgspec.convert(body, Created)
    except msgspec.ValidationError as error:
        raise ValueError(f"unreadable_body: {error}") from error
    if not answer.checkout_session_id:
        raise ValueError("no_session_id")
    url = answer.href or ""
    if url and not is_page(url, (PAGE_DOMAIN,), origins):
        raise ValueError("foreign_checkout_url")
    begin, end = moment(answer.created_time), moment(answer.expiration_time)
    return ProviderSession(
        provider_session_id=answer.checkout_session_id,
        url=url,
        # Without either time, the life of the page is counted from when this answer is stored.
        payable_until=end or (_after(begin) if begin else None),
        warnings=tuple(_warnings(answer, begin, end)),
        details=said(create_time=_written(begin) if begin else ""),
    )


def _after(begin: datetime) -> datetime | None:
    try:
        return begin + LIFETIME
    except OverflowError:
        return None


def _warnings(
    answer: Created, begin: datetime | None, end: datetime | None
) -> Iterator[SessionWarning]:
    if not answer.href:
        yield SessionWarning("NO_CHECKOUT_URL", message="Clover gave the session no page")
    if end is None:
        since = "its createdTime" if begin else "its answer"
        text = f"Clover's expirationTime cannot be read: 15 minutes from {since} are taken"
        yield SessionWarning("TIME_UNREADABLE", field="payable_until", message=text)
    if begin is None:
        yield SessionWarning(
            "TIME_UNREADABLE",
            field="provider_details.clover.create_time",
            message="Clover's createdTime cannot be read",
        )


def _written(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
