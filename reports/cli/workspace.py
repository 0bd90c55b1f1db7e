"""What the commands of `reports slack` share: whose tokens they use, what they read, and what they answer."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from reports.cli import output

if TYPE_CHECKING:
    from reports.settings import Settings, SlackChannel
    from reports.slack import Channel, Posted, Said, Slack, User


def open_slack(ctx: typer.Context, by: str) -> Slack:
    """By the tokens of the channel that is named, or of the project's first one of Slack, or of the environment."""
    from reports.project import nearest, read_settings
    from reports.settings import environment
    from reports.slack import Slack
    from reports.slack.line import API
    from reports.transports.slack import client

    root = nearest(ctx.obj)
    settings = read_settings(root)[0] if root else None
    if settings:
        ctx.meta["mask"] = settings.mask
    if (channel := _channel(settings, by)) is not None:
        return client(channel)
    tokens = (environment("SLACK_BOT_TOKEN"), environment("SLACK_USER_TOKEN"))
    return Slack(*tokens, environment("SLACK_API_URL") or API)


def _channel(settings: Settings | None, by: str) -> SlackChannel | None:
    from reports.errors import SettingsError, choices
    from reports.settings import SlackChannel

    channels = settings.channels if settings else {}
    found = {name: one for name, one in channels.items() if isinstance(one, SlackChannel)}
    if by and by not in found:
        raise SettingsError(
            f"there is no channel '{by}' with a token of Slack",
            where=str(settings.root / "settings.toml") if settings else "",
            hint=choices(by, found, what="channels of Slack"),
        )
    return found[by] if by else next(iter(found.values()), None)


def length_of(text: str) -> dt.timedelta:
    """A length of time as settings have it: "30m", "2h"."""
    from pydantic import TypeAdapter, ValidationError

    from reports.parts import Duration

    try:
        found: dt.timedelta = TypeAdapter(Duration).validate_python(text)
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"], param_hint="LENGTH") from error
    return found


def named(reference: str) -> Posted:
    """The message of that name."""
    from reports.slack import Posted

    found = Posted.named(reference)
    if not (found.channel and found.ts):
        raise typer.BadParameter(f"'{reference}' is not CHANNEL/TS, as posting tells it", param_hint="MESSAGE")
    return found


def read_json(path: Path | None) -> Sequence[dict[str, Any]]:
    """Blocks or attachments out of a file, as Slack's builder gives them: a list, or an object that has it."""
    if path is None:
        return ()
    try:
        told = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{path} cannot be read as JSON: {error}") from error
    found: Sequence[dict[str, Any]] = told if isinstance(told, list) else next(iter(told.values()), ())
    return found


# -- what is answered ----------------------------------------------------------------------------------


def listed(found: Sequence[Any], heading: Sequence[str], cells: Callable[[Any], list[str]], *, as_json: bool) -> None:
    if as_json:
        output.answer_json([dataclasses.asdict(one) for one in found])
    else:
        output.answer(output.table([cells(one) for one in found], heading))


def channel_cells(one: Channel) -> list[str]:
    """A channel's row."""
    marks = [" (private)"] if one.private else []
    marks += [" (archived)"] if one.archived else []
    return [f"#{one.name}{''.join(marks)}", one.id, str(one.members), "yes" if one.member else "", one.purpose]


def user_cells(one: User) -> list[str]:
    """A person's row."""
    status = " ".join(filter(None, [one.emoji, one.status]))
    return [f"@{one.name}{' (bot)' if one.bot else ''}", one.id, one.real_name, one.email, one.timezone, status]


def said(found: Sequence[Said], *, as_json: bool) -> None:
    """Messages, a line each."""
    if as_json:
        output.answer_json([dataclasses.asdict(one) | {"at": one.at.isoformat()} for one in found])
        return
    for one in found:
        output.answer(f"{one.at:%Y-%m-%d %H:%M:%SZ}  {one.channel}/{one.ts}  {one.user}: {' '.join(one.text.split())}")


def posted(made: Posted, *, as_json: bool) -> None:
    """How a message is called from now on."""
    done(made.reference, dataclasses.asdict(made) | {"message": made.reference}, as_json=as_json)


def done(said: str, told: Any, *, as_json: bool) -> None:
    """What was done, in a sentence or as values."""
    if as_json:
        output.answer_json(told)
    else:
        output.answer(said)
