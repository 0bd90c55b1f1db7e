"""The folder of jobs, looked at again and again: only what changed is read, and what cannot be read is itself."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from projects import JOB, QUERY, make_project

from reports import project
from reports.definition import Job
from reports.definitions import Definitions
from reports.errors import JobError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_project(tmp_path, files={"jobs/other/job.toml": JOB, "jobs/other/by_region.sql": QUERY})


def looking(folder: Path) -> Definitions:
    return Definitions(project.read_settings(folder)[0])


def touch(path: Path, text: str) -> None:
    """Written anew, as an editor does it, at another instant than before whatever the clock's steps are."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text, "utf-8")
    os.utime(path, ns=(before + 1_000_000_000, before + 1_000_000_000))


def test_the_first_look_reads_all_and_the_next_nothing(folder: Path) -> None:
    """Looking costs no reading."""
    definitions = looking(folder)
    assert set(definitions.look().read) == {"daily", "other"}
    assert not definitions.look()


@pytest.mark.parametrize("name", ["job.toml", "by_region.sql", "hooks.py"])
def test_any_file_of_a_job_makes_it_read_anew(folder: Path, name: str) -> None:
    """And no other job."""
    definitions = looking(folder)
    definitions.look()
    path = folder / "jobs" / "daily" / name
    touch(path, (path.read_text("utf-8") if path.exists() else "") + "\n")
    assert set(definitions.look().read) == {"daily"}


def test_a_new_job_is_read_and_a_removed_one_is_gone(folder: Path) -> None:
    """Without a restart."""
    definitions = looking(folder)
    definitions.look()
    shutil.copytree(folder / "jobs" / "daily", folder / "jobs" / "third")
    shutil.rmtree(folder / "jobs" / "other")
    changes = definitions.look()
    assert (set(changes.read), set(changes.gone)) == ({"third"}, {"other"})


def test_a_broken_job_is_its_error_and_then_a_job_again(folder: Path) -> None:
    """The others are untouched."""
    definitions = looking(folder)
    definitions.look()
    path = folder / "jobs" / "daily" / "job.toml"
    touch(path, "title = ")
    assert isinstance(definitions.look().read["daily"], JobError)
    touch(path, JOB)
    assert isinstance(definitions.look().read["daily"], Job)


def test_a_job_that_lost_its_definition_is_broken_not_gone(folder: Path) -> None:
    """Its queries are still there: somebody is at work on it."""
    definitions = looking(folder)
    definitions.look()
    (folder / "jobs" / "daily" / "job.toml").unlink()
    changes = definitions.look()
    assert isinstance(changes.read["daily"], JobError)
    assert not changes.gone


def test_a_folder_of_jobs_that_cannot_be_read_removes_no_job(folder: Path) -> None:
    """A share that is offline: nothing is known to be gone, and all is there when it comes back."""
    definitions = looking(folder)
    definitions.look()
    (folder / "jobs").rename(folder / "away")
    with pytest.raises(JobError, match="cannot be read"):
        definitions.look()
    (folder / "away").rename(folder / "jobs")
    assert not definitions.look()


def test_an_empty_folder_in_its_place_removes_no_job_either(folder: Path) -> None:
    """The mount point of that share; a folder that was emptied by hand is another matter."""
    definitions = looking(folder)
    definitions.look()
    (folder / "jobs").rename(folder / "away")
    (folder / "jobs").mkdir()
    with pytest.raises(JobError, match="empty one"):
        definitions.look()
    (folder / "jobs").rmdir()
    (folder / "away").rename(folder / "jobs")
    assert not definitions.look()
    for name in ("daily", "other"):
        shutil.rmtree(folder / "jobs" / name)
    assert definitions.look().gone == {"daily", "other"}


def test_what_is_no_job_is_passed_over(folder: Path) -> None:
    """Hidden folders, caches, folders with notes."""
    for name in (".git", "__pycache__", "notes"):
        touch_folder = folder / "jobs" / name
        touch_folder.mkdir()
        (touch_folder / "readme.txt").write_text("x")
    assert set(looking(folder).look().read) == {"daily", "other"}


def test_forgetting_reads_all_again(folder: Path) -> None:
    """As when the settings have changed."""
    definitions = looking(folder)
    definitions.look()
    definitions.forget()
    assert set(definitions.look().read) == {"daily", "other"}
