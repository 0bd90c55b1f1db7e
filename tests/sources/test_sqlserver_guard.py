"""What a batch of T-SQL would change is seen before it is sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.sources.dialects.sqlserver_guard import written_to


@pytest.mark.parametrize(
    ("batch", "seen"),
    [
        ("DELETE FROM loans", "DELETE loans"),
        ("delete loans where 1=1", "delete loans"),
        ("DELETE TOP (5) FROM dbo.loans", "DELETE dbo.loans"),
        ("INSERT INTO loans (id) VALUES (9)", "INTO loans"),
        ("INSERT loans VALUES (9)", "INSERT loans"),
        ("INSERT INTO [my table] SELECT 1", "INTO [my table]"),
        ('INSERT INTO "loans" SELECT 1', 'INTO "loans"'),
        ("UPDATE loans SET a = 1", "UPDATE loans"),
        ("UPDATE l SET a = 1 FROM loans l JOIN #t t ON t.id = l.id", "UPDATE l"),
        ("SELECT a INTO copied FROM loans", "INTO copied"),
        ("SELECT a INTO ##everybodys FROM loans", "INTO ##everybodys"),
        ("MERGE INTO loans AS t USING #s AS s ON 1=1 WHEN MATCHED THEN DELETE;", "INTO loans"),
        ("MERGE loans AS t USING s ON 1=1 WHEN MATCHED THEN DELETE;", "MERGE loans"),
        ("TRUNCATE TABLE loans", "TRUNCATE loans"),
        ("CREATE TABLE more (a INTEGER)", "CREATE TABLE more"),
        ("DROP TABLE IF EXISTS loans", "DROP TABLE loans"),
        ("ALTER TABLE loans ADD b int", "ALTER TABLE loans"),
        ("CREATE UNIQUE NONCLUSTERED INDEX i ON loans (id)", "CREATE UNIQUE NONCLUSTERED INDEX loans"),
        ("CREATE OR ALTER VIEW v AS SELECT 1 AS a", "CREATE OR ALTER VIEW"),
        ("GRANT SELECT ON loans TO public", "GRANT"),
        ("SELECT 1 AS a; DELETE FROM loans", "DELETE loans"),
        ("WITH x AS (SELECT 1 AS a) DELETE FROM x", "DELETE x"),
        ("EXEC p; UPDATE dbo.[loans] SET a = 1", "UPDATE dbo.[loans]"),
        ("/* quiet */ DELETE -- now\n loans", "DELETE loans"),
    ],
)
def test_what_lasts_is_seen(batch: str, seen: str) -> None:
    """By the verb and what it would be done to."""
    assert written_to(batch) == seen


@pytest.mark.parametrize(
    "batch",
    [
        "SELECT a FROM loans",
        "DECLARE @t TABLE (a int); INSERT INTO @t VALUES (1); SELECT a FROM @t",
        "SELECT a INTO #t FROM loans; DELETE FROM #t WHERE a = 1; SELECT a FROM #t",
        "CREATE TABLE #t (a int); CREATE INDEX i ON #t (a); ALTER TABLE #t ADD b int; SELECT a FROM #t; DROP TABLE #t",
        "DROP TABLE IF EXISTS #t; SELECT 1 AS a",
        "SELECT a INTO #t FROM loans; UPDATE t SET a = 2 FROM #t AS t; SELECT a FROM #t",
        "DELETE t FROM #t t; SELECT 1 AS a",
        "SELECT 'DELETE FROM loans' AS words, N'it''s INTO x' AS more -- DROP TABLE loans",
        "SELECT [delete], [into loans] FROM loans /* TRUNCATE TABLE loans */",
        "SELECT a FROM loans INNER MERGE JOIN rates ON 1 = 1 OPTION (MERGE JOIN)",
        "DECLARE c CURSOR FOR SELECT a FROM loans; FETCH NEXT FROM c INTO @a; SELECT @a AS a",
        "EXEC risk.exposures @day = :day",
        "SET NOCOUNT ON; WITH x AS (SELECT 1 AS a) SELECT a FROM x",
        "SELECT updated, deleted_at, created, inserted FROM loans WHERE updated > 1",
        "INSERT INTO #t EXEC risk.exposures; SELECT a FROM #t",
    ],
)
def test_what_does_not_last_is_let_through(batch: str) -> None:
    """Temporary tables, variables, words in texts, comments and names."""
    assert written_to(batch) == ""


@given(st.text(max_size=200))
def test_any_text_is_looked_at_in_time(text: str) -> None:
    """Nothing makes it hang or fail."""
    assert isinstance(written_to(text), str)
