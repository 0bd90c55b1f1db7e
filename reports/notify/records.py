"""Records of `logging`, gathered: those of one place and one wording are one, with their number."""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from reports.model import Artifact, Block, Status, Text, Tone
from reports.notify.notification import SUBJECT, Notification

SHOWN = 10
"""Kinds of records that a message shows whole; the others are in a list."""
LISTED = 40
"""Kinds that the message lists besides; all of them are in a file."""
KINDS = 200
"""Kinds of records that are told apart until the next message; the rest is counted."""
_SAMPLES = 3
_LONGEST = 2_000
"""Characters of a record's text."""
_TRACE = 12_000
"""Characters of a traceback, of which the last ones are kept."""
_FILE = "records.txt"
_formatter = logging.Formatter()


@dataclass
class Kind:
    """Records of one place and one wording: the first one, how many there were, and when."""

    level: int
    word: str
    logger: str
    where: str
    texts: list[str]
    trace: str
    first: float
    last: float
    count: int = 1

    @property
    def times(self) -> str:
        return f"{self.count:,} times" if self.count > 1 else "once"

    @property
    def line(self) -> str:
        """The first line of the first one's text."""
        return next((one.strip() for one in self.texts[0].splitlines() if one.strip()), "(no text)")


@dataclass
class Gathered:
    """All that was logged since the last message, in the order in which each kind was first seen."""

    kinds: dict[tuple[str, int, str, str], Kind] = field(default_factory=dict)
    left_out: int = 0

    def __bool__(self) -> bool:
        return bool(self.kinds)

    def add(self, record: logging.LogRecord) -> None:
        """Counts the record. Nothing of it is kept that could change, or keep something alive."""
        raised = record.exc_info[0] if isinstance(record.exc_info, tuple) else None
        key = (record.pathname, record.lineno, _wording(record), raised.__name__ if raised else "")
        if (kind := self.kinds.get(key)) is not None:
            kind.count, kind.last = kind.count + 1, record.created
            if len(kind.texts) < _SAMPLES and (text := _text(record)) not in kind.texts:
                kind.texts.append(text)
        elif len(self.kinds) < KINDS:
            self.kinds[key] = _kind(record)
        else:
            self.left_out += 1

    def message(self, zone: dt.tzinfo, *, mask: Callable[[str], str]) -> Notification:
        """What was logged as one message: the most serious first, each with where it was and its traceback.

        `mask` takes out what nobody may read.
        """
        masked = [_masked(one, mask) for one in self.kinds.values()]
        kinds = sorted(masked, key=lambda one: -one.level)
        worst, every = kinds[0], sum(one.count for one in kinds) + self.left_out
        more = f" (and {every - 1:,} more)" if every > 1 else ""
        subject = f"{worst.word} in {worst.logger}: {worst.line}"
        return Notification(
            subject=_cut(subject, SUBJECT - len(more)) + more,
            title=_cut(subject, 2 * SUBJECT),
            status=Status(text=worst.word, tone=_tone(worst.level)),
            blocks=list(self._blocks(kinds, zone)),
            attachments=[_file(kinds, zone)] if len(kinds) > SHOWN else [],
        )

    def _blocks(self, kinds: Sequence[Kind], zone: dt.tzinfo) -> Iterator[Block]:
        for one in kinds[:SHOWN]:
            yield from _shown(one, zone)
        if rest := kinds[SHOWN:]:
            lines = [f"{one.count:>7,} x  {one.word} {one.logger}: {_cut(one.line, 100)}" for one in rest[:LISTED]]
            yield Text(text="\n".join(lines), title="Also", as_is=True)
            yield Text(text=f"All {len(kinds):,} kinds are in the attached {_FILE}, with their tracebacks.")
        if self.left_out:
            yield Text(text=f"{self.left_out:,} more of other kinds are not listed here.", tone="warning")


def _file(kinds: Sequence[Kind], zone: dt.tzinfo) -> Artifact:
    """All kinds with all that is known of them, as a text."""
    parts = [
        "\n".join(
            [f"{one.word} in {one.logger}, {one.times}", *one.texts, _place(one, zone), *filter(None, [one.trace])]
        )
        for one in kinds
    ]
    return Artifact(name=_FILE, media_type="text/plain", content="\n\n".join(parts).encode("utf-8", "replace"))


def _kind(record: logging.LogRecord) -> Kind:
    return Kind(
        level=record.levelno,
        word=record.levelname,
        logger=record.name,
        where=f"{record.pathname}:{record.lineno}, in {record.funcName}",
        texts=[_text(record)],
        trace=_trace(record),
        first=record.created,
        last=record.created,
    )


def _wording(record: logging.LogRecord) -> str:
    """What records of one place have in common: their template; of a text that was filled before all but numbers."""
    return str(record.msg) if record.args else re.sub(r"\d+", "#", str(record.msg)[:_LONGEST])


def _text(record: logging.LogRecord) -> str:
    try:
        text = record.getMessage()
    except Exception as error:  # noqa: BLE001  of values that are no part of logging
        text = f"{record.msg!s} (its values cannot be written: {type(error).__name__}: {error})"
    return _cut(text, _LONGEST)


def _trace(record: logging.LogRecord) -> str:
    """The traceback and the stack that come with a record, their ends if they are long."""
    parts = [record.exc_text or ""]
    if not parts[0] and isinstance(record.exc_info, tuple) and record.exc_info[0]:
        parts[0] = _formatter.formatException(record.exc_info)
    text = "\n".join(filter(None, [*parts, record.stack_info or ""]))
    return text if len(text) <= _TRACE else f"…{text[-_TRACE:]}"


def _shown(one: Kind, zone: dt.tzinfo) -> Iterator[Block]:
    others = [f"Also: {text}" for text in one.texts[1:]]
    yield Text(
        text="\n\n".join([one.texts[0], *others]),
        title=f"{one.word} in {one.logger}, {one.times}",
        tone=_tone(one.level),
    )
    yield Text(text="\n\n".join(filter(None, [_place(one, zone), one.trace])), as_is=True)


def _place(one: Kind, zone: dt.tzinfo) -> str:
    """Where it was logged, and when."""
    first, last = (dt.datetime.fromtimestamp(at, zone) for at in (one.first, one.last))
    until = f", the last time at {last:%H:%M:%S}" if one.count > 1 else ""
    return f"{one.where}\n{first:%Y-%m-%d %H:%M:%S} ({first:%Z}){until}"


def _masked(one: Kind, mask: Callable[[str], str]) -> Kind:
    return replace(one, texts=[mask(text) for text in one.texts], trace=mask(one.trace))


def _tone(level: int) -> Tone:
    return "bad" if level >= logging.ERROR else "warning" if level >= logging.WARNING else "info"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
