"""Which changes concern whom."""

from service.core import lifecycle
from service.core.conditions import CAME_FROM, Conditions
from service.core.lifecycle import Move
from service.core.model import State


def test_every_state_a_change_can_come_from_is_known() -> None:
    """Where a state may be left, whoever follows it is told: the table of the life cycle says by what."""
    moves = {
        "session.opened": {Move.OPEN},
        "session.completed": {Move.JUDGE},
        "session.expired": {
            *(Move.JUDGE, Move.EXPIRE, Move.EXPIRE_OR_REFUSE, Move.EXPIRE_UNLESS_PROCESSING)
        },
        "session.failed": {Move.FAIL},
        "session.left_unresolved": {Move.LEAVE_UNRESOLVED},
    }
    by_table = {
        name: {state for state, row in lifecycle.TABLE.items() if which & set(row.values())}
        for name, which in moves.items()
    }
    by_table["session.expired"] -= {State.EXPIRED}
    assert by_table == CAME_FROM


def test_conditions_that_mean_the_same_are_the_same() -> None:
    """The mark of conditions does not depend on the order in which they were named."""
    one = Conditions(states=frozenset([State.OPEN, State.EXPIRED]))
    two = Conditions(states=frozenset([State.EXPIRED, State.OPEN]))
    assert one.mark() == two.mark()
    assert one.mark() != Conditions(states=frozenset([State.OPEN])).mark()
