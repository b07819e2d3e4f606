"""Clover's line in the table of emulated providers."""

from types import MappingProxyType

from service.sandbox.clover.catalogue import CURRENCY, MERCHANT_ID
from service.sandbox.clover.emulator import CloverEmulator
from service.sandbox.clover.signatures import CloverSigner
from service.sandbox.emulation import Emulation

# https://docs.clover.com/dev/docs/ecomm-hosted-checkout-webhook promises no second try.
RETRY_DELAYS = (0.0,)


CLOVER = Emulation(
    build=CloverEmulator,
    # Clover's secrets are any text: the sandbox's is taken as it is written.
    signer=lambda secret, clock: CloverSigner(secret=secret, clock=clock),
    retry_delays=RETRY_DELAYS,
    own_settings=MappingProxyType({"merchant_id": MERCHANT_ID, "currency": CURRENCY}),
)
