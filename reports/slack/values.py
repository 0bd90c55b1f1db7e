"""What Slack answers, as far as it is of use here: workspaces, channels, people, messages, files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

Told = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """A workspace, and who the token is there, with its scopes."""

    team: str
    team_id: str
    url: str
    user: str
    user_id: str
    bot: bool
    scopes: Sequence[str] = ()

    @classmethod
    def of(cls, told: Told, scopes: Sequence[str]) -> Self:
        named = {key: str(told.get(key, "")) for key in ("team", "team_id", "url", "user", "user_id")}
        return cls(**named, bot=bool(told.get("bot_id")), scopes=tuple(scopes))


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A channel; `member` says whether the token is in it."""

    id: str
    name: str
    purpose: str = ""
    topic: str = ""
    private: bool = False
    archived: bool = False
    member: bool = False
    members: int = 0

    @classmethod
    def of(cls, told: Told) -> Self:
        return cls(
            id=str(told["id"]),
            name=str(told.get("name", "")),
            purpose=str((told.get("purpose") or {}).get("value", "")),
            topic=str((told.get("topic") or {}).get("value", "")),
            private=bool(told.get("is_private")),
            archived=bool(told.get("is_archived")),
            member=bool(told.get("is_member")),
            members=int(told.get("num_members") or 0),
        )


@dataclass(frozen=True, kw_only=True)
class User:
    """A person or a bot of the workspace; `status` with its `emoji`."""

    id: str
    name: str
    real_name: str = ""
    email: str = ""
    timezone: str = ""
    status: str = ""
    emoji: str = ""
    bot: bool = False
    deleted: bool = False

    @classmethod
    def of(cls, told: Told) -> Self:
        profile = told.get("profile") or {}
        return cls(
            id=str(told["id"]),
            name=str(profile.get("display_name") or told.get("name", "")),
            real_name=str(profile.get("real_name") or told.get("real_name", "")),
            email=str(profile.get("email", "")),
            timezone=str(told.get("tz") or ""),
            status=str(profile.get("status_text") or ""),
            emoji=str(profile.get("status_emoji") or ""),
            bot=bool(told.get("is_bot")),
            deleted=bool(told.get("deleted")),
        )

    @property
    def names(self) -> Sequence[str]:
        """Whatever they are called by."""
        return tuple(filter(None, (self.name, self.real_name, self.email)))


@dataclass(frozen=True, kw_only=True)
class Said:
    """A message as somebody wrote it; `ts` is its name within its channel, `thread` that of the one it answers."""

    channel: str
    ts: str
    user: str = ""
    text: str = ""
    thread: str = ""
    link: str = ""

    @classmethod
    def of(cls, told: Told, channel: str = "") -> Self:
        place = told.get("channel") or channel
        return cls(
            channel=str(place.get("id", "") if isinstance(place, Mapping) else place),
            ts=str(told["ts"]),
            user=str(told.get("user") or told.get("username") or told.get("bot_id") or ""),
            text=str(told.get("text", "")),
            thread=str(told.get("thread_ts", "")),
            link=str(told.get("permalink", "")),
        )

    @property
    def at(self) -> dt.datetime:
        """When it was written, in UTC."""
        return dt.datetime.fromtimestamp(float(self.ts), dt.UTC)


@dataclass(frozen=True)
class Posted:
    """A message that was posted: the channel's id, and its name within that."""

    channel: str
    ts: str

    @property
    def reference(self) -> str:
        """Both in one text: C0123/1700000000.000100."""
        return f"{self.channel}/{self.ts}"

    @classmethod
    def named(cls, reference: str) -> Self:
        """The message of a reference."""
        channel, _, ts = reference.partition("/")
        return cls(channel, ts)


@dataclass(frozen=True)
class Uploaded:
    """A file that was uploaded."""

    id: str
    name: str
    title: str = ""

    @classmethod
    def of(cls, told: Told) -> Self:
        return cls(str(told["id"]), str(told.get("name", "")), str(told.get("title", "")))
