"""What a check says: fine, or what is wrong and how to mend it."""

from enum import Enum

from msgspec import Struct


class Level(Enum):
    """How much a finding matters."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


class Finding(Struct, frozen=True):
    """One line of the report."""

    level: Level
    subject: str
    text: str


def fine(subject: str, text: str) -> Finding:
    """Report that nothing is to be done."""
    return Finding(Level.OK, subject, text)


def doubtful(subject: str, text: str) -> Finding:
    """Report what works, and may stop to."""
    return Finding(Level.WARN, subject, text)


def broken(subject: str, text: str) -> Finding:
    """Report what does not work, and how to mend it."""
    return Finding(Level.FAIL, subject, text)
