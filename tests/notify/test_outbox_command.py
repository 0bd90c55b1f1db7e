"""Promises of `reports outbox`, `runs` and `show` for what scripts have sent, in a project and outside of any."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from commands import REPORTS
from mailserver import MailServer

from reports.notify import boxes, message, send


def reports(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command with the environment of the test."""
    return subprocess.run(
        [str(REPORTS), *arguments], cwd=folder, capture_output=True, text=True, check=False, env=os.environ
    )


def test_what_waits_can_be_seen_and_sent_by_hand(away: Callable[[], MailServer], alone: Path) -> None:
    """Outside of any project: that of the account of the environment."""
    send("upload done", to="ann@example.com")
    boxes.close_all()
    listed = reports(alone, "outbox")
    assert "pending" in listed.stdout
    assert "(notify)" in listed.stdout
    with away() as server:
        assert "accepted" in reports(alone, "outbox", "retry").stdout
        assert len(server.messages) == 1


def test_what_was_sent_is_in_the_history(account: MailServer, alone: Path) -> None:
    """As a run of its own, with its files and who got it."""
    result = send(message("upload done", attachments=("errors.bin", b"1")), to="ann@example.com")
    boxes.close_all()
    assert "(notify)" in reports(alone, "runs").stdout
    shown = reports(alone, "show", result.run)
    assert "errors.bin" in shown.stdout
    assert "ann@example.com" in shown.stdout
    (run,) = json.loads(reports(alone, "runs", "--json").stdout)
    assert (run["id"], run["job"], run["state"]) == (result.run, "(notify)", "succeeded")


def test_scripts_of_a_project_are_in_its_own_outbox(alone: Path) -> None:
    """Among its reports."""
    (alone / "settings.toml").write_text('[mail]\nprovider = "folder"\nfrom = "me@example.com"\n', "utf-8")
    assert send("upload done", to="ann@example.com")
    boxes.close_all()
    assert "(notify)" in reports(alone, "runs").stdout
    assert "ann@example.com" in reports(alone, "outbox", "list", "--all").stdout


def test_without_a_project_and_without_scripts_it_says_so(alone: Path) -> None:
    """As any command."""
    ran = reports(alone, "outbox")
    assert ran.returncode == 2
    assert "there is no settings.toml" in ran.stderr
