"""Square's line in the table of emulated providers."""

from types import MappingProxyType

from service.sandbox.emulation import HOUR, Emulation
from service.sandbox.square.catalogue import LOCATION_ID, demo_catalogue
from service.sandbox.square.emulator import SquareEmulator
from service.sandbox.square.signatures import SquareSigner

# https://developer.squareup.com/docs/webhooks/troubleshooting: for 24 hours, in pauses that double
# from a minute and then stay at an hour, as the older text has them.
RETRY_DELAYS = (0.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, *(22 * (HOUR,)))


SQUARE = Emulation(
    build=lambda around: SquareEmulator(around, catalogue=demo_catalogue()),
    # Square's keys are any text: the sandbox's secret is taken as it is written.
    signer=lambda secret, _: SquareSigner(key=secret),
    retry_delays=RETRY_DELAYS,
    own_settings=MappingProxyType({"location_id": LOCATION_ID, "currency": "USD"}),
    registers_url=True,
)
