"""Puts the rules together: every use case and task on one store, one directory and one clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from service.core.attempts import Attempts
from service.core.background import Background
from service.core.check import CheckSession
from service.core.chronicle import Chronicle
from service.core.closing import Closer
from service.core.create import LEASE, CreateSession
from service.core.currencies import ListCurrencies
from service.core.directory import Directory
from service.core.expire import ExpireSession
from service.core.expiry import ExpirySweep
from service.core.feed import Feed
from service.core.forgetting import Forgetting
from service.core.gate import Gate, GateLinks
from service.core.history import ListSessionEvents
from service.core.ledger import Ledger
from service.core.query import GetSession, ListProviders, ListSessions
from service.core.reconcile import Reconciler
from service.core.reconciliation import INTERVAL, Reconciliation
from service.core.recovery import Recovery
from service.core.search import Search
from service.core.unmatched import ListUnmatchedPayments
from service.core.watch import WatchSessions
from service.core.webhooks import ReceiveWebhook

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from service.core.ports import Clock, Ids, Observer, Provider, Store
    from service.core.record import Record


class Rules(Struct, frozen=True, kw_only=True):
    """The use cases, the tasks beside them, and what a stop waits for; links and gate where there is a gate."""

    create_session: CreateSession
    get_session: GetSession
    expire_session: ExpireSession
    list_sessions: ListSessions
    list_providers: ListProviders
    check_session: CheckSession
    list_currencies: ListCurrencies
    list_unmatched_payments: ListUnmatchedPayments
    list_session_events: ListSessionEvents
    watch_sessions: WatchSessions
    receive_webhook: ReceiveWebhook
    sweep: ExpirySweep
    forgetting: Forgetting
    reconciliation: Reconciliation
    background: Background
    links: GateLinks | None
    gate: Gate | None


def build_rules(
    *,
    store: Store,
    providers: Iterable[Provider],
    observer: Observer,
    clock: Clock,
    ids: Ids,
    secret: bytes,
    sweep_interval: timedelta,
    reconcile_interval: timedelta = INTERVAL,
    public_url: str | None = None,
    session_retention: timedelta | None = None,
    max_watchers: int = 10_000,
) -> Rules:
    """Return the rules; `secret` is the store's, and a public URL puts the gate before every page."""
    directory = Directory(providers)

    def notice(record: Record) -> None:
        # The reconciler is built below, on this very ledger.
        reconciler.notice(record)

    chronicle = Chronicle(clock=clock, secret=secret)
    ledger = Ledger(store=store, observer=observer, chronicle=chronicle, hinted=notice)
    background = Background()
    attempts = Attempts(ledger=ledger, background=background, clock=clock, lease=LEASE)
    search = Search(store=store)
    recovery = Recovery(
        ledger=ledger,
        directory=directory,
        attempts=attempts,
        search=search,
        observer=observer,
        clock=clock,
        lease=LEASE,
    )
    closer = Closer(ledger=ledger, directory=directory, observer=observer, clock=clock)
    reconciler = Reconciler(
        ledger=ledger, directory=directory, background=background, observer=observer, clock=clock
    )
    feed = Feed(store=store, clock=clock, observer=observer, limit=max_watchers)
    links = GateLinks(public_url=public_url, secret=secret) if public_url else None
    return Rules(
        create_session=CreateSession(
            store=store,
            ledger=ledger,
            directory=directory,
            attempts=attempts,
            recovery=recovery,
            search=search,
            background=background,
            clock=clock,
            ids=ids,
            secret=secret,
            has_gate=links is not None,
        ),
        get_session=GetSession(ledger=ledger, reconciler=reconciler, clock=clock),
        expire_session=ExpireSession(
            ledger=ledger, closer=closer, background=background, clock=clock
        ),
        list_sessions=ListSessions(store=store, clock=clock, secret=secret),
        list_providers=ListProviders(directory=directory),
        list_currencies=ListCurrencies(directory=directory),
        list_unmatched_payments=ListUnmatchedPayments(store=store, secret=secret),
        list_session_events=ListSessionEvents(store=store, ledger=ledger, secret=secret),
        watch_sessions=WatchSessions(store=store, clock=clock, feed=feed),
        check_session=CheckSession(directory=directory, clock=clock, has_gate=links is not None),
        receive_webhook=ReceiveWebhook(
            store=store, ledger=ledger, directory=directory, observer=observer, clock=clock
        ),
        sweep=ExpirySweep(
            store=store,
            ledger=ledger,
            recovery=recovery,
            closer=closer,
            background=background,
            observer=observer,
            clock=clock,
            interval=sweep_interval,
        ),
        forgetting=Forgetting(store=store, observer=observer, clock=clock, keep=session_retention),
        reconciliation=Reconciliation(
            store=store,
            ledger=ledger,
            providers=directory.all(),
            reconciler=reconciler,
            observer=observer,
            clock=clock,
            interval=reconcile_interval,
        ),
        background=background,
        links=links,
        gate=Gate(links=links, store=store, clock=clock) if links else None,
    )
