"""What a campaign must know of the provider that its customers buy from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random
from typing import NamedTuple, Protocol

from tests.e2e.wire.requests import Fields
from tests.torture.calls import Session


class Trade(NamedTuple):
    """What customers ask for and do there, and where the service may die.

    `takes_a_key` says that nothing is ever made twice for a session, `closes_pages` that pages end with theirs.
    """

    fields: Fields
    acts: Sequence[str]
    points: Sequence[str]
    takes_a_key: bool = False
    closes_pages: bool = False

    def is_unsettled(self, session: Session) -> bool:
        """Tell whether the service has something left to do about a session."""
        if session.state == Session.STATE_EXPIRED and self.closes_pages:
            return session.provider_link != Session.PROVIDER_LINK_CLOSED
        return session.state == Session.STATE_CREATING


class Trading(Protocol):
    """A provider that counts what it is asked for and what it makes, by our id."""

    trade: Trade

    @property
    def settings(self) -> dict[str, str]:
        """The environment that configures an account there."""

    def settings_of(self, life: int) -> dict[str, str]:
        """The same for one life of a service, whose requests are known by it."""

    @property
    def asked(self) -> Counter[str]:
        """How often each session was asked for."""

    @property
    def made(self) -> Mapping[str, Sequence[int]]:
        """The lives of the service that had a page made for each session."""

    def be_moody(self, chance: Random) -> None:
        """Be slow, and now and then refuse or tear a connection down."""
