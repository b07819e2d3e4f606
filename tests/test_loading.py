"""How a process loads what it serves with."""

import gc

import pytest

from service.loading import loading


def test_no_garbage_is_looked_for_while_loading() -> None:
    """The collector rests meanwhile, and leaves alone for ever what was made."""
    frozen = gc.get_freeze_count()
    with loading():
        assert not gc.isenabled()
        made: list[list[int]] = [[] for _ in range(100)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= frozen + len(made)
    gc.unfreeze()


def test_garbage_is_collected_however_loading_ends() -> None:
    """A start that fails leaves the collector as it was."""
    with pytest.raises(ValueError, match="no settings"), loading():
        raise ValueError("no settings")
    gc.unfreeze()
    assert gc.isenabled()
