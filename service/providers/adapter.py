"""What every adapter starts from: one account, and what holds of a provider that has no call or rule of its own."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TypeVar

from service.core.errors import ProviderError
from service.core.model import CreateRequest, Totals
from service.core.ports import Closing, CreateCall, ProviderEvent
from service.providers.answers import Answer
from service.providers.http import ProviderHttp
from service.providers.meanings import usable
from service.providers.settings import AccountSettings

T = TypeVar("T")


class Adapter(ABC):
    """One account behind the `Provider` port; what its provider does otherwise, its own adapter says."""

    name: str

    def __init__(self, *, settings: AccountSettings, base_url: str, http: ProviderHttp) -> None:
        self.account = settings.account
        self.live = settings.live
        self.payment_grace = settings.payment_grace
        self._http = http
        self._page_origins = settings.origins(base_url)
        self._webhook_secrets = settings.webhook_secrets
        self._names = {"provider": self.name, "account": settings.account}

    def totals(self, request: CreateRequest) -> Totals | None:  # noqa: ARG002 - of the port
        """Return nothing: there are no published rules to compute by."""
        return None

    def prepare(self, call: CreateCall) -> bytes:  # noqa: ARG002 - of the port
        """Return nothing: a lost request is not sent again as it was."""
        return b""

    async def cancel(
        self,
        provider_session_id: str,  # noqa: ARG002 - of the port
        details: Mapping[str, object] | None = None,  # noqa: ARG002 - of the port
    ) -> Closing:
        """Close nothing: there is no call for it."""
        return Closing(closed=False)

    async def locate(self, event: ProviderEvent) -> str:  # noqa: ARG002 - of the port
        """Return nothing: what the provider keeps of a payment does not lead to a session."""
        return ""

    async def close(self) -> None:
        """Close the connections to the provider."""
        await self._http.close()

    @abstractmethod
    def _error(self, answer: Answer, request: CreateRequest | None) -> ProviderError: ...

    def _body(self, answer: Answer, request: CreateRequest | None = None) -> object:
        if 200 <= answer.status < 300:
            return answer.body
        raise self._error(answer, request)

    def _read(self, reading: Callable[[], T]) -> T:
        return usable(reading, self._names)
