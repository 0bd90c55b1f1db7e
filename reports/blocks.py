"""Datasets into blocks: what the job shows and attaches, with every column it names found in its frame."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from reports.definition import (
    FORMATS,
    ChartOptions,
    Columns,
    CsvFile,
    FlatFile,
    Job,
    SheetOptions,
    Show,
    ShowCallouts,
    ShowChart,
    ShowFigures,
    ShowPicture,
    ShowTable,
    ShowText,
    kind,
)
from reports.errors import RenderError, choices
from reports.model import (
    Before,
    Block,
    Book,
    Chart,
    Column,
    Figure,
    Figures,
    Picture,
    Sheet,
    Status,
    Table,
    Text,
    Tone,
    is_figure,
)
from reports.wording import reworded

if TYPE_CHECKING:
    import datetime as dt

    import pandas as pd

Frames = Mapping[str, Any]  # frames, and the figures that hooks drew
_GOOD: Mapping[str, Literal["", "up", "down"]] = {"": "", "up": "up", "down": "down"}
_FORMATS = {"i": "integer", "u": "integer", "f": "number", "M": "date"}


class _Run(NamedTuple):
    """What the blocks of a run need besides its frames: its date, the run before it, and the files with all rows."""

    as_of: dt.date
    before: Before | None
    whole_in: Mapping[str, str]


def build(
    job: Job,
    frames: Frames,
    *,
    as_of: dt.date,
    before: Before | None = None,
    whole_in: Mapping[str, str] = MappingProxyType({}),
) -> list[Block]:
    """The job's blocks in reading order, with the figures of the run `before` beside those of this one.

    `whole_in` has the attached file with all rows, by dataset. A RenderError names the block, the column and what is
    there.
    """
    run = _Run(as_of, before, whole_in)
    built = [block for show in job.show for block in _blocks(job, show, frames, run)]
    return [reworded(_keyed(block), job.spoken) for block in built] if job.spoken else built


def status(job: Job, frames: Frames) -> Status | None:
    """What the job says of itself, in the one row of its status dataset; None where it says nothing."""
    if not job.status:
        return None
    frame = _frame(job, job.status, frames)
    place = f"status '{job.status}'"
    _require(job, list(frame.columns), ("status",), place=place)
    where = f"{job.folder / 'job.toml'}, {place}"
    if len(frame) != 1:
        hint = "its query or hooks give one, with the columns status and perhaps tone"
        raise RenderError(f"the status has {len(frame):,} rows, and needs one", where=where, hint=hint)
    row = frame.to_dict("records")[0]
    return Status(text=_said(row["status"]), tone=_tone(row, where=where) or "info")


def book(job: Job, frames: Frames, *, as_of: dt.date, before: Before | None = None) -> Book | None:
    """The workbook the job attaches, built of its sheets, or None; its figures are compared with the run `before`."""
    if (excel := job.attach.excel) is None or not excel.sheets:
        return None
    file = job.filled(excel.file, as_of)
    sheets = [_sheet(job, sheet, frames, before) for sheet in excel.sheets]
    return reworded(Book(file=file, sheets=sheets, title=job.title, as_of=as_of), job.spoken)


def flat(job: Job, options: FlatFile, frames: Frames) -> Table:
    """A dataset as a file of its own has it: its columns under their own names, unless labels say otherwise."""
    frame = _frame(job, options.dataset, frames)
    there, place = list(map(str, frame.columns)), f"{options.dataset} as a file"
    if twice := [key for key in dict.fromkeys(there) if there.count(key) > 1]:
        where = str(job.folder / "job.toml")
        raise RenderError(f"{place}: two columns are called '{twice[0]}'", where=where, hint="rename one in the SQL")
    labels = options.labels if isinstance(options, CsvFile) else {}
    keys = options.columns or tuple(there)
    _require(job, there, [*keys, *labels], place=place)
    return Table(
        frame=frame.set_axis(there, axis=1), columns=[Column(key=key, label=labels.get(key, key)) for key in keys]
    )


def filling(job: Job, frames: Frames) -> dict[str, Table]:
    """Every dataset as a template may take it: all of its columns, each written as its type is."""
    return {
        name: Table(frame=frame, columns=_columns(job, name, frame, Columns()))
        for name, frame in frames.items()
        if not is_figure(frame)
    }


def check(job: Job, columns: Mapping[str, Sequence[str]]) -> None:
    """A RenderError for the first column that the job shows and its dataset in `columns` lacks; others may have any."""
    for dataset, place, keys in _named(job):
        if dataset in columns:
            _require(job, columns[dataset], keys, place=place)


def _named(job: Job) -> Iterator[tuple[str, str, Sequence[str]]]:
    """The columns that the job names: of which dataset, where, and which."""
    for show in job.show:
        name = getattr(show, kind(show))
        if needed := _needed(show):
            yield name, f"{kind(show)} '{name}'", needed
    if job.status:
        yield job.status, f"status '{job.status}'", ("status",)
    for flat_file in (*job.attach.csv, *job.attach.parquet):
        labels = flat_file.labels if isinstance(flat_file, CsvFile) else {}
        yield flat_file.dataset, f"{flat_file.dataset} as a file", (*flat_file.columns, *labels)
    for sheet in job.attach.excel.sheets if job.attach.excel else ():
        if sheet.figures:
            yield sheet.figures, f"figures '{sheet.figures}'", ("label", "value")
        elif sheet.dataset:
            yield sheet.dataset, f"table '{sheet.dataset}'", _keys(sheet)
            yield sheet.dataset, f"sheet '{sheet.name or words(sheet.dataset)}'", sheet.group
            for chart in sheet.every_chart:
                yield sheet.dataset, f"chart of sheet '{sheet.name or words(sheet.dataset)}'", _axes(chart)


def _needed(show: Show) -> Sequence[str]:
    """The columns that a block needs of its dataset; none for one that has no dataset."""
    if isinstance(show, ShowTable):
        return _keys(show)
    if isinstance(show, ShowChart):
        return _axes(show)
    return {"figures": ("label", "value"), "callouts": ("text",)}.get(kind(show), ())


def _keys(options: Columns) -> Sequence[str]:
    drawn = (*options.bars, *options.heat, *options.changes)
    return (*options.columns, *options.labels, *options.format, *options.total, *drawn, *options.describe)


def _axes(options: ChartOptions) -> Sequence[str]:
    return (options.x, *options.y, *((options.by,) if options.by else ()))


def _blocks(job: Job, show: Show, frames: Frames, run: _Run) -> Sequence[Block]:
    if isinstance(show, ShowCallouts):
        return _callouts(job, show.callouts, frames)
    if isinstance(show, ShowFigures):
        return [_headline(job, show, frames, run.before)]
    return [_block(job, show, frames, run)]


def _headline(job: Job, show: ShowFigures, frames: Frames, before: Before | None) -> Block:
    figures = _figures(job, show.figures, frames, title=show.title)
    if not figures.items:
        return Text(text=Table.empty, title=show.title)
    return _compared(figures, before) if before and show.compare else figures


def _block(job: Job, show: ShowTable | ShowChart | ShowPicture | ShowText, frames: Frames, run: _Run) -> Block:
    if isinstance(show, ShowTable):
        return _table(job, show, frames, whole_in=run.whole_in.get(show.table, ""))
    if isinstance(show, ShowChart):
        chart = _chart(job, _frame(job, show.chart, frames), show, place=f"chart '{show.chart}'")
        return replace(chart, numbers=_has_numbers(job, show), **_origin(job, show, run.as_of))
    if isinstance(show, ShowPicture):
        return _picture(job, show, frames)
    return Text(text=show.text, title=show.title, tone=show.tone)


def _callouts(job: Job, name: str, frames: Frames) -> list[Block]:
    """A sentence set apart for each row of the dataset."""
    frame = _frame(job, name, frames)
    place = f"callouts '{name}'"
    _require(job, list(frame.columns), ("text",), place=place)
    return [
        Text(
            text=_said(row["text"]),
            title=_said(row.get("title")),
            tone=_tone(row, where=f"{job.folder / 'job.toml'}, {place}, row {number}"),
        )
        for number, row in enumerate(frame.to_dict("records"), start=1)
    ]


def _tone(row: Mapping[Hashable, Any], *, where: str) -> Tone:
    if (tone := next((one for one in get_args(Tone) if one == _said(row.get("tone"))), None)) is None:
        hint = choices(_said(row["tone"]), get_args(Tone)[1:], what="tones are")
        raise RenderError(f"there is no tone '{row['tone']}'", where=where, hint=hint)
    found: Tone = tone
    return found


def _has_numbers(job: Job, show: ShowChart) -> bool:
    """Whether some of a chart's numbers stand below it: by itself where no table of the mail has them."""
    tables = {other.table for other in job.show if isinstance(other, ShowTable)}
    return show.chart not in tables if show.numbers == "auto" else show.numbers == "always"


def _sheet(job: Job, options: SheetOptions, frames: Frames, before: Before | None) -> Sheet:
    name = options.dataset or options.figures or ""
    sheet = options.name or words(name)
    if options.figures:
        figures = _figures(job, name, frames, title=options.title)
        return Sheet(name=sheet, content=_compared(figures, before) if before else figures)
    frame = _frame(job, name, frames)
    table = Table(frame=frame, columns=_columns(job, name, frame, options), title=options.title)
    _require(job, list(frame.columns), options.group, place=f"sheet '{sheet}'")
    charts = [_chart(job, frame, chart, place=f"chart of sheet '{sheet}'") for chart in options.every_chart]
    return Sheet(name=sheet, content=table, charts=charts, group=options.group)


def _frame(job: Job, name: str, frames: Frames) -> pd.DataFrame:
    if name in frames and not is_figure(found := frames[name]):
        frame: pd.DataFrame = found
        return frame
    known = [one for one, value in frames.items() if not is_figure(value)]
    hint = choices(name, known, what="datasets of this run")
    if name in frames:
        hint = f'it is a picture: show it with picture = "{name}"'
    raise RenderError(f"there is no dataset '{name}'", where=str(job.folder / "job.toml"), hint=hint)


def _figures(job: Job, name: str, frames: Frames, *, title: str) -> Figures:
    frame = _frame(job, name, frames)
    _require(job, list(frame.columns), ("label", "value"), place=f"figures '{name}'")
    rows = enumerate(frame.to_dict("records"), start=1)
    items = [_figure(row, where=f"{job.folder / 'job.toml'}, figures '{name}', row {number}") for number, row in rows]
    return Figures(items=items, title=title, dataset=name)


def _figure(row: Mapping[Hashable, Any], *, where: str) -> Figure:
    form = _said(row.get("format")) or "text"
    if not re.fullmatch(FORMATS, form):
        raise RenderError(f"there is no format '{form}'", where=where, hint="formats are like currency.0 or percent.2")
    if (good := _GOOD.get(_said(row.get("good")))) is None:
        hint = "it says which direction is good news: up, down, or nothing"
        raise RenderError(f"the column good says '{row['good']}'", where=where, hint=hint)
    return Figure(label=_said(row["label"]), value=row["value"], format=form, note=_said(row.get("note")), good=good)


def figures(shown: Iterable[Block]) -> dict[str, Any]:
    """The values of all headline figures, by "dataset/label"; of two under one name the first."""
    rows = [block for block in shown if isinstance(block, Figures)]
    return {
        f"{row.dataset}/{item.key or item.label}": item.value for row in reversed(rows) for item in reversed(row.items)
    }


def _keyed(block: Block) -> Block:
    """With figures that keep their names when their labels are said in another language."""
    if not isinstance(block, Figures):
        return block
    return replace(block, items=[replace(item, key=item.label) for item in block.items])


def are_compared(shown: Iterable[Block]) -> bool:
    """Whether any headline figure has one of the last run to be compared with."""
    return any(item.before is not None for row in shown if isinstance(row, Figures) for item in row.items)


def _compared(block: Figures, before: Before) -> Figures:
    items = [replace(item, before=before.figures.get(f"{block.dataset}/{item.label}")) for item in block.items]
    return replace(block, items=items)


def _said(value: Any) -> str:
    """A cell as text; no value is no text."""
    return "" if value is None or value != value else str(value)  # noqa: PLR0124  only NaN differs from itself


def _table(job: Job, show: ShowTable, frames: Frames, *, whole_in: str) -> Table:
    frame = _frame(job, show.table, frames)
    return Table(
        frame=frame,
        columns=_columns(job, show.table, frame, show),
        title=show.title or words(show.table),
        note=show.note,
        limit=show.limit,
        empty=show.empty,
        whole_in=whole_in,
    )


def _columns(job: Job, name: str, frame: pd.DataFrame, options: Columns) -> list[Column]:
    keys = options.columns or tuple(map(str, frame.columns))
    _require(job, list(frame.columns), _keys(options), place=f"table '{name}'")
    return [_column(frame, key, options) for key in keys]


def _column(frame: pd.DataFrame, key: str, options: Columns) -> Column:
    return Column(
        key=key,
        label=options.labels.get(key, words(key)),
        format=options.format.get(key) or _format(frame, key),
        total=key in options.total,
        look=options.look(key),
        description=options.describe.get(key, ""),
    )


def _chart(job: Job, frame: pd.DataFrame, options: ChartOptions, *, place: str) -> Chart:
    _require(job, list(frame.columns), _axes(options), place=place)

    def column(key: str, form: str) -> Column:
        return Column(key=key, label=options.labels.get(key, words(key)), format=form)

    return Chart(
        frame=frame,
        kind=options.kind,
        # Whether dates are days or months is seen from the dates themselves.
        x=column(options.x, form if (form := _format(frame, options.x)) != "date" else "text"),
        y=[column(key, options.format) for key in options.y],
        by=options.by,
        own_scales=options.own_scales,
        totals=options.totals,
        unit=options.unit,
        title=options.title,
        note=options.note,
        alt=options.alt,
    )


def _origin(job: Job, show: ShowChart, as_of: dt.date) -> dict[str, Any]:
    """What stands at the foot of a chart: the author's words, or where the dataset came from."""
    if show.credit is not True:
        return {"credit": show.credit or ""}
    sources = [query.source for query in job.queries if query.name == show.chart]
    source = sources[0] if sources else job.source
    return {"source": source, "as_of": as_of if source else None}


def _picture(job: Job, show: ShowPicture, frames: Frames) -> Picture:
    known = [name for name, found in frames.items() if is_figure(found)]
    if show.picture not in known:
        if show.picture in frames:
            hint = "under this name there is a dataset: show it as a table or a chart"
        else:
            hint = choices(show.picture, known, what="pictures of this run") if known else ""
        raise RenderError(
            f"there is no picture '{show.picture}'",
            where=str(job.folder / "job.toml"),
            hint=hint or "let datasets() in hooks.py return a matplotlib Figure under this name",
        )
    figure = frames[show.picture]
    return Picture(figure=figure, alt=show.alt, title=show.title, note=show.note, width=show.width)


def _require(job: Job, columns: Sequence[object], keys: Sequence[str], *, place: str) -> None:
    there = list(map(str, columns))
    if missing := [key for key in keys if key not in there]:
        what = f"{place}: there is no column '{missing[0]}'"
        hint = choices(missing[0], there, what="columns there")
        raise RenderError(what, where=str(job.folder / "job.toml"), hint=hint)


def _format(frame: pd.DataFrame, key: str) -> str:
    """The format of a column nobody gave one: by its type; identifiers are text."""
    if key == "id" or key.endswith("_id"):
        return "text"
    kind = getattr(frame[key].dtype, "kind", "O")
    if kind == "M" and (frame[key].dt.normalize() != frame[key]).where(frame[key].notna(), other=False).any():
        return "datetime"
    if kind == "f" and 0 < frame[key].abs().max() < 1:
        return "number.4"  # fractions, which two decimals would hide
    return "number" if kind == "O" and _exact(frame[key]) else _FORMATS.get(kind, "text")


def _exact(values: pd.Series) -> bool:
    """Whether a column of objects holds exact numbers, as NUMERIC comes from a database."""
    first = values.first_valid_index()
    return first is not None and isinstance(values.loc[first], Decimal)


def words(key: str) -> str:
    """A name from SQL as people write it: loan_id is Loan id."""
    said = key.replace("_", " ").strip()
    return said[:1].upper() + said[1:]
