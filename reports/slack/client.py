"""Slack for scripts and commands: what people do there, one method each, over the line of a bot's or a user's token.

    slack = Slack("xoxb-...")
    posted = slack.post("#cash", "The report is *ready*", icon=":chart:")
    slack.comment(posted, "and correct")

Channels are named as #name or by their id, people by id, mail address or @name. Whatever goes wrong is a
TransportError that says what to do; one of a missing scope names the scope. No error, text or repr shows a token.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reports.errors import TransportError
from reports.slack import blocks as block_kit
from reports.slack import mentions
from reports.slack.calls import Calls
from reports.slack.values import Channel, Posted, Said, Uploaded, Workspace


class Slack(Calls):
    """A workspace by a bot's `token`, and for what no bot may do by a `user_token`; either may be empty.

    `timeout` is in seconds, for each call; `patience` the longest wait where Slack says that it is too much for now.
    """

    # -- looking ----------------------------------------------------------------------------------------

    def check(self) -> Workspace:
        """The workspace, and who the bot's token is there. auth.test: any token, no scope."""
        answer = self._answer("auth.test")
        return Workspace.of(answer.values, answer.scopes)

    def history(self, channel: str, *, most: int = 100, since: dt.datetime | None = None) -> list[Said]:
        """What was said in a channel, the newest first. conversations.history: channels:history and its like.

        A bot must be in the channel; a user's token reads every public one.
        """
        place, oldest = self._channel(channel), str(since.timestamp()) if since else None
        told = self._pages("conversations.history", "messages", most=most, channel=place, oldest=oldest)
        return [Said.of(one, place) for one in told]

    def search(self, query: str, *, most: int = 20) -> list[Said]:
        """Messages with these words, the newest first. search.messages: a user token with search:read."""
        found: list[Said] = []
        page, pages = 1, 1
        while page <= pages and len(found) < most:
            told = self._ask("search.messages", query=query, count=min(most, 100), page=page, sort="timestamp")
            found += [Said.of(one) for one in told["messages"]["matches"]]
            pages, page = int((told["messages"].get("paging") or {}).get("pages", 1)), page + 1
        return found[:most]

    # -- channels ---------------------------------------------------------------------------------------

    def create(self, name: str, *, private: bool = False, topic: str = "", purpose: str = "") -> Channel:
        """A new channel, with its topic and purpose.

        conversations.create: channels:manage, of a user's token channels:write; groups:write for a private one.
        """
        told = self._ask("conversations.create", name=name.removeprefix("#"), is_private=private)
        made = Channel.of(told["channel"])
        self._channels[made.name] = made.id
        if topic:
            made = self.topic(made.id, topic)
        return self.purpose(made.id, purpose) if purpose else made

    def topic(self, channel: str, text: str) -> Channel:
        """The channel with another topic, of at most 250 characters. conversations.setTopic: as `create`."""
        return self._changed("conversations.setTopic", channel, topic=text)

    def purpose(self, channel: str, text: str) -> Channel:
        """The channel with another purpose, of at most 250 characters. conversations.setPurpose: as `create`."""
        return self._changed("conversations.setPurpose", channel, purpose=text)

    def invite(self, channel: str, *who: str) -> Channel:
        """These into a channel that the token is in. conversations.invite: as `create`."""
        users = ",".join(self._user(one) for one in who)
        return self._changed("conversations.invite", channel, users=users)

    def join(self, channel: str) -> Channel:
        """The bot itself into a public channel. conversations.join: channels:join, of a user's token channels:write."""
        return self._changed("conversations.join", channel)

    def open(self, *who: str) -> str:
        """The id of direct messages with these, up to eight. conversations.open: im:write; for several mpim:write."""
        told = self._ask("conversations.open", users=",".join(self._user(one) for one in who))
        return str(told["channel"]["id"])

    # -- messages ---------------------------------------------------------------------------------------

    def post(  # noqa: PLR0913  what a message may have
        self,
        place: str,
        text: str,
        *,
        blocks: Sequence[Mapping[str, Any]] = (),
        attachments: Sequence[Mapping[str, Any]] = (),
        name: str = "",
        icon: str = "",
        thread: str = "",
    ) -> Posted:
        """A message in a channel, or to a person. chat.postMessage: chat:write.

        `blocks` are Block Kit, checked before they are sent, and `text` is then what notifications show. `name` and
        `icon`, an emoji or the address of a picture, need chat:write.customize; a public channel that the bot is not
        in chat:write.public. `thread` is the ts of the message that is answered.
        """
        block_kit.check(blocks)
        told = self._ask(
            "chat.postMessage",
            channel=self._place(place),
            text=text,
            **shown(blocks=blocks, attachments=attachments, name=name, icon=icon),
            thread_ts=thread or None,
        )
        return Posted(str(told["channel"]), str(told["ts"]))

    def comment(self, posted: Posted, text: str) -> Posted:
        """An answer in the thread of a message. chat.postMessage: chat:write."""
        return self.post(posted.channel, text, thread=posted.ts)

    def update(self, posted: Posted, text: str, *, blocks: Sequence[Mapping[str, Any]] = ()) -> Posted:
        """A message of the token's own, changed in place; at most 4,000 characters of text. chat.update: chat:write."""
        block_kit.check(blocks)
        told = self._ask("chat.update", channel=posted.channel, ts=posted.ts, text=text, blocks=list(blocks))
        return Posted(str(told["channel"]), str(told["ts"]))

    def delete(self, posted: Posted) -> None:
        """A message of the token's own is gone. chat.delete: chat:write."""
        self._ask("chat.delete", channel=posted.channel, ts=posted.ts)

    def mention(self, *whom: str) -> str:
        """What mentions these people in a message; `channel`, `here` and `everyone` are everybody there."""
        return " ".join(mentions.EVERYBODY.get(one.removeprefix("@")) or mentions.user(self._user(one)) for one in whom)

    # -- files ------------------------------------------------------------------------------------------

    def upload(  # noqa: PLR0913  what a file may have
        self,
        place: str,
        file: str | Path | bytes,
        *,
        name: str = "",
        title: str = "",
        comment: str = "",
        alt: str = "",
        thread: str = "",
    ) -> Uploaded:
        """A file shown in a channel that the token is in, or to a person. files_upload_v2: files:write.

        `comment` is said with it; `alt` tells what a picture shows. Bytes need a `name`.
        """
        content, called = _read(file, name)
        told = {"filename": called, "content": content, "title": title or called, "alt_txt": alt[:1000] or None}
        line = self._line("files.completeUploadExternal")
        answer = line.upload([told], channel=self._room(place), thread=thread, comment=comment)
        return Uploaded.of(self._taken(line, answer)["files"][0])

    def delete_file(self, file_id: str) -> None:
        """A file of the token's own is gone. files.delete: files:write."""
        self._ask("files.delete", file=file_id)

    # -- oneself ----------------------------------------------------------------------------------------

    def remind(self, text: str, when: dt.datetime | dt.timedelta | str) -> str:
        """The id of a reminder for oneself; as words "in 20 minutes". reminders.add: a user token, reminders:write.

        Slack calls these methods degraded since 2023, and reminders for others are gone.
        """
        told = self._ask("reminders.add", text=text, time=_instant(when))
        return str((told.get("reminder") or {}).get("id", ""))

    def snooze(self, length: dt.timedelta) -> dt.datetime:
        """No notifications for that long; until when, in UTC. dnd.setSnooze: a user token, dnd:write."""
        told = self._ask("dnd.setSnooze", num_minutes=max(1, round(length.total_seconds() / 60)))
        return dt.datetime.fromtimestamp(int(told["snooze_endtime"]), dt.UTC)

    def end_snooze(self) -> None:
        """Notifications again. dnd.endSnooze: a user token, dnd:write."""
        self._ask("dnd.endSnooze")

    def status(self, text: str, emoji: str = "", *, until: dt.datetime | None = None) -> None:
        """One's own status with its emoji; none at all with no text.

        At most 100 characters; `until` is when Slack takes it away again. users.profile.set: a user token,
        users.profile:write.
        """
        ends = int(until.timestamp()) if until else 0
        profile = {"status_text": text, "status_emoji": _emoji(emoji) if text else "", "status_expiration": ends}
        self._ask("users.profile.set", profile=profile)


def shown(
    *,
    blocks: Sequence[Mapping[str, Any]] = (),
    attachments: Sequence[Mapping[str, Any]] = (),
    name: str = "",
    icon: str = "",
) -> dict[str, Any]:
    """How a message looks, in the words of chat.postMessage; an icon is an emoji, or the address of a picture."""
    by_address = icon.startswith(("http://", "https://"))
    return {
        "blocks": list(blocks) or None,
        "attachments": list(attachments) or None,
        "username": name or None,
        "icon_url": icon if by_address else None,
        "icon_emoji": None if by_address else _emoji(icon) or None,
    }


def _emoji(name: str) -> str:
    return f":{name.strip(':')}:" if name.strip(":") else ""


def _instant(when: dt.datetime | dt.timedelta | str) -> str:
    if isinstance(when, str):
        return when
    if isinstance(when, dt.timedelta):
        return f"in {max(1, round(when.total_seconds() / 60))} minutes"
    return str(int(when.timestamp()))


def _read(file: str | Path | bytes, name: str) -> tuple[bytes, str]:
    """A file's bytes and its name; a TransportError where it cannot be read, or is empty, which Slack does not take."""
    called = name or ("file" if isinstance(file, bytes) else Path(file).name)
    try:
        content = file if isinstance(file, bytes) else Path(file).read_bytes()
    except OSError as error:
        raise TransportError(
            f"the file cannot be read: {error.strerror or error}", where=str(file), permanent=True
        ) from error
    if not content:
        raise TransportError("the file is empty, and Slack takes none that is", where=called, permanent=True)
    return content, called
