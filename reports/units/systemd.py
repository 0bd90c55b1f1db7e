"""A hardened unit for systemd, of the system or of one account."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePath

from reports.settings import environment
from reports.units.site import Site
from reports.units.unit import Step, Unit

BOOTED = Path("/run/systemd/system")
_HOMES = tuple(map(PurePath, ("/home", "/root", "/run/user")))
_SHARED = tuple(map(PurePath, ("/tmp", "/var/tmp")))  # noqa: S108  looked for, not written to
_FILTERED = """\
NoNewPrivileges=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
UMask=0077"""
"""What a service of an account may ask for as well: no mounts, no capabilities, which its systemd cannot give."""
# ProtectProc= stays away: whether the holder of a lease is dead is seen in /proc, also where it is another's.
_CONFINED = """\
PrivateDevices=yes
PrivateMounts=yes
ProtectSystem=strict
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
CapabilityBoundingSet=
AmbientCapabilities="""


def systemd_unit(site: Site, *, user: bool = False, folder: Path | None = None, booted: Path = BOOTED) -> Unit:
    """The unit of the system or, with `user`, of the account; written to `folder`, else where systemd looks."""
    name = f"{site.name}.service"
    systemctl = ("systemctl", "--user") if user else ("systemctl",)
    journal = f"journalctl {'--user ' if user else ''}-u {name} -n 50"
    text = "".join(f"{line}\n" for line in _lines(site, user=user))
    return Unit(
        name=name,
        path=(folder or _folder(user=user)) / name,
        text=text,
        mark=f"\nWorkingDirectory={_plain(site.project)}\n",
        platform="systemd",
        program="systemctl",
        needs=booted,
        begin=(
            Step((*systemctl, "daemon-reload"), "" if not user else "log in as that account, not through su or sudo"),
            Step((*systemctl, "enable", name)),
            Step((*systemctl, "restart", name), f"see why: {journal}"),
            *_lingering(user=user),
        ),
        end=(Step((*systemctl, "disable", "--now", name)),),
        after=(Step((*systemctl, "daemon-reload")), Step((*systemctl, "reset-failed", name), optional=True)),
        ask=(*systemctl, "is-active", name),
        answer=r"^(\S+)",
    )


def _lingering(*, user: bool) -> Iterator[Step]:
    if user:
        yield Step(("loginctl", "enable-linger"), "without it the service ends when you log out", optional=True)


def _folder(*, user: bool) -> Path:
    if not user:
        return Path("/etc/systemd/system")
    return Path(environment("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"


def _lines(site: Site, *, user: bool) -> Iterator[str]:
    yield "# Written by `reports service install`. Changes belong into `systemctl edit`, which it leaves alone."
    yield from ("[Unit]", f"Description=Scheduled reports of {_plain(site.project)}", "StartLimitIntervalSec=0")
    yield from () if user else ("Wants=network-online.target", "After=network-online.target")
    yield from ("", "[Service]", "Type=notify", "NotifyAccess=main")
    yield f"ExecStart={_command(site)}"
    yield f"WorkingDirectory={_plain(site.project)}"
    yield from () if user else (f"User={_plain(site.account)}",)
    yield from (f"Environment={_item(f'{key}={value}')}" for key, value in site.variables.items())
    yield f"EnvironmentFile=-{_globless(site.project / '.env')}"
    yield from ("WatchdogSec=60", "Restart=on-failure", "RestartSec=5", "TimeoutStartSec=120")
    yield from (f"TimeoutStopSec={site.grace}", "KillMode=mixed")
    yield "OOMPolicy=continue"  # one run that was out of memory does not take the service with it
    yield from ("", *_FILTERED.splitlines())
    yield from () if user else _confined(site)
    yield from ("", "[Install]", f"WantedBy={'default.target' if user else 'multi-user.target'}")


def _confined(site: Site) -> Iterator[str]:
    seen = (*site.reads, *site.writable)
    yield from _CONFINED.splitlines()
    yield f"ProtectHome={'read-only' if _any_under(seen, _HOMES) else 'yes'}"
    yield f"PrivateTmp={'no' if _any_under(seen, _SHARED) else 'yes'}"
    yield f"ReadWritePaths={' '.join(map(_item, site.writable))}"


def _any_under(paths: tuple[PurePath, ...], places: tuple[PurePath, ...]) -> bool:
    """Whether one of the paths lies in one of the places, as written or behind its links."""
    both = [one for path in paths for one in (path, PurePath(Path(path).resolve()))]
    return any(path.is_relative_to(place) for path in both for place in places)


def _plain(value: PurePath | str) -> str:
    """A value that is taken as it is up to the end of the line, save for specifiers."""
    return str(value).replace("%", "%%")


def _globless(path: PurePath) -> str:
    return re.sub(r"([*?\[\\])", r"\\\1", _plain(path))


def _item(value: PurePath | str) -> str:
    """One item of a list, in quotes."""
    return '"' + _plain(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _command(site: Site) -> str:
    """The command line, through a shell where systemd would not take the program's own path.

    Variables are not replaced in that path, so only the rest has its $ doubled.
    """
    program, *rest = site.command
    if re.search(r"[\"'\\]", program):
        program, *rest = ("/bin/sh", "-c", 'exec "$0" "$@"', *site.command)
    return " ".join([_item(program), *(_item(one).replace("$", "$$") for one in rest)])
