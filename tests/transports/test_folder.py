"""Messages kept as files."""

import email
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.errors import Superseded, TransportError
from reports.model import Message
from reports.transports.folder import FolderTransport
from reports.transports.providers import Limits

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


def test_the_same_bytes_for_others_are_another_file(tmp_path: Path, message: MakeMessage) -> None:
    """Who got it is a part of what was sent; the order of names is not."""
    transport = FolderTransport(tmp_path)
    first, second = transport.send(message("a@example.com", "b@example.com")), transport.send(message("c@example.com"))
    assert first[0].text != second[0].text
    assert transport.send(message("b@example.com", "a@example.com"))[0].text == first[0].text
    assert len(list(tmp_path.iterdir())) == 2


def test_handing_over_comes_when_the_bytes_are_safe_and_not_yet_in_place(tmp_path: Path, message: MakeMessage) -> None:
    """Stopped there, nothing is left behind."""
    seen: list[tuple[str, bytes]] = []

    def stop() -> None:
        seen.extend((path.suffix, path.read_bytes()) for path in tmp_path.iterdir())
        raise Superseded("another sender has it")

    with pytest.raises(Superseded):
        FolderTransport(tmp_path).send(message(), stop)
    assert seen == [(".part", message().content)]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_has_no_limits(tmp_path: Path) -> None:
    """Nothing is known that could be exceeded."""
    transport = FolderTransport(tmp_path / "mail")
    assert (transport.limits, transport.size_limit()) == (Limits(), None)
    transport.close()
    assert not (tmp_path / "mail").exists()


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
    transport = FolderTransport(taken)
    for attempt in (lambda: list(transport.check()), lambda: transport.send(message())):
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
    ((step, said),) = FolderTransport(folder).check()
    assert step == "folder"
    assert str(folder) in said
    assert list(folder.iterdir()) == []
