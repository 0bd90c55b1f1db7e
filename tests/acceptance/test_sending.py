"""The command against a real mail server: what arrives, and what is said when it does not."""

from __future__ import annotations

import email
import email.policy
import json
from pathlib import Path

import pytest
from commands import reports
from mailserver import MailServer
from projects import JOB, SETTINGS, make_project

MAIL = """
[mail]
provider = "custom"
host = "127.0.0.1"
port = {port}
security = "{security}"
ca_file = "{ca_file}"
from = "Reports <me@example.com>"
user = "me@example.com"
password = {{ env = "MAIL_PASSWORD" }}
to = ["you@example.com", "they@example.com"]
"""


def project(folder: Path, server: MailServer, *, extra: str = "") -> Path:
    sources = SETTINGS.partition("[mail]")[0]
    mail = MAIL.format(port=server.port, security=server.security, ca_file=server.ca_file)
    return make_project(folder, settings=sources + mail + extra, job=JOB + '[attach]\nexcel = ["by_region"]\n')


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_the_report_arrives_over_tls_with_a_login(tmp_path: Path, security: str) -> None:
    """Every recipient is accepted, and the bytes are those of the message."""
    with MailServer(security=security, users={"me@example.com": "hunter2"}) as server:  # type: ignore[arg-type]
        ran = reports(project(tmp_path, server), "run", "daily", "--json", MAIL_PASSWORD="hunter2")
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert [one["state"] for one in told["deliveries"]] == ["accepted", "accepted"]
    (received,) = server.messages
    assert received.tls
    assert set(received.recipients) == {"you@example.com", "they@example.com"}
    message = email.message_from_bytes(received.content, policy=email.policy.default)
    assert message["Message-ID"] == told["message_id"]
    assert [part.get_filename() for part in message.iter_attachments()][-1].endswith(".xlsx")


def test_a_refused_login_is_tried_once_and_says_what_to_do(tmp_path: Path) -> None:
    """One attempt, no password in the message, status 1."""
    with MailServer(users={"me@example.com": "hunter2"}) as server:
        ran = reports(project(tmp_path, server), "run", "daily", MAIL_PASSWORD="wr0ng-one")
    assert ran.returncode == 1
    assert len(server.logins) == 1
    assert server.messages == []
    assert "refused     you@example.com" in ran.stdout
    assert "535" in ran.stdout
    assert "wr0ng-one" not in ran.stdout + ran.stderr


def test_a_missing_password_is_said_by_its_name(tmp_path: Path) -> None:
    """The variable is named, nothing is sent, and the report waits for `reports outbox retry`."""
    with MailServer(users={"me@example.com": "hunter2"}) as server:
        ran = reports(project(tmp_path, server), "run", "daily")
    assert ran.returncode == 1
    assert "MAIL_PASSWORD" in ran.stdout
    assert server.messages == []


def test_a_partial_refusal_is_told_for_each_recipient(tmp_path: Path) -> None:
    """The one who got it and the one who did not; status 1 because not all did."""
    replies = {"RCPT they@example.com": "550 5.1.1 no such user here"}
    with MailServer(users={"me@example.com": "hunter2"}, replies=replies) as server:
        ran = reports(project(tmp_path, server), "run", "daily", "--json", MAIL_PASSWORD="hunter2")
    assert ran.returncode == 1
    told = {one["recipient"]: one["state"] for one in json.loads(ran.stdout)["deliveries"]}
    assert told == {"you@example.com": "accepted", "they@example.com": "refused"}


def test_a_message_over_the_servers_limit_is_not_begun(tmp_path: Path) -> None:
    """The sizes are told before a byte of it is sent."""
    with MailServer(users={"me@example.com": "hunter2"}, size_limit=5_000) as server:
        ran = reports(project(tmp_path, server), "run", "daily", MAIL_PASSWORD="hunter2")
    assert ran.returncode == 1
    assert "5,000" in ran.stderr or "5.0" in ran.stderr
    assert not any(command.startswith("MAIL") for command in server.commands)


def test_check_connect_logs_in_and_sends_nothing(tmp_path: Path) -> None:
    """A wrong password is found on the day it is set, not on Monday at seven."""
    with MailServer(users={"me@example.com": "hunter2"}) as server:
        folder = project(tmp_path, server)
        good = reports(folder, "check", "--connect", MAIL_PASSWORD="hunter2")
        bad = reports(folder, "check", "--connect", MAIL_PASSWORD="wr0ng-one")
    assert good.returncode == 0, good.stdout
    assert "mail login: ok" in good.stdout
    assert bad.returncode == 1
    assert "mail server: failed" in bad.stdout
    assert "wr0ng-one" not in bad.stdout + bad.stderr
    assert server.messages == []


def test_a_dead_server_is_said_with_host_and_port(tmp_path: Path) -> None:
    """Nothing is swallowed, nothing hangs."""
    with MailServer() as server:
        folder = project(tmp_path, server)
    settings = (folder / "settings.toml").read_text("utf-8").replace(f'ca_file = "{server.ca_file}"\n', "")
    (folder / "settings.toml").write_text(settings, "utf-8")
    ran = reports(folder, "run", "daily", MAIL_PASSWORD="hunter2")
    assert ran.returncode == 1
    assert "pending     you@example.com" in ran.stdout
    assert f"127.0.0.1:{server.port}" in ran.stdout
    assert "reports outbox retry" in ran.stdout
    assert "Traceback" not in ran.stderr
