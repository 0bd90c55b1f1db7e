"""Promises about what a script pays: importing costs nothing, and a text neither pandas nor matplotlib."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reports import notify

HEAVY = {"pandas", "numpy", "matplotlib", "sqlalchemy", "jinja2", "pydantic", "PIL", "babel"}


def modules(source: str, folder: Path) -> set[str]:
    """The heavy libraries that a script has imported when it ends."""
    code = f"{source}\nimport sys; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    return HEAVY & set(ran.stdout.split())


def test_importing_it_costs_nothing(alone: Path) -> None:
    """What a call needs is imported by the call."""
    assert modules("from reports import notify", alone) == set()


@pytest.mark.parametrize("call", ["send('done', project=False)", "message('done')"])
def test_a_text_needs_neither_pandas_nor_matplotlib(call: str, alone: Path) -> None:
    """Not until there is a table or a figure."""
    assert modules(f"from reports.notify import message, send\n{call}", alone) & {"pandas", "matplotlib"} == set()


def test_all_that_is_exported_is_there() -> None:
    """And what is not there is an AttributeError, as of any module."""
    assert [name for name in notify.__all__ if getattr(notify, name, None) is None] == []
    with pytest.raises(AttributeError, match="no attribute 'sned'"):
        notify.sned  # noqa: B018
