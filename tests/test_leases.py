"""Owners, and whether they are still alive."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from reports import leases
from reports.errors import StoreError


def test_every_owner_has_its_own_name() -> None:
    """Also within one process, for each connection is an owner."""
    assert len({leases.new_owner() for _ in range(100)}) == 100


def test_this_process_is_alive() -> None:
    """Its own leases are not taken from it."""
    assert not leases.is_dead(leases.new_owner())


def test_a_process_that_has_ended_is_dead() -> None:
    """Its leases need not run out first."""
    script = "from reports import leases; print(leases.new_owner())"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert leases.is_dead(ran.stdout.strip())


def test_a_process_number_used_again_is_another_owner() -> None:
    """The number is the same, the beginning is not."""
    machine, pid, birth, word = leases.new_owner().split("/")
    assert leases.is_dead(f"{machine}/{pid}/{birth}0/{word}")
    assert not leases.is_dead(f"{machine}/{pid}/{birth}/other")


def test_a_machine_that_was_started_anew_is_told_from_a_process_that_ended() -> None:
    """What its senders wrote last may be lost with it."""
    machine, pid, birth, word = leases.new_owner().split("/")
    assert not leases.went_down(f"{machine}/1{pid}/{birth}/{word}")
    assert leases.went_down(f"{machine}/{pid}/0000{birth}/{word}")
    assert leases.is_dead(f"{machine}/{pid}/0000{birth}/{word}")
    assert not leases.went_down(f"elsewhere/{pid}/0000{birth}/{word}")


def test_a_container_that_is_gone_with_the_machine_is_known_by_the_machine() -> None:
    """A file of SQLite has no users elsewhere, whatever their containers are called."""
    machine, pid, birth, word = leases.new_owner().split("/")
    gone = f"elsewhere/{pid}/0000{birth}/{word}"
    assert leases.is_dead(gone, here=True)
    assert leases.went_down(gone, here=True)
    assert not leases.is_dead(f"elsewhere/{pid}/{birth}/{word}", here=True)
    assert not leases.is_dead(f"{machine}/{pid}/{birth}/{word}", here=True)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells of processes nobody has fetched")
def test_a_process_that_ended_and_was_not_fetched_is_dead() -> None:
    """A zombie holds nothing."""
    script = "from reports import leases; print(leases.new_owner(), flush=True)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        owner = process.stdout.readline().strip()
        process.stdout.read()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert leases.is_dead(owner)


def test_of_another_machine_nobody_can_say() -> None:
    """Its leases run out by themselves."""
    assert not leases.is_dead("elsewhere/1/1.00/abcd")
    assert not leases.is_dead("nonsense")


def test_a_lease_is_renewed_while_it_is_held() -> None:
    """And not any more afterwards; a store that is away for a moment does not end the pulse."""
    beats = threading.Semaphore(0)
    count = 0

    def renew() -> None:
        nonlocal count
        count += 1
        beats.release()
        if count == 1:
            raise StoreError("away")

    with leases.held(renew, every=0.001):
        assert all(beats.acquire(timeout=10) for _ in range(3))
    after = count
    assert not beats.acquire(timeout=0.02) or count == after
