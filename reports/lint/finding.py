"""What the linter says: how bad, where, for whom, and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from reports.lint.support import CLIENTS

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One fault of a mail.

    error: in a client that people use, meaning or layout is lost · warning: it is worse there, or may be ·
    note: it is another there, and nobody loses anything. `where` is a line of a template where one is known,
    else of the finished body; `times` is how often it is so.
    """

    severity: Severity
    rule: str
    what: str
    do: str
    where: str = ""
    clients: Sequence[str] = ()
    times: int = 1


def gathered(findings: Iterable[Finding]) -> list[Finding]:
    """Each once, with all its clients and how often it was found; the worst first, then by place.

    A note is said once for the whole mail.
    """
    alike: dict[tuple[str, ...], list[Finding]] = {}
    for one in findings:
        what = ("", "") if one.severity == "note" else (one.what, one.where)
        alike.setdefault((one.severity, one.rule, *what), []).append(one)
    found = [_together(each) for each in alike.values()]
    return sorted(found, key=lambda one: (SEVERITIES.index(one.severity), *_place(one.where), one.rule, one.what))


def _together(alike: Sequence[Finding]) -> Finding:
    """What Word and the others each have is one finding; what one of them has twice is there twice."""
    times = Counter(tuple(one.clients) for one in alike)
    named = {client for seen in times for client in seen}
    return replace(alike[0], clients=[one for one in CLIENTS if one in named], times=max(times.values()))


def _place(where: str) -> tuple[str, int]:
    path, _, line = where.rpartition(":")
    return (path, int(line)) if line.isdecimal() else (where, 0)


def in_words(clients: Sequence[str]) -> list[str]:
    """The clients as people call them."""
    return ["every client"] if len(clients) == len(CLIENTS) else [CLIENTS[one] for one in clients]
