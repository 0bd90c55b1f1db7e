"""A linter of finished mails: what each client makes of one, before anybody gets it.

It reads the message as it would be sent and knows nothing of jobs. Which client shows what is caniemail's
published data; what is lost where one does not is ours to say, in effects.toml. What a mail is whole without is
no fault: it is a note.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reports.errors import ReportsError
from reports.lint import clients, contrast, envelope, links, pictures, structure, word
from reports.lint.finding import SEVERITIES, Finding, Severity, gathered, in_words
from reports.lint.mail import Mail
from reports.lint.places import Template
from reports.lint.subject import Subject
from reports.lint.support import CLIENTS

RULES = (clients.check, word.check, contrast.check, pictures.check, structure.check, links.check, envelope.check)

__all__ = [
    "CLIENTS", "SEVERITIES", "Finding", "Mail", "Severity", "Template", "Verdict", "check", "check_file", "in_words",
]  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What was found in one mail, the worst first, and the mail itself."""

    findings: Sequence[Finding]
    mail: Mail

    def count(self, severity: Severity) -> int:
        """How many findings of this sort there are."""
        return sum(one.severity == severity for one in self.findings)

    @property
    def passed(self) -> bool:
        """Neither an error nor a warning."""
        return not (self.count("error") or self.count("warning"))


def check(content: bytes, templates: Iterable[Template] = ()) -> Verdict:
    """The verdict on a finished message; `templates` made it, the job's own first."""
    subject = Subject.of(content, templates)
    return Verdict(gathered(one for rule in RULES for one in rule(subject)), subject.mail)


def check_file(path: Path) -> Verdict:
    """The verdict on a mail that was saved as a file."""
    try:
        return check(path.read_bytes())
    except OSError as error:
        raise ReportsError(f"{path} cannot be read: {error.strerror}", where=str(path)) from error
