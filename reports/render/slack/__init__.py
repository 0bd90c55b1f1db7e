"""A page as Slack's Block Kit: what a mail says, in the blocks that a message there may have.

Numbers and dates are the mail's own, by `views`. The first table is one of Slack's, the others are drawn in a
fixed-width font, for a message has one. Pictures are not in blocks: they are uploaded, and what they show is said.
Whatever the data, the blocks keep Slack's limits: rows, then long texts, then parts give way, and sentences say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reports.errors import RenderError
from reports.model import Artifact, Page
from reports.render.locales import Locale
from reports.render.slack.parts import Block, context, header, marked, paragraphs, part, section
from reports.render.tables import Room, WrittenTable
from reports.render.views import WrittenPage, write
from reports.slack import blocks as block_kit
from reports.slack.mentions import escape

_ROOMS = (
    Room(rows=98, columns=20, figures=40, parts=24, chars=400),
    *(Room(rows=rows, columns=20, figures=40, parts=24, chars=200) for rows in (70, 50, 36, 26, 18)),
    *(Room(rows=rows, columns=16, figures=20, parts=20, chars=100) for rows in (14, 10, 7, 5)),
    *(Room(rows=3, columns=columns, figures=10, parts=parts, chars=60) for columns, parts in ((10, 12), (6, 8))),
    *(Room(rows=2, columns=5, figures=6, parts=parts, chars=40) for parts in (4, 2, 1)),
)


def render(
    page: Page,
    images: Sequence[Artifact] = (),
    *,
    closing: Sequence[str] = (),
    pictured: bool = True,
    bare: bool = False,
) -> list[Block]:
    """The blocks of a message that says what the page does; what is cut is told in sentences.

    A `bare` one, as scripts send them, says neither of which day it is nor who made it.

    `images` are the charts' pictures, one for each in order; where they are not `pictured` beside the message, the
    charts' numbers stand in their place. `closing` are sentences said at the end, such as where the files are.
    """
    for room in _ROOMS:
        written = write(page, images, room=room)
        head = _bare_head(written) if bare else _head(written)
        foot = _bare_foot(written, closing) if bare else _foot(written, closing)
        made = [*head, *_body(written, pictured=pictured), *foot]
        if not any(block_kit.problems(made)):
            return made
    raise RenderError(
        "the report does not fit in a Slack message, even with its tables cut to two rows",
        where=page.subject,
        hint="give the job a shorter title, fewer notices, or shorter texts",
    )


def _head(page: WrittenPage) -> Iterator[Block]:
    locale = Locale(page.language)
    yield header(page.subject)
    as_of = locale.word("As of {date}", date=page.as_of)
    yield section(
        f"{marked(page.status.tone, page.status.text, sign=page.status.sign)}  \N{MIDDLE DOT}  {escape(as_of)}"
    )
    yield from _notices(page, locale)


def _bare_head(page: WrittenPage) -> Iterator[Block]:
    yield header(page.title)
    if page.status.text:
        yield section(marked(page.status.tone, page.status.text, sign=page.status.sign))
    yield from _notices(page, Locale(page.language))


def _bare_foot(page: WrittenPage, closing: Sequence[str]) -> Iterator[Block]:
    yield from paragraphs([escape(one) for one in filter(None, [page.left_out, *closing])])
    if page.theme.footer.strip():
        yield from context(page.theme.footer.strip())


def _notices(page: WrittenPage, locale: Locale) -> Iterator[Block]:
    for notice in page.notices:
        yield section(f":warning: *{escape(locale.word('Please note'))}:* {escape(notice)}")


def _body(page: WrittenPage, *, pictured: bool) -> Iterator[Block]:
    native = True
    for one in page.parts:
        yield from part(one, Locale(page.language), native=native, pictured=pictured)
        native = native and not isinstance(one, WrittenTable)


def _foot(page: WrittenPage, closing: Sequence[str]) -> Iterator[Block]:
    locale = Locale(page.language)
    yield from paragraphs([escape(one) for one in filter(None, [page.left_out, *closing])])
    yield {"type": "divider"}
    lines = [
        locale.word(
            "{dataset}: {rows} from {source}, query {query}, as of {date}",
            dataset=source.dataset,
            rows=source.rows,
            source=source.source,
            query=source.query,
            date=page.as_of,
        )
        for source in page.sources
    ]
    yield from context(page.theme.footer.strip(), *lines, locale.word("Made by reports"))
