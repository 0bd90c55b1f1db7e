"""What tests of notifications have in common: no project and no account but those that a test makes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mailserver import MailServer
from sending import PASSWORD, USER
from watched import end_watchers

from reports.notify import boxes


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to work in, without a project, and a data folder of the test's own; all outboxes are closed after it."""
    for name in list(os.environ):
        if name.startswith(("REPORTS_", "MAIL_")):
            monkeypatch.delenv(name)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("REPORTS_DATA", str(tmp_path / "data"))
    yield work
    boxes.close_all()
    end_watchers()


@pytest.fixture
def server() -> Iterator[MailServer]:
    """A mail server with TLS that knows one user."""
    with MailServer(users={USER: PASSWORD}) as running:
        yield running


@pytest.fixture
def account(server: MailServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MailServer:
    """The same server as the account of the environment, which stays when the server goes."""
    trusted = tmp_path / "ca.pem"
    trusted.write_bytes(Path(server.ca_file).read_bytes())
    said = {
        "HOST": server.host, "PORT": str(server.port), "CA_FILE": str(trusted), "USER": USER, "PASSWORD": PASSWORD,
    }  # fmt: skip
    for name, value in said.items():
        monkeypatch.setenv(f"REPORTS_{name}", value)
    return server


@pytest.fixture
def away(account: MailServer) -> Callable[[], MailServer]:
    """The account's server is away, and comes back when this is called: a new one on the same port, to be entered."""
    account.stop()

    def back() -> MailServer:
        return MailServer(users={USER: PASSWORD}, port=account.port)

    return back
