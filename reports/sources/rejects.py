"""Which rows of a table's CSV files do not fit, where they stand and why."""

# ruff: noqa: S608  the SQL is made of quoted names and literals only; values of a query are always bound

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path

import pandas as pd

from reports.sources import kinds
from reports.sources.delimited import Delimited
from reports.sources.engine import Engine, quoted
from reports.sources.layout import Layout
from reports.sources.records import FOREIGN, UNQUOTED, Bad, lines_at, records, uneven

COLUMNS = ("file", "line", "column", "value", "reason", "row")
LONGEST = 10_000
_scans = count(1)


def as_frame(bad: Iterable[Bad], root: Path) -> pd.DataFrame:
    """The rows set aside, in the order of files and lines; files as seen from `root`, for readers elsewhere."""
    rows = [vars(one) | {"file": _seen_from(root, Path(one.file))} for one in bad]
    types = {"line": "int64"}
    return pd.DataFrame({c: pd.Series([row[c] for row in rows], dtype=types.get(c, "str")) for c in COLUMNS})


def _seen_from(root: Path, file: Path) -> str:
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name


def broken(table: Delimited, engine: Engine, into: str = "") -> list[Bad]:
    """Rows that cannot be cut into the table's columns; the other rows go into the new table `into`."""
    bad: list[Bad] = []
    for n, group in enumerate(table.groups):
        scan = next(_scans)
        names = f"rejects_table='rejects_{scan}'", f"rejects_scan='scans_{scan}'"
        rows = table.as_text(group, ", ".join(("store_rejects=true", *names)))
        if into:
            engine.run(f"{f'INSERT INTO {into}' if n else f'CREATE OR REPLACE TABLE {into} AS'} {rows}")
        else:
            # Every column is asked for: an encoding is checked only where a column is read.
            engine.run(f"SELECT {', '.join(f'max({quoted(name)})' for name in table.names)} FROM ({rows})")
        bad += _rejects(engine, scan, group)
    return bad


def _rejects(engine: Engine, scan: int, group: Sequence[Layout]) -> list[Bad]:
    rows = engine.run(
        f"SELECT file_path, line_byte_position - 1, first(column_idx ORDER BY byte_position), "
        f"max(column_idx), first(error_type ORDER BY byte_position), any_value(csv_line) "
        f"FROM rejects_{scan} r JOIN scans_{scan} s USING (scan_id, file_id) GROUP BY ALL ORDER BY ALL"
    )
    bad = []
    for one in group:
        mine = [row[1:] for row in rows if Path(row[0]) == one.text]
        lines = lines_at(one.text, [row[0] for row in mine]) if mine else {}
        bad += [_broken(one, lines[offset], *rest) for offset, *rest in mine]
    return bad


def _broken(one: Layout, line: int, first: int, last: int, error: str, row: str) -> Bad:
    width = len(one.names)
    reasons = {
        "MISSING COLUMNS": uneven(first, width),
        "TOO MANY COLUMNS": uneven(last, width),
        "UNQUOTED VALUE": UNQUOTED,
        "INVALID ENCODING": FOREIGN,
        "LINE SIZE OVER MAXIMUM": "is longer than 2,000,000 bytes; is a quote never closed?",
    }
    column = one.names[first - 1] if error in ("UNQUOTED VALUE", "INVALID ENCODING") and first <= width else ""
    reason = reasons.get(error, error.lower())
    return Bad(file=str(one.file), line=line, column=column, value="", reason=reason, row=_shown(row))


def misfits(table: Delimited, engine: Engine, staged: str, names: Sequence[str]) -> Iterator[Bad]:
    """Rows of `staged` with a value that does not fit in one of the columns `names`, found in the files again."""
    wrong = {name: _values(table, engine, staged, name) for name in table.tested(names)}
    wrong = {name: values for name, values in wrong.items() if values}
    for one in table.layouts if wrong else ():
        columns = [(one.names.index(name), name) for name in wrong]
        for number, (line, row, fields) in enumerate(records(one.text, one.delimiter, one.skipped)):
            if len(fields) != len(one.names) or number < table.header:
                continue
            if misfit := next(((name, fields[n]) for n, name in columns if fields[n] in wrong[name]), None):
                name, value = misfit
                yield Bad(
                    file=str(one.file),
                    line=one.first_row + number if one.first_row else line,
                    column=name,
                    value=value,
                    reason=_reason(table, name, value),
                    row=_shown(row),
                )


def _reason(table: Delimited, name: str, value: str) -> str:
    if value in table.writing.errors:
        return "is what an error cell of the sheet says"
    return kinds.reason(table.kinds[name], value)


def _values(table: Delimited, engine: Engine, staged: str, name: str) -> set[str]:
    test = table.fits([name])
    return {row[0] for row in engine.run(f"SELECT DISTINCT {quoted(name)} FROM {staged} WHERE NOT ({test})")}


def _shown(row: str) -> str:
    """The row as it stands; one that goes on for pages is cut."""
    row = row.rstrip("\r\n")
    return row if len(row) <= LONGEST else f"{row[:LONGEST]}…"
