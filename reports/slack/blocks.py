"""What blocks of a message may be, as Slack documents it, looked at before anything is sent.

A message with a block too long is refused as a whole, often with no more than `invalid_blocks`: so it is known here
which block it is and why. Kinds of blocks that reports never makes are let through, but for what holds for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from reports.errors import RenderError

BLOCKS = 50
TEXT = 3000
HEADER = 150
FIELDS, FIELD = 10, 2000
ELEMENTS = 10
ALT = 2000
ROWS, COLUMNS, CELLS = 100, 20, 10_000
TABLES = 1
"""Of one message: a second one was long refused (`only_one_table_allowed`)."""
WHOLE = 12_000
"""Characters of all blocks together. Slack names no limit, and has refused messages of a little over 13,000."""
FALLBACK = 4000
"""Characters of a message's text: what a changed message may have, and what Slack advises for all."""

Block = Mapping[str, Any]


def check(blocks: Sequence[Block]) -> None:
    """A RenderError that tells all that Slack would refuse of these blocks, each with its place."""
    if wrong := list(problems(blocks)):
        raise RenderError(
            f"Slack would refuse this message: {'; '.join(wrong[:5])}",
            where="its blocks",
            hint="make it shorter; docs/slack.md has the limits",
        )


def problems(blocks: Sequence[Block]) -> Iterator[str]:
    """What Slack would refuse of these blocks, in sentences that name the block."""
    if len(blocks) > BLOCKS:
        yield f"{len(blocks)} blocks, and a message has {BLOCKS} at the most"
    tables = sum(block.get("type") == "table" for block in blocks)
    if tables > TABLES:
        yield f"{tables} tables, and a message has {TABLES} at the most"
    if (whole := length(blocks)) > WHOLE:
        yield f"{whole:,} characters, and a message has {WHOLE:,} at the most"
    for number, block in enumerate(blocks, start=1):
        kind = block.get("type")
        if not isinstance(kind, str) or not kind:
            yield f"block {number} has no type"
        elif kind in _CHECKS:
            yield from (f"block {number} ({kind}): {one}" for one in _CHECKS[kind](block))


def length(blocks: Sequence[Block]) -> int:
    """Characters of all texts of these blocks together."""
    return sum(len(text) for block in blocks for text in texts(block))


def texts(value: object) -> Iterator[str]:
    """Every text that people read in a block, or in blocks, in order."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(inner, str) and key in {"text", "alt_text"}:
                yield inner
            else:
                yield from texts(inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            yield from texts(inner)


# -- one kind of block each ---------------------------------------------------------------------------


def _section(block: Block) -> Iterator[str]:
    fields = block.get("fields", ())
    if "text" not in block and not fields:
        yield "neither text nor fields"
    if "text" in block:
        yield from _text(block["text"], TEXT)
    if len(fields) > FIELDS:
        yield f"{len(fields)} fields, {FIELDS} at the most"
    for one in fields:
        yield from _text(one, FIELD, name="field")


def _header(block: Block) -> Iterator[str]:
    yield from _text(block.get("text"), HEADER, plain=True)


def _context(block: Block) -> Iterator[str]:
    elements = block.get("elements", ())
    if not 1 <= len(elements) <= ELEMENTS:
        yield f"{len(elements)} elements, from 1 to {ELEMENTS}"
    for one in elements:
        if not (isinstance(one, Mapping) and one.get("type") == "image"):
            yield from _text(one, TEXT)


def _image(block: Block) -> Iterator[str]:
    alt = block.get("alt_text")
    if not isinstance(alt, str) or not 1 <= len(alt) <= ALT:
        yield f"alt_text has from 1 to {ALT} characters"
    if ("image_url" in block) == ("slack_file" in block):
        yield "either image_url or slack_file"
    if len(block.get("image_url", "")) > TEXT:
        yield f"image_url has at most {TEXT} characters"
    if "title" in block:
        yield from _text(block["title"], ALT, plain=True, name="title")


def _table(block: Block) -> Iterator[str]:
    rows = block.get("rows", ())
    if not 1 <= len(rows) <= ROWS:
        yield f"{len(rows)} rows, from 1 to {ROWS}"
    if any(not 1 <= len(row) <= COLUMNS for row in rows):
        yield f"a row has from 1 to {COLUMNS} cells"
    if (cells := sum(len(text) for row in rows for text in texts(row))) > CELLS:
        yield f"{cells:,} characters in cells, {CELLS:,} at the most"
    if not all(text for row in rows for cell in row for text in list(texts(cell)) or [""]):
        yield "a cell without text"


def _rich_text(block: Block) -> Iterator[str]:
    said = list(texts(block))
    if not said or not all(said):
        yield "a text without characters"


_CHECKS: Mapping[str, Callable[[Block], Iterator[str]]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "image": _image,
    "table": _table,
    "rich_text": _rich_text,
}


def _text(given: object, longest: int, *, plain: bool = False, name: str = "text") -> Iterator[str]:
    kinds = {"plain_text"} if plain else {"plain_text", "mrkdwn"}
    if not isinstance(given, Mapping) or given.get("type") not in kinds:
        yield f"{name} is to be of type {' or '.join(sorted(kinds))}"
    elif not isinstance(said := given.get("text"), str) or not said:
        yield f"{name} without characters"
    elif len(said) > longest:
        yield f"{name} of {len(said):,} characters, {longest:,} at the most"
