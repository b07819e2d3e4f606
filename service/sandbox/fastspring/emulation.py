"""FastSpring's line in the table of emulated providers."""

from types import MappingProxyType

from service.sandbox.emulation import HOUR, Emulation
from service.sandbox.fastspring.catalogue import CHECKOUT_ID, STORE_ID, USERNAME, demo_catalogue
from service.sandbox.fastspring.emulator import FastspringEmulator
from service.sandbox.fastspring.signatures import FastspringSigner

# developer.fastspring.com/docs/webhooks-overview: up to twelve retries in seven days, in pauses of 1, 2 and 4
# hours, then of 6 hours three times, then of a day.
RETRY_DELAYS = (0.0, HOUR, 2 * HOUR, 4 * HOUR, *(3 * (6 * HOUR,)), *(6 * (24 * HOUR,)))


FASTSPRING = Emulation(
    build=lambda around: FastspringEmulator(around, catalogue=demo_catalogue()),
    # FastSpring's secrets are any text: the sandbox's is taken as it is written.
    signer=lambda secret, _: FastspringSigner(secret=secret),
    retry_delays=RETRY_DELAYS,
    own_settings=MappingProxyType(
        {"username": USERNAME, "store": STORE_ID, "checkout": CHECKOUT_ID}
    ),
)
