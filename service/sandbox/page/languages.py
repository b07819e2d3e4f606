"""The words of the page in each language, and how each writes money, countries and times."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency

from service.sandbox.currency import to_major

FOLDER = Path(__file__).parent / "languages"
FALLBACK = "en"
CODE_BEFORE_DIGIT = re.compile(r"(?<=[A-Z])(?=\d)")


class Language:
    """One language of the page."""

    def __init__(self, code: str, words: Mapping[str, str]) -> None:
        self.code = code
        self._words = words
        self._locale = Locale.parse(code)

    @property
    def direction(self) -> str:
        """Return "rtl" where the script runs from right to left, else "ltr"."""
        return self._locale.text_direction

    def say(self, key: str, **values: object) -> str:
        """Return a phrase with its placeholders filled."""
        return self._words[key].format(**values)

    def money(self, amount: int, currency: str) -> str:
        """Write minor units the way readers of the language expect."""
        text = format_currency(
            to_major(amount, currency), currency, locale=self._locale, decimal_quantization=False
        )
        # CLDR wants a space between a code and digits; Babel leaves it out.
        return CODE_BEFORE_DIGIT.sub("\N{NO-BREAK SPACE}", text)

    def time(self, at: datetime) -> str:
        """Write a time in UTC."""
        return f"{format_date(at, 'long', locale=self._locale)}, {at:%H:%M} UTC"

    def countries(self, codes: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
        """Return country codes with their names, sorted by name."""
        named = [(code, self._locale.territories.get(code, code)) for code, _ in codes]
        return sorted(named, key=lambda pair: pair[1].casefold())


class Languages:
    """All languages of the page; what is not translated is shown in English."""

    def __init__(self) -> None:
        self._languages = {path.stem: self._load(path) for path in sorted(FOLDER.glob("*.json"))}

    def choose(self, wanted: str, accepted: str) -> Language:
        """Return the wanted language, else the browser's first known one, else English."""
        if wanted:
            return self._languages.get(wanted, self._languages[FALLBACK])
        for part in accepted.split(","):
            code = part.partition(";")[0].partition("-")[0].strip().lower()
            if code in self._languages:
                return self._languages[code]
        return self._languages[FALLBACK]

    def _load(self, path: Path) -> Language:
        return Language(path.stem, json.loads(path.read_text(encoding="utf-8")))
