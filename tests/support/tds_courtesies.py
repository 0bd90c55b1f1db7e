"""What the drivers and SQLAlchemy ask of a server by themselves, answered as SQL Server 2022 answers it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from support.tds_answers import Column, Count, Database, Failure, Info, Part, Rows, Session, Statement, Transaction

VERSION = "Microsoft SQL Server 2022 (RTM) - 16.0.4096.1 (X64) \n\tTest server of reports"
SETTING = re.compile(r"\s*SET\s+(?!@)([A-Z_]+(?:\s+[\w.-]+)*)\s*(?:;|$|(?=\bSET\b))", re.IGNORECASE)


def courtesies(session: Session, statement: Statement) -> Iterable[Part]:
    """The answer to what no test asks; anything else is an error that says so."""
    if statement.how in {"begin", "commit", "rollback", "save"}:
        return [transacted(session, statement)]
    if statement.how == "bulk":
        return [Count(sum(1 for _ in statement.rows))]
    text = " ".join(settings(session, statement.sql).split())
    if not text:
        return [Count(None)]
    for pattern, answer in RULES:
        if match := re.match(pattern, text, re.IGNORECASE):
            return answer(session, match)
    return [Failure(50000, f"This server has no answer to: {statement.sql}")]


def settings(session: Session, text: str) -> str:
    """What is left of a batch after the SETs it begins with; the isolation level is remembered."""
    while match := SETTING.match(text):
        words = " ".join(match[1].upper().split())
        if words.startswith("TRANSACTION ISOLATION LEVEL "):
            session.state["isolation"] = words.removeprefix("TRANSACTION ISOLATION LEVEL ")
        text = text[match.end() :]
    return text.strip()


def transacted(session: Session, statement: Statement) -> Part:
    """A request of the driver's for a transaction; one to a savepoint leaves it open."""
    name = statement.params.get("name")
    if statement.how == "rollback" and name and name in session.state.get("savepoints", ()):
        return Transaction("save")
    if statement.how == "save":
        session.state.setdefault("savepoints", set()).add(name)
    return _moved(session, statement.how)


def _moved(session: Session, did: str) -> Part:
    if did in {"commit", "rollback"} and not session.transactions:
        number = 3902 if did == "commit" else 3903
        return Failure(number, f"The {did.upper()} TRANSACTION request has no corresponding BEGIN TRANSACTION.")
    return Transaction(did)


def _statement(session: Session, match: re.Match[str]) -> Sequence[Part]:
    did, name = match["did"].lower(), match["name"]
    if did == "save" or (did == "rollback" and name):
        return [Transaction("save")]
    return [_moved(session, did)]


def _conditional(session: Session, match: re.Match[str]) -> Sequence[Part]:
    wanted = session.transactions > 0 if match["sign"] == ">" else session.transactions == 0
    return [_moved(session, match["did"].lower())] if wanted else [Count(None)]


def _use(session: Session, match: re.Match[str]) -> Sequence[Part]:
    name = match["name"].strip("[]\"'")
    return [Database(name), Info(f"Changed database context to '{name}'.", 5701, state=2)]


def one(value: object, kind: str, name: str = "") -> Sequence[Part]:
    """A result of one row and column."""
    return [Rows([Column(name, kind)], [(value,)])]


Rule = Callable[[Session, "re.Match[str]"], Sequence[Part]]
PROPERTIES = {
    "productversion": "16.0.4096.1",
    "productlevel": "RTM",
    "edition": "Developer Edition (64-bit)",
    "engineedition": "3",
    "servername": "standin",
    "collation": "SQL_Latin1_General_CP1_CI_AS",
}
RULES: list[tuple[str, Rule]] = [
    (
        r"(?P<did>BEGIN|COMMIT|ROLLBACK|SAVE)(?: TRAN(?:SACTION)?\b(?: (?P<name>[\w\[\]]+))?|(?P<bare>))\s*;?$",
        _statement,
    ),
    (r"IF @@TRANCOUNT ?(?P<sign>[>=]) ?0 (?P<did>BEGIN|COMMIT|ROLLBACK)(?: TRAN(?:SACTION)?)?;?$", _conditional),
    (r"USE (?P<name>\[.+\]|\w+);?$", _use),
    (r"SELECT @@VERSION\b", lambda _, __: one(VERSION, "nvarchar(300)")),
    (r"SELECT @@TRANCOUNT\b", lambda session, _: one(session.transactions, "int")),
    (r"SELECT @@SPID\b", lambda session, _: one(session.id, "smallint")),
    (r"SELECT SCHEMA_NAME\(\)", lambda _, __: one("dbo", "nvarchar(128)")),
    (r"SELECT DB_NAME\(\)", lambda session, _: one(session.database, "nvarchar(128)")),
    (r"SELECT CAST\(N?'([^']*)' AS N?VARCHAR\(?\w*\)?\)", lambda _, match: one(match[1], "nvarchar(max)")),
    (
        r"SELECT (?:CAST|CONVERT)?\(?.*SERVERPROPERTY\('(\w+)'\)",
        lambda _, match: one(PROPERTIES.get(match[1].lower()), "nvarchar(128)"),
    ),
    (r"SELECT 1 FROM fn_listextendedproperty", lambda _, __: [Rows([Column("", "int")], [])]),
    (r"SELECT 1(?: AS \w+)?;?$", lambda _, __: one(1, "int")),
    (r"SELECT name FROM sys\.system_views\b", lambda _, __: one("dm_exec_sessions", "nvarchar(128)", "name")),
    (
        r"SELECT CASE transaction_isolation_level\b",
        lambda session, _: one(session.state.get("isolation", "READ COMMITTED"), "nvarchar(40)", "level"),
    ),
    (r"INSERT BULK\b", lambda _, __: [Count(None)]),
]


def destination(columns: Sequence[Column]) -> Sequence[Part]:
    """The answer to the batch with which bulk copies ask what a table is like (it has `SET FMTONLY ON`)."""
    collated = [
        (place, one.name, one.collation.code, "SQL_Latin1_General_CP1_CI_AS")
        for place, one in enumerate(columns, 1)
        if "char" in one.type
    ]
    described = [
        Column("colid", "int"),
        Column("name", "nvarchar(128)"),
        Column("tds_collation", "binary(5)"),
        Column("collation", "nvarchar(128)"),
    ]
    return [Rows([Column("", "int")], [(0,)]), Rows(columns), Rows(described, collated)]
