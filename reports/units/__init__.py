"""How `reports serve` is kept running: a unit for systemd, launchd or the Windows Task Scheduler, or a container."""

from reports.units.docker import NOBODY, compose, dockerfile
from reports.units.installing import Asker, install, installed, shown, state, uninstall
from reports.units.launchd import launchd_unit
from reports.units.site import Site, account_of, site_of
from reports.units.systemd import systemd_unit
from reports.units.unit import Step, Unit, run
from reports.units.windows import windows_unit

__all__ = [
    "NOBODY",
    "Asker",
    "Site",
    "Step",
    "Unit",
    "account_of",
    "compose",
    "dockerfile",
    "install",
    "installed",
    "launchd_unit",
    "run",
    "shown",
    "site_of",
    "state",
    "systemd_unit",
    "uninstall",
    "windows_unit",
]
