"""Reads the pages' HTML the way an assistive technology would."""

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import NamedTuple

VOID = {"meta", "link", "input", "path", "circle"}


class Element(NamedTuple):
    """One element and the text inside it."""

    tag: str
    attributes: Mapping[str, str]
    text: list[str]


class Page(HTMLParser):
    """A parsed page; tags that do not balance fail the test."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"{tag} repeats an attribute"
        element = Element(tag, {name: value or "" for name, value in attrs}, [])
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost element, which must be this one."""
        if tag not in VOID:
            assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        """Add text to every open element."""
        for element in self._open:
            element.text.append(data)

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Return the elements with a tag and attributes; underscores stand for dashes."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [
            element
            for element in self.elements
            if element.tag == tag and wanted.items() <= element.attributes.items()
        ]

    def one(self, tag: str, **attributes: str) -> Element:
        """Return the only such element."""
        (found,) = self.all(tag, **attributes)
        return found

    def text(self, tag: str, **attributes: str) -> str:
        """Return the text of the only such element."""
        return " ".join("".join(self.one(tag, **attributes).text).split())

    def form(self) -> dict[str, str]:
        """Return what a browser would send for the untouched form, without a button."""
        fields = {
            element.attributes["name"]: element.attributes.get("value", "")
            for element in self.all("input")
            if element.attributes.get("type") != "checkbox" or "checked" in element.attributes
        }
        for select in self.all("select"):
            fields[select.attributes["name"]] = ""
        chosen = [option for option in self.all("option") if "selected" in option.attributes]
        owners = self._owners()
        return fields | {owners[id(option)]: option.attributes["value"] for option in chosen}

    def _owners(self) -> dict[int, str]:
        owners, name = {}, ""
        for element in self.elements:
            if element.tag == "select":
                name = element.attributes["name"]
            elif element.tag == "option":
                owners[id(element)] = name
        return owners
