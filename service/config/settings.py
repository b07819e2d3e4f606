"""Every setting of the service: its name, type, default and meaning."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from service.config.values import (
    Address,
    CommaSeparated,
    Duration,
    ListenAddress,
    Name,
    PublicUrl,
    StoreUrl,
    Url,
    WebhookSecret,
    between,
)

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


class Section(BaseModel):
    """A table of the configuration file."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class GrpcSettings(Section):
    """The gRPC port."""

    address: Address = Field(
        default=ListenAddress("127.0.0.1", 50051),
        description="where gRPC listens; port 0 picks a free one",
    )
    max_watchers: int = Field(
        default=10_000,
        ge=0,
        le=1_000_000,
        description="most streams of `WatchSessions` open at once; one more is refused",
    )


class WebSettings(Section):
    """The HTTP port."""

    address: Address = Field(
        default=ListenAddress("127.0.0.1", 8080),
        description="where webhooks, metrics and probes listen; port 0 picks a free one",
    )
    public_url: PublicUrl | None = Field(
        default=None,
        description="the web port as customers reach it, such as `https://pay.example.com`: "
        "`checkout_url` then leads through the gate, `/c/…` below it",
    )


class StoreSettings(Section):
    """The store."""

    url: StoreUrl = Field(
        default="sqlite:///checkout.db",
        description="the database: `sqlite:///relative/path`, `sqlite:////absolute/path` or `postgresql://user@host/name`",
    )
    write_connections: int = Field(
        default=8,
        ge=1,
        le=1000,
        description="most connections to PostgreSQL that each process writes through",
    )
    read_connections: int = Field(
        default=4,
        ge=1,
        le=1000,
        description="most connections to PostgreSQL that each process reads through",
    )
    timeout: Annotated[Duration, between(SECOND, 60 * SECOND)] = Field(
        default=5 * SECOND,
        description="longest wait for a connection to PostgreSQL, and for the answer to a statement",
    )


class LogSettings(Section):
    """The log, written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description="least important level written: `debug`, `info`, `warning`, `error`",
    )
    format: Literal["auto", "json", "text"] = Field(
        default="auto", description="`json`, `text`, or `auto`: text on a terminal, JSON elsewhere"
    )


class SandboxSettings(Section):
    """The sandbox: emulated providers that take no money."""

    enabled: bool = Field(
        default=False, description="run the sandbox inside the service, as `serve --sandbox` does"
    )
    address: Address = Field(
        default=ListenAddress("127.0.0.1", 8090),
        description="where `checkout sandbox` listens, which runs the emulators alone",
    )
    api_token: SecretStr | None = Field(
        default=None,
        min_length=8,
        description="API key the emulators take, at least 8 characters; without one each start makes its own",
    )
    webhook_secret: Annotated[SecretStr, WebhookSecret] | None = Field(
        default=None,
        description="signs the emulators' webhooks: `whsec_` and 24 to 64 bytes in base64; made like the token",
    )
    webhook_url: Url | None = Field(
        default=None,
        description="base of where `checkout sandbox` delivers webhooks: "
        "`/{provider}/default` is added; without one it uses the web address",
    )
    public_url: Url | None = Field(
        default=None,
        description="the sandbox as browsers reach it, such as `https://demo.example.com/sandbox`; "
        "without one made of the address it listens on",
    )
    allow_public_address: bool = Field(
        default=False, description="let the sandbox listen where other machines can reach it"
    )


class AccountSettings(Section):
    """One account at a provider; keys beside these are settings that its provider alone has."""

    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)
    __pydantic_extra__: dict[str, str] = Field(init=False)

    api_key: SecretStr | None = Field(
        default=None, min_length=1, description="API key; prefer `api_key_file`"
    )
    api_key_file: Path | None = Field(
        default=None, description="file that holds the API key, read again when it changes"
    )
    webhook_secrets: Annotated[tuple[SecretStr, ...], CommaSeparated] = Field(
        default=(), max_length=2, description="one secret, or two while one replaces the other"
    )
    webhook_secret_files: Annotated[tuple[Path, ...], CommaSeparated] = Field(
        default=(),
        max_length=2,
        description="files that hold the webhook secrets, read again on change",
    )
    live: bool = Field(default=False, description="take real money; otherwise the test mode")
    base_url: Url | None = Field(
        default=None,
        description="replaces the provider's own host, for a proxy or a sandbox of its own",
    )
    page_origins: Annotated[tuple[Url, ...], CommaSeparated] = Field(
        default=(),
        description="further origins, such as `https://pay.example.com`, a hosted page may have",
    )
    timeout: Annotated[Duration, between(SECOND, 30 * SECOND)] = Field(
        default=20 * SECOND, description="longest wait for the answer to a sent request"
    )
    connect_timeout: Annotated[Duration, between(SECOND / 10, 10 * SECOND)] = Field(
        default=5 * SECOND, description="longest wait for a connection"
    )
    max_connections: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="most connections to the provider at once; without one as many as it publishes, else `100`",
    )
    requests_per_second: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="most requests to the provider a second; without one what it publishes, if anything",
    )
    payment_grace: Annotated[Duration, between(0 * SECOND, DAY)] | None = Field(
        default=None,
        description="how long after a session's end a payment still completes it; "
        "without one `5m` where the provider's page stays open, else `0s`",
    )

    @property
    def own(self) -> dict[str, str]:
        """The settings that no other provider has."""
        return dict(self.__pydantic_extra__)

    def __repr_args__(self) -> Iterator[tuple[str | None, object]]:
        # What nobody knows may be the wrong name of a secret.
        return ((name, getattr(self, name)) for name in type(self).model_fields)


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    workers: int = Field(
        default=1,
        ge=1,
        le=64,
        description="processes that share the addresses and the work; more than one on PostgreSQL only",
    )
    drain_timeout: Annotated[Duration, between(0 * SECOND, 600 * SECOND)] = Field(
        default=25 * SECOND, description="longest wait for calls in progress when the service stops"
    )
    expiry_sweep_interval: Annotated[Duration, between(SECOND / 10, 3600 * SECOND)] = Field(
        default=5 * SECOND,
        description="pause between two searches for sessions whose time has run out",
    )
    reconcile_interval: Annotated[Duration, between(SECOND / 10, 3600 * SECOND)] = Field(
        default=60 * SECOND,
        description="pause between two looks at each provider for payments that no webhook told of",
    )
    session_retention: Annotated[Duration, between(30 * DAY, 3650 * DAY)] | None = Field(
        default=None,
        description="how long a session to which nothing can happen any more is kept after its last change, "
        "at least `30d`; without one for ever",
    )
    grpc: GrpcSettings = GrpcSettings()
    web: WebSettings = WebSettings()
    store: StoreSettings = StoreSettings()
    log: LogSettings = LogSettings()
    sandbox: SandboxSettings = SandboxSettings()
    providers: dict[Name, dict[Name, AccountSettings]] = Field(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is the library's
        *_: PydanticBaseSettingsSource,
        **sources: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read nothing but what the constructor is given."""
        return (sources["init_settings"],)
