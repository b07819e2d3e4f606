"""When a worker that died is started again."""

from service.workers.patience import SOUND, Patience


def test_the_first_death_costs_no_time() -> None:
    """Whoever was killed after a while is replaced at once, however often."""
    patience = Patience()
    assert [patience.pause(SOUND) for _ in range(3)] == [0, 0, 0]


def test_deaths_at_the_start_wait_longer_each_time() -> None:
    """What dies of its start again and again does not keep the machine busy, and is tried for ever."""
    patience = Patience()
    pauses = [patience.pause(0.1) for _ in range(2000)]
    assert pauses[:9] == [0, 0.5, 1, 2, 4, 8, 16, 30, 30]
    assert set(pauses[9:]) == {30}


def test_a_sound_life_is_a_new_beginning() -> None:
    """One that lived for a while has its successor at once."""
    patience = Patience()
    for _ in range(5):
        patience.pause(0)
    assert [patience.pause(lived) for lived in (SOUND, 0, 0)] == [0, 0.5, 1]
