"""What every emulator keeps: its newest sessions with their payments, found by any of their names."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Generic, Protocol, TypeVar

from service.sandbox.emulator import SessionUnknown


class KeptPayment(Protocol):
    """One attempt to pay."""

    @property
    def payment_id(self) -> str:
        """Return the provider's id of it."""


class KeptSession(Protocol):
    """One session; `slug` is its name in the page's address, `reference` the id a caller gave it."""

    @property
    def session_id(self) -> str:
        """Return the provider's id of it."""

    @property
    def slug(self) -> str:
        """Return its name in the page's address; it may be empty."""

    @property
    def reference(self) -> str:
        """Return the caller's id; it may be empty."""

    @property
    def payments(self) -> Sequence[KeptPayment]:
        """Return every attempt to pay it."""


SessionT = TypeVar("SessionT", bound=KeptSession)
PaymentT = TypeVar("PaymentT", bound=KeptPayment)


class SessionStore(Generic[SessionT, PaymentT]):
    """Keeps the newest sessions, with all that belongs to them, and drops the oldest."""

    def __init__(self, *, retention: int) -> None:
        self._retention = retention
        self._sessions: OrderedDict[str, SessionT] = OrderedDict()
        self._names: dict[str, str] = {}
        self._payments: dict[str, PaymentT] = {}

    def add(self, session: SessionT) -> None:
        """Remember a session, and forget the oldest where there are too many."""
        self._sessions[session.session_id] = session
        for name in (session.slug, session.reference):
            if name:
                self._names[name] = session.session_id
        while len(self._sessions) > self._retention:
            self.forget(self._sessions.popitem(last=False)[1])

    def add_payment(self, payment: PaymentT) -> None:
        """Let an attempt to pay be found."""
        self._payments[payment.payment_id] = payment

    def session(self, name: str) -> SessionT | None:
        """Find a session by its id, its slug or the caller's id."""
        return self._sessions.get(name) or self._sessions.get(self._names.get(name, ""))

    def known(self, name: str) -> SessionT:
        """Find a session that is kept. Raises SessionUnknown."""
        session = self.session(name)
        if session is None:
            raise SessionUnknown(name)
        return session

    def payment(self, payment_id: str) -> PaymentT | None:
        """Find a payment by its id."""
        return self._payments.get(payment_id)

    def sessions(self) -> Iterator[SessionT]:
        """Yield sessions, newest first."""
        return reversed(self._sessions.values())

    def payments(self) -> Iterator[PaymentT]:
        """Yield payments, oldest first."""
        return iter(self._payments.values())

    def forget(self, session: SessionT) -> None:
        """Drop what belongs to a session that is dropped."""
        for name in (session.slug, session.reference):
            if self._names.get(name) == session.session_id:
                del self._names[name]
        for payment in session.payments:
            self._payments.pop(payment.payment_id, None)
