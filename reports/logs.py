"""The service's log: one line for each event, for people or as JSON, without secrets.

Modules log with `logging.getLogger("reports...")` and `extra={...}`; what they may say is in EVENTS. Of other
libraries warnings and errors appear, in the same shape, with the name of their logger.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import math
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Literal, TextIO

from structlog.processors import EventRenamer, JSONRenderer
from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from reports.errors import ReportsError
from reports.settings import environment

EVENTS: Mapping[str, str] = {
    "run queued": "job run occurrence why",
    "run started": "job run occurrence late waited attempt",
    "run succeeded": "job run occurrence took",
    "run failed": "job run attempt error",
    "run retried": "job run attempt due error",
    "run skipped": "job run occurrence why",
    "run missed": "job run occurrence why",
    "run interrupted": "job run error",
    "run taken over": "job run occurrence",
    "run lost": "job run occurrence error",
    "delivery accepted": "job run message_id recipient reply next",
    "delivery refused": "job run message_id recipient reply next",
    "delivery deferred": "job run message_id recipient reply next",
    "delivery unknown": "job run message_id recipient reply next",
    "delivery expired": "job run message_id recipient reply",
    "delivery held": "job run message_id recipient reply next",
    "notice unheard": "job run why",
    "outbox stands still": "error",
    "job added": "job",
    "job broken": "job error where",
    "job mended": "job",
    "job removed": "job",
    "jobs away": "error where",
    "definition not understood": "error",
    "service started": "project version",
    "service stopping": "running",
    "service stopped": "status",
    "timer died": "hint",
    "delivery died": "hint",
    "clock behind": "jobs until hint",
    "settings read": "",
    "settings broken": "error where",
    "settings changed": "hint",
    "store away": "error where",
    "store back": "",
    "ping failed": "url kind run error",
    "ping dropped": "url kind run error",
    "health opened": "address",
    "health closed": "error hint",
    "health failed": "path error",
    "health asked": "client answer",
}
"""Every event of the service, with the extras it carries; seconds are numbers, instants are in UTC.

At info: what goes as it should, one line for each transition of a run, a delivery, a job, the service. At warning:
what did not, and settles itself or has been told. At error: what somebody has to mend. At debug: single requests.
"""
FIRST = ("job", "run", "message_id", "recipient", "state")
FILE_SIZE = 10_000_000
FILES_KEPT = 5
MOST = 8_000
"""Characters of one value; more are counted, not shown."""
_COLOURS = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "1;31"}
_OWN = ("at", "level", "event")
_OF_OTHERS = ("message", "asctime")  # what another handler's formatter leaves on a record


def configure(
    kind: Literal["console", "json"],
    *,
    stream: TextIO | None = None,
    file: Path | None = None,
    mask: Callable[[str], str] = str,
    level: int = logging.INFO,
) -> None:
    """From now on every event is one line on `stream` (stderr by default), and in `file` too where one is given.

    `mask` takes secrets out of every value; it is asked once for a line, and again only where it found one. The file
    is kept at 10 MB, with five older ones beside it, and belongs to one process. At the `level` DEBUG errors come
    with their tracebacks. Called again, it replaces what it set before. A ReportsError where the file cannot be
    written.
    """
    out = sys.stderr if stream is None else stream
    handlers: list[logging.Handler] = [_Screen(out), *([_open(file)] if file else [])]
    close()
    for handler in handlers:
        colours = isinstance(handler, _Screen) and _has_colours(out)
        handler.setFormatter(_formatter(kind, mask, colours=colours))
        handler.addFilter(_is_for_us)
        logging.getLogger().addHandler(handler)
    logging.getLogger("reports").setLevel(level)


def close() -> None:
    """Ends what `configure` began; the file is closed."""
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, _Screen | _File)]:
        root.removeHandler(handler)
        handler.close()
    logging.getLogger("reports").setLevel(logging.NOTSET)


class _Screen(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        _tell_lost(record)


class _File(RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        _tell_lost(record)


def _tell_lost(record: logging.LogRecord) -> None:
    """One line where the standard library would print a traceback with what was to be masked."""
    error = sys.exc_info()[1]
    with contextlib.suppress(OSError, ValueError):
        print(f"a log line of {record.name} could not be written: {error!r}", file=sys.stderr)  # noqa: T201


def _open(file: Path) -> _File:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return _File(file, maxBytes=FILE_SIZE, backupCount=FILES_KEPT, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ReportsError(
            f"the log file {file} cannot be written: {error.strerror}",
            where=str(file),
            hint="let the account that runs reports write there, or name another file",
        ) from error


def _is_for_us(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or _is_ours(record)


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name == "reports" or record.name.startswith("reports.")


def _has_colours(stream: TextIO) -> bool:
    """Only on a terminal that knows them, and not against the will of its user (no-color.org)."""
    plain = (
        environment("NO_COLOR") or environment("TERM") == "dumb" or (os.name == "nt" and not environment("WT_SESSION"))
    )
    return stream.isatty() and not plain


# -- from a record to a line -----------------------------------------------------------------------


def _formatter(kind: Literal["console", "json"], mask: Callable[[str], str], *, colours: bool) -> ProcessorFormatter:
    def masked(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
        shown: EventDict = _each(_masked(_each(event, _plain), mask), _cut)
        return shown

    render: Processor = JSONRenderer() if kind == "json" else _coloured_console if colours else _console
    return ProcessorFormatter(
        foreign_pre_chain=[EventRenamer("_said"), ExtraAdder(), _shaped],
        processors=[ProcessorFormatter.remove_processors_meta, masked, render],
    )


def _shaped(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """When, how grave and what, then the ids, then the other extras as they were given, then the error."""
    record: logging.LogRecord = event["_record"]
    error, stack = event.pop("exc_info", None), event.pop("stack_info", None)
    at = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")
    shaped = {"at": at.replace("+00:00", "Z"), "level": record.levelname.lower(), "event": event.pop("_said")}
    given = [key for key in FIRST if key in event] + [key for key in event if key not in (*FIRST, *_OF_OTHERS)]
    shaped |= {f"{key}_" if key in _OWN else key: event[key] for key in given}
    shaped |= {} if _is_ours(record) else {"logger": record.name}
    shaped |= {"error": error[1]} if error and error[1] and "error" not in event else {}
    if logging.getLogger("reports").isEnabledFor(logging.DEBUG):
        shaped |= {"traceback": logging.Formatter().formatException(error)} if error and error[1] else {}
        shaped |= {"stack": stack} if stack else {}
    return shaped


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    """The value with every leaf of it changed, names in mappings too."""
    if isinstance(value, Mapping):
        return {str(change(str(key))): _each(one, change) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_each(one, change) for one in value]
    return change(value)


def _plain(leaf: Any) -> Any:
    """As JSON has it: instants in UTC, lengths of time in seconds, errors as their sentence, the rest as text."""
    if leaf is None or isinstance(leaf, bool | int) or (isinstance(leaf, float) and math.isfinite(leaf)):
        return leaf
    if isinstance(leaf, dt.timedelta):
        return leaf.total_seconds()
    if isinstance(leaf, dt.datetime) and leaf.tzinfo:
        return leaf.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(leaf, dt.date | dt.time):
        return leaf.isoformat()
    if isinstance(leaf, BaseException):
        return leaf.what if isinstance(leaf, ReportsError) else f"{type(leaf).__name__}: {leaf}".removesuffix(": ")
    return str(leaf)


def _masked(tree: Any, mask: Callable[[str], str]) -> Any:
    """Without secrets. They are sought in all that is said at once, for fetching them may be slow."""
    said: list[str] = []
    _each(tree, lambda leaf: said.append(str(leaf)))
    whole = "\n".join(said)
    if mask(whole) == whole:
        return tree
    return _each(tree, lambda leaf: leaf if mask(str(leaf)) == str(leaf) else mask(str(leaf)))


def _cut(leaf: Any) -> Any:
    if not isinstance(leaf, str) or len(leaf) <= MOST:
        return leaf
    return f"{leaf[:MOST]} ... and {len(leaf) - MOST:,} characters more"


# -- for people ------------------------------------------------------------------------------------


def _console(_logger: WrappedLogger, _name: str, event: EventDict) -> str:
    return _line(event, lambda text, _colour: text)


def _coloured_console(_logger: WrappedLogger, _name: str, event: EventDict) -> str:
    return _line(event, lambda text, colour: f"\x1b[{colour}m{text}\x1b[0m")


def _line(event: EventDict, paint: Callable[[str, str], str]) -> str:
    """`2026-11-24 07:00:00Z info  run started  job=cashflow run=ab12cd34`: extras that are None are left out."""
    at, level, what = (str(event[key]) for key in _OWN)
    pairs = (f"{paint(f'{_printable(key)}=', '2')}{_word(value)}" for key, value in _extras(event))
    head = f"{at[:10]} {at[11:19]}Z {paint(f'{level:<5}', _COLOURS.get(level, '0'))} {_printable(what)}"
    return f"{head}  {' '.join(pairs)}".rstrip()


def _extras(event: EventDict) -> Iterable[tuple[str, Any]]:
    return ((key, value) for key, value in event.items() if key not in _OWN and value is not None)


def _word(value: Any) -> str:
    """Bare where it is one word, else in quotation marks."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and (not text or any(sign in text for sign in ' "=')):
        text = '"' + text.replace('"', '\\"') + '"'
    return _printable(text)


def _printable(text: str) -> str:
    """Line breaks, escape sequences and the like as they are written in Python."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
