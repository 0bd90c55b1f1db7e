"""Transactions that two processes may begin at once over the same new rows: the second to come looks again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from reports.store.engine import Database

Result = TypeVar("Result")
_TRIES = 5


class _Beaten(Exception):
    """Another process added one of these rows a moment ago; all of the step was undone."""


def retried(database: Database, step: Callable[[Connection], Result]) -> Result:
    """What `step` gives in a transaction; from the start, with a fresh look, where another process was quicker.

    A row that is there however often one looks is a StoreError.
    """
    for _ in range(_TRIES - 1):
        try:
            with database.writing() as connection:
                return _unless_beaten(connection, step)
        except _Beaten:
            continue
    with database.writing() as connection:
        return step(connection)


def _unless_beaten(connection: Connection, step: Callable[[Connection], Result]) -> Result:
    try:
        return step(connection)
    except IntegrityError as error:
        raise _Beaten from error
