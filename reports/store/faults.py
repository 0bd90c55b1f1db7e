"""What goes wrong with a database or a folder, as errors a person can act on."""

from __future__ import annotations

import errno
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from reports.errors import StoreError

_GONE = (
    r"connection (failed|timeout|refused|is bad|to server)|failed to resolve host|server closed the connection"
    r"|terminating connection|consuming input failed|the connection is (closed|lost)|communication link"
)
_LOCKED = "another process holds the database"
# The first pattern that a database's own words match says what they mean: what happened, what to do.
_MEANINGS: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), what, hint)
    for pattern, what, hint in (
        (
            r"database (table )?is locked|lock timeout|lock request time out",
            _LOCKED,
            "try again when the other process is done, or raise timeout in [store]",
        ),
        (r"database or disk is full|no space left|disk full", "the disk is full", "free some space there"),
        (
            r"file is not a database|file is encrypted",
            "this file is no database",
            "move it away, or set another url in [store]",
        ),
        (
            r"malformed",
            "the database is damaged",
            "bring back the last copy of it; see that the disk is sound",
        ),
        # Also what SQLite says of a full disk when it is its shared memory that does not fit.
        (r"disk I/O error", "the disk is full or broken", "see that it has room and is sound"),
        (
            r"readonly database|unable to open database file|permission denied|insufficient privilege",
            "the database cannot be written",
            "see that this account may write there, folder included",
        ),
        (
            r"password authentication failed|login failed|no password supplied|role .* does not exist",
            "the database refuses this login",
            "see user and password in [store]",
        ),
        (
            _GONE,
            "the database cannot be reached",
            "is it up, and is url in [store] right?",
        ),
    )
)


@contextmanager
def of_database(where: str, mask: Callable[[str], str]) -> Iterator[None]:
    """Turns what the database raises into one StoreError, without SQL, values or passwords."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        # Not `from error`: what SQLAlchemy raises shows the URL and the values bound.
        raise _explained(error, where, mask) from None


@contextmanager
def of_files(where: object, *, absent: bool = True) -> Iterator[None]:
    """Turns what the system says about files into one StoreError; FileNotFoundError too, unless `absent` is false."""
    try:
        yield
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not absent:
            raise
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        what = "the disk is full" if full else f"the file cannot be kept or read: {error.strerror or error}"
        hint = "free some space there" if full else "see that this account may read and write there"
        raise StoreError(what, where=str(where), hint=hint) from error


def _explained(error: Exception, where: str, mask: Callable[[str], str]) -> StoreError:
    words = " ".join(mask(_words(error)).split())
    for pattern, what, hint in _MEANINGS:
        if pattern.search(words):
            return StoreError(what if what == _LOCKED else f"{what}: {words}", where=where, hint=hint)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return StoreError(f"the database cannot be reached: {words}", where=where, hint="is it up?")
    return StoreError(f"the database did not do as asked: {words}", where=where)


def _words(error: Exception) -> str:
    """The driver's own words, without the excerpt of the SQL and its caret."""
    text = str(getattr(error, "orig", None) or next(iter(error.args), error))
    return re.split(r"\n(LINE \d+:|DETAIL:)", text)[0]
