"""Processes and all that they have begun: how much memory they have, and how to end them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import psutil

_ROUNDS, _PAUSE = 50, 0.002
_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """From now on what loses its parent below this process has this one for a parent, where Linux can do that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def below(root: int, tops: Collection[int]) -> Mapping[int, Sequence[psutil.Process]]:
    """For each of the processes `tops`, which are below `root`, itself and all that are below it, in one look."""
    found = {one.pid: one for one in _descendants(root)}
    trees: dict[int, list[psutil.Process]] = {top: [] for top in tops}
    for one in found.values():
        at = one.pid
        with contextlib.suppress(psutil.Error):  # it has just ended
            while at not in trees and at in found:
                at = found[at].ppid()
            if at in trees:
                trees[at].append(one)
    return trees


def resident(processes: Iterable[psutil.Process]) -> int:
    """Bytes; pages that several of them share are counted for each."""
    total = 0
    for one in processes:
        with contextlib.suppress(psutil.Error):
            total += one.memory_info().rss
    return total


def kill(pid: int, known: Iterable[psutil.Process] = ()) -> None:
    """Ends it, its group and all below it, with those `known` from an earlier look, at once."""
    found = [*known, *_descendants(pid)]
    with contextlib.suppress(psutil.NoSuchProcess):
        found.append(psutil.Process(pid))
    kill_group(pid)
    _kill(found)


def kill_group(group: int) -> None:
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def kill_below() -> Sequence[str]:
    """Ends all below this process, and what that begins meanwhile; their names."""
    return kill_all(lambda: _descendants(os.getpid()))


def kill_all(find: Callable[[], Iterable[psutil.Process]]) -> Sequence[str]:
    """Ends what is found until nothing more is; the names of what was ended."""
    names: dict[int, str] = {}
    for _ in range(_ROUNDS):
        alive = [one for one in find() if _is_alive(one)]
        if not alive:
            break
        names |= {one.pid: _name(one) for one in alive if one.pid not in names}
        _kill(alive)
        time.sleep(_PAUSE)
    return list(names.values())


def group(leader: int) -> Sequence[psutil.Process]:
    """The processes of a group, whose leader may be gone."""
    if not hasattr(os, "killpg"):
        return []
    try:
        os.killpg(leader, 0)
    except (ProcessLookupError, PermissionError):
        return []
    return [one for one in psutil.process_iter() if _group_of(one.pid) == leader]


def adopted(ours: Collection[int]) -> Sequence[psutil.Process]:
    """What this process got for children without having begun it, and all below."""
    strangers = [one for one in psutil.Process().children() if one.pid not in ours]
    return [*strangers, *(below for one in strangers for below in _descendants(one.pid))]


def _descendants(pid: int) -> Sequence[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _kill(processes: Iterable[psutil.Process]) -> None:
    for one in processes:
        with contextlib.suppress(psutil.Error):  # it is gone, or somebody else's by now
            one.kill()


def _is_alive(one: psutil.Process) -> bool:
    try:
        return one.is_running() and one.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _name(one: psutil.Process) -> str:
    try:
        return one.name()
    except psutil.Error:
        return "?"


def _group_of(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except (ProcessLookupError, PermissionError):
        return -1
