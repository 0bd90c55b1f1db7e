"""`reports slack`: what people do in Slack, from the command line."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from reports.cli import output
from reports.cli.common import AsJson, Verbose, cli
from reports.cli.workspace import (
    channel_cells,
    done,
    length_of,
    listed,
    named,
    open_slack,
    posted,
    read_json,
    said,
    user_cells,
)

slack = typer.Typer(
    help="Slack: look, post, upload, and what else people do there.", rich_markup_mode=None, no_args_is_help=True
)
cli.add_typer(slack, name="slack")

By = Annotated[str, typer.Option("--by", metavar="NAME", help="The channel in settings.toml whose tokens are used.")]
Place = Annotated[str, typer.Argument(metavar="PLACE", help="#channel, a channel's or a person's id, or an address.")]
ChannelName = Annotated[str, typer.Argument(metavar="CHANNEL", help="#channel, or its id.")]
Message = Annotated[str, typer.Argument(metavar="MESSAGE", help="CHANNEL/TS, as posting and history tell it.")]
Text = Annotated[str, typer.Argument(metavar="TEXT", help="In Slack's marks: *bold*, _italic_, `code`.")]
Who = Annotated[list[str], typer.Argument(metavar="WHO...", help="Mail addresses, @names or ids.")]
Most = Annotated[int, typer.Option("-n", min=1, help="At most so many.")]


# -- looking -----------------------------------------------------------------------------------------


@slack.command()
def check(ctx: typer.Context, by: By = "", as_json: AsJson = False, verbose: Verbose = False) -> None:
    """Whose token it is, in which workspace, and what it may do."""
    found = open_slack(ctx, by).check()
    if as_json:
        output.answer_json(dataclasses.asdict(found))
        return
    output.answer(f"{found.team} ({found.url})")
    output.answer(f"  token   {'the bot' if found.bot else 'the person'} {found.user} ({found.user_id})")
    output.answer(f"  scopes  {', '.join(found.scopes) or 'not named by Slack'}")


@slack.command()
def channels(
    ctx: typer.Context,
    private: Annotated[bool, typer.Option("--private", help="Private ones that the token is in as well.")] = False,
    archived: Annotated[bool, typer.Option("--archived", help="Archived ones as well.")] = False,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """The channels, with their purpose."""
    found = open_slack(ctx, by).channels(private=private, archived=archived)
    listed(found, ("channel", "id", "members", "in it", "purpose"), channel_cells, as_json=as_json)


@slack.command()
def users(
    ctx: typer.Context,
    deleted: Annotated[bool, typer.Option("--deleted", help="Those who are gone as well.")] = False,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """The people, with time zone and status."""
    found = open_slack(ctx, by).users(deleted=deleted)
    listed(found, ("name", "id", "real name", "address", "time zone", "status"), user_cells, as_json=as_json)


@slack.command()
def history(
    ctx: typer.Context,
    channel: ChannelName,
    most: Most = 20,
    since: Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="In UTC.")] = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """What was said in a channel, the newest first; a bot must be in it."""
    begun = since.replace(tzinfo=dt.UTC) if since else None
    said(open_slack(ctx, by).history(channel, most=most, since=begun), as_json=as_json)


@slack.command()
def search(
    ctx: typer.Context,
    words: Annotated[str, typer.Argument(metavar="WORDS", help="As in Slack's own search.")],
    most: Most = 20,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Messages with these words; by a user's token."""
    said(open_slack(ctx, by).search(words, most=most), as_json=as_json)


# -- channels ----------------------------------------------------------------------------------------


@slack.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Small letters, digits, - and _.")],
    private: Annotated[bool, typer.Option("--private", help="For those who are invited alone.")] = False,
    topic: Annotated[str, typer.Option(help="What it is about now.")] = "",
    purpose: Annotated[str, typer.Option(help="What it is for; shown as its description.")] = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """A new channel."""
    made = open_slack(ctx, by).create(name, private=private, topic=topic, purpose=purpose)
    done(f"made #{made.name} ({made.id})", dataclasses.asdict(made), as_json=as_json)


@slack.command("topic")
def set_topic(ctx: typer.Context, channel: ChannelName, text: Text, by: By = "", as_json: AsJson = False) -> None:
    """Set what a channel is about now."""
    made = open_slack(ctx, by).topic(channel, text)
    done(f"the topic of #{made.name} is set", dataclasses.asdict(made), as_json=as_json)


@slack.command("purpose")
def set_purpose(ctx: typer.Context, channel: ChannelName, text: Text, by: By = "", as_json: AsJson = False) -> None:
    """Set what a channel is for."""
    made = open_slack(ctx, by).purpose(channel, text)
    done(f"the purpose of #{made.name} is set", dataclasses.asdict(made), as_json=as_json)


@slack.command()
def invite(ctx: typer.Context, channel: ChannelName, who: Who, by: By = "", as_json: AsJson = False) -> None:
    """Invite people into a channel."""
    made = open_slack(ctx, by).invite(channel, *who)
    done(f"invited {len(who)} into #{made.name}", dataclasses.asdict(made), as_json=as_json)


@slack.command()
def join(ctx: typer.Context, channel: ChannelName, by: By = "", as_json: AsJson = False) -> None:
    """Let the bot join a public channel, so that it may read and upload there."""
    made = open_slack(ctx, by).join(channel)
    done(f"the bot is in #{made.name}", dataclasses.asdict(made), as_json=as_json)


@slack.command("open")
def open_messages(ctx: typer.Context, who: Who, by: By = "", as_json: AsJson = False) -> None:
    """Open direct messages with one or several people; tells their id, to post there."""
    found = open_slack(ctx, by).open(*who)
    done(found, {"channel": found}, as_json=as_json)


# -- messages ----------------------------------------------------------------------------------------


@slack.command()
def post(
    ctx: typer.Context,
    place: Place,
    text: Text,
    mention: Annotated[
        list[str] | None, typer.Option(metavar="WHO", help="Who is told: addresses, @names, channel, here, everyone.")
    ] = None,
    name: Annotated[str, typer.Option(help="As who it is posted.")] = "",
    icon: Annotated[str, typer.Option(help="An emoji, or the address of a picture.")] = "",
    blocks: Annotated[Path | None, typer.Option(metavar="FILE", help="Block Kit, as JSON.")] = None,
    attachments: Annotated[Path | None, typer.Option(metavar="FILE", help="Attachments, as JSON.")] = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Post a message; tells how it is called, to change, answer or delete it."""
    there = open_slack(ctx, by)
    whole = f"{there.mention(*mention)} {text}" if mention else text
    made = there.post(place, whole, blocks=read_json(blocks), attachments=read_json(attachments), name=name, icon=icon)
    posted(made, as_json=as_json)


@slack.command()
def update(ctx: typer.Context, message: Message, text: Text, by: By = "", as_json: AsJson = False) -> None:
    """Change a message in place."""
    posted(open_slack(ctx, by).update(named(message), text), as_json=as_json)


@slack.command()
def comment(ctx: typer.Context, message: Message, text: Text, by: By = "", as_json: AsJson = False) -> None:
    """Answer a message in its thread."""
    posted(open_slack(ctx, by).comment(named(message), text), as_json=as_json)


@slack.command()
def delete(
    ctx: typer.Context,
    what: Annotated[str, typer.Argument(metavar="MESSAGE|FILE", help="A message as CHANNEL/TS, or a file's id.")],
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Delete a message or a file of the token's own."""
    there = open_slack(ctx, by)
    if "/" in what:
        there.delete(named(what))
    else:
        there.delete_file(what)
    done(f"deleted {what}", {"deleted": what}, as_json=as_json)


@slack.command()
def upload(
    ctx: typer.Context,
    place: Place,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What is uploaded.")],
    title: Annotated[str, typer.Option(help="Shown in place of its name.")] = "",
    comment: Annotated[str, typer.Option(help="Said with it.")] = "",
    alt: Annotated[str, typer.Option(help="What a picture shows, for those who do not see it.")] = "",
    thread: Annotated[str, typer.Option(metavar="MESSAGE", help="In the thread of that message.")] = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Upload a file; a bot must be in the channel."""
    root = named(thread).ts if thread else ""
    made = open_slack(ctx, by).upload(place, file, title=title, comment=comment, alt=alt, thread=root)
    done(f"uploaded {made.name} ({made.id})", dataclasses.asdict(made), as_json=as_json)


# -- oneself -----------------------------------------------------------------------------------------


@slack.command()
def remind(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT")],
    when: Annotated[str, typer.Argument(metavar="WHEN", help='As words: "in 20 minutes", "tomorrow at 9am".')],
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Set a reminder for oneself; by a user's token."""
    made = open_slack(ctx, by).remind(text, when)
    done(f"reminder {made} is set".replace("  ", " "), {"id": made}, as_json=as_json)


@slack.command()
def snooze(
    ctx: typer.Context,
    length: Annotated[str, typer.Argument(metavar="[LENGTH]", help='As in "30m" or "2h".')] = "",
    end: Annotated[bool, typer.Option("--end", help="Notifications again, from now on.")] = False,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """No notifications for a while; by a user's token."""
    if end == bool(length):
        raise typer.BadParameter("say for how long, or --end", param_hint="LENGTH")
    there = open_slack(ctx, by)
    if end:
        there.end_snooze()
        done("notifications are on", {"until": None}, as_json=as_json)
        return
    until = there.snooze(length_of(length))
    done(f"no notifications until {until:%Y-%m-%d %H:%MZ}", {"until": until.isoformat()}, as_json=as_json)


@slack.command("status")
def set_status(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(metavar="[TEXT]", help="Nothing takes the status away.")] = "",
    emoji: Annotated[str, typer.Option(help="Beside it.")] = "",
    length: Annotated[str, typer.Option("--for", metavar="LENGTH", help='After "2h" it goes away by itself.')] = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Set one's own status, or take it away; by a user's token."""
    until = dt.datetime.now(dt.UTC) + length_of(length) if length else None
    open_slack(ctx, by).status(text, emoji, until=until)
    told = {"status": text, "emoji": emoji, "until": until.isoformat() if until else None}
    done("the status is set" if text else "the status is gone", told, as_json=as_json)
