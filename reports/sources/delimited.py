"""A table over CSV files: read where they lie, every column as text, converted in a view.

Nothing is loaded: a query reads the columns it needs, and every value it reads is tested as it is converted,
so a value that does not fit is an error and never a NULL or another value. A value in a column that a query
does not use is not looked at, and its row counts. Where bad rows are to be collected instead, all columns are
tested once and the good rows loaded, so that every query counts the same rows.
"""

# ruff: noqa: S608  the SQL is made of quoted names and literals only; values of a query are always bound

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from reports.errors import SourceError
from reports.settings import FileSource
from reports.sources import kinds
from reports.sources.engine import Engine, array, literal, quoted
from reports.sources.kinds import Writing
from reports.sources.layout import Layout

SAMPLE = 10_240
GLANCE = 100
MARK = "\x1freports\x1f"


@dataclass(frozen=True, kw_only=True)
class Delimited:
    """The CSV files of one table, with a kind for each of its columns."""

    table: str
    layouts: Sequence[Layout]
    writing: Writing
    header: bool
    pinned: dict[str, str]
    kinds: dict[str, str] = field(default_factory=dict)
    # Rows that the kinds were chosen by.
    sampled: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        return self.layouts[0].names

    @cached_property
    def groups(self) -> list[list[Layout]]:
        """The layouts, those that one reader can read together."""
        found: dict[tuple[object, ...], list[Layout]] = {}
        for one in self.layouts:
            found.setdefault((one.delimiter, one.names, one.skipped), []).append(one)
        return list(found.values())

    def view(self) -> str:
        """SQL for the typed rows, in which a value that does not fit raises an error that begins with MARK."""
        return " UNION ALL ".join(map(self._typed, self.groups))

    def _typed(self, group: Sequence[Layout]) -> str:
        """Converted within and tested without, so that every value is converted once."""
        names = group[0].names
        texts = {name: f"c{names.index(name)}" for name in self.names}
        converted = [
            f"{self.writing.convert(self.kinds[name], text)} AS x{text}"
            for name, text in texts.items()
            if self.kinds[name] != "text"
        ]
        rows = f"(SELECT {', '.join(['*', *converted])} FROM {reader(group, header=self.header)})"
        return f"SELECT {', '.join(self._checked(name, text) for name, text in texts.items())} FROM {rows}"

    def _checked(self, name: str, text: str) -> str:
        kind, null = self.kinds[name], self.writing.is_null(self.kinds[name], text)
        if not self.tested([name]):
            typed = text if null == "false" else f"CASE WHEN {null} THEN NULL ELSE {text} END"
        else:
            made = text if kind == "text" else f"x{text}"
            test = self.writing.test(kind, text, made, pinned=name in self.pinned)
            bad = literal(f"{MARK}{self.table}\x1f{self.names.index(name)}\x1f")
            cases = [f"WHEN {null} THEN NULL", f"WHEN {test} THEN {made}"]
            # Most values are not NULL, and an empty field passes no test: asked last unless words mean NULL.
            ordered = cases if self.writing.null_words else cases[::-1]
            typed = f"CASE {' '.join(ordered)} ELSE error({bad} || {text}) END"
        return f"{typed} AS {quoted(name)}"

    def good(self, staged: str) -> str:
        """SQL for the typed rows of a staged table that fit in every column."""
        values = ", ".join(self._value(name) for name in self.names)
        return f"SELECT {values} FROM {staged} WHERE {self.fits(self.names)}"

    def tested(self, names: Iterable[str]) -> list[str]:
        """Those of `names` whose values may not fit; as text everything does, save error cells."""
        return [name for name in names if self.kinds[name] != "text" or self.writing.errors]

    def fits(self, names: Iterable[str]) -> str:
        """SQL that is true for a staged row whose values in the columns `names` all fit."""
        tests = [self._fits(name, quoted(name)) for name in self.tested(names)]
        return " AND ".join(tests) or "true"

    def staged(self) -> str:
        """SQL for the rows as text under the table's names."""
        return " UNION ALL ".join(self.as_text(group, "ignore_errors=true") for group in self.groups)

    def as_text(self, group: Sequence[Layout], option: str) -> str:
        """SQL for the rows of one group as text."""
        names = group[0].names
        columns = ", ".join(f"c{names.index(name)} AS {quoted(name)}" for name in self.names)
        return f"SELECT {columns} FROM {reader(group, option, header=self.header)}"

    def _fits(self, name: str, value: str) -> str:
        kind = self.kinds[name]
        converted = self.writing.convert(kind, value)
        test = self.writing.test(kind, value, converted, pinned=name in self.pinned)
        return f"({self.writing.is_null(kind, value)} OR coalesce({test}, false))"

    def _value(self, name: str) -> str:
        """A staged column, converted."""
        value, kind = quoted(name), self.kinds[name]
        null = self.writing.is_null(kind, value)
        converted = self.writing.convert(kind, value)
        return f"CASE WHEN {null} THEN NULL ELSE {converted} END AS {value}"


def reader(group: Sequence[Layout], *options: str, header: bool) -> str:
    """A read_csv that leaves nothing to be guessed: the columns are c0, c1, … and all text, an empty field ''."""
    columns = [f"c{n}" for n in range(len(group[0].names))]
    types = ", ".join(f"'{column}': 'VARCHAR'" for column in columns)
    settings = [
        array([one.text for one in group]),
        "auto_detect=false",
        f"header={str(header).lower()}",
        f"delim={literal(group[0].delimiter)}",
        "quote='\"'",
        "escape='\"'",
        f"columns={{{types}}}",
        f"force_not_null={array(columns)}",
        f"skip={group[0].skipped}",
        *options,
    ]
    return f"read_csv({', '.join(settings)})"


def delimited(table: str, layouts: Sequence[Layout], settings: FileSource, engine: Engine) -> Delimited:
    """The table over `layouts`, kinds chosen; a SourceError names a file whose columns are not the first's."""
    _check_same_columns(layouts)
    bare = Delimited(
        table=table,
        layouts=layouts,
        writing=writing(settings, {word for one in layouts for word in one.errors}),
        header=settings.header,
        pinned={name: kind for name, kind in settings.types.items() if name in layouts[0].names},
    )
    sampled = [_sample(bare, one, engine, SAMPLE // len(layouts) + 1000) for one in layouts]
    chosen = {name: kinds.joined(found[name] for _, found in sampled) for name in bare.names}
    return replace(bare, kinds=chosen | bare.pinned, sampled=sum(rows for rows, _ in sampled))


def writing(settings: FileSource, errors: Iterable[str] = ()) -> Writing:
    """What the settings say of how values are written; `errors` stand in the error cells of sheets."""
    return Writing(
        decimal=settings.decimal,
        thousands=settings.thousands,
        date_format=settings.date_format,
        null_words=settings.null_words,
        errors=tuple(sorted(set(errors) - set(settings.null_words))),
    )


def _check_same_columns(layouts: Sequence[Layout]) -> None:
    first = layouts[0]
    for other in layouts[1:]:
        missing = [name for name in first.names if name not in other.names]
        extra = [name for name in other.names if name not in first.names]
        if missing or extra:
            parts = [f"lacks {', '.join(missing)}"] if missing else []
            parts += [f"also has {', '.join(extra)}"] if extra else []
            raise SourceError(
                f"{other.file.name} {' and '.join(parts)}, compared with {first.file.name}",
                where=str(other.file),
                hint="files of one table have the same columns; make another table of those that differ",
            )


def _sample(table: Delimited, one: Layout, engine: Engine, size: int) -> tuple[int, dict[str, str]]:
    """How many rows a file's first rows are, and the kind that all values of each column are; '' without any."""
    # By itself DuckDB reads 32 MB ahead in each thread, however few rows are asked for.
    rows = reader([one], "ignore_errors=true", "buffer_size=4000000", header=table.header)
    made = engine.run(f"CREATE OR REPLACE TEMP TABLE reports_sample AS SELECT * FROM {rows} LIMIT {size}")
    count = int(made[0][0])
    free = [n for n, name in enumerate(one.names) if name not in table.pinned]
    # A few rows rule most kinds out; of those left, all rows are asked for the strictest first.
    glance = engine.run(f"FROM reports_sample LIMIT {GLANCE}")
    left = {
        n: [kind for kind in kinds.SNIFFED if all(table.writing.may_be(kind, row[n]) for row in glance)] for n in free
    }
    chosen: dict[int, str] = {}
    while left:
        chosen |= {n: "text" for n, fitting in left.items() if not fitting}
        answers = _answers(table.writing, engine, [(n, fit[0]) for n, fit in left.items() if fit])
        chosen |= {n: kind if fits else "" for (n, kind), fits in answers.items() if fits is not False}
        left = {n: fitting[1:] for n, fitting in left.items() if n not in chosen}
    return count, dict.fromkeys(one.names, "") | {one.names[n]: kind for n, kind in chosen.items()}


Answers = dict[tuple[int, str], bool | None]


def _answers(writing: Writing, engine: Engine, asked: Sequence[tuple[int, str]]) -> Answers:
    """Whether all values of a column, by position, are of a kind in the sample; None without any."""
    if not asked:
        return {}
    tests = [
        f"bool_and({kinds.sample_test(writing, kind, f'c{n}')}) FILTER (NOT {writing.says_nothing(kind, f'c{n}')})"
        for n, kind in asked
    ]
    row = engine.run(f"SELECT {', '.join(tests)} FROM reports_sample")[0]
    return dict(zip(asked, row, strict=True))
