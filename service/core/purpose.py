"""What a call to a provider is for, which decides whose turn it is where turns are scarce."""

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Purpose(enum.IntEnum):
    """Why a provider is called; a smaller one goes first."""

    CREATE = 0
    CHANGE = 1
    READ = 2
    RECONCILE = 3


_WORK = ContextVar("checkout_work", default=Purpose.CREATE)


@contextmanager
def working_for(purpose: Purpose) -> Iterator[None]:
    """Let no provider call of this block, and of the tasks it starts, go before those of a purpose."""
    token = _WORK.set(purpose)
    try:
        yield
    finally:
        _WORK.reset(token)


def purpose_of(call: Purpose) -> Purpose:
    """Return what a call is for here: what it is by its nature, unless the work behind it counts for less."""
    return max(call, _WORK.get())
