"""A scheduled task for Windows, which starts with the machine and is looked after every minute."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from reports.errors import ReportsError
from reports.units.site import Site
from reports.units.unit import Step, Unit

NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
_ELEVATED = "do it in a Command Prompt that was started as administrator"


def windows_unit(site: Site) -> Unit:
    """The task, written in UTF-16 to the data folder, from where schtasks reads it; its log lies beside it."""
    path = site.data_folder / f"{site.name}.xml"
    named = ("/TN", site.name)
    return Unit(
        name=site.name,
        path=path,
        text=_text(site),
        encoding="utf-16",
        mark=f"<WorkingDirectory>{escape(_literal(str(site.project)))}</WorkingDirectory>",
        platform="the Task Scheduler",
        program="schtasks",
        begin=(
            Step(("schtasks", "/End", *named), optional=True),
            Step(("schtasks", "/Create", *named, "/XML", str(path), "/F"), _ELEVATED),
            Step(("schtasks", "/Run", *named), f"see why in {_log(site)}"),
        ),
        end=(
            Step(("schtasks", "/Change", *named, "/DISABLE"), _ELEVATED),
            Step(("schtasks", "/End", *named), optional=True),
            Step(("schtasks", "/Delete", *named, "/F"), _ELEVATED),
        ),
        ask=("schtasks", "/Query", *named, "/FO", "CSV", "/NH"),  # codespell:ignore fo
        answer=r'(?m)^"[^"]*","[^"]*","([^"]*)"',
        copy=("schtasks", "/Query", *named, "/XML"),
        quote=quoted,
    )


def quoted(argv: Sequence[str]) -> str:
    """A command line for the Command Prompt: what has more than plain signs in it stands in quotes."""
    return " ".join(one if re.fullmatch(r"[\w/.:\\-]+", one) else f'"{one}"' for one in argv)


def _log(site: Site) -> str:
    return str(site.data_folder / "service.log")


def _literal(text: str) -> str:
    """A text in which the Task Scheduler has nothing to replace; it knows no way to write %NAME% itself."""
    if re.search(r"%[^%]+%|\$\(", text):
        raise ReportsError(
            "the Task Scheduler would take a part of this path for a variable",
            where=text,
            hint="rename the folder so that it has neither $( nor two of % in it",
        )
    return text


def _text(site: Site) -> str:
    program, *arguments = (_literal(one) for one in (*site.command, "--log-file", _log(site)))
    root = ET.Element("Task", version="1.2", xmlns=NAMESPACE)
    _fill(root, "RegistrationInfo", Description=f"Scheduled reports of {site.project}", URI=f"\\{site.name}")
    triggers = ET.SubElement(root, "Triggers")
    _fill(triggers, "BootTrigger", Enabled="true")
    # RestartOnFailure is for what could not be started; what has died is started by this, and ignored while it runs.
    minute = ET.SubElement(triggers, "TimeTrigger")
    _fill(minute, "Repetition", Interval="PT1M", StopAtDurationEnd="false")
    _texts(minute, StartBoundary="2026-01-01T00:00:00", Enabled="true")
    principals = ET.SubElement(root, "Principals")
    _fill(principals, "Principal", {"id": "Author"}, UserId=site.account, LogonType="S4U", RunLevel="LeastPrivilege")
    _settings(root)
    actions = ET.SubElement(root, "Actions", Context="Author")
    line = subprocess.list2cmdline(arguments)
    _fill(actions, "Exec", Command=program, Arguments=line, WorkingDirectory=_literal(str(site.project)))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-16"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _settings(root: ET.Element) -> None:
    settings = _fill(
        root,
        "Settings",
        MultipleInstancesPolicy="IgnoreNew",
        DisallowStartIfOnBatteries="false",
        StopIfGoingOnBatteries="false",
        AllowHardTerminate="true",
        StartWhenAvailable="true",
        RunOnlyIfNetworkAvailable="false",
        Enabled="true",
        Hidden="false",
        RunOnlyIfIdle="false",
        WakeToRun="false",
        ExecutionTimeLimit="PT0S",
        Priority="5",
    )
    _fill(settings, "RestartOnFailure", Interval="PT1M", Count="255")


def _fill(parent: ET.Element, tag: str, attributes: dict[str, str] | None = None, **texts: str) -> ET.Element:
    return _texts(ET.SubElement(parent, tag, attributes or {}), **texts)


def _texts(element: ET.Element, **texts: str) -> ET.Element:
    for tag, text in texts.items():
        ET.SubElement(element, tag).text = text
    return element
