"""The table of emulated providers."""

from collections.abc import Mapping
from types import MappingProxyType

from service.sandbox.clover.emulation import CLOVER
from service.sandbox.dodo.emulation import DODO
from service.sandbox.emulation import Emulation
from service.sandbox.fastspring.emulation import FASTSPRING
from service.sandbox.sellapp.emulation import SELLAPP
from service.sandbox.square.emulation import SQUARE

EMULATIONS: Mapping[str, Emulation] = MappingProxyType(
    {"clover": CLOVER, "dodo": DODO, "fastspring": FASTSPRING, "sellapp": SELLAPP, "square": SQUARE}
)
