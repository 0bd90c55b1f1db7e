"""The mails of a training, through a real watch and a real mail server, or as files of a program that ended."""

from __future__ import annotations

import email
import subprocess
import sys
from email import policy
from email.message import EmailMessage
from pathlib import Path

import numpy as np
import pytest
from mailserver import MailServer

from reports.notify import boxes, watch
from reports.notify.training import Training
from reports.notify.voice import voice

ME = "me@example.com"


def mails(server: MailServer) -> list[EmailMessage]:
    """All that came, once all is sent."""
    boxes.close_all()
    return [email.message_from_bytes(one.content, policy=policy.default) for one in server.messages]


def text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return " ".join(str(body.get_content()).split())


def pictures(mail: EmailMessage) -> list[bytes]:
    """Those that the page shows."""
    body = mail.get_body(("html",))
    assert body is not None
    page = str(body.get_content())
    return [
        part.get_payload(decode=True)  # type: ignore[misc]
        for part in mail.walk()
        if part["Content-ID"] and f"cid:{part['Content-ID'].strip('<>')}" in page
    ]


def files(mail: EmailMessage) -> dict[str, str]:
    return {str(one.get_filename()): str(one.get_content()) for one in mail.iter_attachments() if one.get_filename()}


def train(training: Training, epochs: int, *, first: int = 1) -> None:
    for number in range(first, first + epochs):
        training.update(number, loss=2 / number, val_loss=2.1 / number, accuracy=0.5, val_accuracy=0.4)


def test_a_training_is_one_thread_of_mails(account: MailServer, tmp_path: Path) -> None:
    """An update each five epochs with curves and samples, and the end with the model."""
    (tmp_path / "net.pt").write_bytes(b"." * 50_000)
    with Training(
        "resnet", to=ME, every=5, apart=0, total=12, predictions=lambda: [(np.eye(8), "7", True)]
    ) as training:
        for first in (1, 6, 11):
            train(training, min(5, 13 - first), first=first)
            voice().wait(20)
        training.finish(model="a net of 3 layers", saved=tmp_path / "net.pt")
    *updates, last = mails(account)
    assert updates
    assert "Epoch 10 of 12, 83%" in text(updates[-1])
    assert "Left, about" in text(updates[-1])
    assert "The best validation loss is 0.2100, in epoch 10." in text(updates[-1])
    assert len(pictures(updates[-1])) == 3
    assert last["Subject"].startswith("Finished: resnet on ")
    assert f"The model lies at {tmp_path / 'net.pt'} (50 kB)." in text(last)
    assert "Training loss and Validation loss by epoch, 1 to 12." in text(last)
    assert len(pictures(last)) == 3
    assert list(files(last)) == ["metrics.csv", "model.txt"]
    assert len(files(last)["metrics.csv"].splitlines()) == 13
    assert all(one["In-Reply-To"] == updates[0]["Message-ID"] for one in [*updates[1:], last])


def test_an_error_is_told_with_its_traceback_and_the_curves(account: MailServer) -> None:
    """And raised on."""

    def fail() -> None:
        with Training("resnet", to=ME, total=12) as training:
            train(training, 3)
            raise FloatingPointError("the loss is no number")

    with pytest.raises(FloatingPointError):
        fail()
    (mail,) = mails(account)
    assert mail["Subject"].startswith("Failed: resnet on ")
    assert "FloatingPointError: the loss is no number" in text(mail)
    assert "The best validation loss is 0.7000, in epoch 3." in text(mail)
    assert len(pictures(mail)) == 2


def test_an_open_watch_is_told_and_not_ended(account: MailServer) -> None:
    """Its other work goes on; what a training said of its end is in the message of the watch."""
    with watch("night", to=ME, every=3, apart=0, unit="epoch") as watching:
        with Training("resnet", watch=watching, total=4) as training:
            train(training, 4)
        assert watching.is_open
    *_, last = mails(account)
    assert last["Subject"].startswith("Finished: night on ")
    assert "4 epochs in " in text(last)


def test_other_ranks_say_and_write_nothing(
    account: MailServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But of an error: in a loop of one's own, that several processes run."""
    monkeypatch.setenv("RANK", "1")
    asked: list[int] = []
    with Training(
        "resnet", to=ME, apart=0, log=tmp_path / "metrics.csv", predictions=lambda: asked.append(1)
    ) as training:
        train(training, 10)
    assert mails(account) == []
    assert not (tmp_path / "metrics.csv").exists()
    assert asked == []


def test_no_network_ends_no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is it slowed down: what is to be told waits in the outbox."""
    for name, value in {"HOST": "127.0.0.1", "PORT": "1", "USER": ME, "PASSWORD": "secret"}.items():
        monkeypatch.setenv(f"REPORTS_{name}", value)
    with Training("resnet", to=ME, apart=0) as training:
        train(training, 10)


def test_a_training_that_begins_anew_has_told_of_the_one_before(account: MailServer) -> None:
    """As a callback whose first fit failed, which somebody caught."""
    training = Training("resnet", to=ME, total=12)
    for epochs in (3, 4):
        training.begin()
        train(training, epochs)
    training.end()
    first, second = mails(account)
    assert first["Subject"].startswith("Failed: resnet on ")
    assert "It ended without a word, and begins anew." in text(first)
    assert "3 epochs in " in text(first)
    assert second["Subject"].startswith("Finished: resnet on ")
    assert "4 epochs in " in text(second)


PROGRAM = """
from reports.notify.training import Training
training = Training("resnet", project=".", total=12)
training.begin()
for number in range(1, 4):
    training.update(number, loss=1 / number)
{end}
"""


@pytest.mark.parametrize(
    ("end", "subject", "said"),
    [
        ("raise FloatingPointError('the loss is no number')", "Failed: ", "FloatingPointError: the loss is no number"),
        ("", "Interrupted: ", "The program ended while this was not over."),
    ],
)
def test_a_program_that_ends_within_a_training_tells_of_it(alone: Path, end: str, subject: str, said: str) -> None:
    """With its error, and the curves, as with a callback that learns of no error."""
    (alone / "settings.toml").write_text(
        '[mail]\nprovider = "folder"\nfrom = "me@example.com"\nto = "me@example.com"\n', "utf-8"
    )
    program = PROGRAM.format(end=end)
    subprocess.run([sys.executable, "-c", program], cwd=alone, capture_output=True, text=True, check=False, timeout=120)
    (path,) = (alone / "var" / "mail").glob("*.eml")
    mail = email.message_from_bytes(path.read_bytes(), policy=policy.default)
    assert mail["Subject"].startswith(f"{subject}resnet on ")
    assert said in text(mail)
    assert "by epoch, 1 to 3." in text(mail)
