"""A property list for launchd on macOS: an agent of one account, or a daemon."""

from __future__ import annotations

import os
import plistlib
from pathlib import Path, PurePath
from typing import Any
from xml.sax.saxutils import escape

from reports.units.site import Site
from reports.units.unit import Step, Unit


def launchd_unit(site: Site, *, user: bool = False, library: PurePath | None = None, uid: int | None = None) -> Unit:
    """A daemon or, with `user`, the agent of the account `uid`, which runs while that account is logged in.

    `library` is the Library folder it is written to, that of the machine or of the account by default. An agent logs
    to Logs in there; a daemon to the data folder, the one place that is sure to be its account's.
    """
    home = library or (Path.home() / "Library" if user else Path("/Library"))
    path = home / ("LaunchAgents" if user else "LaunchDaemons") / f"{site.name}.plist"
    domain = f"gui/{_uid() if uid is None else uid}" if user else "system"
    target = f"{domain}/{site.name}"
    log = home / "Logs" / f"{site.name}.log" if user else site.data_folder / "service.log"
    return Unit(
        name=site.name,
        path=path,
        text=plistlib.dumps(_properties(site, log, user=user), sort_keys=False).decode("utf-8"),
        mark=f"<key>WorkingDirectory</key>\n\t<string>{escape(str(site.project))}</string>",
        platform="launchd",
        program="launchctl",
        begin=(
            Step(("launchctl", "enable", target)),
            Step(("launchctl", "bootout", target), optional=True),  # an older one; it may take its time to end
            Step(("launchctl", "bootstrap", domain, str(path)), f"see why: tail {log}", tries=site.grace),
        ),
        end=(Step(("launchctl", "bootout", target), optional=True),),
        ask=("launchctl", "print", target),
        answer=r"(?m)^\s*state = (.+?)\s*$",
    )


def _uid() -> int:
    return getattr(os, "getuid", int)()


def _properties(site: Site, log: PurePath, *, user: bool) -> dict[str, Any]:
    return {
        "Label": site.name,
        "ProgramArguments": list(site.command),
        "WorkingDirectory": str(site.project),
        "EnvironmentVariables": site.variables,
        **({} if user else {"UserName": site.account}),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 10,
        "ExitTimeOut": site.grace,
        "Umask": 0o077,
        "StandardOutPath": str(log),
        "StandardErrorPath": str(log),
    }
