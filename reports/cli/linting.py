"""The linter's verdict on a mail, as lines for people and as records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from reports.lint import SEVERITIES, Finding, Verdict, in_words
from reports.model import size


def rows(name: str, verdict: Verdict) -> list[dict[str, Any]]:
    """Each finding as `--json` prints it."""
    return [{"mail": name} | asdict(finding) for finding in verdict.findings]


def words(name: str, verdict: Verdict, *, notes: bool) -> str:
    """The findings by file, each with its line, its clients, and what to do; `notes` says those too."""
    shown = [one for one in verdict.findings if notes or one.severity != "note"]
    return "\n".join([f"mail of {name}: {summary(verdict)}{'' if notes else _hidden(verdict)}", *_files(shown)])


def summary(verdict: Verdict) -> str:
    """How many of each sort, and how large the mail is."""
    counts = [
        f"{many} {severity}{'' if many == 1 else 's'}"
        for severity in SEVERITIES
        if (many := verdict.count(severity)) or severity != "note"
    ]
    mail = verdict.mail
    return f"{', '.join(counts)}; {len(mail.html.encode()):,} bytes of HTML in a message of {size(mail.size)}"


def _hidden(verdict: Verdict) -> str:
    return " (-v shows the notes)" if verdict.count("note") else ""


def _files(findings: Sequence[Finding]) -> Iterator[str]:
    def file(one: Finding) -> str:
        return one.where.rpartition(":")[0] or one.where or "message"

    for name, found in groupby(sorted(findings, key=file), key=file):
        yield f"  {name}"
        for one in found:
            times = f" ({one.times} times)" if one.times > 1 else ""
            yield f"    {one.where[len(name) + 1 :]:>4}  {one.severity}: {one.what}{times} [{one.rule}]"
            if one.clients:
                yield f"          in: {', '.join(in_words(one.clients))}"
            yield f"          do: {one.do}"
