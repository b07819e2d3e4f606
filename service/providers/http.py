"""The HTTP client of one provider account: it knows what was sent and repeats only what may be."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Protocol

import aiohttp
import msgspec
import structlog
from aiohttp import ClientResponse, ClientSession

from service.core.calls import CallMade, note_call
from service.core.errors import (
    ProviderError,
    ProviderOutcomeUnknown,
    ProviderRateLimited,
    ProviderUnavailable,
)
from service.core.purpose import Purpose, purpose_of
from service.providers.answers import Answer, BodyTooLargeError, Lost
from service.providers.budget import MOST_CONNECTIONS, Rate
from service.providers.call import (
    CALL,
    Call,
    Connector,
    is_unknown,
    lost_by,
    may_repeat,
    tells_nothing,
)
from service.providers.guard import Guard, Watch, is_limit, is_refusal
from service.providers.meanings import TEXTS
from service.providers.secrets import Secret, SecretUnreadableError
from service.providers.settings import AccountSettings

ATTEMPTS = 3
FIRST_PAUSE = 0.1
MAX_BODY_BYTES = 1024 * 1024
PURPOSES = {"POST": Purpose.CREATE, "GET": Purpose.READ}

Authorize = Callable[[str], Mapping[str, str]]


class Observe(Protocol):
    """Told of every attempt; one that is a `Watch` too, also of the account's breaker and queue."""

    def __call__(self, operation: str, outcome: str, seconds: float, /) -> None:
        """Note how an attempt ended, "2xx" or a cause, and the seconds it took."""


def bearer(secret: str) -> Mapping[str, str]:
    """Return the header of bearer authentication."""
    return {"Authorization": f"Bearer {secret}"}


class ProviderHttp:
    """Sends requests with an account's secret, time-outs, connection limit and log lines.

    The time-out to connect, and a caller's deadline, bound the time until a connection is in use;
    from then on only `request_timeout` counts, for all attempts of a call together.
    """

    def __init__(
        self,
        *,
        provider: str,
        account: str,
        base_url: str,
        secret: Secret,
        authorize: Authorize,
        chance: Callable[[], float],
        observe: Observe,
        connect_timeout: timedelta = timedelta(seconds=5),
        request_timeout: timedelta = timedelta(seconds=20),
        connections: int = MOST_CONNECTIONS,
        rate: Rate | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._names = {"provider": provider, "account": account}
        self._base_url = base_url.rstrip("/")
        self._secret = secret
        self._authorize = authorize
        self._chance = chance
        self._observe = observe
        self._connect_timeout = connect_timeout.total_seconds()
        self._request_timeout = request_timeout.total_seconds()
        self._max_body_bytes = max_body_bytes
        self._session: ClientSession | None = None
        self._is_closed = False
        self._guard = Guard(
            provider=provider,
            account=account,
            connections=connections,
            rate=rate,
            connect_timeout=self._connect_timeout,
            chance=chance,
            watch=observe if isinstance(observe, Watch) else None,
        )
        self._log = structlog.get_logger().bind(**self._names)

    @classmethod
    def of(
        cls,
        settings: AccountSettings,
        *,
        base_url: str,
        authorize: Authorize,
        chance: Callable[[], float],
        observe: Observe,
    ) -> "ProviderHttp":
        """Return the client of a configured account; `authorize` makes headers of its API key."""
        return cls(
            provider=settings.provider,
            account=settings.account,
            base_url=base_url,
            secret=settings.api_key,
            authorize=authorize,
            chance=chance,
            observe=observe,
            connect_timeout=settings.connect_timeout,
            request_timeout=settings.request_timeout,
            connections=settings.connections,
            rate=settings.rate,
        )

    async def request(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        json: object = None,
        connect_within: timedelta | None = None,
        sent_is_safe: bool = False,
        purpose: Purpose | None = None,
        shape: "msgspec.json.Decoder[Any] | None" = None,
    ) -> Answer:
        """Return the answer, whatever its status; `sent_is_safe` lets a sent request be repeated.

        `path` is quoted already. Without a `purpose` a POST creates, a GET reads, and others change.
        The body of a successful answer that has the `shape` is read into it at once.
        Raises ProviderUnavailable or ProviderRateLimited when nothing was sent, and
        ProviderOutcomeUnknown when no usable answer came; a redirect is never followed and is one.
        """
        purpose = PURPOSES.get(method, Purpose.CHANGE) if purpose is None else purpose
        call = self._call(
            operation,
            method,
            path,
            json,
            connect_within=connect_within,
            purpose=purpose,
            sent_is_safe=sent_is_safe,
            shape=shape,
        )
        outcome: Answer | Lost | None = None
        try:
            outcome = await self._outcome(call)
        finally:
            self._guard.settle(call.passage, outcome)
        if isinstance(outcome, Lost):
            raise self._error(outcome)
        return outcome

    async def close(self) -> None:
        """Close all connections; calls in progress are given up."""
        self._is_closed = True
        self._guard.close()
        if self._session is not None:
            await self._session.close()

    def _call(
        self,
        operation: str,
        method: str,
        path: str,
        json: object,
        *,
        connect_within: timedelta | None,
        purpose: Purpose,
        sent_is_safe: bool,
        shape: "msgspec.json.Decoder[Any] | None",
    ) -> Call:
        now = asyncio.get_running_loop().time()
        patience = float("inf") if connect_within is None else connect_within.total_seconds()
        return Call(
            operation=operation,
            method=method,
            url=self._base_url + path,
            data=None if json is None else msgspec.json.encode(json),
            purpose=purpose_of(purpose),
            now=now,
            connect_by=now + min(self._connect_timeout, patience),
            repeat_until=now + patience,
            sent_is_safe=sent_is_safe,
            request_timeout=self._request_timeout,
            shape=shape,
        )

    async def _outcome(self, call: Call) -> Answer | Lost:
        unknown: Answer | Lost | None = None
        while True:
            outcome = await self._attempt(call)
            if is_unknown(outcome):
                unknown = outcome
            if isinstance(outcome, Answer) and outcome.status == 401 and self._renew(call):
                continue
            pause = self._pause(call, outcome)
            if pause is None:
                # What an earlier attempt did, which was sent, is still as unknown as it was.
                return unknown if unknown is not None and tells_nothing(outcome) else outcome
            await asyncio.sleep(pause)

    async def _attempt(self, call: Call) -> Answer | Lost:
        call.attempt += 1
        started = time.monotonic()
        outcome = await self._admitted(call)
        seconds = time.monotonic() - started
        note_call(_made(call, outcome, started, seconds))
        fields = {
            "operation": call.operation,
            "attempt": call.attempt,
            "latency_ms": round(seconds * 1000, 3),
        }
        if isinstance(outcome, Lost):
            self._observe(call.operation, outcome.cause, seconds)
            # Under a long outage every call is refused: its own line says so already.
            write = self._log.debug if is_refusal(outcome) else self._log.warning
            write("provider.request_failed", **msgspec.to_builtins(outcome), **fields)
        else:
            self._observe(call.operation, f"{outcome.status // 100}xx", seconds)
            fields |= {"status": outcome.status, "provider_request_id": outcome.request_id}
            # That a create went well is told by its session; everything else is worth a line of its own.
            is_routine = call.attempt == 1 and outcome.status < 300
            write = self._log.debug if is_routine else self._log.info
            write("provider.request_finished", **fields)
            if 300 <= outcome.status < 400:
                return Lost("redirect", sent=True)
        return outcome

    async def _admitted(self, call: Call) -> Answer | Lost:
        refused = await self._guard.enter(call.passage, call.limit)
        if refused is not None:
            return refused
        outcome: Answer | Lost | None = None
        try:
            outcome = await self._sent(call)
        finally:
            self._guard.leave(call.passage, outcome)
        return outcome

    async def _sent(self, call: Call) -> Answer | Lost:
        try:
            call.secret = call.secret or self._secret.current()
            async with call.begin():
                return await self._exchange(call)
        except SecretUnreadableError:
            return Lost("secret_unreadable", sent=False)
        except (aiohttp.ClientError, OSError, BodyTooLargeError) as error:
            return lost_by(error, call)

    async def _exchange(self, call: Call) -> Answer | Lost:
        if self._is_closed:
            return Lost("closed", sent=False)
        CALL.set(call)
        async with self._client().request(
            call.method,
            call.url,
            data=call.data,
            headers=self._headers(call),
            allow_redirects=False,
        ) as response:
            raw = await self._read(response)
        if response.status >= 400:
            raw = self._without_secrets(raw, call.secret)
        call.received = raw
        return Answer.of(response.status, response.headers, raw, call.shape)

    def _without_secrets(self, raw: bytes, secret: str) -> bytes:
        # Error bodies reach error details, and a provider may quote the key that it refuses, or what became of it.
        credentials = self._authorize(secret).get("Authorization", "").rpartition(" ")[2]
        for word in filter(None, (credentials, secret)):
            raw = raw.replace(word.encode(), b"[redacted]")
        return raw

    def _headers(self, call: Call) -> dict[str, str]:
        # Compressed answers would have to be unpacked before their size is known.
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if call.data is not None:
            headers["Content-Type"] = "application/json"
        return headers | dict(self._authorize(call.secret))

    async def _read(self, response: ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > self._max_body_bytes:
                response.close()
                raise BodyTooLargeError
        return bytes(body)

    def _client(self) -> ClientSession:
        if self._session is None:
            # aiohttp itself repeats a read, and no POST, once when a connection closes unanswered.
            self._session = ClientSession(
                connector=Connector(),
                # Every limit is ours: see Call. aiohttp's own would end a sent request too early.
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session

    def _renew(self, call: Call) -> bool:
        if call.is_renewed:
            return False
        call.is_renewed = True
        refused = call.secret
        with suppress(SecretUnreadableError):
            call.secret = self._secret.reread()
        return call.secret != refused

    def _pause(self, call: Call, outcome: Answer | Lost) -> float | None:
        if call.attempt >= ATTEMPTS or not may_repeat(call, outcome):
            return None
        pause = FIRST_PAUSE * 2 ** (call.attempt - 1) * (0.5 + self._chance() / 2)
        if isinstance(outcome, Answer) and outcome.retry_after is not None:
            pause = max(pause, outcome.retry_after.total_seconds())
        return pause if call.can_wait(pause) else None

    def _error(self, lost: Lost) -> ProviderError:
        metadata = self._names | {"cause": lost.cause}
        if lost.sent:
            return ProviderOutcomeUnknown(TEXTS[ProviderOutcomeUnknown], metadata=metadata)
        if is_limit(lost):
            message = "nothing was sent: the account may ask no more of the provider now"
            return ProviderRateLimited(message, metadata=self._names, retry_after=lost.retry_after)
        return ProviderUnavailable(
            "nothing was sent to the provider", metadata=metadata, retry_after=lost.retry_after
        )


def _made(call: Call, outcome: Answer | Lost, began: float, seconds: float) -> CallMade:
    if isinstance(outcome, Lost):
        return CallMade(
            operation=call.operation,
            outcome=outcome.cause,
            began=began,
            latency=seconds,
            attempt=call.attempt,
            sent=call.data or b"",
        )
    return CallMade(
        operation=call.operation,
        outcome="answered",
        began=began,
        latency=seconds,
        attempt=call.attempt,
        status=outcome.status,
        provider_request_id=outcome.request_id,
        sent=call.data or b"",
        received=call.received,
    )
