"""Slack as a way out: a bot that posts, changes and answers messages, and uploads files.

A message is posted first. What Slack answers says in which channel it is, and there its files follow, in its thread:
that they fail takes nothing back, and is said in the thread and in the receipt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from reports.errors import TransportError
from reports.model import Artifact, Message, Receipt, size
from reports.settings import SlackChannel
from reports.slack import blocks as block_kit
from reports.slack.client import Slack, shown
from reports.slack.faults import APPS, Fault
from reports.slack.line import Answer, Line
from reports.slack.mentions import cut, escape, fallback
from reports.slack.values import Posted, Workspace
from reports.transports.base import HandingOver, nothing, step
from reports.transports.notes import Note
from reports.transports.providers import Limits
from reports.transports.slack_notes import WHOLE_TEXT, checked, receipt, words

PATIENCE = 30.0
"""Seconds that an upload waits at the most where Slack says that it is too much for now."""
_LIMITS = Limits(recipients_per_message=1)
_REFUSED_BLOCKS = {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "invalid_attachments"}
_NOT_TO_CHANGE = {"message_not_found", "cant_update_message", "edit_window_closed", "block_mismatch"}
_MAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


def client(channel: SlackChannel, *, patience: float = PATIENCE) -> Slack:
    """Slack for scripts and commands, by the tokens of a channel; a SettingsError where one of them is not there."""
    user = channel.user_token.reveal() if channel.user_token else ""
    return Slack(channel.token.reveal(), user, channel.api, channel.timeout, patience)


@dataclass
class SlackTransport:
    """Posts as a bot, to channels by #name or id, to people by id, mail address or @name."""

    channel: SlackChannel
    _lines: dict[float, Line] = field(default_factory=dict, init=False, repr=False)
    _people: dict[str, str] = field(default_factory=dict, init=False, repr=False)
    _ready: bool = field(default=False, init=False, repr=False)

    @property
    def limits(self) -> Limits:
        """One recipient at a time, so that each is settled by itself."""
        return _LIMITS

    def size_limit(self) -> int | None:
        """None: a message is made to fit, and a file may have a gigabyte."""
        return None

    def send(self, message: Message, handing_over: HandingOver = nothing) -> Sequence[Receipt]:
        """One receipt a recipient, with the message's reference; a TransportError means that nobody got it."""
        note = checked(message)
        self._greeted()
        places = [self._place(one) for one in message.recipients]
        if any(isinstance(one, str) for one in places):
            handing_over()
        receipts: list[Receipt] = []
        for recipient, place in zip(message.recipients, places, strict=True):
            fault = place if isinstance(place, Fault) else None
            if isinstance(place, str):
                earlier = message.earlier.get(recipient, "") if message.follow else ""
                done = _Sending(self, note, place, earlier, message.follow).carried()
                fault = done if isinstance(done, Fault) else None
                receipts += [_accepted(recipient, *done)] if not isinstance(done, Fault) else []
            if fault and fault.account and not receipts:
                raise fault.error(self._where)
            receipts += [receipt(recipient, fault)] if fault else []
        return receipts

    def check(self) -> Iterator[tuple[str, str]]:
        """The workspace, who posts there, and the scopes; nothing is posted."""
        with step("team"):
            answer = self._taken(self.line().ask("auth.test"))
        found = Workspace.of(answer.values, answer.scopes)
        yield "team", f"{found.team} ({found.url})"
        with step("bot"):
            _is_bot(found, self._where)
        yield "bot", f"posts as {self.channel.name or found.user} ({found.user_id})"
        with step("scopes"):
            said = self._scopes(found.scopes)
        yield "scopes", said

    def close(self) -> None:
        """Nothing is open between two calls; the token is looked at again the next time."""
        self._ready = False

    # -- what it is made of -----------------------------------------------------------------------------

    def line(self, *, patience: float = 0) -> Line:
        """The bot's line; without patience what is too much for now is left to the outbox."""
        if patience not in self._lines:
            token, channel = self.channel.token.reveal(), self.channel
            self._lines[patience] = Line(token, channel.api, channel.timeout, patience)
        return self._lines[patience]

    @property
    def _where(self) -> str:
        return self.line().where

    def _greeted(self) -> None:
        """Slack is there and takes the token, before anything is handed over."""
        if not self._ready:
            self._taken(self.line().ask("auth.test"))
        self._ready = True

    def _taken(self, answer: Answer) -> Answer:
        if answer.fault:
            raise answer.fault.error(self._where)
        return answer

    def _place(self, recipient: str) -> str | Fault:
        """What chat.postMessage calls the recipient: people by their id, all else as it is."""
        if not (recipient.startswith("@") or _MAIL.fullmatch(recipient)):
            return recipient
        if recipient not in self._people:
            try:
                self._people[recipient] = client(self.channel, patience=0).user(recipient).id
            except TransportError as error:
                return Fault(
                    error.what,
                    error.hint,
                    permanent=error.permanent,
                    account=error.account,
                    retry_after=error.retry_after,
                )
        return self._people[recipient]

    def _scopes(self, scopes: Sequence[str]) -> str:
        """What the token may do, and what it lacks for what is asked of it."""
        if not scopes:
            return "Slack did not name them"
        if "chat:write" not in scopes:
            raise TransportError(
                "the bot may not post: it lacks chat:write",
                where=self._where,
                hint=f"add chat:write under Bot Token Scopes at {APPS}, then reinstall the app",
                permanent=True,
                account=True,
            )
        wanted = {"files:write": "to upload files"}
        if any(_MAIL.fullmatch(one) for one in self.channel.to):
            wanted["users:read.email"] = "to find people by mail address"
        if self.channel.name or self.channel.icon:
            wanted["chat:write.customize"] = "to post under another name or icon"
        lacking = [f"; WARNING it lacks {scope} {why}" for scope, why in wanted.items() if scope not in scopes]
        return ", ".join(sorted(scopes)) + "".join(lacking)


@dataclass
class _Sending:
    """One note on its way to one place: posted, changed or answered, then its files."""

    transport: SlackTransport
    note: Note
    place: str
    earlier: str
    follow: str
    _remarks: list[str] = field(default_factory=list, init=False)

    def carried(self) -> tuple[Posted, str] | Fault:
        """Where it is now, and what was remarkable about it; or why it is nowhere."""
        done = self._changed() if self.earlier and self.follow == "edit" else None
        done = done if done is not None else self._posted()
        if isinstance(done, Fault):
            return done
        if self.note.files:
            self._uploaded(done)
        return done, "".join(f"; {one}" for one in self._remarks)

    def _changed(self) -> Posted | Fault | None:
        """The earlier message with this in its place; None where that cannot be changed any more."""
        first = Posted.named(self.earlier)
        text = words(self.note, most=block_kit.FALLBACK)
        answer = self._asked("chat.update", text, channel=first.channel, ts=first.ts)
        if answer.fault is None:
            return first
        if answer.fault.code in _NOT_TO_CHANGE:
            self._remarks.append(f"a new message, for the earlier one cannot be changed: {answer.fault.code}")
            return None
        return _repeatable(answer.fault)

    def _posted(self) -> Posted | Fault:
        place, below = self.place, {}
        if self.earlier and self.follow == "reply":  # in the channel as well: who follows no thread hears of it too
            first = Posted.named(self.earlier)
            place, below = first.channel, {"thread_ts": first.ts, "reply_broadcast": True}
        look = shown(name=self.transport.channel.name, icon=self.transport.channel.icon)
        most = block_kit.FALLBACK if self.note.blocks else WHOLE_TEXT
        given = {key: value for key, value in look.items() if value}
        given |= {"unfurl_links": False, "unfurl_media": False}  # links of a report are to be read, not shown
        answer = self._asked("chat.postMessage", words(self.note, most=most), channel=place, **below, **given)
        return answer.fault or Posted(str(answer.values["channel"]), str(answer.values["ts"]))

    def _asked(self, method: str, text: str, **given: Any) -> Answer:
        """The message with its blocks; as plain text where Slack does not take these after all."""
        ask = self.transport.line().ask
        answer = ask(method, text=text, blocks=list(self.note.blocks), **given)
        if answer.fault and answer.fault.code in _REFUSED_BLOCKS and self.note.blocks:
            self._remarks.append(f"as plain text, for Slack refused the blocks: {answer.fault.what}")
            most = WHOLE_TEXT if method == "chat.postMessage" else block_kit.FALLBACK
            return ask(method, text=_fixed(self.note, most=most), blocks=[], **given)
        return answer

    # -- files ------------------------------------------------------------------------------------------

    def _uploaded(self, posted: Posted) -> None:
        """The files in the message's thread; what goes wrong is said there, and remarked."""
        root = Posted.named(self.earlier).ts if self.earlier and self.follow == "reply" else posted.ts
        empty = [one for one in self.note.files if not one.content]
        full = [one for one in self.note.files if one.content]
        problems = [f"{', '.join(one.name for one in empty)}: empty, and Slack takes no such file"] if empty else []
        if full and (fault := self._tried(full, posted.channel, root)):
            perhaps = "may not have been uploaded" if fault.unknown else "could not be uploaded"
            problems.append(f"{_named(full)} {perhaps}: {fault.what}. {fault.hint}")
        if problems:
            self._remarks += problems
            told = f":warning: {escape('; '.join(problems))}"
            self.transport.line(patience=PATIENCE).ask(
                "chat.postMessage", channel=posted.channel, thread_ts=root, text=told
            )

    def _tried(self, files: Sequence[Artifact], channel: str, thread: str) -> Fault | None:
        """Uploaded, and once more where that can be done without having them twice."""
        line = self.transport.line(patience=PATIENCE)
        told = [_told(one) for one in files]
        fault = line.upload(told, channel=channel, thread=thread).fault
        if fault and not (fault.permanent or fault.unknown):
            fault = line.upload(told, channel=channel, thread=thread).fault
        return fault


# -- receipts -----------------------------------------------------------------------------------------


def _accepted(recipient: str, posted: Posted, remarks: str) -> Receipt:
    said = f"posted in {posted.channel}{remarks}"
    return Receipt(recipient=recipient, state="accepted", code=200, text=said, reference=posted.reference)


def _repeatable(fault: Fault) -> Fault:
    """To change a message twice is to change it once: nobody need wonder whether it was."""
    return replace(fault, hint="it is tried again", permanent=False, unknown=False) if fault.unknown else fault


def _is_bot(found: Workspace, where: str) -> None:
    if not found.bot:
        raise TransportError(
            "the token is a person's, and what is posted with it would be theirs",
            where=where,
            hint=f"give the Bot User OAuth Token (xoxb-...) of {APPS}",
            permanent=True,
            account=True,
        )


# -- texts --------------------------------------------------------------------------------------------


def _fixed(note: Note, *, most: int) -> str:
    """The note's text in a fixed-width font, in which its tables stand."""
    body = fallback(note.text.replace("```", "'''"), most - 400)
    return f"*{cut(note.title, 300)}*\n```\n{body}\n```"


def _named(files: Sequence[Artifact]) -> str:
    return ", ".join(f"{one.name} ({size(len(one.content))})" for one in files)


def _told(file: Artifact) -> Mapping[str, Any]:
    return {"filename": file.name, "content": file.content, "title": file.name, "alt_txt": file.alt[:1000] or None}
