"""FastSpring's line in the table of emulated providers."""

from types import MappingProxyType

from service.sandbox.emulation import HOUR, Emulation, Surroundings
from service.sandbox.fastspring.catalogue import CHECKOUT_ID, STORE_ID, USERNAME, demo_catalogue
from service.sandbox.fastspring.emulator import FastspringEmulator
from service.sandbox.fastspring.events import EventSender
from service.sandbox.fastspring.signatures import FastspringSigner

# developer.fastspring.com/docs/webhooks-overview: up to twelve retries in seven days, in pauses of 1, 2 and 4
# hours, then of 6 hours three times, then of a day.
RETRY_DELAYS = (0.0, HOUR, 2 * HOUR, 4 * HOUR, *(3 * (6 * HOUR,)), *(6 * (24 * HOUR,)))


def _build(around: Surroundings) -> FastspringEmulator:
    events = EventSender(
        sender=around.sender, url=around.webhook_url, clock=around.clock, new_id=around.new_id
    )
    return FastspringEmulator(
        api_token=around.api_token,
        public_url=around.public_url,
        catalogue=demo_catalogue(),
        events=events,
        retention=around.retention,
        clock=around.clock,
        new_id=around.new_id,
    )


FASTSPRING = Emulation(
    build=_build,
    # FastSpring's secrets are any text: the sandbox's is taken as it is written.
    signer=lambda secret, _: FastspringSigner(secret=secret),
    retry_delays=RETRY_DELAYS,
    own_settings=MappingProxyType(
        {"username": USERNAME, "store": STORE_ID, "checkout": CHECKOUT_ID}
    ),
)
