"""`reports service`: what keeps `reports serve` running, installed, taken away and asked how it is."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reports.cli import output
from reports.cli.common import AsJson, Verbose, cli, open_app

if TYPE_CHECKING:
    from reports.model import Beat
    from reports.units import Site, Unit

service = typer.Typer(help="Keep `reports serve` running on this machine, or in a container.", rich_markup_mode=None)
cli.add_typer(service, name="service")

FRESH = dt.timedelta(seconds=60)
"""A service that was heard of within this is alive."""
HEADING = ("service", "host", "pid", "version", "started", "last heard of")

User = Annotated[bool, typer.Option("--user", help="A service of your own account, without root.")]
Account = Annotated[str, typer.Option(metavar="NAME", help="Who runs it; else the owner of the project's folder.")]
Name = Annotated[str, typer.Option(metavar="NAME", help="Names it reports-NAME; else after the project's folder.")]


class Kind(StrEnum):
    systemd = "systemd"
    launchd = "launchd"
    windows = "windows"
    docker = "docker"
    compose = "compose"


@service.command()
def install(
    ctx: typer.Context,
    user: User = False,
    account: Account = "",
    name: Name = "",
    only_print: Annotated[bool, typer.Option("--print", help="Show what would be written and run.")] = False,
    verbose: Verbose = False,
) -> None:
    """Have this machine keep the service running; a second time brings it up to date and starts it anew."""
    from reports import units

    app = open_app(ctx)
    site = _site(app, user=user, account=account, name=name)
    unit = _unit(site, _platform(), user=user)
    if only_print:
        output.answer("\n".join(units.shown(unit)))
        return
    units.install(unit, site, units.Asker(tell=output.say))
    output.answer(f"{unit.name} is installed and started; how it is: reports service status")


@service.command()
def uninstall(ctx: typer.Context, user: User = False, name: Name = "", verbose: Verbose = False) -> None:
    """Stop the service and take it away from this machine; the project and its data stay."""
    from reports import units

    unit = _installed_as(open_app(ctx), user=user, name=name)
    gone = units.uninstall(unit, units.Asker(tell=output.say))
    output.answer(f"{unit.name} is {'gone; the project and its data are as they were' if gone else 'not installed'}")


@service.command()
def status(ctx: typer.Context, user: User = False, name: Name = "", as_json: AsJson = False) -> None:
    """Whether the service is installed and at work; the exit status is 0 if one is alive, here or elsewhere."""
    from reports import units
    from reports.store import exists

    app = open_app(ctx)
    unit = _installed_as(app, user=user, name=name)
    there = units.installed(unit, units.run)
    said = units.state(unit, units.run) if there else "not installed"
    kept = exists(app.settings.store, app.settings.data_folder)
    beats, now = list(app.store.services.every()) if kept else [], app.clock()
    if as_json:
        row = {"name": unit.name, "path": str(unit.path), "installed": there, "state": said}
        output.answer_json({"unit": row, "services": [_row(beat, now) for beat in beats]})
    else:
        output.answer(f"{unit.name} ({unit.path}): {said}")
        _show(beats, now)
    if not any(_alive(beat, now) for beat in beats):
        raise typer.Exit(1)


@service.command("print")
def print_unit(
    ctx: typer.Context,
    kind: Kind,
    user: User = False,
    account: Account = "",
    name: Name = "",
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it there, as its platform reads it.")] = None,
) -> None:
    """The unit, scheduled task, Dockerfile or compose file for this project; nothing is installed."""
    app = open_app(ctx)
    if kind in {Kind.docker, Kind.compose}:
        text, encoding = _container(app, kind, name=name), "utf-8"
    else:
        unit = _unit(_site(app, user=user, account=account, name=name), kind, user=user)
        text, encoding = unit.text, unit.encoding
    if out:
        out.write_bytes(text.encode(encoding))
        output.say(f"wrote {out}")
        return
    output.answer(text.rstrip("\n"))
    if encoding != "utf-8":
        output.say(f"the file has to be in {encoding.upper()}: --out FILE writes it so")


def _platform() -> Kind:
    return {"win32": Kind.windows, "darwin": Kind.launchd}.get(sys.platform, Kind.systemd)


def _site(app: Any, *, user: bool, account: str, name: str) -> Site:
    from reports import units

    who = units.account_of(app.settings.root, wanted=account, own=user)
    return units.site_of(app.settings, account=who, name=name)


def _installed_as(app: Any, *, user: bool, name: str) -> Unit:
    """The unit by its name and place; under which account it runs does not matter to what is asked of it."""
    from reports import units

    return _unit(units.site_of(app.settings, account="", name=name), _platform(), user=user)


def _unit(site: Site, kind: Kind, *, user: bool) -> Unit:
    from reports import units

    if kind is Kind.windows:
        return units.windows_unit(site)
    return units.launchd_unit(site, user=user) if kind is Kind.launchd else units.systemd_unit(site, user=user)


def _container(app: Any, kind: Kind, *, name: str) -> str:
    """The Dockerfile or the compose file; from source where this very command is."""
    from reports import shipped, units

    site, data = units.site_of(app.settings, account="", name=name), app.settings.data
    owner = app.settings.root.stat().st_uid or units.NOBODY
    source = shipped.folder() if (shipped.folder() / "pyproject.toml").is_file() else None
    if kind is Kind.docker:
        return units.dockerfile(site, data=data, source=source is not None, uid=owner)
    return units.compose(site, data=data, source=source, uid=owner)


def _alive(beat: Beat, now: dt.datetime) -> bool:
    return beat.stopped is None and now - beat.beat < FRESH


def _row(beat: Beat, now: dt.datetime) -> dict[str, Any]:
    times = {"started": beat.started, "beat": beat.beat, "stopped": beat.stopped}
    return {
        "owner": beat.owner,
        "host": beat.host,
        "pid": beat.pid,
        "version": beat.version,
        **{key: at.isoformat() if at else None for key, at in times.items()},
        "alive": _alive(beat, now),
    }


def _show(beats: Sequence[Beat], now: dt.datetime) -> None:
    if not beats:
        output.say("no service was ever at work on this project")
        return
    output.answer(output.table([_cells(beat, now) for beat in beats], HEADING))


def _cells(beat: Beat, now: dt.datetime) -> list[str]:
    word = "stopped" if beat.stopped else "alive" if _alive(beat, now) else "dead"
    ago = max(now - (beat.stopped or beat.beat), dt.timedelta())
    started = f"{beat.started:%Y-%m-%d %H:%M:%SZ}"
    return [word, beat.host, str(beat.pid), beat.version, started, f"{ago.total_seconds():.0f} s ago"]
