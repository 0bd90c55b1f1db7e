"""What is told of some work, as the blocks of a page: the same for a mail and for a chat."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reports.model import Block, Figure, Figures, Status, Text, Tone
from reports.notices import length
from reports.notify.crashes import LAST, MOST, Crash
from reports.notify.standing import Origin, Standing, State

METRICS = 12
"""Metrics that are shown as figures; the others are listed below them."""
_WORDS: Mapping[State, tuple[str, Tone]] = {
    "started": ("Started", "info"),
    "running": ("Running", "info"),
    "finished": ("Finished", "good"),
    "partial": ("Finished with errors", "warning"),
    "failed": ("Failed", "bad"),
    "interrupted": ("Interrupted", "warning"),
    "killed": ("Killed", "bad"),
}
_DIGITS = 4


@dataclass(frozen=True, kw_only=True)
class Told:
    """One thing to be told: what the work is, how far it is, and what became of it.

    `said` are sentences about its end, the first one the most important; `tail` is the end of what it printed.
    """

    state: State
    origin: Origin
    standing: Standing
    said: Sequence[str] = ()
    crash: Crash | None = None
    tail: str = ""
    returned: str = ""
    values: Mapping[str, float | int | bool | str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return self.origin.title

    @property
    def subject(self) -> str:
        """News of one work have one subject, so that mailboxes hold them together; how it ended comes first."""
        name = f"{self.origin.title} on {self.origin.place}"
        return name if self.state in {"started", "running"} else f"{_WORDS[self.state][0]}: {name}"

    @property
    def status(self) -> Status:
        word, tone = _WORDS[self.state]
        return Status(text=word, tone=tone)


def head(told: Told) -> Iterator[Block]:
    """What happened, and how far it is: all that stands before pictures and tables."""
    yield from _happened(told)
    yield Figures(items=list(_figures(told)))
    values = [_figure(name, value) for name, value in told.values.items()]
    if values:
        yield Figures(items=values[:METRICS])
    shown = [_figure(name, value) for name, value in told.standing.metrics.items() if name not in told.values]
    if shown:
        yield Figures(items=shown[:METRICS], title="Metrics" if values or not _goes_on(told) else "")
    if more := shown[METRICS:]:
        yield Text(text="\n".join(f"{one.label}: {_short(one.value)}" for one in more), as_is=True)
    if told.standing.text:
        yield Text(text=told.standing.text)
    if _goes_on(told):
        yield from _printed(told)


def foot(told: Told) -> Iterator[Block]:
    """What stands after pictures and tables: what was returned, the traceback, and where it ran."""
    if told.returned:
        yield Text(text=told.returned, title="Returned", as_is=True)
    if told.crash and _is_long(told.crash):
        yield Text(text=told.crash.body, title="Traceback", as_is=True)
    yield Text(
        text="\n".join(_origin(told.origin)), title="Where it runs" if _goes_on(told) else "Where it ran", as_is=True
    )


def _happened(told: Told) -> Iterator[Block]:
    if told.crash:
        yield Text(text=told.crash.said or "It says no more of itself.", title=told.crash.kind, tone="bad")
    first = told.status.tone if not told.crash else ""
    for number, one in enumerate(told.said):
        yield Text(text=one, tone="" if number else first)
    if told.crash:
        if told.crash.where:
            yield Text(text=told.crash.where, title="Where", as_is=True)
        long = _is_long(told.crash)
        shown = told.crash.last_lines if long else told.crash.body
        yield Text(text=shown, title="Its last lines" if long else "Traceback", as_is=True)
    if not _goes_on(told):
        yield from _printed(told)


def _printed(told: Told) -> Iterator[Block]:
    if told.tail:
        yield Text(text=told.tail, title="The end of its output", as_is=True)


def _is_long(crash: Crash) -> bool:
    return len(crash.trace.splitlines()) > LAST or len(crash.trace) > MOST


def _goes_on(told: Told) -> bool:
    return told.state in {"started", "running"}


def _figures(told: Told) -> Iterator[Figure]:
    standing, started, unit = told.standing, told.origin.started, told.origin.unit.capitalize()
    if standing.step is not None and unit:
        yield Figure(label=unit, value=standing.step, format=_format(standing.step), note=_of(standing))
    if told.state != "started":
        yield Figure(label="Elapsed" if _goes_on(told) else "Took", value=took(standing.seconds), note=_since(started))
    else:
        yield Figure(label="Started", value=f"{started:%H:%M}", note=f"{started:%Y-%m-%d}, {_zone(started)}")
    if standing.left is not None and _goes_on(told):
        end = started + dt.timedelta(seconds=standing.seconds + standing.left)
        yield Figure(label="Left, about", value=took(standing.left), note=_until(end, started))
    elif standing.total and standing.step is None:
        yield Figure(label=f"{unit}s", value=standing.total, format=_format(standing.total))
    if not _goes_on(told):
        ended = started + dt.timedelta(seconds=standing.seconds)
        yield Figure(label="Ended", value=f"{ended:%H:%M}", note=f"{ended:%Y-%m-%d}, {_zone(ended)}")


def _figure(label: str, value: float | str) -> Figure:
    kind = _format(value)
    return Figure(label=label, value=_short(value) if kind == "text" else value, format=kind)


def _of(standing: Standing) -> str:
    if not standing.total:
        return ""
    share = f", {math.floor(100 * standing.share)}%" if standing.share is not None else ""
    return f"of {_short(standing.total)}{share}"


def _since(started: dt.datetime) -> str:
    return f"since {started:%H:%M} on {started:%Y-%m-%d}"


def _until(end: dt.datetime, started: dt.datetime) -> str:
    day = "" if end.date() == started.date() else f" on {end:%Y-%m-%d}"
    return f"until {end:%H:%M}{day}"


def took(seconds: float) -> str:
    """A length of time as people say it, a short one to the tenth of a second."""
    return f"{max(seconds, 0):.1f} s" if seconds < 10 else length(dt.timedelta(seconds=seconds))


def _origin(origin: Origin) -> Iterator[str]:
    yield f"host      {origin.place}"
    yield f"process   {origin.pid}{f', by {origin.user}' if origin.user else ''}, Python {origin.python}"
    yield f"command   {origin.command}"
    if origin.folder:
        yield f"folder    {origin.folder}"
    yield f"started   {origin.started:%Y-%m-%d %H:%M:%S} ({_zone(origin.started)})"


def _zone(instant: dt.datetime) -> str:
    return instant.tzname() or "local time"


def _format(value: object) -> str:
    """The format in which a metric has four digits that count."""
    if isinstance(value, bool) or not isinstance(value, float | int):
        return "text"
    if isinstance(value, int) or (value.is_integer() and abs(value) >= 1):
        return "integer"
    if not math.isfinite(value) or not 1e-5 < abs(value) < 1e12:
        return "text"
    return f"number.{min(max(_DIGITS - 1 - math.floor(math.log10(abs(value))), 0), 6)}"


def _short(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, float | int):
        return str(value)
    return f"{int(value):,}" if _format(value) == "integer" else f"{value:.{_DIGITS}g}"
