"""The gate's answers: on while the session is open, else one clear page in the customer's language."""

import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from typing import NamedTuple

import aiohttp
import pytest
from prometheus_client import CollectorRegistry
from structlog.typing import EventDict

from service.core.errors import StoreUnavailable
from service.core.gate import Outcome, Passage
from service.web import notices
from service.web.server import WebServer, build_application
from tests.web.conftest import Rules, error_of

TOKEN = "canary0token"
LINK = f"/c/{TOKEN}"
PAGE = "https://checkout.example/cks_1?lang=de#pay"
OPEN = Passage(Outcome.OPEN, PAGE)
LANGUAGES = {"de", "en", "es", "fr", "it", "nl", "pl", "pt"}


class Case(NamedTuple):
    """What the rules say, and what the customer then sees."""

    result: Passage | Exception
    status: int
    kind: str
    retry: str | None = None


NOTICES = [
    Case(Passage(Outcome.COMPLETED), 200, "completed"),
    Case(Passage(Outcome.DECIDING), 200, "deciding"),
    Case(Passage(Outcome.ENDED), 410, "ended"),
    Case(Passage(Outcome.NOT_READY), 503, "not_ready", "5"),
    Case(Passage(Outcome.UNKNOWN), 404, "unknown"),
    Case(StoreUnavailable("away"), 503, "unavailable", "5"),
    Case(RuntimeError("canary0text"), 500, "unavailable", "5"),
]


@dataclass
class Scripted:
    """Lets pass as scripted, and notes the tokens."""

    result: Passage | Exception = OPEN
    tokens: list[str] = field(default_factory=list)

    async def __call__(self, token: str) -> Passage:
        """Answer as scripted."""
        self.tokens.append(token)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.fixture
def gate() -> Scripted:
    """A gate that is open."""
    return Scripted()


@pytest.fixture
async def visitor(
    gate: Scripted, rules: Rules, registry: CollectorRegistry
) -> AsyncIterator[aiohttp.ClientSession]:
    """A customer's browser before a running port; it goes nowhere by itself."""
    server = WebServer(host="127.0.0.1", port=0, drain=timedelta(seconds=1))
    port = server.bind()
    application = build_application(
        receive=rules.receive, ready=rules.ready, registry=registry, let_pass=gate
    )
    await server.start(application)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield session
    await server.close()


class Document(HTMLParser):
    """What stands in a page: its elements, their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.style = ""
        self.text = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self.style += data
        else:
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


def words(language: str) -> dict[str, dict[str, str]]:
    """Read the phrases of a language."""
    text = (notices.FOLDER / f"{language}.json").read_text("utf-8")
    loaded: dict[str, dict[str, str]] = json.loads(text)
    return loaded


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_open_session_leads_on(
    visitor: aiohttp.ClientSession, gate: Scripted, method: str
) -> None:
    """The customer is sent to the provider's page; nothing keeps the answer or tells where they came from."""
    async with visitor.request(method, LINK, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, PAGE)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert await answer.read() == b""
    assert gate.tokens == [TOKEN]


@pytest.mark.parametrize("case", NOTICES, ids=lambda case: f"{case.kind}-{case.status}")
async def test_everything_else_is_a_clear_page(
    visitor: aiohttp.ClientSession, gate: Scripted, case: Case
) -> None:
    """Each outcome has its status and says what to do; only what passes by itself offers another try."""
    gate.result = case.result
    async with visitor.get(LINK) as answer:
        assert answer.status == case.status
        assert answer.headers.get("Retry-After") == case.retry
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.content_type == "text/html"
        page = Document(await answer.text())
    assert words("en")[case.kind]["title"] in page.text
    assert words("en")[case.kind]["text"] in page.text
    assert [tag for tag, _ in page.elements].count("a") == (1 if case.retry else 0)
    assert "canary" not in page.text


@pytest.mark.parametrize("case", NOTICES, ids=lambda case: f"{case.kind}-{case.status}")
async def test_head_is_the_page_without_its_body(
    visitor: aiohttp.ClientSession, gate: Scripted, case: Case
) -> None:
    """A link checker is told the same as a customer."""
    gate.result = case.result
    async with visitor.head(LINK) as answer:
        assert (answer.status, answer.headers.get("Retry-After")) == (case.status, case.retry)
        assert await answer.read() == b""


async def test_page_needs_nothing_but_itself(
    visitor: aiohttp.ClientSession, gate: Scripted
) -> None:
    """No script, nothing loaded, nothing framed; the policy allows the one style sheet by its hash."""
    gate.result = Passage(Outcome.NOT_READY)
    async with visitor.get(LINK) as answer:
        policy = answer.headers["Content-Security-Policy"]
        page = Document(await answer.text())
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    names = {tag for tag, _ in page.elements}
    assert names.isdisjoint({"script", "iframe", "form", "img"})
    links = [value for _, given in page.elements for name, value in given.items() if name == "href"]
    assert links == ["data:,", ""]
    assert not any(re.match("on|style", name) for _, given in page.elements for name in given)


@pytest.mark.parametrize(
    ("locale", "accepted", "language"),
    [
        ("", "", "en"),
        ("", "de-AT,de;q=0.9,en;q=0.8", "de"),
        ("", "en;q=0.5, fr;q=0.9", "fr"),
        ("", "xx, fr;q=0, pl;q=0.1", "pl"),
        ("", "*, ;q=x,,it;q=7", "it"),
        ("pt-BR", "de", "pt"),
        ("pt_BR", "de", "pt"),
        ("ja", "nl", "nl"),
        ("ja", "ja", "en"),
        ("../en", "es", "es"),
        ("", "xx," * 1000 + "de", "en"),
    ],
)
async def test_page_speaks_the_customers_language(
    visitor: aiohttp.ClientSession, gate: Scripted, locale: str, accepted: str, language: str
) -> None:
    """What the shop named comes first, then what the browser prefers, then English."""
    gate.result = Passage(Outcome.ENDED, locale=locale)
    async with visitor.get(LINK, headers={"Accept-Language": accepted}) as answer:
        assert answer.headers["Content-Language"] == language
        assert answer.headers["Vary"] == "Accept-Language"
        page = Document(await answer.text())
    assert dict(page.elements)["html"] == {"lang": language}
    assert words(language)["ended"]["title"] in page.text


def test_every_language_has_every_word() -> None:
    """No page is half translated, and no phrase is left in English."""
    english = words("en")
    assert {path.stem for path in notices.FOLDER.glob("*.json")} == LANGUAGES
    for language in LANGUAGES - {"en"}:
        translated = words(language)
        assert translated.keys() == english.keys()
        for key, phrase in english.items():
            assert translated[key] != phrase
            assert type(translated[key]) is type(phrase)
    assert {case.kind for case in NOTICES} == english.keys() - {"again"}


async def test_token_stands_in_no_log_line(
    visitor: aiohttp.ClientSession, gate: Scripted, lines: list[EventDict]
) -> None:
    """Visits are logged by their pattern, failures by their place."""
    for result in (OPEN, *(case.result for case in NOTICES)):
        gate.result = result
        await visitor.get(LINK, allow_redirects=False)
    logged = [line for line in lines if line["event"] == "http.handled"]
    assert {line["route"] for line in logged} == {"/c/{token}"}
    assert len(logged) == len(NOTICES) + 1
    assert [line["error"] for line in lines if line["event"] == "gate.failed"] == ["RuntimeError"]
    assert "canary" not in str(lines)
    assert PAGE not in str(lines)


async def test_visits_are_counted(
    visitor: aiohttp.ClientSession, gate: Scripted, registry: CollectorRegistry
) -> None:
    """Operators see how many customers came in time, too late, or while the store was away."""
    for result in (OPEN, Passage(Outcome.ENDED), StoreUnavailable("away")):
        gate.result = result
        await visitor.get(LINK, allow_redirects=False)
    for outcome in ("open", "ended", "unavailable"):
        count = registry.get_sample_value("checkout_gate_visits_total", {"outcome": outcome})
        assert count == 1


async def test_only_reading_is_possible(visitor: aiohttp.ClientSession, gate: Scripted) -> None:
    """Nothing can be sent through the gate."""
    async with visitor.post(LINK, data={"pay": "1"}) as answer:
        assert (answer.status, error_of(await answer.read())) == (405, "method_not_allowed")
    assert gate.tokens == []


async def test_without_public_url_there_is_no_gate(client: aiohttp.ClientSession) -> None:
    """Where customers go to the provider at once, the path is unknown like any other."""
    async with client.get(LINK) as answer:
        assert (answer.status, error_of(await answer.read())) == (404, "not_found")
