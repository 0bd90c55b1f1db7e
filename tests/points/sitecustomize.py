"""Makes a Python process count its points and end itself, without warning, right before a chosen one.

Python runs this file at its start where its folder is on PYTHONPATH; see `killing.py`, which sets what it
reads from the environment. What the process runs does not know of it. Children are left alone.
"""

from __future__ import annotations

import importlib
import os
import re
import signal
import sqlite3
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = str(Path(__file__).parent)
ON_PATHS = {"os.rename": "rename", "os.remove": "remove", "os.mkdir": "mkdir", "os.link": "link"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Which bytes share a folder named after their hash is chance, so that making one is no point.
BY_HASH = re.compile(r"/[0-9a-f]{2}$")
CHANGING = re.compile(r"(?<=/\.)\w{8}|(?<=/)[0-9a-f]{2}(?=/|$)|[0-9a-f]{8,}|\d+|'[^']*'")


class Points:
    """Every step of the process that another one could see, counted as it is about to happen."""

    def __init__(self, folder: str, log: str, last: int) -> None:
        self.folder, self.last, self.reached = folder, last, 0
        self.log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.lock = threading.RLock()

    def reach(self, name: str) -> None:
        with self.lock:
            self.reached += 1
            os.write(self.log, f"{CHANGING.sub('#', ' '.join(name.split()))[:100]}\n".encode())
            if self.reached == self.last:
                os.kill(os.getpid(), signal.SIGKILL)

    def event(self, event: str, values: Sequence[Any]) -> None:
        """An audit hook."""
        if event == "open" and values[2] is not None and values[2] & WRITES:
            self.at_path("write", values[0])
        elif event in ON_PATHS:
            self.at_path(ON_PATHS[event], values[1] if event in {"os.rename", "os.link"} else values[0])
        elif event == "socket.connect":
            self.reach("connect")

    def at_path(self, verb: str, path: Any) -> None:
        if isinstance(path, str | bytes | os.PathLike):
            whole = os.path.abspath(os.fsdecode(path))  # noqa: PTH100  Path would resolve links, or audit again
            by_chance = verb == "mkdir" and BY_HASH.search(whole)
            if whole.startswith(self.folder) and "__pycache__" not in whole and not by_chance:
                self.reach(f"{verb} {whole[len(self.folder) :]}")

    def connected(self, connect: Any) -> Any:
        """sqlite3.connect, with every statement of the connection a point."""

        def traced(*values: Any, **options: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(*values, **options)
            connection.set_trace_callback(lambda sql: self.reach(f"sql {sql}"))
            return connection

        return traced


def install(folder: str, log: str, last: str) -> None:
    points = Points(os.path.join(os.path.realpath(folder), ""), log, int(last))  # noqa: PTH118
    # Not by the audit event of a new connection: it comes before the connection can be traced.
    sqlite3.connect = sqlite3.dbapi2.connect = points.connected(sqlite3.connect)
    sys.addaudithook(points.event)


def make_way() -> None:
    """The sitecustomize that this one hides, if there is one, runs as well."""
    sys.path[:] = [entry for entry in sys.path if entry != HERE]
    this = sys.modules.pop("sitecustomize")
    try:
        importlib.import_module("sitecustomize")
    except ModuleNotFoundError as error:
        if error.name != "sitecustomize":
            raise
        sys.modules["sitecustomize"] = this  # whoever is importing this one looks for it there


wanted = [os.environ.pop(f"POINTS_{name}", "") for name in ("FOLDER", "LOG", "LAST")]
make_way()
if wanted[0]:
    install(*wanted)
