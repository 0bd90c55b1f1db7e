"""Values of a script as parts of a message: pictures, files and tables, however they are given.

What is given is read, drawn or copied at once. A DefinitionError names the part that is wrong, as `where` has it.
"""

from __future__ import annotations

import logging
import mimetypes
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reports.definition import CsvFile
from reports.errors import DefinitionError
from reports.model import XLSX, Artifact, Book, Picture, Sheet, Table, is_figure
from reports.transports.address import clean

_BYTES = bytes | bytearray | memoryview
_LONGEST_NAME = 255  # bytes
_DELIMITERS: Mapping[str, Any] = {".csv": ",", ".tsv": "\t"}
_PICTURES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".svg"}
_log = logging.getLogger("reports.notify")


def several(given: Any, *, pairs: bool = False) -> Sequence[Any]:
    """One or many as a list; with `pairs` a tuple of two is one, as is anything that is no list."""
    if given is None:
        return []
    if isinstance(given, tuple) and pairs and len(given) == 2:
        return [given]
    if isinstance(given, list | tuple | set | frozenset) or (isinstance(given, Iterable) and _is_lazy(given)):
        return list(given)
    return [given]


def _is_lazy(given: object) -> bool:
    """Whether it is a generator, or something like it: no text, no bytes, no picture and no frame has a next."""
    return hasattr(given, "__next__")


# -- pictures ---------------------------------------------------------------------------------------


def picture(given: Any, *, number: int = 1, where: str = "") -> Artifact:
    """A path, bytes, a matplotlib Figure, a PIL image, or a pair of one and its alternative text.

    Without a text of its own it is the figure's title, or the file's name.
    """
    if isinstance(given, tuple):
        given, alt = _with_alt(given, where)
        return _picture(given, number=number, alt=alt, where=where)
    return _picture(given, number=number, alt="", where=where)


def _with_alt(given: tuple[Any, ...], where: str) -> tuple[Any, str]:
    if len(given) != 2 or not isinstance(given[1], str):
        hint = 'a pair is a picture and its alternative text: (figure, "Loss by epoch"); several pictures are a list'
        raise DefinitionError("this is no picture", where=where, hint=hint)
    if isinstance(given[0], str | Path) and Path(given[1]).suffix.lower() in _PICTURES:
        hint = "a pair is a picture and its alternative text; two pictures are a list: [one, two]"
        raise DefinitionError(f"'{given[1]}' is no text in place of {given[0]}", where=where, hint=hint)
    return given[0], " ".join(given[1].split())


def _picture(given: Any, *, number: int, alt: str, where: str) -> Artifact:
    if (figure := _figure(given)) is not None:
        return _drawn(figure, number=number, alt=alt)
    from reports.render import images  # noqa: PLC0415  Pillow, which messages without pictures do without

    if images.is_picture(given):
        name = Path(str(getattr(given, "filename", "") or "")).name
        content = images.encoded(given)
    elif isinstance(given, _BYTES):
        name, content = "", bytes(given)
    else:
        path = _path(given, "a picture", where, hint="a path, bytes, a matplotlib Figure or a PIL image is one")
        name, content = path.name, _read(path, "picture", where)
    said = alt or _words(name) or f"Picture {number}"
    return images.inline(content, name=name, alt=said, number=number, where=where)


def _figure(given: Any) -> Any:
    """The matplotlib Figure that it is, or belongs to, if it does: also axes, and what seaborn gives."""
    found = given if is_figure(given) else getattr(given, "figure", None)
    return found if is_figure(found) else None


def _drawn(figure: Any, *, number: int, alt: str) -> Artifact:
    from reports.render import charts  # noqa: PLC0415  matplotlib, which is there already

    said = alt or _title(figure) or f"Picture {number}"
    return charts.draw_figure(Picture(figure=figure, alt=said), number=number, keep=True)


def _title(figure: Any) -> str:
    """The figure's own title, or those of its axes."""
    titles = [figure.get_suptitle()] if hasattr(figure, "get_suptitle") else []
    if not any(titles):
        titles = [axes.get_title() for axes in getattr(figure, "axes", ())]
    return ", ".join(" ".join(one.split()) for one in dict.fromkeys(titles) if one)


def _words(name: str) -> str:
    """A file's name in words: loss_curve.png is Loss curve."""
    said = re.sub(r"[\W_]+", " ", Path(name).stem).strip()
    return said[:1].upper() + said[1:]


# -- files ------------------------------------------------------------------------------------------


def file(given: Any, *, number: int = 1, where: str = "") -> Artifact:
    """A path, a pair of a name and its content, or a DataFrame; what a workbook cannot hold is logged."""
    artifact, said = filed(given, number=number, where=where)
    for sentence in said:
        _log.warning("%s", sentence)
    return artifact


def filed(given: Any, *, number: int = 1, where: str = "") -> tuple[Artifact, Sequence[str]]:
    """The same, with the sentences that readers have to be told of it.

    The content of a pair is bytes, a path, or a DataFrame, which becomes what its name ends in: .xlsx, .csv, .tsv or
    .parquet. A frame without a name is table.xlsx.
    """
    if isinstance(given, tuple):
        if len(given) != 2 or not isinstance(given[0], str):
            hint = 'a pair is a name and its content: ("errors.csv", frame); several files are a list'
            raise DefinitionError("this is no file", where=where, hint=hint)
        return _named(*given, where=where)
    if isinstance(given, _BYTES):
        raise DefinitionError("these bytes have no name", where=where, hint='give both: ("errors.txt", b"...")')
    if _is_frame(given):
        return _of_frame("table.xlsx" if number == 1 else f"table-{number}.xlsx", given, where)
    path = _path(given, "a file", where, hint="a path, a DataFrame, or (name, bytes or DataFrame) is one")
    return _artifact(path.name, _read(path, "attachment", where), where), []


def _named(name: str, content: Any, *, where: str) -> tuple[Artifact, Sequence[str]]:
    if isinstance(content, _BYTES):
        return _artifact(name, bytes(content), where), []
    if _is_frame(content):
        return _of_frame(name, content, where)
    hint = "it is bytes, a Path or a DataFrame; a text becomes bytes by text.encode(), and several files are a list"
    if isinstance(content, str):
        raise DefinitionError(f"the content of {name} is a text", where=where, hint=hint)
    return _artifact(
        name, _read(_path(content, f"the content of {name}", where, hint=hint), "attachment", where), where
    ), []


def _artifact(name: str, content: bytes, where: str) -> Artifact:
    if not content:
        hint = "an empty attachment says nothing; leave it out where there is none"
        raise DefinitionError(f"the attachment {name} is empty", where=where, hint=hint)
    kind, packed = mimetypes.guess_type(name)
    known = kind if kind and not packed and not kind.startswith(("message/", "multipart/")) else ""
    kind = XLSX if name.lower().endswith(".xlsx") else known or "application/octet-stream"
    return Artifact(name=file_name(name, where), media_type=kind, content=content)


def file_name(name: str, where: str = "") -> str:
    """The name as it is; a DefinitionError where no file in a mail can have it."""
    clean(name, what="the name of the attachment", where=where)
    if not name.strip(" .") or re.search(r"[/\\]|=\?", name) or len(name.encode("utf-8", "replace")) > _LONGEST_NAME:
        raise DefinitionError(
            f"'{name[:80]}' cannot be the name of an attached file",
            where=where,
            hint=f'a name without folders and "=?", of at most {_LONGEST_NAME} bytes',
        )
    return name


def _of_frame(name: str, given: Any, where: str) -> tuple[Artifact, Sequence[str]]:
    """A frame as the kind of file that the name ends in, written as the files of reports are."""
    shown, suffix = table(given, where=where), Path(name).suffix.lower()
    if suffix == ".xlsx":
        return _workbook(name, shown)
    if suffix in _DELIMITERS:
        from reports.render import flat  # noqa: PLC0415  pandas, which is there already

        options = CsvFile(dataset="table", delimiter=_DELIMITERS[suffix])
        content, said = flat.write(shown.frame, shown.columns, options, where=name)
        for sentence in said:
            _log.info("%s", sentence)
    elif suffix == ".parquet":
        from reports.sources import parquet  # noqa: PLC0415  DuckDB, which other messages do without

        content = parquet.write(shown.frame, where=name)
    else:
        hint = "the name says what it becomes: .xlsx, .csv, .tsv or .parquet"
        raise DefinitionError(f"a DataFrame cannot become {name}", where=where, hint=hint)
    return _artifact(name, content, where), []


def _workbook(name: str, shown: Table) -> tuple[Artifact, Sequence[str]]:
    from reports.render import workbook  # noqa: PLC0415  openpyxl, which other messages do without

    title = _words(name) or "Table"
    written = workbook.write(Book(file=name, sheets=[Sheet(name=title, content=shown)], title=title))
    said = [f"{written.artifact.name}: {note}" for note in written.notes if note.lost]
    return written.artifact, said


# -- tables -----------------------------------------------------------------------------------------


def table(given: Any, *, title: str = "", whole_in: str = "", where: str = "") -> Table:
    """A DataFrame as a table: its columns under their own names, and an index that says something before them."""
    from reports.render import frames  # noqa: PLC0415  pandas, which messages without tables do without

    return frames.table(given, title=title, whole_in=whole_in, where=where)


def _is_frame(given: Any) -> bool:
    """Whether it is a frame of pandas, or can become one, told without importing pandas."""
    return hasattr(given, "to_csv") or callable(getattr(given, "to_pandas", None))


# -- what lies on disk --------------------------------------------------------------------------------


def _path(given: Any, what: str, where: str, *, hint: str) -> Path:
    if isinstance(given, str) and re.match(r"(?i)https?://", given):
        hint = "fetch it first, and give its bytes: a message carries what is in it"
        raise DefinitionError(f"'{given}' is an address, and no file", where=where, hint=hint)
    if not isinstance(given, str | Path):
        raise DefinitionError(f"a {type(given).__name__} is not {what}", where=where, hint=hint)
    return Path(given).expanduser()


def _read(path: Path, what: str, where: str) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DefinitionError(
            f"the {what} {path} is not there", where=where, hint=f"looked for as {path.absolute()}"
        ) from error
    except (OSError, ValueError) as error:
        reason = "it is a folder" if path.is_dir() else getattr(error, "strerror", None) or str(error)
        raise DefinitionError(f"the {what} {path} cannot be read: {reason}", where=where) from error
    if not content:
        raise DefinitionError(f"the {what} {path} is empty", where=where, hint="leave it out where there is none")
    return content
