"""How each provider tells of a payment: what its emulator does not do by itself, said by its documents."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, NamedTuple, Protocol

import msgspec

from service.core.model import CreateRequest, PaymentState, Session
from service.providers.square.transformers import PAYMENT_STATES
from service.sandbox.clover.catalogue import CURRENCY, MERCHANT_ID
from service.sandbox.fastspring.catalogue import CHECKOUT_ID, STORE_ID, USERNAME
from service.sandbox.sellapp.emulator import SellappEmulator
from service.sandbox.sellapp.records import Status
from service.sandbox.square.catalogue import LOCATION_ID
from service.sandbox.square.emulator import SquareEmulator
from tests.providers.clover.documents import document as clover_document
from tests.providers.clover.documents import request as clover_request
from tests.providers.dodo.documents import document as dodo_document
from tests.providers.dodo.test_conformance import BASE as DODO
from tests.providers.fastspring.documents import batch, event
from tests.providers.fastspring.shop import BASE as FASTSPRING
from tests.providers.sandbox import NOW, Place
from tests.providers.sellapp.documents import SHOP as SELLAPP
from tests.providers.sellapp.documents import STORE
from tests.providers.square.test_conformance import BASE as SQUARE

JsonObject = dict[str, Any]


class Told(NamedTuple):
    """What is said of a payment of a session."""

    state: PaymentState = PaymentState.PAID
    payment_id: str = "PAYMENT1"
    event_id: str = "event-1"
    amount: int = 3000
    currency: str = "USD"
    at: datetime = NOW
    is_elsewhere: bool = False
    live: bool = False


class Later(NamedTuple):
    """What is said of a payment once it was made: a refund of a part, or where a dispute stands."""

    payment_id: str
    event_id: str
    refund: int = 0
    dispute: str = ""


class Teller(Protocol):
    """One provider's own words; `can` names the scenarios that it has words for."""

    provider: str
    request: CreateRequest
    can: frozenset[str]
    unusable: ClassVar[JsonObject]
    """An event that is nothing to a session."""

    def own(self, place: Place) -> Mapping[str, str]:
        """Return the settings that only this provider has."""

    def payment(self, place: Place, session: Session, told: Told) -> bytes:
        """Return the body that tells of a payment."""

    def later(self, place: Place, session: Session, told: Later) -> bytes:
        """Return the body that tells of a refund or a dispute."""


class Clover:
    """Clover: one event for each attempt, and none afterwards."""

    provider = "clover"
    request = clover_request()
    can = frozenset({"amount", "decline", "elsewhere", "second"})
    unusable: ClassVar[JsonObject] = clover_document("payment_approved") | {"type": "REFUND"}

    def own(self, place: Place) -> Mapping[str, str]:
        return {"merchant_id": MERCHANT_ID, "currency": CURRENCY}

    def payment(self, place: Place, session: Session, told: Told) -> bytes:
        words = {PaymentState.PAID: "APPROVED", PaymentState.FAILED: "DECLINED"}
        word = words.get(told.state, "PENDING")
        fields = {
            "createdTime": int(told.at.timestamp() * 1000),
            "message": f"{word.capitalize()} for {told.amount}",
            "status": word,
            "id": told.payment_id,
            "merchantId": "OTHERMERCHANT" if told.is_elsewhere else MERCHANT_ID,
            "data": session.provider_session_id,
        }
        return msgspec.json.encode(clover_document("payment_approved") | fields)

    def later(self, place: Place, session: Session, told: Later) -> bytes:
        raise AssertionError("Clover tells of no refund")


class Dodo:
    """Dodo Payments: a snapshot in an envelope."""

    provider = "dodo"
    request = DODO
    can = frozenset({"amount", "currency", "decline", "dispute", "refund", "second"})
    unusable: ClassVar[JsonObject] = dodo_document("payment_succeeded") | {
        "type": "license_key.created"
    }

    def own(self, place: Place) -> Mapping[str, str]:
        return {}

    def payment(self, place: Place, session: Session, told: Told) -> bytes:
        words = {PaymentState.PAID: "succeeded", PaymentState.FAILED: "failed"}
        word = words.get(told.state, "processing")
        body = dodo_document("payment_succeeded")
        changes = {
            "payment_id": told.payment_id,
            "total_amount": told.amount,
            "currency": told.currency,
            "created_at": told.at.isoformat(),
            "checkout_session_id": session.provider_session_id,
            "metadata": {"checkout_session_id": session.session_id},
            "status": word,
        }
        return msgspec.json.encode(
            body | {"type": f"payment.{word}", "data": body["data"] | changes}  # type: ignore[operator]
        )

    def later(self, place: Place, session: Session, told: Later) -> bytes:
        name = "dispute_opened" if told.dispute else "refund_succeeded"
        body, changes = dodo_document(name), {"payment_id": told.payment_id}
        if told.dispute:
            body["type"] = f"dispute.{told.dispute}"
            changes["dispute_status"] = f"dispute_{told.dispute}"
        else:
            changes |= {"amount": told.refund}  # type: ignore[dict-item]
        return msgspec.json.encode(body | {"data": body["data"] | changes})  # type: ignore[operator]


class Fastspring:
    """FastSpring: a batch of one, whose order is the payment."""

    provider = "fastspring"
    request = FASTSPRING
    can = frozenset({"amount", "currency", "decline", "dispute", "live", "refund", "second"})
    unusable: ClassVar[JsonObject] = {
        "events": [{"id": "E1", "type": "mailingListEntry.updated", "data": {}}]
    }

    def own(self, place: Place) -> Mapping[str, str]:
        return {"username": USERNAME, "store": STORE_ID, "checkout": CHECKOUT_ID}

    def payment(self, place: Place, session: Session, told: Told) -> bytes:
        words = {PaymentState.PAID: "order.completed", PaymentState.FAILED: "order.failed"}
        changes = {
            "id": told.payment_id,
            "order": told.payment_id,
            "total": told.amount / 100,
            "currency": told.currency,
            "changed": int(told.at.timestamp() * 1000),
            "tags": {"checkout_session_id": session.session_id},
            "items": [],
        }
        word = words.get(told.state, "order.payment.pending")
        envelope = {"id": told.event_id, "type": word, "live": told.live}
        return batch(event("order_completed", **changes) | envelope)

    def later(self, place: Place, session: Session, told: Later) -> bytes:
        envelope = {"id": told.event_id, "live": False}
        if told.dispute:
            words = {"opened": "NEW", "won": "WON"}
            changes = {"order": told.payment_id, "status": words[told.dispute]}
            return batch(event("chargeback_created", **changes) | envelope)
        original = {"id": told.payment_id, "order": told.payment_id, "currency": "USD"}
        changes = {"totalReturn": told.refund / 100, "original": original}  # type: ignore[dict-item]
        return batch(event("return_created", **changes) | envelope)


class Sellapp:
    """SellApp: the event only hints, and the invoice tells."""

    provider = "sellapp"
    request = SELLAPP
    can = frozenset({"decline", "dispute", "refund"})
    unusable: ClassVar[JsonObject] = {"event": "order.created", "data": {"id": 1}, "store": 1}

    def own(self, place: Place) -> Mapping[str, str]:
        return STORE

    def payment(self, place: Place, session: Session, told: Told) -> bytes:
        words = {PaymentState.PAID: "PAID", PaymentState.FAILED: "FAILED"}
        self._move(place, session, words.get(told.state, "REVIEW"), told.at)
        return self._hint("order.paid", session)

    def later(self, place: Place, session: Session, told: Later) -> bytes:
        words = {"opened": "DISPUTING", "won": "COMPLETED"}
        word = words[told.dispute] if told.dispute else "REFUNDED"
        self._move(place, session, word, NOW)
        return self._hint("order.disputed", session)

    def _move(self, place: Place, session: Session, word: str, at: datetime) -> None:
        emulator = place.sandbox.emulators["sellapp"]
        assert isinstance(emulator, SellappEmulator)
        store = emulator.catalogue.stores[STORE["store"]]
        if (invoice := emulator.find(session.provider_session_id, store)) is not None:
            invoice.statuses.append(Status(word, at))

    def _hint(self, name: str, session: Session) -> bytes:
        invoice_id = session.provider_session_id
        number = int(invoice_id) if invoice_id.isdigit() else 404
        return msgspec.json.encode({"event": name, "data": {"id": number}, "store": 1})


class Square:
    """Square: the inner object of an event."""

    provider = "square"
    request = SQUARE
    can = frozenset(
        {"amount", "currency", "decline", "dispute", "elsewhere", "refund", "second"},
    )
    unusable: ClassVar[JsonObject] = {
        "type": "order.updated",
        "event_id": "E1",
        "data": {"object": {"order_updated": {"order_id": "O", "state": "COMPLETED"}}},
    }

    def __init__(self, call: str) -> None:
        self._call = call

    def own(self, place: Place) -> Mapping[str, str]:
        hook = f"{place.url}/hook"
        named = {"location_id": LOCATION_ID, "currency": "USD", "webhook_url": hook}
        return named | {"call": self._call}

    def payment(self, place: Place, session: Session, told: Told) -> bytes:
        words = {state: word for word, state in PAYMENT_STATES.items() if word != "PENDING"}
        amount = {"amount": told.amount, "currency": told.currency}
        payment = {
            "id": told.payment_id,
            "status": words[told.state],
            "order_id": self._order_id(place, session),
            "location_id": "LOTHER" if told.is_elsewhere else LOCATION_ID,
            "created_at": told.at.astimezone(UTC).isoformat(),
            "amount_money": amount,
            "total_money": amount,
        }
        return self._body("payment.updated", told.event_id, {"payment": payment})

    def later(self, place: Place, session: Session, told: Later) -> bytes:
        named = {"id": "LATER1", "location_id": LOCATION_ID}
        if told.dispute:
            words = {"opened": "EVIDENCE_REQUIRED", "won": "WON"}
            disputed = {"disputed_payment": {"payment_id": told.payment_id}}
            content = {"dispute": named | disputed | {"state": words[told.dispute]}}
            return self._body("dispute.state.updated", told.event_id, content)
        amount = {"amount": told.refund, "currency": "USD"}
        refund = {"payment_id": told.payment_id, "status": "COMPLETED", "amount_money": amount}
        return self._body("refund.updated", told.event_id, {"refund": named | refund})

    def _order_id(self, place: Place, session: Session) -> str:
        emulator = place.sandbox.emulators["square"]
        assert isinstance(emulator, SquareEmulator)
        found = emulator.find(session.provider_session_id)
        if found is None:
            return "nothing"
        # From its first payment on the order of a checkout can be read.
        emulator._store.add_order(found.order)
        return found.order.order_id

    def _body(self, name: str, event_id: str, content: object) -> bytes:
        data = {"type": "any", "id": "other", "object": content}
        return msgspec.json.encode(
            {"merchant_id": "MLDEMO", "type": name, "event_id": event_id, "data": data}
        )


TELLERS: Mapping[str, Teller] = {
    "clover": Clover(),
    "dodo": Dodo(),
    "fastspring": Fastspring(),
    "sellapp": Sellapp(),
    "square links": Square("links"),
    "square checkouts": Square("checkouts"),
}
