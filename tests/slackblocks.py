"""What Slack's documentation says that blocks of a message may be, written down once more, for the server of tests.

It is not the product's own check (`reports.slack.blocks`): what that lets through is held against this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MOST_BLOCKS = 50
MOST_TEXT = 13_000
"""Characters of all blocks together; Slack documents none, and refuses messages of a little more."""
MOST_TABLE_TEXT = 10_000
_TEXTS = {"section": 3000, "header": 150}

Problem = str


def problems(blocks: object) -> list[Problem]:
    """What is wrong with the blocks of a message, each with the place of it."""
    if not isinstance(blocks, list):
        return ["must be an array"]
    found = [f"no more than {MOST_BLOCKS} items allowed [json-pointer:/blocks]"] if len(blocks) > MOST_BLOCKS else []
    ids = [block["block_id"] for block in blocks if isinstance(block, Mapping) and "block_id" in block]
    found += ["block_id must be unique"] if len(set(ids)) < len(ids) else []
    tables = [block for block in blocks if isinstance(block, Mapping) and block.get("type") == "table"]
    found += ["only_one_table_allowed"] if len(tables) > 1 else []
    return found + [f"{said} [json-pointer:/blocks/{at}]" for at, block in enumerate(blocks) for said in _block(block)]


def size(blocks: Sequence[Mapping[str, Any]]) -> int:
    """Characters of text in all of the blocks."""
    return sum(len(text) for block in blocks for text in _texts(block))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in {"text", "alt_text"} and isinstance(inner, str):
                yield inner
            else:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _block(block: object) -> Iterator[Problem]:
    if not isinstance(block, Mapping) or block.get("type") not in _KINDS:
        yield f"unsupported type: {block.get('type') if isinstance(block, Mapping) else block}"
        return
    unknown = set(block) - _KINDS[block["type"]] - {"type", "block_id"}
    yield from (f"invalid additional property: {name}" for name in sorted(unknown))
    if len(block.get("block_id", "")) > 255:
        yield "block_id: must be less than 256 characters"
    yield from _CHECKS[block["type"]](block)


def _section(block: Mapping[str, Any]) -> Iterator[Problem]:
    if "text" not in block and "fields" not in block:
        yield "missing required field: text"
    if "text" in block:
        yield from _text(block["text"], _TEXTS["section"])
    if "fields" in block:
        if not 1 <= len(block["fields"]) <= 10:
            yield "fields: from 1 to 10 items"
        for one in block["fields"]:
            yield from _text(one, 2000)


def _header(block: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _text(block.get("text"), _TEXTS["header"], kinds=("plain_text",))


def _context(block: Mapping[str, Any]) -> Iterator[Problem]:
    elements = block.get("elements") or []
    if not 1 <= len(elements) <= 10:
        yield "elements: from 1 to 10 items"
    for one in elements:
        yield from _text(one, 3000)


def _image(block: Mapping[str, Any]) -> Iterator[Problem]:
    if not 1 <= len(block.get("alt_text") or "") <= 2000:
        yield "alt_text: from 1 to 2000 characters"
    if ("image_url" in block) == ("slack_file" in block):
        yield "one of image_url and slack_file"
    if len(block.get("image_url", "")) > 3000:
        yield "image_url: at most 3000 characters"
    if "title" in block:
        yield from _text(block["title"], 2000, kinds=("plain_text",))


def _table(block: Mapping[str, Any]) -> Iterator[Problem]:
    rows = block.get("rows") or []
    if not 1 <= len(rows) <= 100:
        yield "rows: from 1 to 100 items"
    if any(not 1 <= len(row) <= 20 for row in rows):
        yield "rows: from 1 to 20 cells"
    if sum(len(text) for row in rows for text in _texts(row)) > MOST_TABLE_TEXT:
        yield "the text of all cells is longer than 10000 characters"
    settings = block.get("column_settings") or []
    if len(settings) > 20:
        yield "column_settings: at most 20 items"
    for one in settings:
        if one is not None and (set(one) - {"align", "is_wrapped"} or one.get("align", "left") not in _ALIGNS):
            yield f"column_settings: {one}"
    for row in rows:
        for cell in row:
            yield from _cell(cell)


def _cell(cell: Mapping[str, Any]) -> Iterator[Problem]:
    if cell.get("type") in {"raw_text", "raw_number"}:
        texts = [cell.get("text")]
    elif cell.get("type") == "rich_text":
        texts = list(_texts(cell))
    else:
        yield f"a cell of the type {cell.get('type')}"
        return
    if not texts or not all(texts):
        yield "a cell must have more than 0 characters"


def _rich_text(block: Mapping[str, Any]) -> Iterator[Problem]:
    if not block.get("elements"):
        yield "missing required field: elements"
    if not all(_texts(block)):
        yield "must be more than 0 characters"


def _nothing(_: Mapping[str, Any]) -> Iterator[Problem]:
    yield from ()


def _text(given: object, longest: int, kinds: Sequence[str] = ("plain_text", "mrkdwn")) -> Iterator[Problem]:
    if not isinstance(given, Mapping) or given.get("type") not in kinds:
        yield f"a text of {' or '.join(kinds)}"
    elif not 1 <= len(given.get("text", "")) <= longest:
        yield f"text: from 1 to {longest} characters"
    elif set(given) - {"type", "text", "emoji", "verbatim"} or (given["type"] == "mrkdwn" and "emoji" in given):
        yield "text: invalid additional property"


_ALIGNS = ("left", "center", "right")
_KINDS: Mapping[str, set[str]] = {
    "section": {"text", "fields", "accessory", "expand"},
    "header": {"text", "level"},
    "context": {"elements"},
    "image": {"alt_text", "image_url", "slack_file", "title"},
    "table": {"rows", "column_settings"},
    "rich_text": {"elements"},
    "divider": set(),
}
_CHECKS = {
    "section": _section,
    "header": _header,
    "context": _context,
    "image": _image,
    "table": _table,
    "rich_text": _rich_text,
    "divider": _nothing,
}
