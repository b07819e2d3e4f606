"""The table of emulated providers."""

from collections.abc import Mapping
from types import MappingProxyType

from service.sandbox.dodo.emulation import DODO
from service.sandbox.emulation import Emulation
from service.sandbox.square.emulation import SQUARE

EMULATIONS: Mapping[str, Emulation] = MappingProxyType({"dodo": DODO, "square": SQUARE})
