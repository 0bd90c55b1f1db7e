"""An error that ended some work, as it is told: what and where first, then its last lines, then the whole traceback."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import reports

LAST = 12
"""Lines of the traceback that are told first."""
MOST = 20_000
"""Characters of a traceback in the mail's body; a longer one loses its middle there, and is attached whole."""
_LONGEST, _WIDEST = 1_000, 300  # characters of an error's own words at the head, and of a last line
_OURS = str(Path(reports.__file__).parent)


@dataclass(frozen=True, kw_only=True)
class Crash:
    """What was raised, in words; `where` is the place in a file, and `place` in what function."""

    kind: str
    said: str
    where: str
    trace: str

    @property
    def head(self) -> str:
        """The error in one line, or in a few where it speaks in lines."""
        said = self.said if len(self.said) <= _LONGEST else f"{self.said[: _LONGEST - 1]}…"
        return f"{self.kind}: {said}" if said else self.kind

    @property
    def last_lines(self) -> str:
        """Where it happened and what was said, the end of the traceback."""
        lines = self.trace.rstrip("\n").splitlines()[-LAST:]
        frames = [number for number, line in enumerate(lines) if line.startswith("  File ")]
        shown = lines[frames[0] :] if frames else lines
        return "\n".join(line if len(line) <= _WIDEST else f"{line[: _WIDEST - 1]}…" for line in shown)

    @property
    def body(self) -> str:
        """The traceback as far as a mail's body has room for it."""
        if len(self.trace) <= MOST:
            return self.trace.rstrip("\n")
        left = len(self.trace) - MOST
        return (
            f"{self.trace[: MOST // 3]}\n... {left:,} characters are left out here ...\n{self.trace[-MOST * 2 // 3 :]}"
        )


def crash(error: BaseException) -> Crash:
    """The error with its causes, without our own frames at the outer end of it."""
    kind = type(error)
    name = (
        kind.__qualname__ if kind.__module__ in {"builtins", "__main__"} else f"{kind.__module__}.{kind.__qualname__}"
    )
    try:
        trace = "".join(traceback.format_exception(kind, error, _theirs(error.__traceback__)))
    except Exception as fault:  # noqa: BLE001  an error whose own words cannot be had
        trace = f"{name} (its traceback cannot be written: {type(fault).__name__})\n"
    return Crash(kind=name, said=_said(error), where=_where(error.__traceback__), trace=trace)


def place_of(error: BaseException) -> str:
    """Where it happened: the innermost frame outside of libraries, or else the innermost."""
    return _where(error.__traceback__)


def _said(error: BaseException) -> str:
    try:
        return str(error).strip()
    except Exception:  # noqa: BLE001  likewise
        return ""


def _theirs(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from the first frame on that is not ours."""
    while trace is not None and trace.tb_next is not None and _is_ours(trace):
        trace = trace.tb_next
    return trace


def _where(trace: TracebackType | None) -> str:
    """The innermost frame outside of libraries, or else the innermost."""
    frames = list(_frames(trace))
    own = [one for one in frames if not _is_installed(one.tb_frame.f_code.co_filename)]
    if not frames:
        return ""
    frame = (own or frames)[-1]
    code = frame.tb_frame.f_code
    return f"{code.co_filename}:{frame.tb_lineno}, in {code.co_qualname}"


def _frames(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next


def _is_ours(trace: TracebackType) -> bool:
    return trace.tb_frame.f_code.co_filename.startswith(_OURS)


def _is_installed(file: str) -> bool:
    return file.startswith(("<", _OURS)) or "site-packages" in file or "dist-packages" in file
