"""The pages a customer sees at the gate instead of the provider's: one document each, no script, no personal data."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

from aiohttp import hdrs, web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).parent / "pages"
FALLBACK = "en"

_MAX_TAGS = 20


class Notices:
    """Renders each kind of page in each language; what is not translated is shown in English."""

    def __init__(self) -> None:
        self._words = {
            path.stem: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.json")
        }
        environment = Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._template = environment.get_template("notice.html")
        self._style = (FOLDER / "notice.css").read_text("utf-8")
        self._headers = _headers(self._style)

    def answer(
        self, request: web.Request, kind: str, status: int, *, locale: str = "", again: int = 0
    ) -> web.Response:
        """Answer with a page in the wanted language, else in one the browser prefers.

        `again` are the seconds after which trying again makes sense; 0 where it makes none.
        """
        language = self._language(locale, request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))
        words = self._words[language]
        text = self._template.render(
            language=language,
            kind=kind,
            words=words[kind],
            again=words["again"] if again else "",
            style=self._style,
        )
        headers = {**self._headers, hdrs.CONTENT_LANGUAGE: language}
        if again:
            headers[hdrs.RETRY_AFTER] = str(again)
        return web.Response(text=text, status=status, content_type="text/html", headers=headers)

    def _language(self, wanted: str, accepted: str) -> str:
        for tag in (wanted, *_preferred(accepted)):
            code = re.split("[-_]", tag.strip().lower(), maxsplit=1)[0]
            if code in self._words:
                return code
        return FALLBACK


def _headers(style: str) -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        hdrs.CONTENT_SECURITY_POLICY: policy,
        hdrs.VARY: hdrs.ACCEPT_LANGUAGE,
        "X-Robots-Tag": "noindex",
    }


def _preferred(accepted: str) -> Iterator[str]:
    weighted = []
    for part in accepted.split(",")[:_MAX_TAGS]:
        tag, _, parameter = part.partition(";")
        weighted.append((_quality(parameter), tag))
    weighted.sort(key=lambda pair: -pair[0])
    yield from (tag for quality, tag in weighted if quality > 0)


def _quality(parameter: str) -> float:
    found = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", parameter)
    return float(found[1]) if found else 1.0
