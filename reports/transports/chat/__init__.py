"""Any service that Apprise knows, as a transport: Teams, WeCom, DingTalk, Feishu, Telegram, ntfy, Discord and the rest.

Each target is a recipient of its own, with an answer of its own. What can be known of a message: over HTTP all that a
mail API would tell, and a message whose answer was lost is unknown. What cannot: whether a person has seen it; how long
a service wants to be left alone where its plugin asks otherwise than by Retry-After; and of the few plugins that speak
no HTTP (MQTT, IRC, XMPP, a mail server) whether what failed may have arrived all the same: that is tried again.
"""

from __future__ import annotations

import contextlib
import mimetypes
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from reports.errors import DefinitionError, MissingDependency, TransportError, Unsupported
from reports.model import Message, Receipt, Tone
from reports.settings import AppriseChannel
from reports.transports.base import HandingOver, Once, nothing, step
from reports.transports.chat.answers import Work, receipt
from reports.transports.chat.bodies import Taker, fitted, formats
from reports.transports.chat.exchanges import Exchanges
from reports.transports.chat.targets import Plugin, Target, find, targets
from reports.transports.notes import Note, unpack, without_files
from reports.transports.providers import Limits

PER_MINUTE = 20
"""Messages that the robots of WeCom and DingTalk, and a group of Telegram, take in a minute; others take more."""
_TLS, _PLAIN = 443, 80
_KINDS: dict[Tone, str] = {"": "info", "info": "info", "good": "success", "warning": "warning", "bad": "failure"}


@dataclass
class AppriseTransport:
    """The channel of that name. Recipients are its targets by their names (see `targets`); no connection is kept."""

    name: str
    channel: AppriseChannel
    targets: Mapping[str, Target]

    @classmethod
    def opened(cls, name: str, channel: AppriseChannel) -> Self:
        """The channel with its targets; a SettingsError for a URL that is none or cannot be fetched."""
        return cls(name, channel, {target.name: target for target in find(name, channel)})

    @property
    def limits(self) -> Limits:
        """One recipient at a time, so that each is settled by itself, and to each as many a minute as it takes.

        Servers of one's own, which Apprise does not wait for either, take any number.
        """
        paced = any(target.paced for target in self.targets.values())
        return Limits(recipients_per_message=1, messages_per_minute=PER_MINUTE * len(self.targets) if paced else None)

    def size_limit(self) -> int | None:
        """Not known: what is too long is shortened, with a sentence that says so."""
        return None

    def send(self, message: Message, handing_over: HandingOver = nothing) -> Sequence[Receipt]:
        """One receipt a target, in order, whatever became of the others.

        A TransportError where none of them could be reached, so that nothing was handed over.
        """
        note, once = unpack(message.content), Once(handing_over)
        receipts = [self._carried(one, note, once) for one in message.recipients]
        if not once.done and receipts and all(one.state == "deferred" for one in receipts):
            first, everybody = receipts[0], len(receipts) == len(self.targets)
            raise TransportError(
                first.text, where=f"[channels.{self.name}] {first.recipient}", hint=first.hint, account=everybody
            )
        return receipts

    def check(self) -> Iterator[tuple[str, str]]:
        """What each target is, whether its server can be reached, and what it takes; nothing is sent."""
        with _step("url"):
            plugins = [(target, self._plugin(target, nothing)) for target in self.targets.values()]
        yield "url", "; ".join(self.targets)
        with _step("reach"):
            said = [_reached(target, plugin, self.channel.timeout) for target, plugin in plugins]
        yield "reach", "; ".join(dict.fromkeys(said))
        yield "takes", "; ".join(f"{target.name}: {_takes(plugin)}" for target, plugin in plugins)

    def takes(self) -> dict[str, bool]:
        """Whether each target takes files, by its name; a SettingsError for a URL that a plugin does not want."""
        return {
            target.name: bool(self._plugin(target, nothing).made.attachment_support) for target in self.targets.values()
        }

    def close(self) -> None:
        """There is nothing to let go of."""

    # -- one target ------------------------------------------------------------------------------------

    def _plugin(self, target: Target, handing_over: HandingOver) -> Plugin:
        return target.plugin(Exchanges(self.channel.timeout, handing_over))

    def _carried(self, recipient: str, note: Note, once: Once) -> Receipt:
        target = self.targets.get(recipient)
        if target is None:
            return Receipt(
                recipient=recipient,
                state="refused",
                text=f"[channels.{self.name}] has no such target any more",
                hint=f"its targets: {', '.join(self.targets)}; reports outbox cancel settles this one",
            )
        try:
            work = self._worked(target, self._plugin(target, once), note)
        except (Unsupported, DefinitionError) as error:
            return Receipt(recipient=recipient, state="refused", text=error.what, hint=error.hint)
        told = receipt(recipient, work)
        return replace(told, text=target.hidden(told.text))

    def _worked(self, target: Target, plugin: Plugin, note: Note) -> Work:
        made = plugin.made
        if not made.attachment_support:
            note = without_files(note, taker=target.schema, policy=self.channel.on_unsupported)
        asked = str(target.parsed.get("format") or "").lower()
        body = fitted(note, Taker(made, target.schema, asked=asked, files=bool(note.files)))
        try:
            with _files(note) as files:
                content = made.notify(
                    body=body.text,
                    title=body.title,
                    notify_type=_KINDS[note.tone],
                    body_format=body.format,
                    attach=files,
                )
        except Exception as error:
            if plugin.exchanges.stopped:
                raise
            content = False
            plugin.words.append(f"{type(error).__name__}: {error}")
        if plugin.exchanges.stopped:  # which the plugin took for a fault of the network
            raise plugin.exchanges.stopped
        return Work(
            content=bool(content),
            seen=plugin.exchanges.seen,
            words=plugin.words,
            speaks_http=plugin.speaks_http,
            files=bool(note.files),
        )


@contextlib.contextmanager
def _files(note: Note) -> Iterator[Any]:
    """The note's files as Apprise takes them, on the disk for as long: not every plugin reads others."""
    from apprise import AppriseAttachment  # noqa: PLC0415  an optional library
    from apprise.attachment import file  # noqa: PLC0415

    attached = cast("Any", file.AttachFile)
    with tempfile.TemporaryDirectory(prefix="reports-") as folder:
        made = AppriseAttachment()
        for number, one in enumerate(note.files):
            path = Path(folder) / str(number)
            path.write_bytes(one.content)
            known = one.media_type if one.media_type in mimetypes.types_map.values() else None
            made.add(attached(str(path), name=one.name, mimetype=known))
        yield made if note.files else None


# -- a check ---------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _step(name: str) -> Iterator[None]:
    """As `step`, for what settings have wrong as well."""
    try:
        with step(name):
            yield
    except (DefinitionError, MissingDependency) as error:
        what = f"{name}: {error.what}"
        raise TransportError(what, where=error.where, hint=error.hint, permanent=True, account=True) from error


def _reached(target: Target, plugin: Plugin, timeout: float) -> str:
    """That the server is there; one behind a proxy, or whose address only its plugin knows, is left alone."""
    host, port = _address(target, plugin.made)
    if not host:
        return f"{target.schema}: its server is known to its plugin alone"
    proxy = getproxies().get("https" if port == _TLS else "http", "")
    if proxy and not proxy_bypass(host):
        return f"{host}: left to the proxy {proxy.rpartition('@')[2]}"
    try:
        socket.create_connection((host, port), timeout).close()
    except OSError as error:
        raise TransportError(
            f"{host}:{port} does not answer: {error.strerror or error}",
            where=f"target {target.name}",
            hint="look at the network of this machine, and whether the server is up",
            account=True,
        ) from error
    return f"{host}:{port} answers"


def _address(target: Target, made: Any) -> tuple[str, int]:
    if "host" in type(made).template_tokens and made.host and not target.is_cloud:
        by_scheme = _TLS if made.secure or not type(made).protocol else _PLAIN
        return made.host, made.port or by_scheme
    known = (getattr(type(made), name, "") for name in ("notify_url", "api_url", "webhook_url", "cloud_notify_url"))
    urls = [urlsplit(one) for one in known if isinstance(one, str) and one.startswith("http")]
    return (urls[0].hostname or "", urls[0].port or _TLS) if urls else ("", 0)


def _takes(plugin: Plugin) -> str:
    files = "files" if plugin.made.attachment_support else "no files"
    return f"{', '.join(formats(plugin.made))}; {files}"


__all__ = ["PER_MINUTE", "AppriseTransport", "targets"]
