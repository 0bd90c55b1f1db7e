"""Frameworks that train models: large, and only there where the extra `training-tests` was installed."""

from __future__ import annotations

import importlib.util

import pytest


def absent(*libraries: str) -> str:
    """What to install where one of them is not there; nothing where all are."""
    missing = [one for one in libraries if importlib.util.find_spec(one) is None]
    return f"{' and '.join(missing)} not installed: pip install 'reports[training-tests]'" if missing else ""


def needs(*libraries: str) -> None:
    """Skips a module of tests where one of them is not there. One that is there but does not import is an error."""
    if reason := absent(*libraries):
        pytest.skip(reason, allow_module_level=True)
