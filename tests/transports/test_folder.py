"""Messages kept as files."""

import email
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.errors import TransportError
from reports.model import Message
from reports.transports.folder import FolderTransport

MakeMessage = Callable[..., Message]


def test_the_file_is_the_message_and_the_receipts_name_it(tmp_path: Path, message: MakeMessage) -> None:
    """One file in a folder made for it, the very bytes, one receipt a recipient."""
    sent = message("a@example.com", "b@example.com")
    receipts = FolderTransport(tmp_path / "var" / "mail").send(sent)
    (path,) = (tmp_path / "var" / "mail").iterdir()
    assert path.name.startswith("2026-11-02-figures-for-october-")
    assert path.suffix == ".eml"
    assert path.read_bytes() == sent.content
    assert [(one.recipient, one.state, one.text) for one in receipts] == [
        ("a@example.com", "accepted", str(path)),
        ("b@example.com", "accepted", str(path)),
    ]


def test_another_message_never_takes_a_files_place(tmp_path: Path, message: MakeMessage) -> None:
    """Same day and same subject, other bytes: two files. The same message again: still one."""
    transport = FolderTransport(tmp_path)
    transport.send(message())
    transport.send(message(content=b"Subject: other\r\n\r\nother\r\n"))
    transport.send(message())
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("subject", ["现金流 / 十月: *?", "", "../../etc", "x" * 400, "日" * 200])
def test_any_subject_makes_a_file_name(subject: str, tmp_path: Path, message: MakeMessage) -> None:
    """Whatever the subject says, the file is in the folder and has a name that disks take."""
    sent = message()
    changed = Message(**{**vars(sent), "subject": subject})
    (receipt,) = FolderTransport(tmp_path).send(changed)
    path = Path(receipt.text)
    assert path.parent == tmp_path
    assert email.message_from_bytes(path.read_bytes())["Subject"] == "Figures"


def test_a_folder_that_cannot_be_written_is_told_and_leaves_nothing(tmp_path: Path, message: MakeMessage) -> None:
    """A file in the folder's place: permanent, with the path."""
    taken = tmp_path / "mail"
    taken.write_text("not a folder")
    for attempt in (FolderTransport(taken).check, lambda: FolderTransport(taken).send(message())):
        with pytest.raises(TransportError) as caught:
            attempt()
        assert caught.value.permanent
        assert str(taken) in caught.value.where


def test_a_failed_write_leaves_no_half_file(tmp_path: Path, message: MakeMessage) -> None:
    """A limit on the size of files stands for a full disk: nothing is left behind."""
    resource = pytest.importorskip("resource", reason="a limit on the size of files needs POSIX")
    before, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.getsignal(signal.SIGXFSZ)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(TransportError):
            FolderTransport(tmp_path).send(message(content=b"x" * 5000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert os.listdir(tmp_path) == []  # noqa: PTH208  hidden files count as well


def test_check_says_where_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """The folder is made and tried."""
    folder = tmp_path / "mail"
    assert str(folder) in FolderTransport(folder).check()[0]
    assert list(folder.iterdir()) == []
