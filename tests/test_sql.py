"""Parameters in SQL: found where they stand, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.sql import parameters, rewrite, statement


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT :a, :b_2 WHERE x=:a", {"a": 1, "b_2": 1}),
        ("SELECT 1\nWHERE a > :day\n  AND b < :day", {"day": 2}),
        ("SELECT '12:30', 'it''s :a'", {}),
        ('SELECT "x:a", `y:b`', {}),
        ("SELECT 1 -- :a\n/* :b\n :c */ + :d", {"d": 3}),
        ("SELECT x::date, :d::date, ':d'::text", {"d": 1}),
        ("SELECT a[1:n], list[:n]", {"n": 1}),
        ("SELECT {'a':b}, {\"a\":b}, f(x):y", {}),
        ("SELECT $$ :a $$, $t$ :b $t$, :c", {"c": 1}),
        ("SELECT j->>'a', j #> '{b}', j ? 'c', j @> :k", {"k": 1}),
        ("", {}),
    ],
)
def test_parameters_are_found_with_their_lines(sql: str, found: dict[str, int]) -> None:
    """Not in strings, quoted names, comments, casts, slices or structures."""
    assert parameters(sql) == found


def test_rewriting_changes_only_parameters() -> None:
    """What surrounds them passes through `other`, strings and comments included."""
    sql = "SELECT :a::int, ':a' -- :a\nFROM t WHERE b = :b"
    assert rewrite(sql, lambda name: f"${name}") == "SELECT $a::int, ':a' -- :a\nFROM t WHERE b = $b"
    assert rewrite(sql, str.upper, lambda text: text.replace(":", "")) == "SELECT Aint, 'a' -- a\nFROM t WHERE b = B"


@pytest.mark.parametrize(
    ("sql", "first"),
    [
        ("SELECT 1", "SELECT 1"),
        ("SELECT 1;\n-- done", "SELECT 1"),
        ("SELECT ';' -- ;\n, \";\"; SELECT 2", "SELECT ';' -- ;\n, \";\""),
        ("", ""),
    ],
)
def test_a_statement_ends_at_its_semicolon(sql: str, first: str) -> None:
    """Not at one in a string, a name or a comment."""
    assert statement(sql) == first


@given(st.text("ab:'\"-/*;$\n `(){}", max_size=40))
def test_rewriting_to_the_same_name_changes_nothing(sql: str) -> None:
    """Whatever the text, what is not a parameter is kept, and lines stay lines."""
    assert rewrite(sql, lambda name: f":{name}") == sql
    assert set(parameters(sql)) == set(parameters(rewrite(sql, lambda name: f":{name}")))
