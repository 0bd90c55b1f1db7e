"""Promises of the handler of `logging`: told at once, never a flood, and nothing of it reaches the code that logs."""

from __future__ import annotations

import logging
import logging.config
import os
import string
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mailserver import MailServer
from notifying import attached, body, opened
from sending import PASSWORD
from slackserver import SlackServer

from reports.errors import ReportsError
from reports.notify import NotifyHandler, flush

log = logging.getLogger("shop.orders")


@pytest.fixture
def handlers() -> Iterator[list[logging.Handler]]:
    """Handlers that are taken off again."""
    added: list[logging.Handler] = []
    yield added
    for one in added:
        log.removeHandler(one)
        one.close()


def handled(handlers: list[logging.Handler], **options: Any) -> NotifyHandler:
    handler = NotifyHandler(**{"to": "ops@example.com", **options})
    log.addHandler(handler)
    handlers.append(handler)
    return handler


def arrived(server: MailServer, count: int) -> list[Any]:
    """So many mails, once they are there."""
    for _ in range(600):
        if len(server.messages) >= count:
            break
        time.sleep(0.05)
    return [opened(one.content) for one in server.messages]


def test_an_error_is_told_at_once_with_its_traceback(account: MailServer, handlers: list[logging.Handler]) -> None:
    """Who, where, when, and what was raised; the admins get it, as by Flask-Mail."""
    handled(handlers)
    try:
        {}["missing"]
    except KeyError:
        log.exception("order %s failed", 17)
    (mail,) = arrived(account, 1)
    assert mail["Subject"] == "ERROR in shop.orders: order 17 failed"
    text = body(mail, "plain")
    assert "KeyError: 'missing'" in text
    assert f"{Path(__file__).name}:" in text
    assert "test_an_error_is_told_at_once_with_its_traceback" in text
    assert "order 17 failed" in body(mail, "html")


def test_no_secret_of_settings_is_told(account: MailServer, handlers: list[logging.Handler]) -> None:
    """Whoever logs it."""
    handled(handlers)
    log.error("login with %s failed", PASSWORD, exc_info=ValueError(PASSWORD))
    (mail,) = arrived(account, 1)
    assert "login with *** failed" in body(mail, "plain")
    assert PASSWORD not in account.messages[0].content.decode().replace("=\r\n", "")


def test_a_flood_is_two_messages(account: MailServer, handlers: list[logging.Handler]) -> None:
    """The first at once; all that came meanwhile in one more, equal records counted by place and wording."""
    handler = handled(handlers, every=3600)
    log.error("the first")
    arrived(account, 1)
    for n in range(500):
        log.error("order %s failed", n)
        log.warning("not serious")
        log.critical("disk full")
    assert len(account.messages) == 1
    handler.flush()
    _, mail = arrived(account, 2)
    assert mail["Subject"] == "CRITICAL in shop.orders: disk full (and 999 more)"
    text = body(mail, "plain")
    assert "CRITICAL in shop.orders, 500 times: disk full" in text
    assert "ERROR in shop.orders, 500 times: order 0 failed" in text
    assert "order 2 failed" in text
    assert "order 3 failed" not in text
    assert "not serious" not in text
    assert flush(30)
    assert len(account.messages) == 2


def test_the_next_message_comes_by_itself_when_its_time_has_come(
    account: MailServer, handlers: list[logging.Handler]
) -> None:
    """Not before, and with all that there was."""
    handled(handlers, every=2)
    log.error("the first")
    arrived(account, 1)
    log.error("the second")
    log.error("the third")
    _, mail = arrived(account, 2)
    assert "the second" in body(mail, "plain")
    assert "the third" in body(mail, "plain")


def test_the_code_that_logs_does_not_wait(account: MailServer, handlers: list[logging.Handler]) -> None:
    """However long the server thinks; and what is told later is told once."""
    account.pause = 2
    handled(handlers)
    for _ in range(1000):
        log.error("again")
    assert account.messages == []
    (mail,) = arrived(account, 1)
    assert "1,000 times" in body(mail, "plain")


def test_what_goes_wrong_with_telling_is_not_told(
    account: MailServer, handlers: list[logging.Handler], caplog: pytest.LogCaptureFixture
) -> None:
    """Our own loggers, and whatever logs in our threads, would go round; they are logged elsewhere."""
    account.stop()
    root, handler = logging.getLogger(), NotifyHandler(level=logging.DEBUG, to="ops@example.com", every=0.1)
    handlers.append(handler)
    root.addHandler(handler)
    try:
        log.error("once")
        logging.getLogger("reports.notify").error("of ours")
        time.sleep(2)  # twenty messages' time
        assert flush(30)
        runs = handler.outlet.box.store.runs.list()
    finally:
        root.removeHandler(handler)
    assert len(runs) == 1
    assert "of ours" in caplog.text


def test_nothing_is_raised_into_the_code_that_logs(
    account: MailServer, handlers: list[logging.Handler], alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither where the outbox cannot be written, nor of values that cannot be."""

    class Broken:
        def __str__(self) -> str:
            raise ValueError("no words")

    (alone / "file").touch()
    monkeypatch.setenv("REPORTS_DATA", str(alone / "file" / "data"))
    handled(handlers)
    monkeypatch.setattr(log, "propagate", False)  # other handlers do raise in tests
    log.error("a value: %s", Broken())
    (mail,) = arrived(account, 1)
    assert "a value: %s (its values cannot be written: ValueError: no words)" in body(mail, "plain")


def test_it_is_set_up_by_a_dict(account: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """As every handler is; who is told by default are the admins."""
    monkeypatch.setenv("REPORTS_ADMINS", "ops@example.com")
    told = {"class": "reports.notify.logs.NotifyHandler", "level": "WARNING", "every": 60}
    loggers = {"shop.dict": {"handlers": ["told"], "level": "INFO"}}
    logging.config.dictConfig(
        {"version": 1, "disable_existing_loggers": False, "handlers": {"told": told}, "loggers": loggers}
    )
    logger = logging.getLogger("shop.dict")
    try:
        logger.warning("almost full")
        (mail,) = arrived(account, 1)
        assert (mail["To"], mail["Subject"]) == ("ops@example.com", "WARNING in shop.dict: almost full")
    finally:
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
            handler.close()


def test_what_is_wrong_is_told_when_it_is_set_up(account: MailServer) -> None:
    """Not when the first error comes."""
    with pytest.raises(ReportsError, match="neither a mail address nor a group"):
        NotifyHandler(to="nobody")


def test_it_tells_other_channels(handlers: list[logging.Handler], alone: Path) -> None:
    """A channel of settings, with the traceback."""
    with SlackServer() as slack:
        settings = f'[channels.team]\ntoken = {{ file = "token" }}\nto = ["#cash"]\napi = "{slack.api}"\n'
        (alone / "settings.toml").write_text(settings, "utf-8")
        (alone / "token").write_text(slack.bot, "utf-8")
        handler = handled(handlers, to=(), via="team")
        log.error("broken", exc_info=ValueError("deep down"))
        handler.flush()
        assert flush(30)
        posted = str(slack.said("cash"))
        assert "ERROR in shop.orders: broken" in posted
        assert "ValueError: deep down" in posted


@pytest.mark.parametrize("ends", ["", "raise SystemExit(3)", "raise ValueError('the end')"])
def test_the_last_words_of_a_process_are_told(account: MailServer, alone: Path, ends: str) -> None:
    """Also where the last message was a moment ago."""
    source = f"""
        import logging
        from reports.notify import NotifyHandler
        log = logging.getLogger("job")
        log.addHandler(NotifyHandler(to="ops@example.com"))
        log.error("the first")
        import time; time.sleep(2)
        log.error("the last")
        {ends}
    """
    script(source, alone)
    assert [opened(one.content)["Subject"] for one in account.messages] == [
        "ERROR in job: the first",
        "ERROR in job: the last",
    ]


def test_a_forked_worker_tells_its_own_errors(account: MailServer, alone: Path) -> None:
    """And not once more what its parent had gathered."""
    source = """
        import logging, os, sys, time
        from reports.notify import NotifyHandler
        log = logging.getLogger("job")
        log.addHandler(NotifyHandler(to="ops@example.com"))
        log.error("parent first")
        time.sleep(2)
        log.error("parent later")
        child = os.fork()
        if child == 0:
            log.error("child")
            sys.exit(0)
        os.waitpid(child, 0)
    """
    script(source, alone)
    found = sorted(opened(one.content)["Subject"] for one in account.messages)
    assert found == ["ERROR in job: child", "ERROR in job: parent first", "ERROR in job: parent later"]


def test_many_kinds_are_listed_and_counted(account: MailServer, handlers: list[logging.Handler]) -> None:
    """Ten whole, others in a list and all in a file; what is more than can be told apart by its number."""
    handler = handled(handlers)
    names = [f"{first}{second}" for first in string.ascii_lowercase for second in string.ascii_lowercase][:250]
    for name in names:
        for n in range(2):
            log.error(f"kind {name} of error {n}")  # noqa: G004  as people write it
    handler.flush()
    (mail,) = arrived(account, 1)
    text = body(mail, "plain")
    assert f"kind {names[9]} of error" in text
    assert f"kind {names[49]} of error" in text
    assert f"kind {names[50]} of error" not in text
    assert "All 200 kinds are in the attached records.txt" in text
    assert "100 more of other kinds" in text
    file = attached(mail)["records.txt"].decode()
    assert f"kind {names[199]} of error" in file
    assert f"kind {names[200]} of error" not in file


def script(source: str, folder: Path) -> None:
    path = folder / "script.py"
    path.write_text(textwrap.dedent(source), "utf-8")
    subprocess.run(
        [sys.executable, str(path)], cwd=folder, capture_output=True, check=False, timeout=120, env=os.environ
    )
