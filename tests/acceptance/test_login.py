"""`reports login`, and the report that goes out with what it brought: the installed command as a process."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import reports
from mailserver import MailServer
from oauthserver import GraphServer, SignInServer
from projects import JOB, SETTINGS, make_project

MAIL = """
[mail]
provider = "{provider}"
from = "Reports <me@example.com>"
to = ["you@example.com"]
ca_file = "{ca_file}"
{more}
[mail.oauth]
client_id = "app-1"
authority = "{authority}"
{oauth}
"""


@pytest.fixture
def signing() -> Iterator[SignInServer]:
    with SignInServer() as server:
        yield server


def project(folder: Path, signing: SignInServer, *, provider: str = "m365", more: str = "", oauth: str = "") -> Path:
    mail = MAIL.format(provider=provider, ca_file=signing.ca_file, authority=signing.url, more=more, oauth=oauth)
    return make_project(folder, settings=SETTINGS.partition("[mail]")[0] + mail, job=JOB)


def test_a_code_signs_in_and_the_report_goes_out_by_smtp(tmp_path: Path, signing: SignInServer) -> None:
    """The code is talk, on stderr; who is signed in is the answer; no token is in either."""
    with MailServer(tokens={"me@example.com": "access-1"}) as mailbox:
        more = f'host = "{mailbox.host}"\nport = {mailbox.port}\n'
        made = project(tmp_path, signing, more=more)
        before = reports(made, "run", "daily")
        assert before.returncode == 1
        assert "reports login" in before.stdout + before.stderr
        done = reports(made, "login")
        assert done.returncode == 0, done.stderr
        assert "enter the code ABCD-EFGH" in done.stderr
        assert "signed in to Microsoft 365 (Exchange Online) for me@example.com\n" in done.stdout
        assert "access-1" not in done.stdout + done.stderr
        sent = reports(made, "outbox", "retry", "daily")
        assert sent.returncode == 0, sent.stdout + sent.stderr
        assert mailbox.logins == ["XOAUTH2"]
        assert len(mailbox.messages) == 1


def test_the_browser_is_opened_and_graph_takes_the_report(tmp_path: Path, signing: SignInServer) -> None:
    """With PKCE over loopback; the mail is accepted by Graph with the very bytes of the message."""
    tests = Path(__file__).parents[1]
    script = tmp_path / "browser.py"
    served = tmp_path / "ca.pem"
    served.write_bytes(Path(signing.ca_file).read_bytes())
    script.write_text(f"import sys; sys.path.insert(0, {str(tests)!r})\n{_VISIT}")
    browser = f"{sys.executable} {script} %s"
    with GraphServer(takes="access-1") as graph:
        made = project(
            tmp_path / "project", signing, provider="graph", oauth=f'flow = "browser"\nendpoint = "{graph.url}"'
        )
        done = reports(made, "login", "graph", "--json", BROWSER=browser, SSL_CERT_FILE=str(served))
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert (told["provider"], told["flow"], told["user"]) == ("graph", "browser", "me@example.com")
        sent = reports(made, "run", "daily")
        assert sent.returncode == 0, sent.stdout + sent.stderr
        assert len(graph.sent) == 1
        assert b"To: you@example.com" in graph.sent[0]


_VISIT = """
import json, urllib.parse, urllib.request
with urllib.request.urlopen(sys.argv[1], timeout=5) as page:
    told = json.loads(page.read())
urllib.request.urlopen(told["to"], urllib.parse.urlencode(told["form"]).encode(), timeout=5).close()
"""


def test_forgetting_is_told_and_asks_nobody(tmp_path: Path, signing: SignInServer) -> None:
    """The second time there is nothing."""
    made = project(tmp_path, signing)
    assert reports(made, "login").returncode == 0
    asked = len(signing.asked)
    told = json.loads(reports(made, "login", "--forget", "--json").stdout)
    assert told["forgotten"] is True
    assert not Path(told["place"]).exists()
    assert "there was no token" in reports(made, "login", "--forget").stdout
    assert len(signing.asked) == asked


def test_what_is_missing_is_misuse_and_what_is_refused_is_failure(tmp_path: Path, signing: SignInServer) -> None:
    """Exit status 2 with the key, 1 with the provider's words; never a traceback."""
    wrong = reports(project(tmp_path / "a", signing, oauth='flow = "client"'), "login")
    assert wrong.returncode == 2
    assert "mail.oauth.client_secret" in wrong.stderr
    signing.replies["/devicecode"] = (
        400,
        {"error": "unauthorized_client", "error_description": "AADSTS700016: no app"},
    )
    refused = reports(project(tmp_path / "b", signing), "login")
    assert refused.returncode == 1
    assert "AADSTS700016" in refused.stderr
    assert "client_id" in refused.stderr
    assert "Traceback" not in wrong.stderr + refused.stderr
