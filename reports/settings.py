"""settings.toml and the environment, read once and handed down in pieces; with `secret` the only reader of os.environ.

A secret is never in the file. Where one is needed the file says `{ env = "NAME" }`, `{ file = "PATH" }`
or `{ keyring = "SERVICE/USER" }`; its value is fetched when used and masked in every repr and error.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from reports import model
from reports.definition.alerts import Alerts
from reports.errors import MissingDependency, SettingsError
from reports.parts import Duration, Memory, Name, Part, Size, Texts
from reports.schedules.options import CalendarName, Zone
from reports.secret import Rooted, Secret

MASK = "***"
_PASSWORD_KEYS = {"password", "passwd", "pwd", "sslpassword"}


ColumnType = Annotated[
    str,
    Field(pattern=r"^(text|integer|number|boolean|date|datetime|decimal\(\d{1,2},\s?\d{1,2}\))$"),
]


class FileSource(Rooted):
    """Files that SQL may query, each file or glob a table.

    `files` as one string is a table with the source's name; as a list, each entry is a table with
    the file's stem as name; as a table of TOML, each key is a table.
    """

    files: str | tuple[str, ...] | dict[Name, str]
    format: Literal["auto", "csv", "parquet", "excel"] = "auto"
    encoding: str = "auto"
    delimiter: str = Field(default="auto", max_length=4)
    header: bool = True
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", "'", " "] = ""
    null_words: tuple[str, ...] = ()
    types: dict[str, ColumnType] = Field(default_factory=dict)
    date_format: str = ""
    sheet: str | int = 0
    on_bad_rows: Literal["fail", "collect"] = "fail"

    @model_validator(mode="after")
    def _two_signs(self) -> Self:
        if self.thousands == self.decimal:
            raise PydanticCustomError("signs", "decimal and thousands are the same sign")
        return self


def without_password(url: str | Secret) -> str | Secret:
    """The URL, if no password stands in it."""
    if isinstance(url, str) and _passwords(url):
        raise PydanticCustomError(
            "plain_secret",
            'a password is never written here; leave it out of the URL and add password = { env = "NAME" }',
        )
    return url


class Connected(Rooted):
    """What holds for every database; times in seconds. Only an upload ever writes, and only where `uploads` is true.

    A read that fails for a reason that passes by itself (a deadlock, a lost connection) is made `attempts` times at
    the most. `lock_timeout` is the longest wait for what others have locked; `isolation` lets all of a query be read
    as of one moment, where the database has that.
    """

    password: Secret | None = None
    timeout: float = Field(default=300, gt=0)
    connect_timeout: float = Field(default=15, gt=0)
    lock_timeout: float | None = Field(default=None, gt=0)
    isolation: Literal["", "snapshot"] = ""
    attempts: int = Field(default=4, ge=1, le=10)
    uploads: bool = False


class DatabaseSource(Connected):
    """A database by SQLAlchemy URL."""

    url: str | Secret

    @field_validator("url")
    @classmethod
    def _no_password(cls, url: str | Secret) -> str | Secret:
        return without_password(url)


class SqlServerSource(Connected):
    """A SQL Server by its parts, encrypted and with its certificate verified unless that is given up here.

    login: sql (user and password) · windows (the account that runs reports) · entra (Microsoft Entra ID, by whatever
    identity is found) · managed_identity · service_principal (user is its client id) · device_code.
    """

    server: str = Field(min_length=1)
    port: int | None = Field(default=None, ge=1, le=65535)
    database: str = Field(min_length=1)
    driver: Literal["mssqlpython", "pymssql"] = "mssqlpython"
    login: Literal["sql", "windows", "entra", "managed_identity", "service_principal", "device_code"] = "sql"
    user: str = ""
    encrypt: Literal["yes", "strict", "no"] = "yes"
    trust_server_certificate: bool = False
    certificate_host: str = ""
    read_only: bool = False
    multi_subnet_failover: bool = False
    application_name: str = "reports"

    @model_validator(mode="after")
    def _who(self) -> Self:
        if self.login in {"sql", "service_principal"} and not (self.user and self.password):
            hint = 'add user and password = { env = "NAME" }, or say login = "windows" or "entra"'
            message = "login = '{login}' needs user and password"
            raise PydanticCustomError("login", message, {"login": self.login, "hint": hint})
        return self


class StoreSource(Connected):
    """The project's own store as a source: the log of uploads and the history of runs."""

    store: Literal[True]


_KINDS = ("files", "url", "server", "store")


def _source_kind(given: Any) -> str | None:
    keys = given if isinstance(given, dict) else type(given).model_fields if isinstance(given, Part) else ()
    return next((f"<{kind}>" for kind in _KINDS if kind in keys), None)


Source = Annotated[
    Annotated[FileSource, Tag("<files>")]
    | Annotated[DatabaseSource, Tag("<url>")]
    | Annotated[SqlServerSource, Tag("<server>")]
    | Annotated[StoreSource, Tag("<store>")],
    Discriminator(
        _source_kind,
        custom_error_type="source",
        custom_error_message="a source needs 'files', 'url' or 'server', or says store = true",
    ),
]


def _one_or_many_secrets(given: object) -> object:
    return given if isinstance(given, list | tuple) else (given,)


def _not_mail(name: str) -> str:
    if name == "mail":
        raise PydanticCustomError("channel", "mail is the channel of [mail]; give this one another name")
    return name


ChannelName = Annotated[Name, AfterValidator(_not_mail)]


class OAuth(Rooted):
    """A login by OAuth: who this program is to the provider, and how a person or it itself signs in.

    flow: device (a code typed elsewhere) · browser (on this machine, with PKCE) · client (client
    credentials, nobody signs in) · service_account (Google's key file); empty takes what the
    provider has. `authority` and `endpoint` replace the provider's own addresses (sovereign clouds).
    """

    flow: Literal["", "device", "browser", "client", "service_account"] = ""
    client_id: str = ""
    client_secret: Secret | None = None
    tenant: str = ""
    key_file: str = ""
    authority: str = ""
    endpoint: str = ""
    cache: Literal["file", "keyring"] = "file"


class Mail(Part):
    """The account that sends, and who receives when a job names nobody.

    `allow` are patterns of addresses that may receive, none meaning all; with `redirect` everything
    goes to that one address. `admins` are told of failures of jobs without an owner.
    """

    provider: str = ""
    sender: str = Field(default="", alias="from")
    to: Texts = ()
    reply_to: str = ""
    user: str = ""
    password: Secret | None = None
    host: str = ""
    port: int | None = Field(default=None, ge=1, le=65535)
    security: Literal["", "tls", "starttls", "none"] = ""
    auth: Literal["", "plain", "login", "cram-md5", "xoauth2", "none"] = ""
    ca_file: str = ""
    allow_plaintext: bool = False
    timeout: float = Field(default=60, gt=0)
    size_limit: int | None = Field(default=None, gt=0)
    oauth: OAuth | None = None
    connections: int = Field(default=1, ge=1, le=20)
    allow: Texts = ()
    redirect: str = ""
    admins: Texts = ()
    expires: Duration = dt.timedelta(hours=24)
    on_unknown: Literal["hold", "resend"] = "hold"


class _Channel(Rooted):
    """What every channel beside mail has: whom it reaches where a job names no place, and how long is tried.

    `on_unsupported` is what becomes of files where the service takes none: a line names them, links to them (needs
    `[store] base_url`), or the message fails, which is told before a run.
    """

    to: Texts = ()
    on_unsupported: Literal["say", "link", "fail"] = "say"
    timeout: float = Field(default=30, gt=0)
    expires: Duration = dt.timedelta(hours=24)


class SlackChannel(_Channel):
    """A Slack workspace, by the token of a bot.

    `to` are channels as #name or id, users by id or mail address. `user_token` is for what no bot may do: search,
    reminders, status. `name` and `icon` are shown as who posts; `api` is the address of the Web API.
    """

    token: Secret
    user_token: Secret | None = None
    name: str = ""
    icon: str = ""
    api: str = "https://slack.com/api/"


class SlackWebhook(_Channel):
    """A Slack webhook: its one channel gets text and tables, no files, and nothing is changed afterwards."""

    webhook: Secret


class AppriseChannel(_Channel):
    """Any service that Apprise knows, by its URL, or several of them: Teams, WeCom, DingTalk, Telegram, ntfy, ..."""

    url: Annotated[tuple[str | Secret, ...], BeforeValidator(_one_or_many_secrets)]


_CHANNELS = ("token", "webhook", "url")


def _channel_kind(given: Any) -> str | None:
    keys = given if isinstance(given, dict) else type(given).model_fields if isinstance(given, Part) else ()
    return next((f"<{kind}>" for kind in _CHANNELS if kind in keys), None)


Channel = Annotated[
    Annotated[SlackChannel, Tag("<token>")]
    | Annotated[SlackWebhook, Tag("<webhook>")]
    | Annotated[AppriseChannel, Tag("<url>")],
    Discriminator(
        _channel_kind,
        custom_error_type="channel",
        custom_error_message="a channel needs 'token' or 'webhook' (Slack), or 'url' (any service of Apprise)",
    ),
]


class Store(Rooted):
    """Where history and outbox are kept: a database by SQLAlchemy URL, SQLite in the data folder by default.

    `artifacts` is a folder or an fsspec URL for produced files; `base_url` is where the files kept
    there in `linked/` can be fetched by readers. What is older than `keep`, or beyond the newest
    `keep_runs` of a job, is deleted once nothing of it is unsettled. With `archive` a run is kept with what it
    fetched, so that `reports verify` can make it again, unless that is more than `archive_limit`.
    """

    url: str | Secret = ""
    password: Secret | None = None
    timeout: float = Field(default=30, gt=0)
    artifacts: str = ""
    base_url: str = Field(default="", pattern=r"^(https?://\S+)?$")
    keep: Duration = dt.timedelta(days=400)
    keep_runs: int = Field(default=1000, ge=1)
    archive: bool = True
    archive_limit: Size = 50_000_000

    @field_validator("url")
    @classmethod
    def _no_password(cls, url: str | Secret) -> str | Secret:
        return without_password(url)


def _colour(text: str) -> str:
    if not re.fullmatch("#[0-9A-Fa-f]{6}", text):
        raise PydanticCustomError("colour", 'a colour is written #RRGGBB, as in "#1F5A92"')
    return text.upper()


Colour = Annotated[str, AfterValidator(_colour), WithJsonSchema({"type": "string", "pattern": "^#[0-9A-Fa-f]{6}$"})]


class Theme(Rooted):
    """The look of every report: two colours that stand against each other, a logo, and what is said at the end.

    `logo` is a PNG or JPEG file in the project, shown `logo_width` pixels wide, by default half of its own; `logo_alt`
    is said in its place where pictures are not shown.
    """

    accent: Colour = model.Theme.accent
    second: Colour = model.Theme.second
    logo: str = ""
    logo_width: int | None = Field(default=None, ge=16, le=552)
    logo_alt: str = ""
    footer: str = Field(default="", max_length=1000)

    @model_validator(mode="after")
    def _logo_is_told(self) -> Self:
        if self.logo and not self.logo_alt.strip():
            hint = 'add logo_alt = "Example Bank": it is read where pictures are not shown'
            raise PydanticCustomError("logo", "a logo needs a logo_alt", {"hint": hint})
        return self


class Service(Rooted):
    """`reports serve`: how many runs at once, how long one may take, and where it says how it is.

    `time_limit` and `memory_limit` hold for jobs that name none. What starts later than `late_after` says so in
    its subject. `health` is the address of /healthz and /metrics, empty for none; `ping` is called while it is well.
    """

    concurrency: int = Field(default=4, ge=1, le=200)
    stop_timeout: Duration = dt.timedelta(seconds=30)
    time_limit: Duration = dt.timedelta(hours=1)
    memory_limit: Memory | None = None
    late_after: Duration = dt.timedelta(minutes=15)
    health: str = Field(default="127.0.0.1:8710", pattern=r"^(\S+:\d{1,5})?$")
    ping: str | Secret = ""
    log: Literal["console", "json"] = "console"


class Notify(Part):
    """What scripts of this project send by `reports.notify`.

    `to` get it where a script names nobody, the sender itself by default; `via` are the channels. `admins` are meant
    by that word, those of [mail] by default. `subject_prefix` stands before every subject; links in mails of web
    applications begin with `base_url`.
    """

    to: Texts = ()
    via: Texts = ("mail",)
    admins: Texts = ()
    subject_prefix: str = ""
    base_url: str = Field(default="", pattern=r"^(https?://\S+)?$")


class Settings(Rooted):
    """A project's settings.toml."""

    timezone: Zone = "UTC"
    calendar: CalendarName = ""
    language: str = "en"
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    data: str = "var"
    sources: dict[Name, Source] = Field(default_factory=dict)
    mail: Mail = Mail()
    channels: dict[ChannelName, Channel] = Field(default_factory=dict)
    alerts: Alerts = Alerts()
    groups: dict[str, Texts] = Field(default_factory=dict)
    store: Store = Store()
    service: Service = Service()
    notify: Notify = Notify()
    theme: Theme = Theme()

    @property
    def data_folder(self) -> Path:
        return self._root / self.data

    def source(self, name: str) -> FileSource | DatabaseSource | SqlServerSource:
        """The source of that name; the project's own store as the database that it is."""
        found = self.sources[name]
        if not isinstance(found, StoreSource):
            return found
        url = self.store.url or f"sqlite:///{(self.data_folder / 'reports.db').absolute().as_posix()}"
        shared = {key: value for key, value in found if key in Connected.model_fields}
        given = shared | {"url": url, "password": found.password or self.store.password}
        return DatabaseSource.model_validate(given, context={"root": self.store.root})

    def today(self, now: dt.datetime) -> dt.date:
        """The date of the instant `now` in the project's time zone."""
        return now.astimezone(ZoneInfo(self.timezone)).date()

    def mask(self, text: str) -> str:
        """`text` without any of the project's secrets."""
        for secret in _secrets(self):
            try:
                value = secret.reveal()
            except (SettingsError, MissingDependency):
                continue
            for part in _parts(value):
                text = text.replace(part, MASK)
        return text


def _parts(secret: str) -> list[str]:
    """The secret and, where it is a URL, the passwords in it, as written and decoded."""
    passwords = _passwords(secret) if "://" in secret else set()
    return [secret, *sorted(passwords | set(map(unquote, passwords)), key=len, reverse=True)]


def _passwords(url: str) -> set[str]:
    """The passwords in a URL, as written there: before the host, and in the query."""
    rest, _, query = url.partition("://")[2].partition("?")
    pairs = (pair.partition("=") for pair in query.split("&"))
    named = {value for key, _, value in pairs if key.lower() in _PASSWORD_KEYS}
    return ({rest.rpartition("@")[0].partition(":")[2]} | named) - {""}


def _secrets(part: object) -> Iterator[Secret]:
    if isinstance(part, Secret):
        yield part
    elif isinstance(part, Part):
        for _, value in part:
            yield from _secrets(value)
    elif isinstance(part, dict):
        for value in part.values():
            yield from _secrets(value)
    elif isinstance(part, tuple):
        for value in part:
            yield from _secrets(value)


def environment(name: str) -> str:
    """A variable of the environment, or an empty string."""
    return os.environ.get(name, "")
