"""What servers say of the rows that they do not take."""

from __future__ import annotations

import pytest

from reports.uploads.causes import cause

MESSAGES = [
    ("UNIQUE constraint failed: loans.id", "duplicate key", ("id",)),
    ("UNIQUE constraint failed: loans.a, loans.b", "duplicate key", ("a", "b")),
    ("NOT NULL constraint failed: loans.name", "missing value", ("name",)),
    ("CHECK constraint failed: amount < 5", "refused by a check", ()),
    ("FOREIGN KEY constraint failed", "unknown reference", ()),
    ("cannot store TEXT value in INTEGER column loans.id", "wrong type", ("id",)),
    (
        'duplicate key value violates unique constraint "loans_pkey" DETAIL: Key (id, branch)=(1, A) already exists.',
        "duplicate key", ("id", "branch"),
    ),
    ('null value in column "name" of relation "loans" violates not-null constraint', "missing value", ("name",)),
    (
        ('insert or update on table "loans" violates foreign key constraint "f" '
        'DETAIL: Key (branch)=(X) is not present in table "branches".'),
        "unknown reference", ("branch",),
    ),
    ('new row for relation "loans" violates check constraint "loans_amount_check"', "refused by a check", ()),
    ("value too long for type character varying(10)", "too long", ()),
    ('invalid input syntax for type json CONTEXT: COPY loans, line 3, column extra: "x"', "wrong type", ("extra",)),
    ('invalid byte sequence for encoding "UTF8": 0x00', "wrong type", ()),
    (
        ("Violation of PRIMARY KEY constraint 'PK_loans'. Cannot insert duplicate key in object 'dbo.loans'. "
        "The duplicate key value is (1)."),
        "duplicate key", (),
    ),
    ("Cannot insert duplicate key row in object 'dbo.loans' with unique index 'u'.", "duplicate key", ()),
    ("Cannot insert the value NULL into column 'name', table 'db.dbo.loans'", "missing value", ("name",)),
    (
        ('The INSERT statement conflicted with the FOREIGN KEY constraint "FK_b". The conflict occurred in database '
        "\"db\", table \"dbo.branches\", column 'code'."),
        "unknown reference", (),
    ),
    ('The MERGE statement conflicted with the CHECK constraint "CK_a".', "refused by a check", ()),
    (
        "String or binary data would be truncated in table 'db.dbo.loans', column 'name'. Truncated value: 'much too'.",
        "too long", ("name",),
    ),
    ("Error converting data type nvarchar to numeric.", "wrong type", ()),
    ("Arithmetic overflow error converting numeric to data type numeric.", "wrong type", ()),
    ("the server has a headache", "other", ()),
]  # fmt: skip


@pytest.mark.parametrize(("message", "name", "columns"), MESSAGES)
def test_the_cause_and_the_columns_of_a_message(message: str, name: str, columns: tuple[str, ...]) -> None:
    """As SQLite, PostgreSQL and SQL Server word it."""
    found = cause(message)
    assert (found.name, found.columns) == (name, columns)
