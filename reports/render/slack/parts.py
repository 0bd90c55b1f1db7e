"""One part of a page as blocks of Slack: figures as fields, tables as tables, charts in words, texts escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reports.model import Tone
from reports.render import text
from reports.render.locales import Locale
from reports.render.tables import Cell, Heading, WrittenTable, shortened
from reports.render.views import Part, WrittenChart, WrittenFigure, WrittenFigures, WrittenText
from reports.slack import blocks as limits
from reports.slack.mentions import cut, escape

Block = dict[str, Any]
_EMOJI: Mapping[Tone, str] = {
    "info": ":information_source:",
    "good": ":white_check_mark:",
    "warning": ":warning:",
    "bad": ":x:",
}
_LINES = re.compile(r"\s*[\r\n]\s*")
_FENCE = "```"
_ROUND = 100  # characters of a block that are left for what goes around its text
_NOTHING = " "
"""In a cell that has no text, for Slack refuses one without characters."""


def part(written: Part, locale: Locale, *, native: bool, pictured: bool) -> Iterator[Block]:
    """The blocks of one part; a table is a `native` one of Slack, or drawn in a fixed-width font."""
    if isinstance(written, WrittenTable):
        yield from _table(written, native=native)
    elif isinstance(written, WrittenFigures):
        yield from _figures(written, locale)
    elif isinstance(written, WrittenChart):
        yield from _chart(written, locale, pictured=pictured)
    else:
        yield from _text(written)


# -- the blocks themselves ---------------------------------------------------------------------------


def header(said: str) -> Block:
    """A large line of plain text."""
    return {"type": "header", "text": {"type": "plain_text", "text": shortened(said, limits.HEADER) or _NOTHING}}


def section(said: str) -> Block:
    """A paragraph in Slack's marks, what is not ours escaped in it."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": said}}


def context(*lines: str) -> Iterator[Block]:
    """Small print, a line each."""
    if said := cut("\n".join(filter(None, lines)), limits.TEXT):
        yield {"type": "context", "elements": [{"type": "mrkdwn", "text": said}]}


def marked(tone: Tone, said: str, *, sign: str = "") -> str:
    """Words in bold with the sign of their tone."""
    return f"{_EMOJI.get(tone, sign)} *{escape(said)}*".strip()


def _titled(title: str) -> Iterator[Block]:
    if title:
        yield section(f"*{escape(title)}*")


# -- figures -----------------------------------------------------------------------------------------


def _figures(written: WrittenFigures, locale: Locale) -> Iterator[Block]:
    yield from _titled(written.title)
    fields = [{"type": "mrkdwn", "text": _figure(one)} for one in written.figures]
    for start in range(0, len(fields), limits.FIELDS):
        yield {"type": "section", "fields": fields[start : start + limits.FIELDS]}
    compared = locale.word("▲▼ against the run as of {date}", date=written.compared) if written.compared else ""
    yield from context(compared, written.cut)


def _figure(one: WrittenFigure) -> str:
    change = f"  {one.change.arrow} {one.change.text}".rstrip() if one.change else ""
    lines = [escape(one.label), f"*{escape(one.value)}*{escape(change)}", escape(one.note)]
    return "\n".join(filter(None, lines))


# -- tables ------------------------------------------------------------------------------------------


def _table(written: WrittenTable, *, native: bool) -> Iterator[Block]:
    yield from _titled(written.title)
    if not written.rows:
        yield from context(written.empty, written.note)
        return
    shown = written
    if native:
        yield _native(written)
    else:
        shown = _drawable(written)
        yield section(_drawn(text.lines(shown)))
    yield from context(shown.cut, written.note)


def _native(written: WrittenTable) -> Block:
    rows = [[_cell(one.label, bold=True) for one in written.headings]]
    rows += [[_cell(_said(cell)) for cell in row] for row in written.rows]
    rows += [[_cell(_said(cell), bold=True) for cell in written.totals]] if written.totals else []
    return {"type": "table", "rows": rows, "column_settings": [_setting(one) for one in written.headings]}


def _said(cell: Cell) -> str:
    return cell.text


def _cell(said: str, *, bold: bool = False) -> Block:
    style = {"style": {"bold": True}} if bold and said.strip() else {}
    inner = {"type": "text", "text": _LINES.sub(" ", said).strip() or _NOTHING, **style}
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [inner]}]}


def _setting(heading: Heading) -> Block:
    if heading.numeric:
        return {"align": "right"}
    return {"align": "left", "is_wrapped": not heading.whole}


def _drawable(written: WrittenTable) -> WrittenTable:
    """The table with the columns and the rows for which a block has room in a fixed-width font."""
    shown = text.fitting(written)
    while len(shown.rows) > 1 and len(escape("\n".join(text.lines(shown)))) > limits.TEXT - _ROUND:
        shown = replace(shown, rows=shown.rows[: len(shown.rows) * 3 // 4])
    return shown


def _drawn(lines: Sequence[str]) -> str:
    """Lines in a fixed-width font; what would end that is written otherwise."""
    said = "\n".join(lines).replace(_FENCE, "'''")
    return f"{_FENCE}\n{cut(said, limits.TEXT - 2 * len(_FENCE) - 2)}\n{_FENCE}"


# -- charts ------------------------------------------------------------------------------------------


def _chart(written: WrittenChart, locale: Locale, *, pictured: bool) -> Iterator[Block]:
    """What the picture shows, in words; its numbers where there is no picture to be seen."""
    title = f"*{escape(written.title)}*\n" if written.title else ""
    yield section(f"{title}:bar_chart: {escape(written.alt) or escape(written.word)}")
    if written.left_out:
        yield from context(locale.word("Its picture is too heavy for a mail."))
    seen = pictured and bool(written.cid)
    if written.numbers is not None and written.numbers.rows and not seen:
        shown = _drawable(written.numbers)
        yield section(_drawn(text.lines(shown)))
        yield from context(shown.note)
    yield from context(written.note)


# -- texts -------------------------------------------------------------------------------------------


def _text(written: WrittenText) -> Iterator[Block]:
    if written.tone:
        head = marked(written.tone, ": ".join(filter(None, [written.word, written.title])))
        yield from paragraphs([escape(one) for one in written.paragraphs], head=f"{head}\n")
        return
    yield from _titled(written.title)
    if written.as_is:
        lines = "\n".join(written.paragraphs).splitlines()
        yield from (section(_drawn(some)) for some in _groups(lines, between=1))
    else:
        yield from paragraphs([escape(one) for one in written.paragraphs])


def paragraphs(said: Sequence[str], *, head: str = "") -> Iterator[Block]:
    """Paragraphs, escaped already, in as few blocks as they fit; one that is too long goes on in the next."""
    pieces = [piece for one in said for piece in _split(one)] or [""]
    for some in _groups([f"{head}{pieces[0]}", *pieces[1:]], between=2):
        if whole := "\n\n".join(some).strip():
            yield section(whole)


def _split(said: str) -> Iterator[str]:
    """A paragraph in pieces that fit a block, parted between words if it has any."""
    most = limits.TEXT - 2 * _ROUND
    while len(said) > most:
        at = max(said.rfind(" ", most // 2, most), said.rfind("\n", most // 2, most))
        at = at if at > 0 else max(said.rfind("&", most - 8, most), most - 8)
        yield said[:at]
        said = said[at:].lstrip()
    yield said


def _groups(lines: Sequence[str], *, between: int) -> Iterator[list[str]]:
    """The lines in groups, each short enough for one block."""
    group: list[str] = []
    for line in lines:
        if group and sum(len(escape(one)) + between for one in (*group, line)) > limits.TEXT - _ROUND:
            yield group
            group = []
        group.append(line)
    if group:
        yield group
