"""Where a list of channels leads: every NAME and NAME:PLACE in it is settled here, and told if it is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reports.errors import DefinitionError, ReportsError, choices
from reports.settings import Settings
from reports.transports import recipients, without_files
from reports.written import Key

MAIL = "mail"


@dataclass(frozen=True)
class Route:
    """One channel, empty for mail, and whom there, as the channel calls them; of mail the caller knows whom."""

    channel: str
    recipients: Sequence[str] = ()

    @property
    def name(self) -> str:
        return self.channel or MAIL

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(self.recipients)})" if self.recipients else self.name


def routes(names: Sequence[str], settings: Settings, key: Key) -> Sequence[Route]:
    """One route for each channel in `names`, each recipient once; the error tells every name that leads nowhere.

    Else it is the one that keeps a channel from being used at all, such as a library that is not there.
    """
    found = list(each(names, settings, key))
    if wrong := [one for one in found if isinstance(one, DefinitionError)]:
        raise key.error.join(wrong)
    if away := [one for one in found if isinstance(one, ReportsError)]:
        raise away[0]
    return [one for one in found if isinstance(one, Route)]


def each(names: Sequence[str], settings: Settings, key: Key) -> Iterator[Route | ReportsError]:
    """One route for each channel in `names`, and an error for each name that cannot be used, which stops no other."""
    found: dict[str, list[str]] = {}
    for name in names:
        channel, place = _split(name)
        try:
            reached = _reached(channel, place, settings, key)
        except ReportsError as error:
            yield error
        else:
            found.setdefault("" if channel == MAIL else channel, []).extend(reached)
    yield from (Route(channel, tuple(dict.fromkeys(reached))) for channel, reached in found.items())


def fit_for_files(found: Sequence[Route], settings: Settings, key: Key) -> None:
    """An error for each channel that takes no files where settings do not let that be: told before a run.

    They want nothing left out, or they want links and there is no address to link to.
    """
    wrong = []
    for route in (one for one in found if one.channel):
        name, channel = route.channel, settings.channels[route.channel]
        strict = channel.on_unsupported != "say"
        bare = ", ".join(without_files(name, channel, route.recipients)) if strict else ""
        if bare and channel.on_unsupported == "fail":
            what = f"'{name}' takes no files, and this report has some: {bare}"
            hint = f'take it out, or set on_unsupported = "say" or "link" in [channels.{name}]'
            wrong.append(key.wrong(what, hint=hint))
        elif bare and not settings.store.base_url:
            what = f"'{name}' takes no files, and there is no address to link to: {bare}"
            hint = f'set base_url in [store] of settings.toml, or on_unsupported = "say" in [channels.{name}]'
            wrong.append(key.wrong(what, hint=hint))
    if wrong:
        raise key.error.join(wrong)


def leads(name: str, settings: Settings) -> bool:
    """Whether a name among those that are asked for is a channel's, or a place there, and no address or group."""
    channel, place = _split(name)
    return channel in settings.channels and (bool(place) or channel not in settings.groups)


def _split(name: str) -> tuple[str, str]:
    channel, _, place = name.partition(":")
    return channel.strip(), place.strip()


def _reached(channel: str, place: str, settings: Settings, key: Key) -> Sequence[str]:
    if channel == MAIL:
        if place:
            raise key.wrong(f"'mail:{place}' names an address: mail goes to the lists", hint='write "mail", and add to')
        return ()
    if channel not in settings.channels:
        known = [MAIL, *settings.channels]
        raise key.wrong(f"there is no channel '{channel}'", hint=choices(channel, known, what="channels here"))
    try:
        reached = recipients(channel, settings.channels[channel], place)
    except DefinitionError as error:
        raise key.wrong(error.what, hint=error.hint) from error
    return reached
