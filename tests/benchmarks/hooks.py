"""Webhooks of Dodo Payments as its documentation shows them, signed, each of a payment of its own."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import aiohttp

from service.sandbox.registry import EMULATIONS
from tests.benchmarks.answers import SECRET
from tests.benchmarks.worker import Timing, in_flight

_EXAMPLE = Path(__file__).parents[1] / "providers/dodo/fixtures/payment_succeeded.json"

_AGAIN = 503
_TRIES = 5


class Hooks:
    """The provider's side of webhooks."""

    def __init__(self) -> None:
        self._example = json.loads(_EXAMPLE.read_text("utf-8"))["body"]
        self._signer = EMULATIONS["dodo"].signer(SECRET, lambda: datetime.now(UTC))
        self._numbers = count(1)

    async def deliver(self, url: str, session_ids: Sequence[str], together: int) -> Timing:
        """Deliver a payment of each session, a number of them at any time."""
        webhooks = [self._signed(url, session_id) for session_id in session_ids]
        async with aiohttp.ClientSession() as session:

            async def send(webhook: tuple[dict[str, str], bytes]) -> None:
                headers, body = webhook
                for _ in range(_TRIES):
                    async with session.post(url, headers=headers, data=body) as response:
                        if response.status == _AGAIN:
                            continue
                        # Taken at an earlier try whose answer was lost, it is known.
                        outcomes = (await response.json())["outcomes"]
                        assert outcomes in (["applied"], ["duplicate"])
                        return
                raise AssertionError("a webhook is not taken")

            return await in_flight(webhooks, together, send)

    def _signed(self, url: str, session_id: str) -> tuple[dict[str, str], bytes]:
        number = next(self._numbers)
        now = datetime.now(UTC).isoformat()
        data = self._example["data"] | {
            "payment_id": f"pay_{number:024}",
            "created_at": now,
            "metadata": {"checkout_session_id": session_id},
            "checkout_session_id": None,
        }
        body = json.dumps(self._example | {"data": data, "timestamp": now}).encode()
        headers = self._signer.headers(url=url, webhook_id=f"evt_{number:024}", body=body)
        return {**headers, "Content-Type": "application/json"}, body
