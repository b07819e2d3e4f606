"""Dodo's line in the table of emulated providers."""

from service.sandbox.delivery import StandardSigner
from service.sandbox.dodo.catalogue import demo_catalogue
from service.sandbox.dodo.emulator import DodoEmulator
from service.sandbox.emulation import HOUR, Emulation

# https://docs.dodopayments.com/developer-resources/webhooks: eight tries, the first at once.
RETRY_DELAYS = (0.0, 5.0, 300.0, 1800.0, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR)


DODO = Emulation(
    build=lambda around: DodoEmulator(around, catalogue=demo_catalogue()),
    signer=lambda secret, clock: StandardSigner(secret=secret, clock=clock),
    retry_delays=RETRY_DELAYS,
)
