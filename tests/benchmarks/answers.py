"""What each provider answers to a create, recorded once from its emulator and then given at once."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import NamedTuple

from aiohttp import web

from service.api.convert.create import create_from_proto
from service.core.ports import CreateCall, ProviderSession, Step
from service.providers.registry import build_provider
from service.providers.secrets import Secret
from service.providers.settings import AccountSettings
from service.sandbox.app import PREFIX, SandboxSettings, build_sandbox
from service.sandbox.registry import EMULATIONS
from tests.benchmarks.messages import TEMPLATES
from tests.providers.sandbox import free_port, serving

API_KEY = "key-of-the-account"
SECRET = "whsec_c2VjcmV0LW9mLXRoZS1hY2NvdW50LTAwMDAwMDAwMDA="
SESSION_ID = "cs_01JNW8G3Z0BENCHMARK0000001"
_DIGITS = 9

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Answer(NamedTuple):
    """One recorded answer: `path` as it was asked for, and the body with the ids that each answer has anew."""

    path: str
    status: int
    body: str
    ids: tuple[str, ...]

    def to(self, path: str, number: int) -> str | None:
        """Return the body with ids of its own, or of the path; nothing where another path was asked for."""
        asked = re.fullmatch(self._pattern, path)
        if asked is None:
            return None
        body = self.body
        for known in self.ids:
            own = f"{known[:-_DIGITS]}{number:0{_DIGITS}}"
            body = body.replace(known, asked[1] if asked.groups() else own)
        return body

    @property
    def _pattern(self) -> str:
        pattern = re.escape(self.path)
        for known in self.ids:
            pattern = pattern.replace(re.escape(known), "([^/]+)")
        return pattern


async def recorded(provider: str, url: str) -> list[Answer]:
    """Create once at an emulator, whose pages are said to be at a URL, and return what it answered."""
    seen: list[tuple[str, int, str]] = []
    async with _emulators(url, seen) as address:
        settings = AccountSettings(
            provider=provider,
            live=False,
            api_key=Secret(value=API_KEY),
            base_url=f"{address}{PREFIX}{provider}",
            page_origins=(url,),
            own=EMULATIONS[provider].own_settings,
        )
        made = await _created(settings)
    ids = {made.provider_session_id, str(made.details.get("order_id", ""))} - {""}
    prefix = f"{PREFIX}{provider}"
    return [
        Answer(f"/{provider}{path.removeprefix(prefix)}", status, body, tuple(ids))
        for path, status, body in seen
    ]


async def _created(settings: AccountSettings) -> ProviderSession:
    adapter = build_provider(settings, chance=lambda: 0.0, observe=lambda *_: None)
    call = CreateCall(
        session_id=SESSION_ID,
        attempt=1,
        request=create_from_proto(TEMPLATES[settings.provider]),
        expire_time=datetime.now(UTC) + timedelta(hours=1),
    )
    made = await adapter.create(call)
    while isinstance(made, Step):
        call = CreateCall(
            session_id=call.session_id,
            attempt=1,
            request=call.request,
            expire_time=call.expire_time,
            kept=made.kept,
        )
        made = await adapter.create(call)
    await adapter.close()
    return made


@asynccontextmanager
async def _emulators(url: str, seen: list[tuple[str, int, str]]) -> AsyncIterator[str]:
    listener, address = free_port()
    numbers = count(1)
    sandbox = build_sandbox(
        SandboxSettings(public_url=url, api_token=API_KEY, webhook_secret=SECRET),
        clock=lambda: datetime.now(UTC),
        new_id=lambda: f"{next(numbers):026d}",
    )

    @web.middleware
    async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        assert isinstance(response, web.Response)
        seen.append((request.path, response.status, response.text or ""))
        return response

    root = web.Application(middlewares=[record])
    root.add_subapp(PREFIX, sandbox.app)
    async with serving(root, listener):
        await sandbox.start()
        yield address
        await sandbox.close()
