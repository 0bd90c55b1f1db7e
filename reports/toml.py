"""A TOML file into a model, with every mistake told by file, line, key and the nearest valid key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from reports.errors import DefinitionError

Model = TypeVar("Model", bound=BaseModel)
Key = tuple[str | int, ...]
_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_WORDS = {
    "missing": "this key is required",
    "model_type": "a table is needed",
    "dict_type": "a table is needed",
    "tuple_type": "a list is needed",
    "string_type": "a text is needed, in quotes",
    "bool_type": "true or false is needed",
    "bool_parsing": "true or false is needed",
    "int_type": "a whole number is needed",
    "int_parsing": "a whole number is needed",
    "int_from_float": "a whole number is needed",
    "float_type": "a number is needed",
    "float_parsing": "a number is needed",
}
"""What a person is told of a value of the wrong type."""
_PAIR = re.compile(r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")


@dataclass(frozen=True)
class Document:
    """A parsed TOML file that still knows on which line each key stands."""

    path: Path
    tables: dict[str, Any]
    text: str = field(repr=False)

    @cached_property
    def lines(self) -> dict[Key, int]:
        """Looked for when something has to be told of, which is seldom."""
        return _lines(self.text)

    def line(self, key: Sequence[str | int]) -> int:
        """The line of `key`, or of the nearest table around it that has one."""
        return next((self.lines[k] for n in range(len(key), 0, -1) if (k := tuple(key[:n])) in self.lines), 1)

    def where(self, key: Sequence[str | int]) -> str:
        """Where a person finds that key."""
        return f"{self.path}:{self.line(key)}, key {dotted(key)}"


def read(path: Path, *, error: type[DefinitionError]) -> Document:
    """The file's tables and lines; `error` where it is missing or is not TOML."""
    try:
        text = path.read_text("utf-8-sig")
        return Document(path, tomllib.loads(text), text)
    except OSError as cause:
        raise error(f"{path} cannot be read: {cause.strerror}", where=str(path)) from cause
    except UnicodeDecodeError as cause:
        raise error(f"{path} is not UTF-8 (byte {cause.start})", where=str(path)) from cause
    except tomllib.TOMLDecodeError as cause:
        line = re.search(r"line (\d+)", str(cause))
        where = f"{path}:{line[1]}" if line else str(path)
        raise error(f"not TOML: {cause}", where=where, hint="mend the line; strings need quotes") from cause
    except RecursionError as cause:
        raise error("it is nested too deeply", where=str(path), hint="look for brackets that are not closed") from cause


def validate(document: Document, model: type[Model], *, error: type[DefinitionError], root: Path) -> Model:
    """The document as `model`, its relative paths from `root`; one `error` telling every mistake."""
    try:
        return model.model_validate(document.tables, context={"root": root})
    except ValidationError as cause:
        first: dict[str, DefinitionError] = {}
        for detail in cause.errors():  # a union gives one for each of its members: the first tells it
            problem = _problem(document, detail, error)
            first.setdefault(problem.where, problem)
        raise error.join(list(first.values())) from None


def _problem(document: Document, detail: Any, error: type[DefinitionError]) -> DefinitionError:
    context = detail.get("ctx", {})
    loc = _in_file(document.tables, detail["loc"], missing=detail["type"] == "missing")
    key = (*loc, context["key"]) if "key" in context else loc
    what = detail["msg"] if "key" in context else f"{dotted(key)}: {_plain(detail)}"
    return error(what, where=document.where(key), hint=context.get("hint", ""))


def _plain(detail: Any) -> str:
    said = _WORDS.get(detail["type"], str(detail["msg"]).removeprefix("Value error, "))
    given = detail.get("input")
    tellable = detail["type"] not in {"plain_secret", "missing"} and isinstance(given, str | int | float | bool)
    return said + (f" (found {given!r})" if tellable and f"'{given}'" not in said else "")


def _in_file(tables: Any, loc: Sequence[str | int], *, missing: bool) -> Key:
    """A validation location without its steps inside the model, such as the members of a union."""
    key: list[str | int] = []
    for step in loc:
        if isinstance(tables, list) and isinstance(step, int):
            tables = tables[step] if step < len(tables) else None
            key.append(step)
        elif isinstance(tables, dict) and step in tables:
            tables = tables[step]
            key.append(step)
        elif missing and isinstance(tables, dict) and not str(step).startswith("<"):
            key.append(step)
    return tuple(key)


def dotted(key: Sequence[str | int]) -> str:
    """A key path as people write it: show[2].format."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in key)
    return "".join(steps).lstrip(".")


def _lines(text: str) -> dict[Key, int]:
    lines: dict[Key, int] = {}
    table: Key = ()
    counts: dict[Key, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _table(_split(header[2]), many=header[1] == "[[", counts=counts)
            lines.setdefault(table, number)
        elif pair := _PAIR.match(line):
            key = (*table, *_split(pair[1]))
            lines.setdefault(key, number)
            for inner in re.finditer(r"[{,]\s*([\w-]+)\s*=", line):
                lines.setdefault((*key, inner[1]), number)
    return lines


def _split(dotted_key: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in re.findall(r"""[^."']+|"[^"]*"|'[^']*'""", dotted_key))


def _table(names: tuple[str, ...], *, many: bool, counts: dict[Key, int]) -> Key:
    """The key path of a table header, with the position of every array of tables on the way."""
    path: Key = ()
    for position, name in enumerate(names):
        path = (*path, name)
        if many and position == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path
