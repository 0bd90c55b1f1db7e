"""The targets of a channel: each URL of Apprise taken apart, so that each place in it is sent to by itself.

Their names stand in the outbox and in logs: the scheme, the host of a server of one's own, and the place there, but
nothing that Apprise calls private.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from reports.errors import MissingDependency, SettingsError, choices
from reports.secret import Secret
from reports.settings import AppriseChannel
from reports.transports.base import nothing
from reports.transports.chat.exchanges import Exchanges, overheard

MASK = "***"
_LISTED = re.compile(r"[\s,]+")
_LEAST = 4  # characters of a part that is worth hiding: less is no secret, and may be anywhere


@dataclass(frozen=True)
class Plugin:
    """A plugin of Apprise made ready for one target; `words` are its own of what went wrong."""

    made: Any
    exchanges: Exchanges
    speaks_http: bool
    words: list[str]


@dataclass(frozen=True)
class Target:
    """One place of a channel; `name` is what the outbox calls it."""

    name: str
    schema: str
    place: str
    parsed: Mapping[str, Any] = field(repr=False)
    parts: frozenset[str] = field(repr=False)
    """All that its URL is made of, of which nothing may be shown that is not in its name."""

    @property
    def is_cloud(self) -> bool:
        """Whether what stands in the host's place is no host, but the first target at a service's own server."""
        return self.schema.startswith("ntfy") and self.parsed.get("mode") == "cloud"

    @property
    def paced(self) -> bool:
        """Whether its service takes only so many messages a minute."""
        return bool(_plugins()[self.schema].request_rate_per_sec)

    def plugin(self, exchanges: Exchanges) -> Plugin:
        """The plugin that sends there; a SettingsError where it does not want what the URL says."""
        words = _Words()
        waits = dict.fromkeys(("socket_connect_timeout", "socket_read_timeout"), exchanges.timeout)
        made = {"logger": words, "throttle": lambda *_, **__: None, **waits}
        kind, speaks = overheard(_plugins()[self.schema], exchanges, made)
        try:
            plugin = kind(**copy.deepcopy(dict(self.parsed)), asset=_asset(), tag=set())
        except Exception as error:  # noqa: BLE001  a plugin of others': whatever it raises is about what the URL says
            said = words.said[-1] if words.said else str(error)
            what = f"{self.schema}:// does not take this URL: {self.hidden(said)}"
            raise SettingsError(what, hint=_page(self.schema)) from None
        if not plugin.enabled:
            raise _lacking(self.schema, plugin)
        return Plugin(plugin, exchanges, speaks, words.said)

    def hidden(self, text: str) -> str:
        """The text without what may be a secret of the URL."""
        shown = {part for part in re.split(r"[^\w.-]+", self.name) if part}
        for part in sorted(self.parts - shown, key=len, reverse=True):
            text = text.replace(part, MASK)
        return " ".join(text.split())


def find(name: str, channel: AppriseChannel) -> list[Target]:
    """Every target of `[channels.NAME]`; a SettingsError for a URL that is none, in which no secret is shown."""
    found = [one for url in channel.url for one in _of_url(url)]
    names = [one.name for one in found]
    for at, one in enumerate(found):
        if (before := names[:at].count(one.name)) > 0:
            found[at] = replace(one, name=f"{one.name} ({before + 1})")
    if not found:
        raise SettingsError(f"[channels.{name}] has no url", hint="pip show apprise; reports check names its targets")
    return found


def targets(name: str, channel: AppriseChannel, place: str = "") -> Sequence[str]:
    """The names of the targets that NAME, or NAME:PLACE, reaches; of the channel's own `to` where no place is named."""
    found = find(name, channel)
    wanted = [place] if place else list(channel.to)
    for one in wanted:
        if not any(_is(target, one) for target in found):
            known = [target.name for target in found]
            raise SettingsError(f"'{name}' has no target '{one}'", hint=choices(one, known, what="its targets"))
    return [target.name for target in found if not wanted or any(_is(target, one) for one in wanted)]


def _is(target: Target, place: str) -> bool:
    return place in {target.name, target.place, target.place.lstrip("#@"), target.schema}


# -- one URL --------------------------------------------------------------------------------------------


def _of_url(url: str | Secret) -> list[Target]:
    text = url.reveal() if isinstance(url, Secret) else url
    parsed = _parsed(text)
    schema, parts = parsed["schema"], _parts(text)
    places = list(
        dict.fromkeys(word for one in parsed.get("targets") or () for word in _LISTED.split(str(one)) if word)
    )
    each = [parsed | {"targets": [one]} for one in places] if len(places) > 1 else [parsed]
    found = [_target(schema, one, parts) for one in each]
    if not isinstance(url, Secret):
        _no_secret(found[0])
    return found


def _parsed(text: str) -> dict[str, Any]:
    """The URL as Apprise takes it apart; it is never shown."""
    from apprise import plugins as library  # noqa: PLC0415

    take_apart: Callable[[str], dict[str, Any] | None] = library.url_to_dict
    schema = text.partition("://")[0].lower() if "://" in text else ""
    plugins, native = _plugins(), schema in {"http", "https"}
    if schema not in plugins and not native:
        what = f"no service is known by '{schema}://'" if schema else "a URL begins with a scheme, such as ntfy://"
        raise SettingsError(what, hint=choices(schema, sorted(plugins.schemas()), what="services").partition(":")[0])
    with _hushed():
        parsed = take_apart(text)
    if not parsed:
        what = "no service knows this web address" if native else f"this is not how a URL of {schema}:// is written"
        raise SettingsError(what, hint="" if native else _page(schema))
    return parsed


def _target(schema: str, parsed: Mapping[str, Any], parts: frozenset[str]) -> Target:
    """With its name: what is private in it is cut to its first and last letter."""
    tokens = _plugins()[schema].template_tokens
    places = parsed.get("targets") or [""]
    private = any(one.get("private") for key, one in tokens.items() if one.get("map_to", key) == "targets")
    place = unquote(str(places[0]))
    shown = f"{place[:1]}...{place[-1:]}" if private and place else place
    port = f":{parsed['port']}" if parsed.get("port") else ""
    host = f"{parsed['host']}{port}" if "host" in tokens and parsed.get("host") and shown != parsed["host"] else ""
    one = Target("", schema, place, parsed, parts)
    return replace(one, name=" ".join(filter(None, [schema, "" if one.is_cloud else host, shown])))


def _parts(url: str) -> frozenset[str]:
    rest, _, query = url.partition("://")[2].partition("?")
    values = [pair.partition("=")[2] for pair in query.split("&")]
    words = {word for one in (rest, *values) for word in re.split(r"[/:@#,;]+", one) if len(word) >= _LEAST}
    return frozenset(words | {unquote(word) for word in words})


def _no_secret(target: Target) -> None:
    """A SettingsError where the URL in the file has a part that is private."""
    made = target.plugin(Exchanges(timeout=1, handing_over=nothing)).made
    if made.url(privacy=True) != made.url():
        raise SettingsError(
            f"this URL of {target.schema}:// holds a secret, which is never written here",
            hint='write url = { env = "NAME" }, { file = "PATH" } or { keyring = "SERVICE/USER" }',
        )


# -- the library ----------------------------------------------------------------------------------------


def _plugins() -> Any:
    """Apprise's plugins by scheme; a MissingDependency says how to get them."""
    try:
        from apprise import manager_plugins  # noqa: PLC0415  an optional library
    except ImportError as error:
        raise MissingDependency("apprise", extra="apprise", purpose="a channel by url") from error
    made: Any = manager_plugins.NotificationManager
    plugins = made()
    with warnings.catch_warnings():  # all plugins are read at once, and some of them import what is about to go
        warnings.simplefilter("ignore")
        plugins.load_modules()
    return plugins


def _asset() -> Any:
    """What messages say of their sender: our name, and no picture that readers would fetch from elsewhere."""
    from apprise import AppriseAsset  # noqa: PLC0415

    return AppriseAsset(
        app_id="Reports", app_desc="Reports", app_url="", image_url_mask="", image_url_logo="", secure_logging=True
    )


def _lacking(schema: str, plugin: Any) -> SettingsError:
    """The error for a plugin that cannot be used here: a library of its own, or a system of another kind."""
    needed = plugin.requirements.get("packages_required") or ()
    several = [needed] if isinstance(needed, str) else list(needed)
    hint = f"pip install {' '.join(f'{chr(34)}{one}{chr(34)}' for one in several)}" if several else _page(schema)
    return SettingsError(f"{schema}:// cannot be used on this system as it is", hint=hint)


def _page(schema: str) -> str:
    address = _plugins()[schema].setup_url
    return f"how it is written: {address}" if address else ""


@contextlib.contextmanager
def _hushed() -> Iterator[None]:
    """Apprise's own log without what this thread makes it say: parts of a URL would be in it."""
    own = threading.get_ident()

    def of_others(record: logging.LogRecord) -> bool:
        return record.thread != own

    logger = logging.getLogger("apprise")
    logger.addFilter(of_others)
    try:
        yield
    finally:
        logger.removeFilter(of_others)


class _Words(logging.Logger):
    """The log of one plugin: its warnings are kept, for people who ask why, and go nowhere else."""

    def __init__(self) -> None:
        super().__init__("apprise", logging.WARNING)
        self.said: list[str] = []

    def handle(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())
