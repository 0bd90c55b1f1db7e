"""What PostgreSQL complains of, in SQL Server's numbers and words."""

# ruff: noqa: ISC004

from __future__ import annotations

import re

import psycopg
from support.tds_answers import Failure


def failure(error: psycopg.Error) -> Failure:
    """The error as SQL Server would tell it; 50000 with PostgreSQL's own words where there is no counterpart."""
    told = error.diag
    state, said = error.sqlstate or "", told.message_primary or str(error)
    table, column, constraint = told.table_name or "?", told.column_name or "?", told.constraint_name or "?"
    value = match[1] if (match := re.search(r"\)=\((.*)\)", told.message_detail or "")) else ""
    named = match[1] if (match := re.search(r'"([^"]+)"', said)) else ""
    object_ = f"dbo.{table}"
    conflict = f'The conflict occurred in database "books", table "{object_}".'
    verb = "INSERT"
    known = {
        "23505": (
            2627,
            f"Violation of {'PRIMARY KEY' if constraint.endswith('pkey') else 'UNIQUE KEY'} constraint '{constraint}'. "
            f"Cannot insert duplicate key in object '{object_}'. The duplicate key value is ({value}).",
            14,
        ),
        "23503": (
            547,
            f'The {verb} statement conflicted with the FOREIGN KEY constraint "{constraint}". {conflict}',
            16,
        ),
        "23514": (547, f'The {verb} statement conflicted with the CHECK constraint "{constraint}". {conflict}', 16),
        "23502": (
            515,
            f"Cannot insert the value NULL into column '{column}', table 'books.{object_}'; "
            f"column does not allow nulls. {verb} fails.",
            16,
        ),
        "22001": (8152, "String or binary data would be truncated.", 16),
        "22003": (8115, "Arithmetic overflow error converting expression to data type numeric.", 16),
        "22P02": (245, f"Conversion failed when converting the varchar value to data type: {said}", 16),
        "22007": (241, "Conversion failed when converting date and/or time from character string.", 16),
        "22008": (
            242,
            "The conversion of a varchar data type to a datetime data type resulted in an out-of-range value.",
            16,
        ),
        "22012": (8134, "Divide by zero error encountered.", 16),
        "42P01": (208, f"Invalid object name '{named}'.", 16),
        "42P07": (2714, f"There is already an object named '{named}' in the database.", 16),
        "42703": (207, f"Invalid column name '{_last(said)}'.", 16),
        "42601": (102, f"Incorrect syntax near '{named}'.", 15),
        "40P01": (1205, DEADLOCK, 13),
        "40001": (1205, DEADLOCK, 13),
        "55P03": (1222, "Lock request time out period exceeded.", 16),
        "42501": (229, f"The permission was denied on the object '{named}', database 'books', schema 'dbo'.", 14),
        "25006": (3906, 'Failed to update database "books" because the database is read-only.', 16),
    }
    number, message, severity = known.get(state, (50000, f"{said} ({state})", 16))
    return Failure(number, message, severity)


DEADLOCK = (
    "Transaction (Process ID 51) was deadlocked on lock resources with another process and has been chosen as the "
    "deadlock victim. Rerun the transaction."
)


def _last(said: str) -> str:
    match = re.search(r"column (?:\"([^\"]+)\"|(\S+)) ", said)
    return (match[1] or match[2]).rpartition(".")[2] if match else said
