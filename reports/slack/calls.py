"""How calls are made for `client.Slack`: by the token that may, page by page, and with ids in the place of names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reports.errors import TransportError, choices
from reports.slack import faults
from reports.slack.line import API, PATIENCE, TIMEOUT, Answer, Line
from reports.slack.methods import METHODS
from reports.slack.values import Channel, User

PAGE = 200
_CHANNEL_ID = re.compile(r"[CDG][A-Z0-9]{7,}")
_USER_ID = re.compile(r"[UWB][A-Z0-9]{7,}")


@dataclass
class Calls:
    """The lines of a bot's and a user's token, over which calls go, and what names mean there."""

    token: str = field(default="", repr=False)
    user_token: str = field(default="", repr=False)
    api: str = API
    timeout: float = TIMEOUT
    patience: float = PATIENCE
    _lines: list[Line] = field(default_factory=list, init=False, repr=False)
    _channels: dict[str, str] = field(default_factory=dict, init=False, repr=False)
    _users: list[User] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        tokens = dict.fromkeys(one.strip() for one in (self.token, self.user_token) if one.strip())
        self._lines = [Line(one, self.api, self.timeout, self.patience) for one in tokens]

    # -- what names are looked up in ----------------------------------------------------------------------

    def channels(self, *, private: bool = False, archived: bool = False) -> list[Channel]:
        """Every public channel, and with `private` those the token is in as well.

        conversations.list: channels:read, groups:read for private ones.
        """
        types = "public_channel,private_channel" if private else "public_channel"
        told = self._pages("conversations.list", "channels", types=types, exclude_archived=not archived)
        found = [Channel.of(one) for one in told]
        self._channels |= {one.name: one.id for one in found}
        return found

    def users(self, *, deleted: bool = False) -> list[User]:
        """Everybody, with time zone and status. users.list: users:read, and users:read.email for addresses."""
        self._users = [User.of(one) for one in self._pages("users.list", "members")]
        return [one for one in self._users if deleted or not one.deleted]

    def user(self, who: str) -> User:
        """One person. users.info: users:read; by mail address users.lookupByEmail: users:read.email."""
        if _USER_ID.fullmatch(who):
            return User.of(self._ask("users.info", user=who)["user"])
        if "@" in who[1:]:
            return User.of(self._ask("users.lookupByEmail", email=who)["user"])
        name = who.removeprefix("@").casefold()
        everybody = [one for one in self._users or self.users() if not one.deleted]
        found = [one for one in everybody if name in {text.casefold() for text in one.names}]
        if len(found) == 1:
            return found[0]
        hint = choices(who, [one.name for one in (found or everybody)[:50]], what="people there")
        how = "several people are" if found else "nobody is"
        raise self._wrong(f"{how} called '{who}'", hint if not found else "write a mail address or a user's id")

    # -- calls ------------------------------------------------------------------------------------------

    def _line(self, method: str) -> Line:
        """The line of a token that may call the method, the bot's before the user's."""
        if not self._lines:
            raise faults.no_token().error("slack.com")
        wanted = sorted(self._lines, key=lambda line: line.kind == "user")
        for line in wanted:
            if METHODS[method].allows(line.kind):
                return line
        raise faults.wrong_kind(method, None if wanted[0].kind == "bot" else "user").error(wanted[0].where)

    def _answer(self, method: str, /, **values: Any) -> Answer:
        line = self._line(method)
        answer = line.ask(method, **values)
        self._taken(line, answer)
        return answer

    def _ask(self, method: str, /, **values: Any) -> Mapping[str, Any]:
        return self._answer(method, **values).values

    def _changed(self, method: str, channel: str, **values: Any) -> Channel:
        """The channel after a call about it; as far as Slack tells it then."""
        place = self._channel(channel)
        told = self._ask(method, channel=place, **values)
        return Channel.of(told.get("channel") or {"id": place, "name": channel.removeprefix("#")})

    def _taken(self, line: Line, answer: Answer) -> Mapping[str, Any]:
        if answer.fault:
            raise answer.fault.error(line.where)
        return answer.values

    def _pages(self, method: str, name: str, *, most: int = 100_000, **values: Any) -> list[Mapping[str, Any]]:
        """All of it, or the first `most`, page by page."""
        found: list[Mapping[str, Any]] = []
        for told in self._cursor(method, limit=min(most, PAGE), **values):
            found += told[name]
            if len(found) >= most:
                break
        return found[:most]

    def _cursor(self, method: str, **values: Any) -> Iterator[Mapping[str, Any]]:
        cursor: str | None = None
        while cursor != "":
            told = self._ask(method, cursor=cursor, **values)
            yield told
            cursor = str((told.get("response_metadata") or {}).get("next_cursor") or "")

    # -- names ------------------------------------------------------------------------------------------

    def _channel(self, given: str) -> str:
        """The id of a channel: only chat.postMessage takes names."""
        if _CHANNEL_ID.fullmatch(given):
            return given
        name = given.removeprefix("#")
        if name not in self._channels:
            self.channels()
        if name not in self._channels:
            there = choices(name, sorted(self._channels)[:50], what="channels there")
            raise self._wrong(
                f"there is no public channel '{name}'",
                f"{there}. A private one is named by its id",
            )
        return self._channels[name]

    def _user(self, who: str) -> str:
        return who if _USER_ID.fullmatch(who) else self.user(who).id

    def _place(self, given: str) -> str:
        """Where a message goes: channels as they are written, people by their id."""
        return self._user(given) if "@" in given else given

    def _room(self, given: str) -> str:
        """The id of a channel, or of one's direct messages with a person."""
        if "@" in given or _USER_ID.fullmatch(given):
            told = self._ask("conversations.open", users=self._user(given))
            return str(told["channel"]["id"])
        return self._channel(given)

    def _wrong(self, what: str, hint: str) -> TransportError:
        return TransportError(what, where=self._lines[0].where, hint=hint, permanent=True)
