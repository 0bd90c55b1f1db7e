"""Promises about the account: the project's, else the environment's, with whatever the call names itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mailserver import MailServer
from sending import PASSWORD, USER

from reports.errors import SettingsError
from reports.notify import send
from reports.notify.accounts import settings_for
from reports.notify.environment import FLASK, PREFIX, VARIABLES
from reports.settings import Settings
from reports.transports.account import resolve

SAMPLE = {
    "PROVIDER": "gmail",
    "HOST": "mail.example.com",
    "PORT": "2525",
    "SECURITY": "starttls",
    "USER": "me@example.com",
    "PASSWORD": "correct horse",
    "PASSWORD_FILE": "/run/secrets/mail",
    "PASSWORD_KEYRING": "mail/me@example.com",
    "AUTH": "login",
    "CA_FILE": "/etc/ca.pem",
    "ALLOW_PLAINTEXT": "true",
    "TIMEOUT": "12.5",
    "FROM": "Me <me@example.com>",
    "REPLY_TO": "desk@example.com",
    "ALLOW": "*@example.com, example.org",
    "REDIRECT": "test@example.com",
    "EXPIRES": "2h",
    "ON_UNKNOWN": "resend",
    "ADMINS": '"Doe, Jane" <jane@example.com>, bob@example.com',
    "TO": "ann@example.com",
    "VIA": "mail, slack",
    "SUBJECT_PREFIX": "[shop] ",
    "BASE_URL": "https://shop.example.com",
    "SLACK_TOKEN": "xoxb-1",
    "SLACK_TO": "#ops, #dev",
    "SLACK_WEBHOOK": "https://hooks.slack.com/services/T/B/X",
    "APPRISE_URL": "ntfy://topic",
    "TIMEZONE": "Europe/Berlin",
    "LANGUAGE": "de",
    "CURRENCY": "EUR",
    "DATA": "/srv/reports",
}
MEANT: dict[str, Any] = {
    "PORT": 2525,
    "ALLOW_PLAINTEXT": True,
    "TIMEOUT": 12.5,
    "ALLOW": ("*@example.com", "example.org"),
    "ADMINS": ('"Doe, Jane" <jane@example.com>', "bob@example.com"),
    "TO": ("ann@example.com",),
    "VIA": ("mail", "slack"),
    "SLACK_TO": ("#ops", "#dev"),
    "PASSWORD": "REPORTS_PASSWORD",
    "SLACK_TOKEN": "REPORTS_SLACK_TOKEN",
    "SLACK_WEBHOOK": "REPORTS_SLACK_WEBHOOK",
}


def written(settings: Settings, path: tuple[str | int, ...]) -> Any:
    """What settings have at the place of a key of settings.toml."""
    found: Any = settings
    for step in path:
        name = {"from": "sender"}.get(str(step), str(step))
        found = found[name] if isinstance(found, dict) else getattr(found, name)
    return found


@pytest.mark.parametrize("name", VARIABLES)
def test_each_variable_is_its_key_of_settings(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists are separated by commas, numbers are numbers, and secrets stay where they are."""
    monkeypatch.setenv(f"{PREFIX}{name}", SAMPLE[name])
    if name in {"SLACK_TO", "REDIRECT"}:
        monkeypatch.setenv("REPORTS_SLACK_TOKEN", "xoxb-1")
    if name == "EXPIRES":
        assert settings_for(False).mail.expires.total_seconds() == 7200
    elif name == "APPRISE_URL":
        (url,) = settings_for(False).channels["apprise"].url  # type: ignore[union-attr]
        assert getattr(url, "env", "") == "REPORTS_APPRISE_URL"
    elif name == "DATA":
        assert settings_for(False).data_folder.parent == Path("/srv/reports")
    elif name in {
        "HOST",
        "USER",
        "PASSWORD",
        "PASSWORD_FILE",
        "PASSWORD_KEYRING",
        "PROVIDER",
        "PORT",
        "SECURITY",
        "AUTH",
    }:
        for other in ("PROVIDER", "USER", "PASSWORD"):
            if other not in name and not (other == "PROVIDER" and name == "HOST"):
                monkeypatch.setenv(f"{PREFIX}{other}", SAMPLE[other])
        assert written(settings_for(False), VARIABLES[name]) == MEANT.get(name, SAMPLE[name])
    else:
        assert written(settings_for(False), VARIABLES[name]) == MEANT.get(name, SAMPLE[name])


def test_every_variable_is_documented(root: Path) -> None:
    """Ours and Flask-Mail's."""
    text = (root / "docs" / "notify.md").read_text("utf-8")
    flask = [*FLASK, "MAIL_USE_TLS", "MAIL_USE_SSL", "MAIL_SUPPRESS_SEND"]
    assert [name for name in [*(f"{PREFIX}{one}" for one in VARIABLES), *flask] if f"`{name}`" not in text] == []


def flask(server: MailServer, monkeypatch: pytest.MonkeyPatch, **more: str) -> None:
    """Flask-Mail's variables for that server."""
    said = {
        "SERVER": server.host, "PORT": str(server.port), "USERNAME": USER, "PASSWORD": PASSWORD,
        "DEFAULT_SENDER": f"Shop <{USER}>", **more,
    }  # fmt: skip
    for name, value in said.items():
        monkeypatch.setenv(f"MAIL_{name}", value)
    monkeypatch.setenv("REPORTS_CA_FILE", server.ca_file)


@pytest.mark.parametrize(("switch", "security"), [("USE_TLS", "starttls"), ("USE_SSL", "tls")])
def test_flask_mails_variables_are_read_as_they_are(
    switch: str, security: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With TLS from the first byte, or after STARTTLS; the default sender is who it is from, and to."""
    with MailServer(security=security, users={USER: PASSWORD}) as server:
        flask(server, monkeypatch, **{switch: "true"})
        assert send("upload done", project=False)
        (mail,) = server.messages
        assert (mail.user, mail.tls, mail.recipients) == (USER, True, (USER,))
        assert b'From: "Shop"\r\n <me@example.com>' in mail.content
        monkeypatch.undo()


def test_flask_mails_defaults_are_a_server_without_encryption(monkeypatch: pytest.MonkeyPatch) -> None:
    """At port 25; only on this machine that is used with a password."""
    monkeypatch.setenv("MAIL_SERVER", "localhost")
    monkeypatch.setenv("MAIL_DEFAULT_SENDER", "me@example.com")
    account = resolve(settings_for(False).mail)
    assert (account.host, account.port, account.security) == ("localhost", 25, "none")


def test_what_flask_mail_suppresses_is_kept_as_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As tests of web applications have it."""
    monkeypatch.setenv("MAIL_SERVER", "mail.example.com")
    monkeypatch.setenv("MAIL_DEFAULT_SENDER", "me@example.com")
    monkeypatch.setenv("MAIL_SUPPRESS_SEND", "1")
    (answer,) = send("upload done", project=False)
    assert Path(answer.text).is_relative_to(tmp_path / "data")
    assert b"From: me@example.com" in Path(answer.text).read_bytes()


def test_ours_come_before_flask_mails(account: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole: no account is made of halves."""
    monkeypatch.setenv("MAIL_SERVER", "mail.example.com")
    monkeypatch.setenv("MAIL_USE_SSL", "1")
    found = resolve(settings_for(False).mail)
    assert (found.host, found.port, found.security) == (account.host, account.port, "starttls")


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("REPORTS_PORT", "many", "environment variable REPORTS_PORT"),
        ("REPORTS_SECURITY", "ssl", "environment variable REPORTS_SECURITY"),
        ("REPORTS_ALLOW_PLAINTEXT", "perhaps", "environment variable REPORTS_ALLOW_PLAINTEXT"),
        ("REPORTS_TIMEZONE", "Mars/Base", "environment variable REPORTS_TIMEZONE"),
        ("MAIL_USE_TLS", "perhaps", "environment variable MAIL_USE_TLS"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never a key of a file that there is not."""
    if name.startswith("MAIL"):
        monkeypatch.setenv("MAIL_SERVER", "localhost")
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        settings_for(False)
    assert named in str(caught.value)


def test_a_password_that_is_not_there_is_named(account: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is tried, with what to do."""
    monkeypatch.delenv("REPORTS_PASSWORD")
    monkeypatch.setenv("REPORTS_PROVIDER", "gmail")
    with pytest.raises(SettingsError, match="needs a login"):
        send("upload done")


def project(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.toml").write_text(text, "utf-8")
    return folder


MAIL = '[mail]\nprovider = "folder"\nfrom = "project@example.com"\n'


def test_the_nearest_project_upwards_comes_first(account: MailServer, alone: Path) -> None:
    """Before the environment; its own outbox has what its scripts send."""
    project(alone.parent, MAIL)
    found = settings_for()
    assert (found.mail.sender, found.data_folder) == ("project@example.com", alone.parent / "var")
    assert settings_for(False).mail.user == USER


def test_a_project_can_be_named(account: MailServer, tmp_path: Path) -> None:
    """By its folder, in which there must be one."""
    there = project(tmp_path / "elsewhere", MAIL)
    assert settings_for(there).mail.sender == "project@example.com"
    with pytest.raises(SettingsError, match=r"there is no settings\.toml"):
        settings_for(tmp_path / "nowhere")


def test_settings_of_another_program_are_told_apart(account: MailServer, alone: Path) -> None:
    """Many programs have a settings.toml; the error says how to do without it."""
    project(alone, "[default]\nDEBUG = true\n")
    with pytest.raises(SettingsError, match="say project=False"):
        settings_for()
    assert settings_for(False).mail.user == USER


def test_a_project_without_an_account_sends_by_the_environments(account: MailServer, alone: Path) -> None:
    """But for what it says of recipients; its outbox for that account is beside its own."""
    project(
        alone, '[mail]\nallow = ["example.com"]\nadmins = ["boss@example.com"]\n[notify]\nsubject_prefix = "[p] "\n'
    )
    found = settings_for()
    assert (found.mail.user, found.mail.allow, found.mail.admins) == (USER, ("example.com",), ("boss@example.com",))
    assert found.notify.subject_prefix == "[p] "
    assert found.data_folder.parent == alone / "var" / "notify"


def test_arguments_come_before_all(server: MailServer, alone: Path) -> None:
    """A provider or a host makes it another account, with none of the project's login; whom it may reach stays."""
    project(alone, f'{MAIL}user = "p"\nallow = ["example.com"]\n')
    result = send(
        "upload done", to="ann@example.com", host=server.host, port=server.port, ca_file=server.ca_file,
        user=USER, password=PASSWORD,
    )  # fmt: skip
    assert result
    assert server.messages[0].user == USER
    with pytest.raises(SettingsError, match="65535") as caught:
        send("upload done", host="mail.example.com", port=70_000, user="a@example.com")
    assert "argument port" in str(caught.value)


def test_a_password_given_is_shown_nowhere(server: MailServer) -> None:
    """Neither in what is printed, nor in what was stored."""
    found = settings_for(False, account={"host": server.host, "user": USER, "password": "correct horse battery"})
    assert "battery" not in repr(found)
    assert found.mask("it was correct horse battery") == "it was ***"
    send("x", project=False, host=server.host, port=server.port, ca_file=server.ca_file, user=USER, password=PASSWORD)
    kept = b"".join(path.read_bytes() for path in found.data_folder.parent.rglob("*") if path.is_file())
    assert PASSWORD.encode() not in kept


def test_an_unknown_argument_is_a_mistake_of_the_caller() -> None:
    """As of any function."""
    with pytest.raises(TypeError, match="no argument 'hots'"):
        send("x", project=False, hots="mail.example.com")  # type: ignore[call-arg]


def test_the_sender_can_be_another(account: MailServer) -> None:
    """Of the same account."""
    assert send("upload done", to="ann@example.com", sender="Robot <robot@example.com>")
    assert account.messages[0].sender == "robot@example.com"
    assert account.messages[0].user == USER


def test_the_sample_names_every_variable() -> None:
    """Or one would not be tried."""
    assert set(SAMPLE) == set(VARIABLES)
