"""Dodo's line in the table of emulated providers."""

from service.sandbox.delivery import StandardSigner
from service.sandbox.dodo.catalogue import demo_catalogue
from service.sandbox.dodo.emulator import DodoEmulator
from service.sandbox.dodo.events import EventSender
from service.sandbox.emulation import HOUR, Emulation, Surroundings

# https://docs.dodopayments.com/developer-resources/webhooks: eight tries, the first at once.
RETRY_DELAYS = (0.0, 5.0, 300.0, 1800.0, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR)


def _build(around: Surroundings) -> DodoEmulator:
    events = EventSender(
        sender=around.sender, url=around.webhook_url, clock=around.clock, new_id=around.new_id
    )
    return DodoEmulator(
        api_token=around.api_token,
        public_url=around.public_url,
        catalogue=demo_catalogue(),
        events=events,
        retention=around.retention,
        clock=around.clock,
        new_id=around.new_id,
    )


DODO = Emulation(
    build=_build,
    signer=lambda secret, clock: StandardSigner(secret=secret, clock=clock),
    retry_delays=RETRY_DELAYS,
)
