"""What an operator sets for one account of any provider."""

from collections.abc import Mapping
from datetime import timedelta

from msgspec import Struct, field

from service.providers.secrets import Secret


class AccountSettings(Struct, frozen=True, kw_only=True):
    """One account; `base_url` None means the provider's own address for `live`.

    `page_origins` are further origins, such as "http://localhost:8080", that a hosted page may be at.
    `own` are the settings that this provider alone has, as texts.
    """

    provider: str
    account: str = "default"
    live: bool
    api_key: Secret
    webhook_secrets: tuple[Secret, ...] = ()
    base_url: str | None = None
    page_origins: tuple[str, ...] = ()
    connect_timeout: timedelta = timedelta(seconds=5)
    request_timeout: timedelta = timedelta(seconds=20)
    connections: int = 100
    payment_grace: timedelta | None = None
    own: Mapping[str, str] = field(default_factory=dict)
