"""The page of fields as rows, and the contract as paths, for the tests that hold them together."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from tests.proto.descriptors import ROOT

PAGE = ROOT / "docs" / "fields.md"
SERVICE = "The service itself"
VALUES = {
    "checkout.v1.Money",
    "google.protobuf.Duration",
    "google.protobuf.Timestamp",
}


@dataclass(frozen=True)
class Row:
    """One line of a table: fields of a provider and their places in the contract, or a word."""

    provider: str
    table: str
    fields: tuple[str, ...]
    places: tuple[str, ...]
    word: str
    remark: str = ""

    @property
    def is_as_given(self) -> bool:
        """Whether the place holds what the caller said, whatever is answered."""
        return self.remark.startswith("as given")


@cache
def rows() -> tuple[Row, ...]:
    """Read every line of every table on the page."""
    found = []
    provider = table = ""
    for line in PAGE.read_text("utf-8").splitlines():
        if line.startswith("## "):
            provider, table = line.removeprefix("## "), ""
        elif line.startswith("### "):
            table = line.removeprefix("### ")
        elif line.startswith("| `"):
            first, second, *others = line.strip("|").split("|")
            remark = others[0].strip() if others else ""
            found.append(Row(provider, table, code(first), code(second), second.strip(), remark))
    return tuple(found)


def code(cell: str) -> tuple[str, ...]:
    """Pick what a cell prints as code."""
    return tuple(re.findall(r"`([^`]+)`", cell))


def covers(written: str, path: str) -> bool:
    """Tell whether a written path means another one, by name or as one of all below it."""
    return path == written or (written.endswith(".*") and path.startswith(written[:-1]))


def leaves(message: Descriptor, prefix: str = "") -> Iterator[str]:
    """Yield the path of every value below a message; lists of messages end in []."""
    for field in message.fields:
        path = f"{prefix}{field.name}"
        if inner := parts(field):
            yield from leaves(inner, f"{path}{'[]' if field.is_repeated else ''}.")
        else:
            yield path


def exists(message: Descriptor, written: str) -> bool:
    """Tell whether a written path leads to a field of a message."""
    name, _, rest = written.partition(".")
    field = message.fields_by_name.get(name.removesuffix("[]"))
    if field is None or (name.endswith("[]") and not field.is_repeated):
        return False
    if not rest:
        return True
    inner = parts(field)
    if inner is None or name.endswith("[]") != field.is_repeated:
        return False
    return rest == "*" or exists(inner, rest)


def parts(field: FieldDescriptor) -> Descriptor | None:
    """Return the message whose fields are named on their own, unless the field is one value."""
    message = field.message_type
    if message is None or message.GetOptions().map_entry or message.full_name in VALUES:
        return None
    return message
