"""SellApp's line in the table of emulated providers."""

from types import MappingProxyType

from service.sandbox.emulation import HOUR, Emulation
from service.sandbox.sellapp.catalogue import STORE, demo_catalogue
from service.sandbox.sellapp.emulator import SellappEmulator
from service.sandbox.sellapp.signatures import SellappSigner

# SellApp repeats what is not taken, and does not publish how often.
RETRY_DELAYS = (0.0, 60.0, 600.0, HOUR, 6 * HOUR)


SELLAPP = Emulation(
    build=lambda around: SellappEmulator(around, catalogue=demo_catalogue()),
    # A store's secret is any text: the sandbox's is taken as it is written.
    signer=lambda secret, _: SellappSigner(secret=secret),
    retry_delays=RETRY_DELAYS,
    own_settings=MappingProxyType({"store": STORE}),
)
