"""Everything that can go wrong with an answer, and what a client can know of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.e2e.wire.fault_proxy import Handler, Respond
from tests.e2e.wire.provider import resets

HTML = b"<!doctype html><title>Sorry</title><h1>We will be back soon</h1>"
LARGE = b'{"padding":"' + b"x" * 10_000_000 + b'"}'
ELSEWHERE = "/elsewhere"
FOREIGN = "http://evil.example"


class Fault(NamedTuple):
    """A lost answer: how its cause begins, whether it was made before, and whether sending again may help.

    `is_made` says that the provider did what it was asked for. `is_passing` faults are those that a call
    which is safe to repeat is repeated after, at once and without the caller.
    """

    happens: Respond
    causes: tuple[str, ...]
    is_made: bool = False
    is_passing: bool = True


def breaks_off(handler: Handler) -> None:
    """Let the provider do it, and break the connection off."""
    handler.ask()
    resets(handler)


def hangs_up(handler: Handler) -> None:
    """Let the provider do it, and close the connection without a word."""
    handler.ask()
    handler.close_connection = True


def hangs(handler: Handler) -> None:
    """Let the provider do it, and answer when nobody waits any more."""
    told = handler.ask()
    handler.server.proxy.released.wait()
    handler.reply(told.status, told.body)


def truncated(handler: Handler) -> None:
    """Break off in the middle of the true answer."""
    told = handler.ask()
    handler.reply(told.status, told.body[: len(told.body) // 2], length=len(told.body))


def answers(status: int, body: bytes = b"", **headers: str) -> Respond:
    """Answer something and do nothing."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.reply(status, body, named)


def instead(change: Callable[[Any], object]) -> Respond:
    """Answer what a change makes of the true answer."""

    def answer(handler: Handler) -> None:
        told = handler.ask()
        handler.reply(told.status, json.dumps(change(told.json)).encode())

    return answer


def cut(handler: Handler) -> None:
    """Answer half of the true answer as if it were the whole."""
    told = handler.ask()
    handler.reply(told.status, told.body[: len(told.body) // 2])


def of_wrong_types(value: object) -> object:
    """Return JSON of the same shape, in which no leaf is of its type."""
    if isinstance(value, dict):
        return {name: of_wrong_types(member) for name, member in value.items()}
    if isinstance(value, list):
        return [of_wrong_types(member) for member in value]
    return 7 if isinstance(value, str) else "seven"


def without_ids(value: object) -> object:
    """Return JSON without anything that is called an id of what it stands in."""
    if isinstance(value, dict):
        named = {"id", "uuid", "session_id", "sessionId", "checkoutSessionId"}
        return {n: without_ids(member) for n, member in value.items() if n not in named}
    return [without_ids(member) for member in value] if isinstance(value, list) else value


def leading_away(value: object) -> object:
    """Return JSON whose every address is somebody else's."""
    if isinstance(value, dict):
        return {name: leading_away(member) for name, member in value.items()}
    if isinstance(value, list):
        return [leading_away(member) for member in value]
    is_address = isinstance(value, str) and value.startswith("http")
    return f"{FOREIGN}/page" if is_address else value


UNREADABLE = ("unreadable_body",)
NO_ID = ("no_", "unreadable_body")
LOST: dict[str, Fault] = {
    "reset after the request": Fault(breaks_off, ("reset", "disconnected"), is_made=True),
    "closed after the request": Fault(hangs_up, ("disconnected",), is_made=True),
    "500": Fault(answers(500, b'{"message":"x"}'), ("status_500",)),
    "502 with a page of HTML": Fault(answers(502, HTML, Content_Type="text/html"), ("status_502",)),
    "504 with nothing": Fault(answers(504), ("status_504",)),
    "truncated": Fault(truncated, ("truncated",), is_made=True),
    "10 MB": Fault(answers(200, LARGE), ("body_too_large",)),
    "HTML": Fault(answers(200, HTML, Content_Type="text/html"), UNREADABLE, is_passing=False),
    "empty": Fault(answers(200), UNREADABLE, is_passing=False),
    "half of the JSON": Fault(cut, UNREADABLE, is_made=True, is_passing=False),
    "a list": Fault(answers(200, b"[]"), UNREADABLE, is_passing=False),
    "wrong types": Fault(instead(of_wrong_types), UNREADABLE, is_made=True, is_passing=False),
    "without an id": Fault(instead(without_ids), NO_ID, is_made=True, is_passing=False),
    "nothing in it": Fault(answers(200, b"{}"), NO_ID, is_passing=False),
    "redirect": Fault(answers(307, Location=ELSEWHERE), ("redirect",), is_passing=False),
}
PAGE_ELSEWHERE = Fault(
    instead(leading_away), ("foreign_checkout_url",), is_made=True, is_passing=False
)
