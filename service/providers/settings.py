"""What an operator sets for one account of any provider."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from msgspec import Struct, field

from service.providers.budget import MOST_CONNECTIONS, Rate
from service.providers.secrets import Secret, SecretUnreadableError
from service.providers.text import origin


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
    connections: int = MOST_CONNECTIONS
    rate: Rate | None = None
    payment_grace: timedelta | None = None
    own: Mapping[str, str] = field(default_factory=dict)

    def address(self, *, live: str, test: str) -> str:
        """Return where the provider's API is, without a slash at its end."""
        return (self.base_url or (live if self.live else test)).rstrip("/")

    def origins(self, base_url: str) -> frozenset[str]:
        """Return where a hosted page may be: the API's own origin and those that are set."""
        return frozenset(origin(url) for url in (base_url, *self.page_origins))


def secret_problems(
    settings: AccountSettings, parse: Callable[[str], object] = str
) -> Iterator[str]:
    """Yield what is wrong with the secrets of an account, without any value.

    `parse` raises ValueError for a webhook secret that cannot be one of this provider.
    """
    try:
        settings.api_key.current()
    except SecretUnreadableError as error:
        yield f"API key: {error}"
    for number, secret in enumerate(settings.webhook_secrets, 1):
        try:
            parse(secret.current())
        except (SecretUnreadableError, ValueError) as error:
            yield f"webhook secret {number}: {error}"
