"""`reports login`: sign in once, so that mail can be sent without anybody being there."""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from reports.cli import output
from reports.cli.common import AsJson, Verbose, cli, open_app

if TYPE_CHECKING:
    from reports.transports.oauth import SignedIn


class Way(StrEnum):
    device = "device"
    browser = "browser"
    client = "client"
    service_account = "service_account"


@cli.command()
def login(
    ctx: typer.Context,
    provider: Annotated[str, typer.Argument(metavar="PROVIDER", help="The provider that settings name.")] = "",
    flow: Annotated[Way | None, typer.Option(help="How; else as settings say.")] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Delete the token that is kept; ask for nothing.")] = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Sign in by OAuth for the mail account; the token is kept, and renewed by itself."""
    from reports.transports import oauth

    app = open_app(ctx)
    mail, folder, way = app.settings.mail, app.settings.data_folder, flow.value if flow else ""
    if forget:
        there, place = oauth.forget(mail, folder, provider=provider, flow=way)
        said = f"forgotten: {place}" if there else f"there was no token in {place}"
        output.answer_json({"forgotten": there, "place": place}) if as_json else output.answer(said)
        return
    signed_in = oauth.sign_in(mail, folder, provider=provider, flow=way, tell=output.say)
    if as_json:
        output.answer_json(dataclasses.asdict(signed_in) | {"until": signed_in.until.isoformat()})
    else:
        _tell(signed_in, ZoneInfo(app.settings.timezone))


def _tell(signed_in: SignedIn, zone: ZoneInfo) -> None:
    other = signed_in.person.casefold() not in {"", signed_in.user.casefold()}
    output.answer(f"signed in to {signed_in.title} for {signed_in.user}" + (f" as {signed_in.person}" if other else ""))
    until = signed_in.until.astimezone(zone)
    output.answer(f"  token  good until {until:%Y-%m-%d %H:%M} ({zone}), renewed by itself before that")
    output.answer(f"  kept   {signed_in.kept_in}")
