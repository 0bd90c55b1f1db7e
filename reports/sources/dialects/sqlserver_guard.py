"""Whether a batch of T-SQL would change anything: SQL Server has no session that may only read.

What fills a `#temporary` table or a `@table` variable changes nothing that lasts. What a procedure does when it is
executed cannot be read off the batch: that is for the permissions of the login, which `reports check --connect` tells.
"""

from __future__ import annotations

import re

# Comments and texts say nothing; a name in brackets or quotes may be what is written to, but is one word.
_ASIDE = re.compile(r"--[^\n]*|/\*.*?\*/|N?'(?:[^']|'')*'|(?P<name>\[(?:[^]]|\]\])*\]|\"[^\"]*\")", re.DOTALL)
_BLANK = "\N{OPEN BOX}"
_NAME = r"((?:\[(?:[^]]|\]\])*\]|\"[^\"]*\"|[\w#@$]+)(?:\s*\.\s*(?:\[(?:[^]]|\]\])*\]|\"[^\"]*\"|[\w#@$]+)?)*)"
_THINGS = "VIEW|PROC|PROCEDURE|FUNCTION|TRIGGER|SCHEMA|DATABASE|LOGIN|USER|ROLE|SEQUENCE|SYNONYM|TYPE"
_TARGETS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(INSERT)\s+(?!INTO\b)(?:TOP\s*\([^)]*\)\s*)?{_NAME}",
        rf"\b(INTO)\s+{_NAME}",
        rf"(?<!\bFOR\s)\b(UPDATE)\s+(?:TOP\s*\([^)]*\)\s*)?{_NAME}\s+(?:WITH\s*\([^)]*\)\s*)?SET\b",
        rf"\b(DELETE)\s+(?:TOP\s*\([^)]*\)\s*)?(?:FROM\s+)?{_NAME}",
        rf"\b(MERGE)\s+(?!INTO\b|JOIN\b|UNION\b)(?:TOP\s*\([^)]*\)\s*)?{_NAME}",
        rf"\b(TRUNCATE)\s+TABLE\s+{_NAME}",
        rf"\b((?:CREATE|ALTER|DROP)\s+(?:TABLE|STATISTICS))\s+(?:IF\s+EXISTS\s+)?{_NAME}",
        rf"\b((?:CREATE|ALTER|DROP)\s+(?:UNIQUE\s+)?(?:(?:NON)?CLUSTERED\s+)?(?:COLUMNSTORE\s+)?INDEX)\s.*?\bON\s+{_NAME}",
        rf"\b((?:CREATE(?:\s+OR\s+ALTER)?|ALTER|DROP)\s+(?:{_THINGS}))\s+()",
        r"\b(GRANT|REVOKE|DENY|BULK\s+INSERT|BACKUP|RESTORE|SHUTDOWN|RECONFIGURE|DBCC|KILL)\s+()",
    )
)


def written_to(batch: str) -> str:
    """The first thing the batch would change, as `DELETE loans`; empty if it changes nothing that lasts."""
    plain = _ASIDE.sub(_aside, batch)
    found = (match for pattern in _TARGETS for match in pattern.finditer(plain) if not _passes(match, plain))
    first = min(found, key=lambda match: match.start(), default=None)
    return " ".join(f"{first[1]} {first[2].replace(_BLANK, ' ')}".split()) if first else ""


def _aside(match: re.Match[str]) -> str:
    if name := match["name"]:
        return re.sub(r"\s", _BLANK, name)
    return " " if match[0].startswith(("-", "/")) else "''"


def _passes(match: re.Match[str], plain: str) -> bool:
    target = match[2]
    if target.startswith(("#", "@", "[#")) and not target.startswith(("##", "[##", "@@")):
        return True
    # An alias: UPDATE t SET … FROM #t AS t.
    alias = rf"[#@]\w+\s+(?:AS\s+)?{re.escape(target)}(?!\w)" if target else r"(?!)"
    return bool(re.search(alias, plain, re.IGNORECASE))
