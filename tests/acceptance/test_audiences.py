"""A report for several groups of readers, each in its language."""

from __future__ import annotations

import json
from pathlib import Path

from commands import reports
from mailserver import MailServer
from projects import JOB, SETTINGS, make_project

AUDIENCES = """
[[audience]]
language = "de"
to = ["vorstand@example.com", "desk@example.com"]

[words.de]
"Daily sales" = "Tagesumsatz"
"""


def project(folder: Path, server: MailServer) -> Path:
    sources = SETTINGS.partition("[mail]")[0]
    mail = (
        f'[mail]\nprovider = "custom"\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "{server.security}"\n'
        f'ca_file = "{server.ca_file}"\nfrom = "me@example.com"\nuser = "me@example.com"\n'
        'password = { env = "MAIL_PASSWORD" }\n'
    )
    job = JOB.replace("params", 'to = "desk@example.com"\nparams')
    return make_project(folder, settings=sources + mail, job=job + AUDIENCES)


def test_each_audience_gets_one_mail_in_its_language(tmp_path: Path) -> None:
    """One run sends two messages; whoever is in both lists gets the first alone, and each has its own subject."""
    with MailServer(users={"me@example.com": "hunter2"}) as server:
        ran = reports(
            project(tmp_path, server), "run", "daily", "--json", "--as-of", "2026-10-31", MAIL_PASSWORD="hunter2"
        )
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert sorted([*received.recipients] for received in server.messages) == [
        ["desk@example.com"],
        ["vorstand@example.com"],
    ]
    (german,) = told["audiences"]
    assert german["subject"] == "Tagesumsatz, 31.10.2026"
    assert told["subject"] == "Daily sales, 2026-10-31"
    assert german["message_id"] != told["message_id"]
    verified = reports(tmp_path, "verify", told["run"], "--json", MAIL_PASSWORD="hunter2")
    again = json.loads(verified.stdout)
    assert (verified.returncode, again["same"]) == (0, True), verified.stdout
    assert {"subject 1", "subject 2", "body.html 1", "body.html 2"} <= {one["name"] for one in again["compared"]}
