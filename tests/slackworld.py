"""A Slack workspace in memory, and the methods of the Web API on it: which token may call them, and their errors.

Which scopes a method needs stands here once more, read off Slack's documentation, so that the product's own table
(`reports.slack.methods`) is held against it.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import slackblocks

Values = Mapping[str, Any]
Answer = dict[str, Any]

BOT_SCOPES = frozenset(
    {
        *(f"{kind}:{may}" for kind in ("channels", "groups", "im", "mpim") for may in ("history", "read")),
        *("channels:join", "channels:manage", "groups:write", "im:write", "mpim:write"),
        *("chat:write", "chat:write.customize", "chat:write.public", "files:read", "files:write", "reactions:write"),
        *("team:read", "users.profile:read", "users:read", "users:read.email"),
    }
)
USER_SCOPES = frozenset(
    {
        *("channels:history", "channels:read", "channels:write", "chat:write", "files:write", "dnd:write"),
        *("reminders:write", "search:read", "users.profile:read", "users.profile:write", "users:read"),
    }
)
RETIRED = frozenset(
    {
        *("channels.list", "channels.history", "channels.create", "channels.info", "files.upload"),
        *("groups.list", "im.list", "im.open", "mpim.list"),
    }
)


class Refused(Exception):
    """Slack's answer that something was not done, with its word for why."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error, self.more = error, more


@dataclass(frozen=True)
class Token:
    """Who a token is, and what it may do."""

    kind: str
    user: str
    scopes: frozenset[str]
    alive: bool = True


@dataclass
class Channel:
    """A conversation; `kind` is public, private, im or mpim."""

    id: str
    name: str
    kind: str = "public"
    members: set[str] = field(default_factory=set)
    purpose: str = ""
    topic: str = ""
    archived: bool = False
    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def told(self) -> Answer:
        """The channel as Slack shows it."""
        kinds = {"is_channel": self.kind == "public", "is_private": self.kind != "public", "is_im": self.kind == "im"}
        texts = {key: {"value": getattr(self, key), "creator": "U1", "last_set": 0} for key in ("purpose", "topic")}
        named = {} if self.kind == "im" else {"name": self.name}
        return {
            "id": self.id,
            **named,
            "is_archived": self.archived,
            **kinds,
            **texts,
            "num_members": len(self.members),
        }


@dataclass
class Person:
    """Somebody of the workspace, or its bot."""

    id: str
    name: str
    real_name: str
    email: str = ""
    tz: str = "Europe/Berlin"
    bot: bool = False
    deleted: bool = False
    status: dict[str, Any] = field(default_factory=lambda: {"status_text": "", "status_emoji": ""})

    @property
    def told(self) -> Answer:
        """The person as Slack shows them."""
        profile = {"real_name": self.real_name, "display_name": self.name, "email": self.email, **self.status}
        flags = {"is_bot": self.bot, "deleted": self.deleted}
        return {
            "id": self.id,
            "name": self.name,
            "real_name": self.real_name,
            "tz": self.tz,
            **flags,
            "profile": profile,
        }


@dataclass
class File:
    """A file, shared or still private."""

    id: str
    name: str
    length: int
    alt: str = ""
    title: str = ""
    content: bytes = field(default=b"", repr=False)
    channels: list[str] = field(default_factory=list)
    thread: str = ""
    comment: str = ""
    deleted: bool = False
    owner: str = ""

    @property
    def told(self) -> Answer:
        """The file as Slack shows it."""
        return {"id": self.id, "name": self.name, "title": self.title, "size": len(self.content), "alt_txt": self.alt}


class World:
    """A workspace: #general and #cash with the bot, #lobby without it, the private #board, three people and the bot."""

    def __init__(
        self,
        *,
        bot_scopes: frozenset[str] = BOT_SCOPES,
        user_scopes: frozenset[str] = USER_SCOPES,
        page: int = 100,
    ) -> None:
        self.page = page
        self.webhook_key, self.webhook_channel, self.upload_url = "hook-1-secret", "C00000001", ""
        self.tokens = {
            "xoxb-1-bot": Token("bot", "U0000000B", bot_scopes),
            "xoxp-1-ada": Token("user", "U00000001", user_scopes),
        }
        people = (
            Person("U0000000B", "reports", "Reports", bot=True),
            Person("U00000001", "ada", "Ada Lovelace", "ada@example.com", "Europe/London"),
            Person("U00000002", "zoe", "Zoë Müller", "zoe@example.com"),
            Person("U00000003", "bob", "Bob Gone", "bob@example.com", deleted=True),
        )
        self.people = {one.id: one for one in people}
        channels = (
            Channel("C00000001", "general", members={"U0000000B", "U00000001"}, purpose="Everything"),
            Channel("C00000002", "cash", members={"U0000000B", "U00000001"}, purpose="Cash & flows"),
            Channel("C00000003", "lobby", members={"U00000001"}),
            Channel("C00000004", "board", "private", members={"U00000001"}),
            Channel("C00000005", "past", members={"U0000000B"}, archived=True),
        )
        self.channels = {one.id: one for one in channels}
        self.files: dict[str, File] = {}
        self.tickets: dict[str, File] = {}
        self.reminders: list[Answer] = []
        self.snoozed: dict[str, int] = {}
        self.edits: list[str] = []
        self.reactions: list[tuple[str, str]] = []
        self._count = 0

    def number(self) -> int:
        """One more than the last."""
        self._count += 1
        return self._count

    def found(self, name: str) -> Channel:
        """The channel of that name or id."""
        return next(one for one in self.channels.values() if name.lstrip("#") in {one.id, one.name})

    def direct(self, *users: str) -> Channel:
        """The direct messages of these with whoever asks, opened if need be."""
        kind = "im" if len(users) == 2 else "mpim"
        for one in self.channels.values():
            if one.kind == kind and one.members == set(users):
                return one
        number = self.number()
        opened = Channel(f"D{number:08}" if kind == "im" else f"G{number:08}", f"mpdm-{number}", kind, set(users))
        self.channels[opened.id] = opened
        return opened

    def add(self, channel: Channel, message: Answer) -> Answer:
        """A message in a channel, with its own time."""
        told = {"type": "message", "ts": f"1700000000.{self.number():06}", **message}
        channel.messages.append(told)
        return told


# -- what a token may do -----------------------------------------------------------------------------

_BY_KIND = {"public": "channels", "private": "groups", "im": "im", "mpim": "mpim"}
_NEEDS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    # method: what a bot's token needs one of, and a person's; nothing where such a token may not call it
    "team.info": (["team:read"], ["team:read"]),
    "conversations.list": (["{}:read"], ["{}:read"]),
    "conversations.info": (["{}:read"], ["{}:read"]),
    "conversations.history": (["{}:history"], ["{}:history"]),
    "conversations.replies": (["{}:history"], ["{}:history"]),
    "conversations.create": (["{}:manage", "{}:write"], ["{}:write"]),
    "conversations.setTopic": (["{}:manage", "{}:write", "{}:write.topic"], ["{}:write", "{}:write.topic"]),
    "conversations.setPurpose": (["{}:manage", "{}:write", "{}:write.topic"], ["{}:write", "{}:write.topic"]),
    "conversations.invite": (["{}:manage", "{}:write", "{}:write.invites"], ["{}:write", "{}:write.invites"]),
    "conversations.open": (["{}:write"], ["{}:write"]),
    "conversations.join": (["channels:join"], ["channels:write"]),
    "users.list": (["users:read"], ["users:read"]),
    "users.info": (["users:read"], ["users:read"]),
    "users.lookupByEmail": (["users:read.email"], ["users:read.email"]),
    "users.profile.get": (["users.profile:read"], ["users.profile:read"]),
    "users.profile.set": ([], ["users.profile:write"]),
    "search.messages": ([], ["search:read"]),
    "chat.postMessage": (["chat:write"], ["chat:write"]),
    "chat.update": (["chat:write"], ["chat:write"]),
    "chat.delete": (["chat:write"], ["chat:write"]),
    "files.getUploadURLExternal": (["files:write"], ["files:write"]),
    "files.completeUploadExternal": (["files:write"], ["files:write"]),
    "files.delete": (["files:write"], ["files:write"]),
    "reminders.add": ([], ["reminders:write"]),
    "dnd.setSnooze": ([], ["dnd:write"]),
    "dnd.endSnooze": ([], ["dnd:write"]),
    "reactions.add": (["reactions:write"], ["reactions:write"]),
}


def needed(method: str, kind: str, of: str = "public") -> list[str]:
    """The scopes of which a token of that kind needs one, for a conversation of that sort."""
    bot, user = _NEEDS.get(method, ([""], [""]))
    return [scope.format(_BY_KIND[of]) for scope in (bot if kind == "bot" else user)]


def allow(who: Token, method: str, of: str = "public") -> None:
    """Refused, if the token is of the wrong kind or lacks the scope."""
    if method not in _NEEDS:
        return
    wanted = needed(method, who.kind, of)
    if not wanted:
        raise Refused("not_allowed_token_type")
    require(who, *wanted)


def require(who: Token, *scopes: str) -> None:
    """Refused, if the token has none of the scopes."""
    if not who.scopes & set(scopes):
        raise Refused("missing_scope", needed=",".join(scopes), provided=",".join(sorted(who.scopes)))


Method = Callable[[World, Token, Values], Answer]
METHODS: dict[str, Method] = {}


def method(name: str, *, checked: bool = True) -> Callable[[Method], Method]:
    """Makes a function a method; one that is not `checked` looks for itself which scopes it needs."""

    def keep(function: Method) -> Method:
        @functools.wraps(function)
        def called(world: World, who: Token, values: Values) -> Answer:
            if checked:
                allow(who, name)
            return function(world, who, values)

        METHODS[name] = called
        return function

    return keep


def conversation(name: str, *, joined: bool = False) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Makes a function a method on a conversation, which it is given; `joined` ones need to be in it."""

    def keep(function: Callable[..., Answer]) -> Callable[..., Answer]:
        @method(name, checked=False)
        def called(world: World, who: Token, values: Values) -> Answer:
            channel = seen(world, who, values.get("channel"))
            allow(who, name, channel.kind)
            if joined and who.user not in channel.members:
                raise Refused("not_in_channel")
            return function(world, who, values, channel)

        return function

    return keep


def seen(world: World, who: Token, given: object) -> Channel:
    """The channel of that id; private ones are seen by those who are in them alone."""
    channel = world.channels.get(str(given))
    if channel is None or (channel.kind != "public" and who.user not in channel.members):
        raise Refused("channel_not_found")
    return channel


def paged(world: World, values: Values, every: Sequence[Any], name: str) -> Answer:
    """A page of all there is, and the cursor of the next one."""
    start, most = int(values.get("cursor") or 0), min(int(values.get("limit") or world.page), world.page)
    end = start + most
    return {name: list(every[start:end]), "response_metadata": {"next_cursor": str(end) if end < len(every) else ""}}


def blocks_of(values: Values) -> list[Answer]:
    """The blocks of a message, if they are as documented."""
    given = values.get("blocks") or []
    try:
        blocks = json.loads(given) if isinstance(given, str) else given
    except ValueError as error:
        raise Refused("invalid_blocks_format") from error
    if wrong := slackblocks.problems(blocks):
        raise Refused("invalid_blocks", response_metadata={"messages": [f"[ERROR] {one}" for one in wrong]})
    if slackblocks.size(blocks) > slackblocks.MOST_TEXT:
        raise Refused("msg_blocks_too_long")
    return list(blocks)


# -- the methods -------------------------------------------------------------------------------------


@method("auth.test")
def _auth_test(world: World, who: Token, _: Values) -> Answer:
    bot = {"bot_id": "B1"} if who.kind == "bot" else {}
    names = {"team": "Example Bank", "user": world.people[who.user].name}
    return {"url": "https://example.slack.com/", "team_id": "T1", "user_id": who.user, **names, **bot}


@method("team.info")
def _team_info(*_: object) -> Answer:
    return {"team": {"id": "T1", "name": "Example Bank", "domain": "example", "email_domain": "example.com"}}


@method("conversations.list", checked=False)
def _conversations_list(world: World, who: Token, values: Values) -> Answer:
    kinds = {"public_channel": "public", "private_channel": "private", "im": "im", "mpim": "mpim"}
    wanted = [kinds[one] for one in str(values.get("types") or "public_channel").split(",")]
    for kind in wanted:
        allow(who, "conversations.list", kind)
    without_archived = str(values.get("exclude_archived", "0")).lower() in {"1", "true"}
    every = [
        {**one.told, "is_member": who.user in one.members}
        for one in world.channels.values()
        if one.kind in wanted
        and (one.kind == "public" or who.user in one.members)
        and not (without_archived and one.archived)
    ]
    return paged(world, values, every, "channels")


@conversation("conversations.info")
def _conversations_info(_: World, __: Token, ___: Values, channel: Channel) -> Answer:
    return {"channel": channel.told}


@conversation("conversations.history")
def _conversations_history(world: World, who: Token, values: Values, channel: Channel) -> Answer:
    if who.user not in channel.members and who.kind == "bot":
        raise Refused("not_in_channel")
    oldest = float(values.get("oldest") or 0)
    every = [one for one in channel.messages if one.get("thread_ts", one["ts"]) == one["ts"]]
    told = paged(world, values, [one for one in reversed(every) if float(one["ts"]) > oldest], "messages")
    return {**told, "has_more": bool(told["response_metadata"]["next_cursor"])}


@conversation("conversations.replies")
def _conversations_replies(world: World, _: Token, values: Values, channel: Channel) -> Answer:
    every = [one for one in channel.messages if values.get("ts") in {one["ts"], one.get("thread_ts")}]
    if not every:
        raise Refused("thread_not_found")
    return paged(world, values, every, "messages")


@method("conversations.create", checked=False)
def _conversations_create(world: World, who: Token, values: Values) -> Answer:
    private = str(values.get("is_private", "0")).lower() in {"1", "true"}
    kind = "private" if private else "public"
    allow(who, "conversations.create", kind)
    name = str(values.get("name") or "")
    if len(name) > 80:
        raise Refused("invalid_name_maxlength")
    if not name:
        raise Refused("invalid_name_required")
    if not re.fullmatch(r"[\w-]+", name) or name != name.lower():
        raise Refused("invalid_name_specials")
    if any(one.name == name for one in world.channels.values()):
        raise Refused("name_taken")
    channel = Channel(f"C{world.number():08}9", name, kind, {who.user})
    world.channels[channel.id] = channel
    return {"channel": channel.told}


@conversation("conversations.setTopic", joined=True)
def _set_topic(_: World, __: Token, values: Values, channel: Channel) -> Answer:
    return _described(channel, "topic", values)


@conversation("conversations.setPurpose", joined=True)
def _set_purpose(_: World, __: Token, values: Values, channel: Channel) -> Answer:
    return _described(channel, "purpose", values)


def _described(channel: Channel, name: str, values: Values) -> Answer:
    if channel.archived:
        raise Refused("is_archived")
    if len(values.get(name) or "") > 250:
        raise Refused("too_long")
    setattr(channel, name, values.get(name) or "")
    return {"channel": channel.told}


@conversation("conversations.invite", joined=True)
def _conversations_invite(world: World, who: Token, values: Values, channel: Channel) -> Answer:
    users = [one for one in str(values.get("users") or "").split(",") if one]
    if not users:
        raise Refused("no_user")
    for user in users:
        if user not in world.people:
            raise Refused("user_not_found")
        if user == who.user:
            raise Refused("cant_invite_self")
        if user in channel.members:
            raise Refused("already_in_channel")
    channel.members |= set(users)
    return {"channel": channel.told}


@method("conversations.open", checked=False)
def _conversations_open(world: World, who: Token, values: Values) -> Answer:
    users = [one for one in str(values.get("users") or "").split(",") if one]
    if not users:
        raise Refused("users_list_not_supplied")
    allow(who, "conversations.open", "im" if len(users) == 1 else "mpim")
    if len(users) > 8:
        raise Refused("too_many_users")
    for user in users:
        if user not in world.people:
            raise Refused("user_not_found")
        if world.people[user].deleted:
            raise Refused("user_disabled")
    return {"channel": {"id": world.direct(who.user, *users).id}}


@conversation("conversations.join")
def _conversations_join(_: World, who: Token, __: Values, channel: Channel) -> Answer:
    if channel.archived:
        raise Refused("is_archived")
    channel.members.add(who.user)
    return {"channel": channel.told}


@method("users.list")
def _users_list(world: World, _: Token, values: Values) -> Answer:
    return paged(world, values, [one.told for one in world.people.values()], "members")


@method("users.info")
def _users_info(world: World, _: Token, values: Values) -> Answer:
    return {"user": _person(world, values.get("user")).told}


@method("users.lookupByEmail")
def _lookup(world: World, _: Token, values: Values) -> Answer:
    for one in world.people.values():
        if one.email and one.email == values.get("email") and not one.deleted:
            return {"user": one.told}
    raise Refused("users_not_found")


def _person(world: World, given: object) -> Person:
    if (one := world.people.get(str(given))) is None:
        raise Refused("user_not_found")
    return one


@method("users.profile.get")
def _profile_get(world: World, who: Token, values: Values) -> Answer:
    return {"profile": _person(world, values.get("user") or who.user).told["profile"]}


@method("users.profile.set")
def _profile_set(world: World, who: Token, values: Values) -> Answer:
    given = values.get("profile")
    try:
        profile = json.loads(given) if isinstance(given, str) else dict(given or {})
    except ValueError as error:
        raise Refused("invalid_profile") from error
    if values.get("user") not in {None, who.user}:
        raise Refused("not_admin")
    if len(profile.get("status_text", "")) > 100:
        raise Refused("too_long")
    world.people[who.user].status |= profile
    return {"profile": world.people[who.user].told["profile"]}


@method("search.messages")
def _search(world: World, who: Token, values: Values) -> Answer:
    if not (query := str(values.get("query") or "")):
        raise Refused("no_query")
    matches = [
        {"channel": {"id": one.id, "name": one.name}, "permalink": f"https://example.slack.com/{one.id}", **message}
        for one in world.channels.values()
        if one.kind == "public" or who.user in one.members
        for message in reversed(one.messages)
        if query.lower() in str(message.get("text", "")).lower()
    ]
    count = int(values.get("count") or 20)
    page = int(values.get("page") or 1)
    paging = {"count": count, "total": len(matches), "page": page, "pages": -(-len(matches) // count)}
    return {"query": query, "messages": {"matches": matches[(page - 1) * count : page * count], "paging": paging}}


@method("chat.postMessage")
def _post_message(world: World, who: Token, values: Values) -> Answer:
    channel = _place(world, who, str(values.get("channel") or ""))
    if channel.archived:
        raise Refused("is_archived")
    blocks, attachments = blocks_of(values), values.get("attachments") or []
    attachments = json.loads(attachments) if isinstance(attachments, str) else attachments
    if not (values.get("text") or blocks or attachments):
        raise Refused("no_text")
    if len(attachments) > 100:
        raise Refused("too_many_attachments")
    if any(values.get(key) for key in ("username", "icon_emoji", "icon_url")):
        require(who, "chat:write.customize")
    shown = {
        key: values[key]
        for key in ("username", "icon_emoji", "icon_url", "thread_ts", "reply_broadcast")
        if values.get(key)
    }
    said = {"text": str(values.get("text") or "")[:40_000], "blocks": blocks, "attachments": attachments}
    message = world.add(channel, {"user": who.user, **said, **shown})
    return {"channel": channel.id, "ts": message["ts"], "message": message}


def _place(world: World, who: Token, given: str) -> Channel:
    """Where a message may be posted: a channel by id or name, a person by id."""
    if given in world.people:
        return world.direct(who.user, given)
    named = {one.name: one for one in world.channels.values() if one.kind in {"public", "private"}}
    channel = world.channels.get(given) or named.get(given.removeprefix("#"))
    if channel is None or (channel.kind != "public" and who.user not in channel.members):
        raise Refused("channel_not_found")
    if who.user not in channel.members and (who.kind == "user" or "chat:write.public" not in who.scopes):
        raise Refused("not_in_channel")
    return channel


def _message(channel: Channel, values: Values) -> Answer:
    found = next((one for one in channel.messages if one["ts"] == values.get("ts")), None)
    if found is None:
        raise Refused("message_not_found")
    return found


@conversation("chat.update")
def _update(world: World, who: Token, values: Values, channel: Channel) -> Answer:
    message = _message(channel, values)
    if message.get("user") != who.user:
        raise Refused("cant_update_message")
    if len(values.get("text") or "") > 4000:
        raise Refused("msg_too_long")
    if not (values.get("text") or values.get("blocks")):
        raise Refused("no_text")
    message |= {"text": values.get("text") or "", "blocks": blocks_of(values), "edited": True}
    world.edits.append(message["ts"])
    return {"channel": channel.id, "ts": message["ts"], "text": message["text"]}


@conversation("chat.delete")
def _delete(_: World, who: Token, values: Values, channel: Channel) -> Answer:
    message = _message(channel, values)
    if message.get("user") != who.user:
        raise Refused("cant_delete_message")
    channel.messages.remove(message)
    return {"channel": channel.id, "ts": message["ts"]}


@method("files.getUploadURLExternal")
def _upload_url(world: World, who: Token, values: Values) -> Answer:
    if not (values.get("filename") and int(values.get("length") or 0)):
        raise Refused("missing_argument")
    if len(values.get("alt_txt") or "") > 1000:
        raise Refused("alt_txt_too_large")
    number = world.number()
    file = File(f"F{number:08}", values["filename"], int(values["length"]), values.get("alt_txt") or "", owner=who.user)
    world.tickets[f"ticket-{number}"] = file
    return {"upload_url": f"{world.upload_url}/ticket-{number}", "file_id": file.id}


@method("files.completeUploadExternal")
def _complete(world: World, who: Token, values: Values) -> Answer:
    waiting = {one.id: one for one in world.tickets.values()}
    named = [(waiting.get(one["id"]), one) for one in json.loads(values["files"])]
    if any(file is None or not file.content for file, _ in named):
        raise Refused("file_not_found")
    files = [file for file, _ in named if file]
    for file, told in named:
        if file:
            file.title = told.get("title") or file.name
    if place := values.get("channel_id"):
        _share(world, who, values, files, str(place))
    world.files |= {file.id: file for file in files}
    return {"files": [file.told for file in files]}


def _share(world: World, who: Token, values: Values, files: Sequence[File], place: str) -> None:
    channel = seen(world, who, place)
    if who.user not in channel.members:
        raise Refused("not_in_channel")
    thread = {"thread_ts": values["thread_ts"]} if values.get("thread_ts") else {}
    comment = values.get("initial_comment") or ""
    for file in files:
        file.channels, file.thread, file.comment = [channel.id], thread.get("thread_ts", ""), comment
    world.add(channel, {"user": who.user, "text": comment, "files": [file.told for file in files], **thread})


@method("files.delete")
def _delete_file(world: World, who: Token, values: Values) -> Answer:
    file = world.files.get(str(values.get("file")))
    if file is None:
        raise Refused("file_not_found")
    if file.deleted:
        raise Refused("file_deleted")
    if file.owner != who.user:
        raise Refused("cant_delete_file")
    file.deleted = True
    return {}


@method("reminders.add")
def _remind(world: World, who: Token, values: Values) -> Answer:
    if values.get("user"):
        raise Refused("cannot_add_others")
    if not (values.get("text") and values.get("time")):
        raise Refused("missing_argument")
    time = str(values["time"])
    if not time.isdecimal() and not time.startswith(("in ", "every ", "tomorrow", "next ")):
        raise Refused("cannot_parse")
    told = {"id": f"Rm{world.number()}", "creator": who.user, "user": who.user, "text": values["text"], "time": time}
    world.reminders.append(told)
    return {"reminder": told}


@method("dnd.setSnooze")
def _snooze(world: World, who: Token, values: Values) -> Answer:
    if not (minutes := int(values.get("num_minutes") or 0)):
        raise Refused("missing_duration")
    if minutes > 1440:
        raise Refused("too_long")
    world.snoozed[who.user] = minutes
    return {"snooze_enabled": True, "snooze_endtime": 1_700_000_000 + 60 * minutes, "snooze_remaining": 60 * minutes}


@method("dnd.endSnooze")
def _end_snooze(world: World, who: Token, _: Values) -> Answer:
    if world.snoozed.pop(who.user, None) is None:
        raise Refused("snooze_not_active")
    return {"dnd_enabled": True, "snooze_enabled": False}


@conversation("reactions.add")
def _react(world: World, _: Token, values: Values, channel: Channel) -> Answer:
    message = _message(channel, {"ts": values.get("timestamp")})
    world.reactions.append((message["ts"], str(values.get("name"))))
    return {}
