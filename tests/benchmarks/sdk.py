"""The process of somebody who creates sessions with the provider's own package, without this service."""

import asyncio
import json
import sys
from pathlib import Path

from dodopayments import AsyncDodoPayments

# This process has an environment of its own, with nothing in it but the provider's package.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks.worker import in_flight


async def main(base_url: str) -> None:
    """Do what the lines of standard input ask for."""
    client = AsyncDodoPayments(bearer_token="key-of-the-account", base_url=base_url)

    async def create(number: int) -> None:
        session = await client.checkout_sessions.create(
            product_cart=[
                {"product_id": f"pdt_{line:020}", "quantity": line} for line in range(1, 4)
            ],
            customer={"email": "buyer@example.com", "name": "Ada Byron"},
            return_url="https://shop.example.com/thanks",
            metadata={"campaign": "spring", "shop": "north", "order": str(number)},
        )
        assert session.checkout_url

    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while line := await asyncio.to_thread(sys.stdin.readline):
        question = json.loads(line)
        timing = await in_flight(range(question["number"]), question["together"], create)
        sys.stdout.write(json.dumps(timing._asdict()) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
