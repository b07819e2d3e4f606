"""Reads the commands, programs and answers out of the documentation, to run and compare them."""

import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
CLIENTS = ROOT / "docs" / "clients.md"
SANDBOX = ROOT / "docs" / "sandbox.md"
PAGES = (README, CLIENTS, SANDBOX)

GRPC = "127.0.0.1:50051"
WEB = "127.0.0.1:8080"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ID = re.compile(r"\b(?:cs|cks|pay)_[0-9a-z]{26}\b")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+Z")


class Block(Struct, frozen=True):
    """A fenced block of a page."""

    language: str
    text: str

    @property
    def commands(self) -> list[str]:
        """The lines of a block of shell."""
        return [line for line in self.text.splitlines() if line]


def blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page in order."""
    for language, text in _FENCE.findall(page.read_text("utf-8")):
        yield Block(language, text)


def shell(page: Path) -> Iterator[str]:
    """Yield every shell command of a page."""
    return (line for block in blocks(page) if block.language == "sh" for line in block.commands)


class Running:
    """Translates what is documented into what holds for the service a test has started."""

    def __init__(self, *, grpc: str, web: str) -> None:
        self._addresses = {GRPC: grpc, WEB: web}
        self._ids: dict[str, str] = {}

    def real(self, text: str) -> str:
        """Return a documented text with the addresses and ids of the running service."""
        for documented, real in {**self._addresses, **self._ids}.items():
            text = text.replace(documented, real)
        return text

    def learn(self, documented: object, answer: object, path: str = "answer") -> None:
        """Check that an answer has everything documented, and remember the ids it has instead."""
        match documented, answer:
            case dict(), dict():
                for key, value in documented.items():
                    assert key in answer, f"{path} has no {key}"
                    self.learn(value, answer[key], f"{path}.{key}")
            case list(), list():
                assert len(documented) == len(answer), path
                for index, (value, real) in enumerate(zip(documented, answer, strict=True)):
                    self.learn(value, real, f"{path}[{index}]")
            case str(), str():
                self._learn_text(documented, answer, path)
            case _:
                assert documented == answer, path

    def _learn_text(self, documented: str, answer: str, path: str) -> None:
        if _TIME.fullmatch(documented):
            assert _TIME.fullmatch(answer), path
            return
        self._ids.update(zip(_ID.findall(documented), _ID.findall(answer), strict=True))
        assert self.real(documented) == answer, path
