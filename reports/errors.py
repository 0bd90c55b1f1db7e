"""Every error a person can meet, each with what happened, where, and what to do.

ReportsError
├── DefinitionError          the project as written is wrong; nothing was tried (exit status 2)
│   ├── SettingsError        settings.toml
│   └── JobError             jobs/<name>/: job.toml, .sql, hooks.py, template
├── SourceError              a database or a file could not give its rows
├── LoanError                loans that no engine can project
├── HookError                a job's own hooks.py raised or returned something else than frames
├── RenderError              a block, template, chart or workbook could not be made
├── StoreError               the history, the outbox or a stored file cannot be read or written
│   ├── NoSuchRun            the history has no run of that id
│   ├── LostBytes            stored bytes are missing, or not what they were when they were stored
│   └── Superseded           another sender or run has taken this over; nothing more may be done here
├── TransportError           a message was not taken; knows whether trying again can help
├── Unsupported              a channel cannot carry what was asked of it
├── TooManyErrors            a loop had more rows that failed than it was allowed
└── MissingDependency        an optional library is absent; names the pip command
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Self


class ReportsError(Exception):
    """Something a person has to know: `what` happened, `where`, and the `hint` that says what to do.

    A `temporary` one may pass by itself: a scheduled run that meets it is tried again, if its job says so.
    """

    exit_status = 1
    temporary = False

    def __init__(self, what: str, *, where: str = "", hint: str = "", temporary: bool = False) -> None:
        super().__init__(what)
        self.what, self.where, self.hint = what, where, hint
        self.temporary = temporary or type(self).temporary

    def __str__(self) -> str:
        lines = [self.what]
        lines += [f"  where: {self.where}"] if self.where else []
        lines += [f"  do:    {self.hint}"] if self.hint else []
        return "\n".join(lines)


class DefinitionError(ReportsError):
    """One or more mistakes in the project's own files; `problems` has each by itself."""

    exit_status = 2

    def __init__(self, what: str, *, where: str = "", hint: str = "", temporary: bool = False) -> None:
        super().__init__(what, where=where, hint=hint, temporary=temporary)
        self.problems: tuple[DefinitionError, ...] = (self,)

    @classmethod
    def join(cls, problems: Sequence[DefinitionError]) -> Self:
        """One error that tells all of `problems`, none of them lost."""
        flat = tuple(one for problem in problems for one in problem.problems)
        joined = cls("\n".join(map(str, flat)))
        joined.problems, joined.temporary = flat, all(one.temporary for one in flat)
        return joined


class SettingsError(DefinitionError):
    """settings.toml cannot be used as it stands."""


class JobError(DefinitionError):
    """A job's folder cannot be used as it stands."""


class SourceError(ReportsError):
    """A source did not give the rows a query asked for."""


class LoanError(ReportsError):
    """Loans with values that cannot be, named by loan and column."""


class HookError(ReportsError):
    """A job's hooks.py failed, at the file and line given."""


class RenderError(ReportsError):
    """A report could not be rendered from its datasets."""


class StoreError(ReportsError):
    """The store did not keep, or could not give back, what it was asked for."""

    temporary = True


class NoSuchRun(StoreError):
    """There is no run, or no single one, of that id: it was never there, was deleted, or is of an older database."""

    temporary = False


class LostBytes(StoreError):
    """Bytes that were stored are not there any more, or are others: nothing may be sent in their place."""

    temporary = False


class Superseded(StoreError):
    """A lease ran out and another process holds it now: whatever was about to be done must not be done."""


class TransportError(ReportsError):
    """A message was not carried.

    `permanent` errors never succeed by trying again; `retry_after` is the least wait in seconds
    where the other side named one. `account` says that it is about the server or the login, so that
    no other message would fare better.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        hint: str = "",
        permanent: bool = False,
        retry_after: float | None = None,
        account: bool = False,
    ) -> None:
        super().__init__(what, where=where, hint=hint, temporary=not permanent)
        self.permanent, self.retry_after, self.account = permanent, retry_after, account


class Unsupported(ReportsError):
    """A channel, named in the message, cannot do what was asked of it; nothing was left out in silence."""


class TooManyErrors(ReportsError):
    """More rows failed than the loop's limit; the last one's error is the cause of this."""


class MissingDependency(ReportsError):
    """A part of the product needs a library that is not installed; `extra` brings it, or pip by its own name."""

    exit_status = 2

    def __init__(self, library: str, *, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs {library}, which is not installed",
            hint=f'pip install "reports[{extra}]"' if extra else f"pip install {library}",
        )


def choices(name: str, known: Iterable[object], *, what: str) -> str:
    """A hint for a wrong `name`: the nearest of the known ones, and all of them."""
    there = [str(one) for one in known]
    near = difflib.get_close_matches(name, there, n=1, cutoff=0.5)
    return (f"did you mean '{near[0]}'? " if near else "") + f"{what}: {', '.join(there) or 'none'}"
