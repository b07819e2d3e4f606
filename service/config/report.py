"""Puts what validation found into lines an operator can act on, without any value in them."""

from difflib import get_close_matches

from pydantic import ValidationError

from service.config.names import SettingPath, label, settings_table

_MESSAGES = {
    "bool_parsing": "this is not a boolean; write true or false",
    "bool_type": "this is not a boolean; write true or false",
    "int_from_float": "this is not a whole number; write digits alone",
    "int_parsing": "this is not a whole number; write digits alone",
    "int_type": "this is not a whole number; write digits alone",
    "dict_type": "this is not a table; write [providers.<provider>.<account>] and keys below it",
    "model_type": "this is not a table; write its name in brackets and its keys below that",
    "path_type": "this is not a path; put it in quotes",
    "string_type": "this is not text; put it in quotes",
    "too_long": "these are too many; keep at most two",
    "too_short": "this is too short; see the configuration table",
    "tuple_type": 'this is not a list; write ["first", "second"]',
}
_ACCOUNT_DEPTH = len(("providers", "provider", "account"))


def explain(error: ValidationError) -> dict[SettingPath, str]:
    """Return one line for each setting with a problem."""
    lines: dict[SettingPath, str] = {}
    for detail in error.errors(include_url=False, include_input=False):
        path, kind = _locate(detail["loc"]), detail["type"]
        if kind == "extra_forbidden":
            lines[path] = f"{'.'.join(path)} (file): unknown key; {_hint(path)}"
        else:
            text = _describe(path, kind, detail["msg"])
            lines.setdefault(path, f"{label(path)}: {text}")
    return lines


def _locate(location: tuple[int | str, ...]) -> SettingPath:
    """Leave out the position in a list, and the mark of a table's name."""
    return tuple(part for part in location if isinstance(part, str) and part != "[key]")


def _describe(path: SettingPath, kind: str, message: str) -> str:
    if path[0] == "providers" and len(path) == _ACCOUNT_DEPTH and kind == "model_type":
        return f"this is not an account; write [providers.{path[1]}.default] and put its keys there"
    if kind in _MESSAGES:
        return _MESSAGES[kind]
    text = message.removeprefix("Value error, ").replace("Input should be", "must be")
    return text[:1].lower() + text[1:]


def _hint(path: SettingPath) -> str:
    key = ".".join(path)
    known = [setting.key for setting in settings_table()]
    sections = sorted({known_key.rpartition(".")[0] for known_key in known} - {""})
    close = get_close_matches(key, [*known, *sections], n=1)
    return f"did you mean {close[0]}?" if close else "remove it, or see `checkout config`"
