"""A session at a moment."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from service.core.model import Session


class SessionView(Struct, frozen=True):
    """A session as it reads at `now`."""

    session: Session
    now: datetime
