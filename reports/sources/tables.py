"""Which tables a set of files makes, and which files are behind each."""

from __future__ import annotations

import glob
import re
from collections import Counter
from pathlib import Path

from reports.errors import SourceError
from reports.settings import FileSource

_WILD = re.compile(r"[*?\[]")
_FORMATS = {
    **dict.fromkeys((".csv", ".txt", ".tsv", ".tab", ".psv", ".dat"), "csv"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"), "excel"),
}


def declared(source: str, files: str | tuple[str, ...] | dict[str, str]) -> dict[str, str]:
    """The pattern behind each table: one string is the source's own table, an entry of a list has its stem."""
    if isinstance(files, str):
        return {source: files}
    if isinstance(files, dict):
        return dict(files)
    names = [_stem(entry) for entry in files]
    folded = Counter(name.casefold() for name in names)
    if twice := next((name for name in names if folded[name.casefold()] > 1), ""):
        raise SourceError(
            f"two of the files would be the table '{twice}'",
            where=f"sources.{source}.files",
            hint='name the tables: files = { first = "…", second = "…" }',
        )
    return dict(zip(names, files, strict=True))


def _stem(entry: str) -> str:
    name = Path(entry).name.removesuffix(".gz")
    stem = name.rpartition(".")[0] or name
    if not _WILD.search(entry):
        return stem
    plain = re.sub(r"\[[^]]*\]|[*?]+", "", stem).strip("_-. ")
    if not re.fullmatch(r"[A-Za-z_]\w*", plain):
        raise SourceError(
            f"'{entry}' gives no name for a table", where="files", hint=f'name it: files = {{ name = "{entry}" }}'
        )
    return plain


def names(sql: str, table: str) -> bool:
    """Whether the SQL text has the table's name in it, as a word of its own."""
    return bool(re.search(rf"(?<!\w){re.escape(table)}(?!\w)", sql, re.IGNORECASE))


def found(pattern: str, root: Path) -> list[Path]:
    """The files that `pattern` means now, in the order of their names, or none."""
    path = root / pattern
    if path.is_file() or not _WILD.search(pattern):
        return [path.absolute()] if path.is_file() else []
    matches = (root / match for match in glob.glob(pattern, root_dir=root, recursive=True))  # noqa: PTH207
    return sorted(match.absolute() for match in matches if match.is_file())


def none_found(pattern: str, root: Path) -> SourceError:
    """Why `pattern` means no file."""
    path = root / pattern
    if path.is_dir():
        hint = f'write which files of it are meant: "{pattern.rstrip("/")}/*.csv"'
        return SourceError("a folder stands where a file is needed", where=str(path), hint=hint)
    if _WILD.search(pattern):
        hint = "is the folder right, and has the file come?"
        return SourceError("no file matches", where=str(path), hint=hint, temporary=True)
    hint = "is the path right, and has the file come?"
    return SourceError("the file does not exist", where=str(path), hint=hint, temporary=True)


def format_of(file: Path, settings: FileSource) -> str:
    """csv, parquet or excel: as the settings say, else by the ending of the file's name."""
    if settings.format != "auto":
        return settings.format
    suffix = Path(file.name.removesuffix(".gz")).suffix.lower()
    if suffix not in _FORMATS:
        raise SourceError(
            f"the ending '{suffix}' does not say what kind of file it is",
            where=str(file),
            hint='add format = "csv", "parquet" or "excel" to the source',
        )
    return _FORMATS[suffix]
