"""What an error of SQL Server means, told by its words: neither driver can be trusted with its number.

mssql-python shows no number and calls a failover "Syntax error or access violation"; pymssql repeats the number of
the first failed login of the process. The words are English where the login's language is (us_english).
"""

from __future__ import annotations

import re
from typing import Any

# By SQL Server's numbers: 1205, 1222, 3960, 8645, 40197, 40501, 40540, 40613, 49918 to 49920, 10928, 10929, and 4060
# with the words of a failover; then lost connections (10053, 10054, 64, 233, 20, 08S01, FreeTDS 20006, 20017, 20047).
PASSING = re.compile(
    r"deadlocked on |Rerun the transaction|Serialization failure|could not serialize access|deadlock detected|"
    r"Lock request time ?out period exceeded|lock timeout|Snapshot isolation transaction aborted|"
    r"timeout occurred while waiting for memory resources|"
    r"service has encountered an error processing your request|service is currently busy|"
    r"is not currently available|Not enough resources to process|Cannot process (create or update )?request|"
    r"too many operations in progress|(session|request|worker)s? limit for the |minimum guarantee is|"
    r"Communication link failure|transport-level error|forcibly closed|Connection reset by peer|Broken pipe|"
    r"connection was aborted|Unexpected EOF from the server|Write to the server failed|Read from the server failed|"
    r"DBPROCESS is dead|Not connected to any MS SQL server|Connection is closed|"
    r"connection (is|was) (broken|closed|lost)|connection closed|server closed the connection|unexpected end of file|"
    r"UnexpectedEof|IO error|"
    r"SHUTDOWN is in progress|server is paused",
    re.IGNORECASE,
)
# The driver's phrase for what the server's own words deny: 1205 and 40501 have theirs above.
UNREACHABLE = re.compile(
    r"Client unable to establish connection|Unable to connect|Login timeout expired|Connection timeout expired|"
    r"(Adaptive|TDS) Server (is unavailable|connection failed)|"
    r"network-related|Named Pipes Provider|TCP Provider|actively refused|"
    r"No such host|Name or service not known|failed to (connect|resolve)|Connection refused",
    re.IGNORECASE,
)
LOGIN = re.compile(
    r"Login failed for user|Invalid authorization specification|Cannot open database|"
    r"is not able to access the database|not associated with a trusted SQL Server connection|"
    r"password authentication failed",
    re.IGNORECASE,
)
CERTIFICATE = re.compile(
    r"certificate|SSL Provider|TLS handshake|SSL routines|server does not support encryption|encryption not supported",
    re.IGNORECASE,
)
TIMED_OUT = re.compile(
    r"Query timeout expired|^Timeout expired|query processing has been cancelled|Operation cancell?ed|"
    r"(Adaptive|TDS) Server connection timed out|statement timeout",
    re.IGNORECASE,
)
MISSING_TABLE = re.compile(r"""Invalid object name '([^']+)'|relation "([^"]+)" does not exist""")
MISSING_COLUMN = re.compile(r"""Invalid column name '([^']+)'|column "?([\w.]+)"? does not exist""")
ENCRYPTION = re.compile(r"encryption (is )?not supported|does not support encryption", re.IGNORECASE)
_NOT_CONNECTED = re.compile(r"^(Adaptive|TDS) Server connection failed", re.IGNORECASE)
_PREFIX = re.compile(r"^(?:\s*\[[^]]*\])+\s*")
_DB_LIB = re.compile(r"\s*DB-Lib error message \d+, severity \d+:\s*")
_SEE_ABOVE = "General SQL Server error: Check messages from the SQL Server"


def said(error: BaseException | None) -> tuple[str, str]:
    """The driver's own phrase for the kind of error, if it has one, and what the server or the network said."""
    phrase = str(getattr(error, "driver_error", "") or "")
    if phrase:
        return phrase, _PREFIX.sub("", str(getattr(error, "ddbc_error", "") or "")) or phrase
    return "", _of_pymssql(getattr(error, "args", ())) or str(error)


def _of_pymssql(args: tuple[Any, ...]) -> str:
    """Its errors are a number and bytes, or a pair of them: the server's message, then one or more of DB-Library."""
    if len(args) == 1 and isinstance(args[0], tuple):
        args = args[0]
    texts = [one.decode("utf-8", "replace") if isinstance(one, bytes) else one for one in args]
    parts = [part.strip() for one in texts if isinstance(one, str) for part in _DB_LIB.split(one)]
    return "; ".join(dict.fromkeys(part for part in parts if part and part != _SEE_ABOVE))


def without_the_obvious(text: str) -> str:
    """What pymssql says without its last words, that there is no connection, where there are others."""
    parts = text.split("; ")
    return "; ".join(part for part in parts if not _NOT_CONNECTED.search(part)) or text
