"""Runs a program that may do with files what their modes say, even for root: `python -m … PROGRAM ARGUMENTS`."""

import ctypes
import os
import sys

_DROP_FROM_WHAT_PROGRAMS_MAY = 24
_OVERRIDE_MODES = 1

if __name__ == "__main__":
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(_DROP_FROM_WHAT_PROGRAMS_MAY, _OVERRIDE_MODES, 0, 0, 0)
    os.execv(sys.argv[1], sys.argv[1:])
