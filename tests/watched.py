"""Scripts that are watched, each in a process of its own with a real mail server beside it, and what came of them."""

from __future__ import annotations

import contextlib
import email
import email.policy
import os
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

import psutil
from mailserver import MailServer
from sending import PASSWORD, USER

_begun: list[int] = []
PATIENCE = 90.0
"""Seconds that tests wait for what other processes do; a machine may be slow."""


def until(true: Callable[[], object], seconds: float = PATIENCE) -> bool:
    """Whether it became true in time."""
    over = time.monotonic() + seconds
    while time.monotonic() < over:
        if true():
            return True
        time.sleep(0.02)
    return bool(true())


@dataclass(frozen=True)
class Mail:
    """A mail as it came."""

    parsed: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.parsed["Subject"])

    @property
    def text(self) -> str:
        part = self.parsed.get_body(("plain",))
        return str(part.get_content()).replace("\r\n", "\n") if part else ""

    @property
    def html(self) -> str:
        part = self.parsed.get_body(("html",))
        return str(part.get_content()) if part else ""

    @property
    def words(self) -> str:
        """The text in one line, for sentences may be broken anywhere."""
        return " ".join(self.text.split())

    @property
    def files(self) -> dict[str, bytes]:
        return {one.get_filename(): _bytes(one) for one in self.parsed.walk() if one.get_filename()}

    @property
    def step(self) -> int:
        found = re.search(r"(?m)^(?:Step|Row) +([\d,]+)", self.text)
        return int(found[1].replace(",", "")) if found else -1


def _bytes(part: EmailMessage) -> bytes:
    content = part.get_content()
    return content.encode() if isinstance(content, str) else bytes(content)


def mails(server: MailServer) -> list[Mail]:
    """All that the server has taken, the oldest first."""
    return [Mail(email.message_from_bytes(one.content, policy=email.policy.default)) for one in list(server.messages)]


def account(server: MailServer, data: Path) -> dict[str, str]:
    """The environment in which scripts send by that server and keep their outbox in `data`."""
    return {
        "REPORTS_HOST": server.host, "REPORTS_PORT": str(server.port), "REPORTS_CA_FILE": server.ca_file,
        "REPORTS_USER": USER, "REPORTS_PASSWORD": PASSWORD, "REPORTS_DATA": str(data),
    }  # fmt: skip


@dataclass
class Script:
    """A script at work in `folder`; its output is kept."""

    process: subprocess.Popen[str]
    folder: Path
    said: dict[str, str] = field(default_factory=dict)

    def wait(self) -> int:
        """Its exit status, negative where a signal ended it."""
        out, err = self.process.communicate(timeout=PATIENCE)
        self.said = {"out": out, "err": err}
        return self.process.returncode

    def comes_to(self, name: str) -> bool:
        """Whether it has made that file, in time."""
        return (
            until(lambda: (self.folder / name).exists() or self.process.poll() is not None)
            and (self.folder / name).exists()
        )


@contextmanager
def started(
    folder: Path, code: str, *arguments: str, environment: Mapping[str, str], command: Sequence[str] = ()
) -> Iterator[Script]:
    """The script, begun in `folder`, and ended with the block whatever happens."""
    path = folder / "script.py"
    path.write_text(textwrap.dedent(code), "utf-8")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("REPORTS_", "MAIL_"))}
    process = subprocess.Popen(
        [*command, sys.executable, str(path), *arguments], cwd=folder, env={**clean, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    _begun.append(process.pid)
    try:
        yield Script(process, folder)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def run(folder: Path, code: str, *arguments: str, environment: Mapping[str, str]) -> Script:
    """The script's outcome, once it has ended."""
    with started(folder, code, *arguments, environment=environment) as script:
        script.wait()
    return script


def watchers() -> list[psutil.Process]:
    """The watchers of this process and of scripts that tests have begun, as far as there are any yet."""
    with contextlib.suppress(psutil.Error):
        candidates = list(psutil.process_iter() if _begun else psutil.Process().children())
        return [one for one in candidates if _is_watcher(one, {*_begun, os.getpid()})]
    return []


def _is_watcher(process: psutil.Process, of: set[int]) -> bool:
    with contextlib.suppress(psutil.Error):
        words = process.cmdline()
        return any(one.endswith("watcher.py") for one in words) and words[-1].isdecimal() and int(words[-1]) in of
    return False


def end_watchers() -> None:
    """Those that still try to send something are ended, with what they have begun."""
    for one in watchers():
        with contextlib.suppress(psutil.Error):
            for each in [*one.children(recursive=True), one]:
                each.kill()
    _begun.clear()
