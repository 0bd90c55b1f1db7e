"""Promises about whom a script tells and by what: settled before anything is said, and every mistake named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from chatserver import ChatServer
from mailserver import MailServer
from notifying import PNG
from sending import USER
from slackserver import Fault, SlackServer

from reports.app import open_app
from reports.errors import DefinitionError, ReportsError
from reports.notify import flush, message, outlet, send

SETTINGS = """\
[mail]
provider = "folder"
from = "me@example.com"

[groups]
finance = ["ann@example.com", "bob@example.com"]
"""


def project(folder: Path, more: str = "", mail: str = "") -> None:
    """A project in which mails become files."""
    text = SETTINGS.replace("[groups]", f"{mail}\n[groups]") + more
    (folder / "settings.toml").write_text(text, "utf-8")


def recipients(**arguments: object) -> list[str]:
    found = outlet(**arguments).mail  # type: ignore[arg-type]
    return list(found.to) if found else []


def test_oneself_is_told_by_default(alone: Path) -> None:
    """The sender; not the project's lists, which are for reports."""
    project(alone, mail='to = ["board@example.com"]')
    assert recipients() == ["me@example.com"]


def test_settings_may_name_others(alone: Path) -> None:
    """By their own key."""
    project(alone, '[notify]\nto = ["finance"]\n')
    assert recipients() == ["ann@example.com", "bob@example.com"]
    assert recipients(to="me@example.com") == ["me@example.com"]


def test_groups_and_admins_are_names(alone: Path) -> None:
    """Of settings.toml; the admins are those of scripts, or else those of the project."""
    project(alone, '[notify]\nadmins = ["ops@example.com"]\n', mail='admins = ["boss@example.com"]')
    assert recipients(to=["finance", "admins"]) == ["ann@example.com", "bob@example.com", "ops@example.com"]
    project(alone, mail='admins = ["boss@example.com"]')
    assert recipients(to="admins") == ["boss@example.com"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"to": "nobody"}, "'nobody' is neither a mail address nor a group"),
        ({"to": "ann@example.com, bob@example.com"}, "is not a mail address"),
        ({"to": "admins"}, "there are no admins"),
        ({"to": "ann@example.com\nBcc: x@example.com"}, r"U\+000A"),
        ({"via": "pigeon"}, "there is no channel 'pigeon'"),
        ({"via": "mail:ann@example.com"}, "names an address"),
        ({"via": "ntfy://h/t", "to": "ann@example.com"}, "via has no mail"),
        ({"via": "https://[::1/x"}, "cannot be read"),
        ({"sender": "nobody"}, "'nobody' is not a mail address"),
    ],
)
def test_a_mistake_is_named_before_anything_is_said(alone: Path, arguments: dict[str, str], named: str) -> None:
    """With where it stands in the call."""
    project(alone)
    with pytest.raises(ReportsError, match=named):
        outlet(**arguments)  # type: ignore[arg-type]


def test_only_those_are_told_whom_mail_may_reach(alone: Path) -> None:
    """As for reports."""
    project(alone, mail='allow = ["example.com"]')
    with pytest.raises(DefinitionError, match=r"ann@elsewhere\.org is not among those"):
        send("x", to="ann@elsewhere.org")


def test_outside_production_all_goes_to_one_address(alone: Path) -> None:
    """With a banner that says who it was for; and nothing goes out on other channels."""
    with SlackServer() as slack:
        project(
            alone,
            f'[channels.team]\ntoken = {{ file = "token" }}\nto = ["#cash"]\napi = "{slack.api}"\n',
            mail='redirect = "test@example.com"',
        )
        (alone / "token").write_text(slack.bot, "utf-8")
        result = send("upload done", to="finance", via=["mail", "team"])
        mail, held = result
        assert (mail.recipient, mail.state, held.state) == ("test@example.com", "accepted", "held")
        assert "It was for ann@example.com, bob@example.com" in Path(mail.text).read_text("utf-8").replace("=\n", "")
        assert slack.said("cash") == []


def test_the_prefix_stands_before_every_subject(account: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with Flask-Mail; the heading is without it."""
    monkeypatch.setenv("REPORTS_SUBJECT_PREFIX", "[shop] ")
    assert send("upload done")
    content = account.messages[0].content.decode()
    assert "Subject: [shop] upload done\r\n" in content
    assert ">upload done</h1>" in content.replace("=\r\n", "")


def test_a_channel_of_settings_takes_what_a_mail_takes(alone: Path) -> None:
    """In Slack: the text, the picture in its place, and the file; each recipient with its own answer."""
    with SlackServer() as slack:
        project(alone, f'[channels.team]\ntoken = {{ file = "token" }}\nto = ["#cash"]\napi = "{slack.api}"\n')
        (alone / "token").write_text(slack.bot, "utf-8")
        said = message("Upload done\n\n3 rows", img=(PNG, "Two dots"), attachments=("errors.csv", b"a,b"))
        result = send(said, via=["team", "mail"])
        assert [(one.channel, one.recipient, bool(one.state == "accepted")) for one in result] == [
            ("", "me@example.com", True),
            ("team", "#cash", True),
        ]
        posted = json.dumps(slack.said("cash"))
        assert "Upload done" in posted
        assert "3 rows" in posted
        assert "Made by" not in posted
        assert "As of" not in posted
        assert slack.calls().count("upload") == 2


def test_a_webhook_can_be_given_outright(account: MailServer, tmp_path: Path) -> None:
    """Nothing of it is in what is kept or shown, and what waits for it is sent by the next one who gives it."""
    with SlackServer() as slack:
        slack.faults["webhook"] = [Fault(status=503)]
        first = send("first", via=slack.webhook)
        assert [one.state for one in first] == ["pending"]
        assert send("by mail", to="ann@example.com")  # others leave it where it is
        assert send("second", via=[slack.webhook])
        assert flush(30)
        assert sorted(one["text"].splitlines()[0] for one in slack.said("C00000001")) == ["first", "second"]
        key = slack.world.webhook_key
        assert key not in str(first)
        kept = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
        assert key.encode() not in kept


def test_a_url_of_any_service_can_be_given_outright() -> None:
    """By Apprise."""
    with ChatServer() as server:
        result = send("upload done", via=f"ntfy://{server.host}:{server.port}/alerts", project=False)
        assert result
        assert "upload done" in str(server.posts[-1].values)


def test_where_mails_are_kept_that_nobody_sends(caplog: pytest.LogCaptureFixture) -> None:
    """Without any account they become files, which is said once, with what to do."""
    (answer,) = send("upload done", project=False)
    assert answer.state == "accepted"
    assert Path(answer.text).suffix == ".eml"
    send("once more", project=False)
    assert caplog.text.count("no mail account is set, so mails are kept as files in") == 1
    assert "REPORTS_PROVIDER" in caplog.text


def test_it_is_this_user_that_is_meant(account: MailServer) -> None:
    """By the address that logs in, where there is no project."""
    assert recipients() == [USER]


def test_the_check_tells_what_is_wrong_with_the_defaults(alone: Path) -> None:
    """With the line of settings.toml, before any script fails with it."""
    project(alone, '[notify]\nto = ["finance", "admins"]\nvia = "mail"\n', mail='admins = ["boss@example.com"]')
    assert ("notify", "scripts tell ann@example.com, bob@example.com, admins by mail") in checked(alone)
    for wrong, named in (("to = 'finanse'", "finanse"), ("via = 'pigeon'", "pigeon"), ("admins = 'x@'", "'x@'")):
        project(alone, f"[notify]\n{wrong}\n")
        ((_, said),) = [one for one in checked(alone) if one[0] == "notify"]
        assert named in said
        assert "settings.toml:" in said


def checked(folder: Path) -> list[tuple[str, str]]:
    found = open_app(folder).check()
    return [(one.about, str(one.error) if one.error else one.said) for one in found if one.about != "store"]
