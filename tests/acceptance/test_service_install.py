"""`reports service` as typed: what it shows, where it refuses, and the exit status that a monitor reads."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from commands import command, reports
from projects import SETTINGS, make_project

from reports.app import open_app
from reports.model import Beat

ACCOUNT = ("--account", "daemon")


def beat(project: Path, *, ago: float, stopped: bool = False, owner: str = "here/1") -> None:
    """A service of this project, last heard of so many seconds ago."""
    at = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=ago)
    app = open_app(project)
    app.store.services.beat(
        Beat(owner=owner, host="here", pid=1, version="1.0", started=at, beat=at, stopped=at if stopped else None)
    )
    app.close()


def test_print_shows_all_and_changes_nothing(tmp_path: Path) -> None:
    """The file and the commands of this platform, without a file written."""
    project = make_project(tmp_path / "Umsätze 100%")
    before = sorted(project.rglob("*"))
    ran = reports(project, "service", "install", "--print", *ACCOUNT)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "reports-Umsatze-100" in ran.stdout
    assert "would run:" in ran.stdout
    assert sorted(project.rglob("*")) == before


@pytest.mark.skipif(sys.platform != "linux" or Path("/run/systemd/system").is_dir(), reason="systemd runs here")
def test_without_systemd_it_points_to_containers(tmp_path: Path) -> None:
    """As in any container; nothing is written."""
    project = make_project(tmp_path)
    before = sorted(project.rglob("*"))
    ran = command(project, "service", "install", *ACCOUNT)
    assert ran.exit_code == 1
    assert "systemd does not run on this machine" in ran.stderr
    assert "reports service print docker" in ran.stderr
    assert sorted(project.rglob("*")) == before


def test_uninstalling_what_is_not_there_is_said(tmp_path: Path) -> None:
    """And is no failure: it is not there."""
    ran = command(make_project(tmp_path), "service", "uninstall", "--name", "nobody-has-this")
    assert (ran.exit_code, ran.stdout.split()[0]) == (0, "reports-nobody-has-this.service")
    assert "is not installed" in ran.stdout


def test_a_scheduled_task_is_written_as_windows_reads_it(tmp_path: Path) -> None:
    """Printed for people; in UTF-16 in a file, and that is said."""
    project = make_project(tmp_path / "p")
    shown = command(project, "service", "print", "windows", *ACCOUNT)
    assert shown.stdout.startswith('<?xml version="1.0" encoding="UTF-16"?>')
    assert "--out FILE" in shown.stderr
    written = command(project, "service", "print", "windows", *ACCOUNT, "--out", str(tmp_path / "task.xml"))
    assert written.exit_code == 0
    assert ET.parse(tmp_path / "task.xml").getroot().tag.endswith("}Task")  # noqa: S314  ours


@pytest.mark.parametrize(
    ("kind", "sign"),
    [
        ("systemd", "Type=notify"),
        ("launchd", "<key>KeepAlive</key>"),
        ("docker", "FROM python:"),
        ("compose", "services:"),
    ],
)
def test_each_kind_is_printed_on_any_machine(tmp_path: Path, kind: str, sign: str) -> None:
    """A unit for another machine can be made on this one, without an option where no account is in it."""
    project = make_project(tmp_path)
    ran = command(project, "service", "print", kind, *(() if kind in {"docker", "compose"} else ACCOUNT))
    assert ran.exit_code == 0
    assert sign in ran.stdout


def test_the_container_has_the_data_folder_of_the_settings(tmp_path: Path) -> None:
    """And the health address, and the time to stop."""
    settings = 'data = "state"\n' + SETTINGS + '\n[service]\nhealth = "127.0.0.1:9000"\nstop_timeout = "2m"\n'
    project = make_project(tmp_path, settings=settings)
    assert "http://127.0.0.1:9000/healthz" in command(project, "service", "print", "docker").stdout
    composed = command(project, "service", "print", "compose").stdout
    assert 'target: "/project/state"' in composed
    assert "stop_grace_period: 150s" in composed


def test_status_is_a_failure_where_no_service_ever_was(tmp_path: Path) -> None:
    """To look makes no store."""
    project = make_project(tmp_path)
    ran = command(project, "service", "status", "--json")
    told = json.loads(ran.stdout)
    assert (ran.exit_code, told["services"], told["unit"]["installed"]) == (1, [], False)
    assert not (project / "var").exists()


@pytest.mark.parametrize(
    ("ago", "stopped", "word", "status"),
    [(5, False, "alive", 0), (120, False, "dead", 1), (5, True, "stopped", 1)],
)
def test_status_tells_whether_a_service_is_alive(
    tmp_path: Path, ago: int, word: str, status: int, *, stopped: bool
) -> None:
    """One that was heard of within a minute and has not stopped, wherever it is."""
    project = make_project(tmp_path)
    beat(project, ago=ago, stopped=stopped)
    ran = command(project, "service", "status")
    assert ran.exit_code == status
    assert ran.stdout.splitlines()[-1].split()[:4] == [word, "here", "1", "1.0"]


def test_status_as_json_has_every_service(tmp_path: Path) -> None:
    """One that is alive is enough."""
    project = make_project(tmp_path)
    beat(project, ago=500, owner="here/1")
    beat(project, ago=1, owner="here/2")
    ran = command(project, "service", "status", "--json")
    rows = json.loads(ran.stdout)["services"]
    assert ran.exit_code == 0
    assert [(row["owner"], row["alive"], row["stopped"]) for row in rows] == [
        ("here/2", True, None),
        ("here/1", False, None),
    ]
    assert set(rows[0]) == {"owner", "host", "pid", "version", "started", "beat", "stopped", "alive"}
