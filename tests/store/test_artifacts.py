"""Bytes by their hash, in a folder and behind a URL: the very same ones come back, or an error says why not."""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fsspec
import pytest

from reports.errors import StoreError
from reports.store.artifacts import Artifacts, open_artifacts
from reports.store.faults import of_files

CONTENT = b"\x00bytes\xff" * 1000
HASH = hashlib.sha256(CONTENT).hexdigest()
NEVER = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(params=["folder", "memory", "file"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Artifacts:
    """An empty place for bytes: a folder, and two that fsspec reaches."""
    urls = {
        "folder": "",
        "memory": f"memory://{uuid.uuid4().hex}/kept",
        "file": (tmp_path / "kept").as_uri(),
    }
    return open_artifacts(urls[request.param], tmp_path, tmp_path / "var")


Change = Callable[[str, bytes | None], None]


@pytest.fixture
def change(kept: Artifacts) -> Change:
    """Writes other bytes at a path, or removes it, as somebody else might."""

    def to(path: str, content: bytes | None) -> None:
        files, root = fsspec.url_to_fs(kept.where)
        if content is None:
            files.rm(f"{root}/{path}")
        else:
            files.pipe_file(f"{root}/{path}", content)

    return to


def test_what_is_put_comes_back(kept: Artifacts) -> None:
    """By its SHA-256, once, however often it is put."""
    assert list(kept.every()) == []
    assert not kept.exists(HASH)
    assert kept.put(CONTENT) == kept.put(CONTENT) == HASH
    assert kept.put(b"") == hashlib.sha256(b"").hexdigest()
    assert kept.get(HASH) == CONTENT
    assert kept.exists(HASH)
    assert {sha256 for sha256, _ in kept.every()} == {HASH, hashlib.sha256(b"").hexdigest()}


def test_missing_bytes_are_told_with_their_place(kept: Artifacts) -> None:
    """And what can be done."""
    with pytest.raises(StoreError, match="missing") as caught:
        kept.get(HASH)
    assert caught.value.where == f"{kept.where}/{HASH[:2]}/{HASH}"
    assert "copy" in caught.value.hint


def test_altered_bytes_are_never_given_out(kept: Artifacts, change: Change) -> None:
    """One bit is enough; put again, they are mended."""
    kept.put(CONTENT)
    change(f"{HASH[:2]}/{HASH}", b"\x01" + CONTENT[1:])
    with pytest.raises(StoreError, match="altered"):
        kept.get(HASH)
    kept.put(CONTENT)
    assert kept.get(HASH) == CONTENT


def test_faults_are_found(kept: Artifacts, change: Change) -> None:
    """What nothing refers to, what is not there, what is another; foreign files are nobody's business."""
    orphan, gone, good = kept.put(b"orphan"), kept.put(b"gone"), kept.put(b"good")
    kept.put(CONTENT)
    kept.link(good, "good.txt")
    change(f"{gone[:2]}/{gone}", None)
    change(f"{HASH[:2]}/{HASH}", b"other")
    change(f"{HASH[:2]}/notes.txt", b"mine")
    assert kept.faults([gone, good, HASH]) == ([orphan], [gone], [HASH])


def test_a_linked_copy_has_its_name_and_goes_with_its_bytes(kept: Artifacts, change: Change) -> None:
    """Readers fetch it under the name they know."""
    kept.put(CONTENT)
    path = kept.link(HASH, "Umsätze 2026.xlsx")
    assert path == kept.link(HASH, "Umsätze 2026.xlsx") == f"linked/{HASH}/Umsätze 2026.xlsx"
    files, root = fsspec.url_to_fs(kept.where)
    assert files.cat_file(f"{root}/{path}") == CONTENT
    assert kept.delete(HASH)
    assert not files.exists(f"{root}/{path}")
    assert not kept.delete(HASH)


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\\b", "a\nb"])
def test_a_linked_copy_never_leaves_its_folder(kept: Artifacts, name: str) -> None:
    """Whatever a file is called."""
    kept.put(CONTENT)
    with pytest.raises(StoreError, match="no name for a file"):
        kept.link(HASH, name)


def test_only_what_is_old_is_deleted(kept: Artifacts) -> None:
    """What was put since, however long it had been there, stays."""
    kept.put(CONTENT)
    assert not kept.delete(HASH, before=NEVER)
    assert kept.get(HASH) == CONTENT
    assert kept.delete(HASH, before=dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1))
    assert not kept.exists(HASH)


# -- a folder ------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Artifacts:
    return open_artifacts("kept", tmp_path, tmp_path / "var")


def test_a_relative_folder_starts_at_the_project(folder: Artifacts, tmp_path: Path) -> None:
    """And files are found there by hand, two letters down."""
    folder.put(CONTENT)
    assert (tmp_path / "kept" / HASH[:2] / HASH).read_bytes() == CONTENT


def test_bytes_put_again_are_as_new(folder: Artifacts, tmp_path: Path) -> None:
    """So they are not cleared away under a run that is about to refer to them."""
    folder.put(CONTENT)
    path = tmp_path / "kept" / HASH[:2] / HASH
    os.utime(path, (0, 0))
    ((_, before),) = folder.every()
    folder.put(CONTENT)
    ((_, after),) = folder.every()
    assert before.year == 1970
    assert after > dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
    assert not folder.delete(HASH, before=dt.datetime.now(dt.UTC) - dt.timedelta(hours=1))


def test_putting_and_clearing_at_once_never_loses_what_was_put(folder: Artifacts, tmp_path: Path) -> None:
    """Old bytes are put again while they are being cleared away: whoever wins, they are there."""
    path = tmp_path / "kept" / HASH[:2] / HASH
    with ThreadPoolExecutor(2) as pool:
        for _ in range(100):
            folder.put(CONTENT)
            os.utime(path, (0, 0))
            put = pool.submit(folder.put, CONTENT)
            cleared = pool.submit(folder.delete, HASH, before=dt.datetime.now(dt.UTC) - dt.timedelta(hours=1))
            put.result()
            cleared.result()
            assert folder.get(HASH) == CONTENT


def test_a_kill_while_writing_leaves_nothing_that_counts(folder: Artifacts, tmp_path: Path) -> None:
    """Half a file is never under the hash's name, and is cleared away in time."""
    code = (
        "import os, signal, sys; from pathlib import Path; from reports.store.artifacts import open_artifacts\n"
        "replace = Path.replace\n"
        "Path.replace = lambda *_: os._exit(9)\n"
        "open_artifacts('kept', Path(sys.argv[1]), Path()).put(b'x' * 100_000)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == 9
    (left,) = (tmp_path / "kept").rglob("*.part")
    assert list(folder.every()) == []
    folder.tidy(NEVER)
    assert left.exists()
    folder.tidy(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1))
    assert not left.exists()


def test_a_kill_while_clearing_loses_nothing(folder: Artifacts, tmp_path: Path) -> None:
    """What was moved aside comes back."""
    folder.put(CONTENT)
    path = tmp_path / "kept" / HASH[:2] / HASH
    path.rename(path.with_name(HASH + ".going"))
    time.sleep(0.01)
    folder.tidy(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1))
    assert folder.get(HASH) == CONTENT


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A file is in the way."""
    (tmp_path / "kept").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be kept or read") as caught:
        open_artifacts("kept", tmp_path, tmp_path).put(CONTENT)
    assert str(tmp_path / "kept") in caught.value.where


def test_a_full_disk_is_told_as_that(tmp_path: Path) -> None:
    """With what to do."""
    with pytest.raises(StoreError, match="the disk is full") as caught, of_files(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.hint == "free some space there"


# -- a URL ---------------------------------------------------------------------------------------------


def test_a_place_nobody_knows_is_told_without_its_password(tmp_path: Path) -> None:
    """The URL's user may be seen, the password not."""
    kept = open_artifacts("nosuch://me:secret@host/kept", tmp_path, tmp_path)
    assert kept.where == "nosuch://me:***@host/kept"
    with pytest.raises(StoreError, match="does not do as asked") as caught:
        kept.put(CONTENT)
    assert "secret" not in str(caught.value)
