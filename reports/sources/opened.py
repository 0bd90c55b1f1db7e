"""Tables made ready for SQL: one function for each kind of file, all giving a `Table`."""

# ruff: noqa: S608  the SQL is made of quoted names and literals only; values of a query are always bound

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reports.errors import SourceError
from reports.settings import FileSource
from reports.sources import engine as duck
from reports.sources import rejects, sheets, tables, text
from reports.sources.delimited import MARK, Delimited, delimited
from reports.sources.engine import Engine, array, quoted
from reports.sources.kinds import sql_type
from reports.sources.layout import Layout, layout
from reports.sources.records import Bad, odd_line_end


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table that a query may name: its columns, its files, and the rows set aside when it was read."""

    name: str
    columns: Sequence[str]
    files: Sequence[Path]
    rejected: Sequence[Bad] = ()
    text: Delimited | None = None
    engine: Engine | None = None

    @property
    def place(self) -> str:
        """Its file, or the first of its files and how many there are."""
        more = f" and {len(self.files) - 1} more" if len(self.files) > 1 else ""
        return f"{self.files[0].name}{more}"

    def __str__(self) -> str:
        aside = f", {len(self.rejected)} rows set aside" if len(self.rejected) else ""
        return f"{self.name}: {len(self.columns)} columns from {self.place}{aside}"

    def explain(self, message: str) -> None:
        """Raise the SourceError for a bad row of this table, if that is what DuckDB's message is about."""
        if self.text is None or self.engine is None:
            return
        if f"{MARK}{self.name}\x1f" in message:
            column = self.text.names[int(message.split(f"{MARK}{self.name}\x1f")[1].partition("\x1f")[0])]
            staged = f"({self.text.staged()})"
            _refuse(list(rejects.misfits(self.text, self.engine, staged, [column])), self.text)
            return
        for one in self.text.layouts:
            if f"file = {one.text}\n" in message:
                _refuse_line_ends(one, message)
                _refuse(rejects.broken(self.text, self.engine), self.text)


def csv_table(name: str, files: Sequence[Path], settings: FileSource, engine: Engine, folder: Path) -> Table:
    """A view over CSV files; or, where bad rows are collected, the good rows loaded."""
    tolerant = settings.on_bad_rows == "collect"
    layouts = [
        layout(file, text.readable(file, settings.encoding, folder, tolerant=tolerant), settings) for file in files
    ]
    return _text_table(name, layouts, settings, engine)


def excel_table(name: str, files: Sequence[Path], settings: FileSource, engine: Engine, folder: Path) -> Table:
    """The same over one sheet of each workbook, copied out as text."""
    settings = settings.model_copy(update={"decimal": ".", "thousands": "", "delimiter": ","})
    layouts = []
    for file in files:
        copy, first_row, errors = sheets.as_csv(file, settings.sheet, folder)
        layouts.append(replace(layout(file, copy, settings), first_row=first_row, errors=errors))
    return _text_table(name, layouts, settings, engine)


def _text_table(name: str, layouts: Sequence[Layout], settings: FileSource, engine: Engine) -> Table:
    collect = settings.on_bad_rows == "collect"
    try:
        bare = delimited(name, layouts, settings, engine)
        _check_rows(bare, engine, tolerant=collect)
        bad = _load(bare, engine) if collect else _view(bare, engine)
    except duck.Error as error:
        for one in layouts:
            _refuse_line_ends(one, str(error) if f"file = {one.text}\n" in str(error) else "")
        raise
    return Table(
        name=name,
        columns=bare.names,
        files=[one.file for one in layouts],
        rejected=bad,
        text=bare,
        engine=engine,
    )


def _check_rows(table: Delimited, engine: Engine, *, tolerant: bool) -> None:
    free = [name for name in table.names if name not in table.pinned]
    if table.sampled or not free:
        return
    bad = rejects.broken(table, engine)
    if bad and tolerant:
        return
    _refuse(bad, table)
    raise SourceError(
        "the file has a header and no rows, which leaves the types of its columns open",
        where=str(table.layouts[0].file),
        hint=f'if that is as it should be, add types = {{ "{free[0]}" = "text", … }} for every column',
    )


def _view(table: Delimited, engine: Engine) -> list[Bad]:
    engine.run(f"CREATE OR REPLACE VIEW {quoted(table.table)} AS {table.view()}")
    return []


def _load(table: Delimited, engine: Engine) -> list[Bad]:
    staged = quoted(f"{table.table} as text")
    bad = rejects.broken(table, engine, into=staged)
    bad += rejects.misfits(table, engine, staged, table.names)
    engine.run(f"CREATE OR REPLACE TABLE {quoted(table.table)} AS {table.good(staged)}")
    engine.run(f"DROP TABLE {staged}")
    order = {str(one.file): n for n, one in enumerate(table.layouts)}
    return sorted(bad, key=lambda one: (order[one.file], one.line))


def _refuse(bad: list[Bad], table: Delimited) -> None:
    if not bad:
        return
    first, more = bad[0], len(bad) - 1
    value = f": '{first.value}'" if first.value else ""
    column = f", column {first.column}" if first.column else ""
    also = f" (and {more} more rows)" if more else ""
    raise SourceError(
        f"line {first.line}{column}{value} {first.reason}{also}",
        where=f"{first.file}:{first.line}",
        hint=_cure(first, table),
    )


def _cure(bad: Bad, table: Delimited) -> str:
    aside = 'set such rows aside with on_bad_rows = "collect"'
    if "encoding" in bad.reason:
        return f'say which encoding the file has, like encoding = "gbk" or "latin-1"; or {aside}'
    if bad.value in table.writing.errors:
        return f'mend the sheet, say null_words = ["{bad.value}"] if it means no value, or {aside}'
    if not bad.value or bad.column in table.pinned:
        return f"mend the file, or {aside}"
    kind = "number" if table.kinds[bad.column] == "integer" and table.writing.is_number(bad.value) else "text"
    return f'mend the file, say types = {{ "{bad.column}" = "{kind}" }}, or {aside}'


def _refuse_line_ends(one: Layout, message: str) -> None:
    if "state machine" not in message:
        return
    line = odd_line_end(one.text, one.delimiter)
    raise SourceError(
        f"line {line} ends in another way than the lines before it (CR LF and LF)",
        where=f"{one.file}:{line}",
        hint="write the file again with one kind of line end",
    )


def columns_of(file: Path, settings: FileSource, engine: Engine, folder: Path) -> Sequence[str]:
    """The names of a file's columns, without reading more of it than they need."""
    kind = tables.format_of(file, settings)
    if kind == "parquet":
        return [name for name, _ in engine.describe(f"SELECT * FROM read_parquet({array([file])})")]
    if kind == "excel":
        as_text = settings.model_copy(update={"delimiter": ","})
        return layout(file, sheets.as_csv(file, settings.sheet, folder)[0], as_text).names
    return layout(file, text.beginning(file, settings.encoding, folder), settings).names


def parquet_table(name: str, files: Sequence[Path], settings: FileSource, engine: Engine, folder: Path) -> Table:
    """A view over Parquet files, whose types are their own unless `types` pins another."""
    del folder  # Parquet is read where it lies
    try:
        columns = [dict(engine.describe(f"SELECT * FROM read_parquet({array([f])})")) for f in files]
    except duck.Error as error:
        raise SourceError(
            "the file is not a Parquet file, or is damaged", where=", ".join(map(str, files[:3]))
        ) from error
    for file, found in zip(files[1:], columns[1:], strict=True):
        if set(found) != set(columns[0]):
            differing = ", ".join(sorted(set(found) ^ set(columns[0])))
            raise SourceError(
                f"{file.name} and {files[0].name} differ in the columns {differing}",
                where=str(file),
                hint="files of one table have the same columns",
            )
    pinned = [
        f"CAST({quoted(c)} AS {sql_type(kind)}) AS {quoted(c)}" if (kind := settings.types.get(c)) else quoted(c)
        for c in columns[0]
    ]
    rows = f"read_parquet({array(files)}, union_by_name=true)"
    engine.run(f"CREATE OR REPLACE VIEW {quoted(name)} AS SELECT {', '.join(pinned)} FROM {rows}")
    return Table(name=name, columns=tuple(columns[0]), files=files)
