"""What the tests of transports share."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
from mailserver import MailServer, ScriptedServer

from reports.model import Message
from reports.secret import Secret
from reports.settings import Mail
from reports.transports.account import resolve
from reports.transports.smtp import SmtpTransport

CONTENT = b"From: me@example.com\r\nSubject: Figures\r\n\r\n.a dot first\r\nthe last line\r\n"


@pytest.fixture
def message() -> Callable[..., Message]:
    """Makes a small message; recipients and content as wanted."""

    def make(*recipients: str, content: bytes = CONTENT, sender: str = "me@example.com") -> Message:
        return Message(
            message_id="<1@example.com>",
            date=dt.datetime(2026, 11, 2, 7, tzinfo=dt.UTC),
            sender=sender,
            recipients=recipients or ("you@example.com",),
            subject="Figures for October",
            content=content,
        )

    return make


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Mail]:
    """Makes a `[mail]`; a `password` as text is put where a secret may be kept."""

    def make(password: str | dict[str, str] | None = None, **values: object) -> Mail:
        if isinstance(password, dict):
            values["password"] = password
        elif password is not None:
            monkeypatch.setenv("MAIL_PASSWORD", password)
            values["password"] = Secret(env="MAIL_PASSWORD")
        return Mail.model_validate({"from": "Me <me@example.com>", **values})

    return make


@pytest.fixture
def smtp(mail: Callable[..., Mail]) -> Iterator[Callable[..., SmtpTransport]]:
    """Makes a transport to a server of the test; the server's certificate is trusted unless said otherwise."""
    made: list[SmtpTransport] = []

    def make(server: MailServer | ScriptedServer, *, final_wait: float = 5, **values: object) -> SmtpTransport:
        given = {"provider": "custom", "host": server.host, "port": server.port, "timeout": 5, **values}
        if isinstance(server, MailServer):
            given.setdefault("ca_file", server.ca_file)
        else:
            given.setdefault("security", "none")
        made.append(SmtpTransport(resolve(mail(**given)), final_wait=final_wait))
        return made[-1]

    yield make
    for transport in made:
        transport.close()
