"""Promises to a process that forks while it uses the store: neither side waits for the other, or loses what it wrote."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from storing import opened

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def test_a_child_does_not_take_the_parents_locks_for_its_own(tmp_path: Path, root: Path) -> None:
    """Forked in the midst of another thread's transaction, it writes at once; so does the parent, and nothing is lost."""
    source = """
        import os, sys, threading, time
        from pathlib import Path
        from sqlalchemy import insert, text
        from storing import a_run, opened, sent

        folder = Path(sys.argv[1])
        store, inside = opened(folder), threading.Event()

        def write():
            with store.database.writing() as connection:
                connection.execute(text("UPDATE run SET log = ''"))
                inside.set()
                time.sleep(0.5)

        sent(store, run=a_run(1))
        thread = threading.Thread(target=write)
        thread.start()
        inside.wait()
        child = os.fork()
        if child == 0:
            mine = opened(folder, timeout=3)
            sent(mine, run=a_run(2))
            mine.close()
            os._exit(0)
        sent(store, run=a_run(3))
        thread.join()
        assert os.waitpid(child, 0)[1] == 0
        store.close()
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source), str(tmp_path)], check=False, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root / "tests"), str(root)])}, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    store = opened(tmp_path)
    assert sorted(one.id for one in store.runs.list()) == ["run-1", "run-2", "run-3"]
    store.close()
