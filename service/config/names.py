"""What each setting is called in the file and in the environment, and how its value is written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from service.config.settings import AccountSettings, Settings
from service.config.values import format_duration

PREFIX = "CHECKOUT_"
FILE_NAME = "CHECKOUT_CONFIG"
ACCOUNT_PREFIX = "CHECKOUT_PROVIDERS__"
ACCOUNT_SETTING_DEPTH = len(("providers", "provider", "account", "key"))

SettingPath = tuple[str, ...]


@dataclass(frozen=True)
class Setting:
    """One line of the configuration table."""

    path: SettingPath
    default: str
    description: str
    is_secret: bool

    @property
    def key(self) -> str:
        """The name in the file, tables joined by dots."""
        return ".".join(self.path)

    @property
    def variable(self) -> str:
        """The name in the environment."""
        return variable(self.path)


def variable(path: SettingPath) -> str:
    """Name a setting as the environment does."""
    if path[0] == "providers":
        return PREFIX + "__".join(path).upper()
    parts = path[:-1] if path[-1] == "enabled" else path
    return PREFIX + "_".join(parts).upper()


def label(path: SettingPath) -> str:
    """Name a setting both ways, and what is not one as the file does."""
    is_account_setting = path[0] == "providers" and len(path) == ACCOUNT_SETTING_DEPTH
    is_known = is_account_setting or path in {setting.path for setting in settings_table()}
    return f"{'.'.join(path)} ({variable(path)})" if is_known else ".".join(path)


def settings_table() -> list[Setting]:
    """List every setting outside the accounts, in the order of the file."""
    return list(_rows((), Settings.model_fields))


def account_table(
    provider: str = "<provider>",
    account: str = "<account>",
    own: Mapping[str, str] = MappingProxyType({}),
) -> list[Setting]:
    """List every setting of one account; `own` are the meanings of those that only its provider has."""
    path = ("providers", provider, account)
    return [
        *_rows(path, AccountSettings.model_fields),
        *(Setting((*path, name), "", meaning, is_secret=False) for name, meaning in own.items()),
    ]


def _rows(path: SettingPath, fields: Mapping[str, FieldInfo]) -> Iterator[Setting]:
    for name, field in fields.items():
        if isinstance(field.default, BaseModel):
            yield from _rows((*path, name), type(field.default).model_fields)
        elif field.description:
            yield Setting(
                (*path, name),
                render(field.default),
                field.description,
                _is_secret(field.annotation),
            )


def _is_secret(annotation: object) -> bool:
    return annotation is SecretStr or any(_is_secret(part) for part in get_args(annotation))


def render(value: object) -> str:
    """Write a value as the file would."""
    match value:
        case None | ():
            return ""
        case bool():
            return "true" if value else "false"
        case timedelta():
            return format_duration(value)
        case SecretStr():
            return "********"
        case list() | tuple():
            return ",".join(render(part) for part in value)
        case _:
            return str(value)
