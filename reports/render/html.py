"""A page as HTML that mail clients show: Jinja's only home.

A template sees `page` (a `views.WrittenPage`) and our own words in its language: `_("As of {date}", date=...)`.
It extends `base.html.j2` or `report.html.j2` block by block. Its `<style>` rules are moved into the tags, since
half of the clients read no others; what cannot be moved (`@media`, `:hover`) stays, and
`<style data-css-inline="ignore">` stays as it is.

Wide tables keep their columns: the type gets smaller from the 7th, 10th and 13th column on, and on a
phone the table scrolls sideways in its own box. Six columns read well everywhere.
"""

from __future__ import annotations

import re
import traceback
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

import css_inline
import jinja2
from jinja2 import Environment, meta, nodes
from markupsafe import Markup, escape

from reports.errors import JobError, RenderError, ReportsError, choices
from reports.limits import BODY
from reports.model import Artifact, Page
from reports.render.locales import Locale
from reports.render.tables import Room
from reports.render.views import WrittenPage, cells, write

_NAMES = frozenset({"page", "_"})
_GIVEN_BY_LOOPS = frozenset({"part", "loop", "caller", "varargs", "kwargs", "self", "super"})
_LONG = 25  # characters of a word
_LONG_WORD = re.compile(rf"([!-~]{{{_LONG},}})")
_ADDRESS = re.compile(r"https?://[^\s<>\"']*[\w/]")
_LAST_ADDRESS = re.compile(r"(.*\s)(https?://[^\s<>\"']*[\w/])", re.DOTALL)
_LEAST = {"plain": True, "numbers": False}
_ROOMS = (
    Room(),
    Room(chars=240),
    Room(chars=240, plain=True),
    *(Room(rows=round(500 * 0.95**step), chars=240, plain=True) for step in range(1, 59)),
    *(Room(rows=rows, chars=80, figures=60, **_LEAST) for rows in (24, 18, 13, 10)),
    *(Room(rows=rows, chars=40, figures=24, columns=60, parts=60, **_LEAST) for rows in (8, 6, 4)),
    *(Room(rows=3, chars=32, figures=12, columns=columns, parts=30, **_LEAST) for columns in (24, 12)),
    *(Room(rows=2, chars=24, figures=6, columns=6, parts=parts, **_LEAST) for parts in (20, 12, 6)),
)
_INLINER = css_inline.CSSInliner(
    keep_at_rules=True, load_remote_stylesheets=False, minify_css=True, remove_inlined_selectors=True
)


def render(page: Page, images: Sequence[Artifact], *, template: str, folders: Sequence[Path]) -> str:
    """The body of the mail, under 90 kB whatever the data: rows, then long texts, then columns give way.

    `images` are the charts' pictures, one for each in order. What is cut is told in sentences. A
    RenderError names the template and its line where it cannot be read or uses a name that is not there.
    """
    # Each room is filled once, however often it is looked at.
    body = cache(partial(_body, page, images, template=template, environment=_ready(tuple(folders))))
    if (whole := body(_ROOMS[0])) is not None:
        return whole
    fitting = bisect_left(_ROOMS, 1, lo=1, key=lambda room: body(room) is not None)
    if fitting < len(_ROOMS) and (cut := body(_ROOMS[fitting])) is not None:
        return cut
    raise RenderError(
        f"the mail's body does not fit in {BODY:,} bytes, even with its tables cut to two rows",
        where=template,
        hint="make the template smaller: mail clients clip what is longer",
    )


def _body(page: Page, images: Sequence[Artifact], room: Room, *, template: str, environment: Environment) -> str | None:
    """The finished HTML, or None where it is too long."""
    if cells(page, room) * len("<td></td>") > BODY:  # known without writing any of them
        return None
    html = inlined(fill(environment, template, write(page, images, room=room)), template)
    return html if len(html.encode()) <= BODY else None


def inlined(html: str, template: str) -> str:
    """The HTML with its styles moved into the tags, since half of the mail clients read no others."""
    if "<style" not in html:
        return html
    try:
        return _INLINER.inline(html)
    except css_inline.InlineError as error:
        raise RenderError(f"the styles cannot be used: {error}", where=template) from error


def environment(folders: Sequence[Path], filters: Mapping[str, Callable[..., Any]] | None = None) -> Environment:
    """Where templates come from: `folders` in order, the project's own before the shipped ones."""
    found = Environment(
        loader=jinja2.FileSystemLoader([str(folder) for folder in folders]),
        autoescape=jinja2.select_autoescape((), ("txt", "txt.j2"), default=True),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters |= {"breakable": breakable, "linked": linked, "clickable": clickable, "as_is": as_is} | dict(
        filters or {}
    )
    return found


@lru_cache(maxsize=8)
def _ready(folders: tuple[Path, ...]) -> Environment:
    """Compiled templates stay, and are compiled anew where their files have changed."""
    return environment(folders)


def breakable(text: str) -> Markup:
    """`text` with places where a line may break in words that no phone is wide enough for."""
    if len(text) < _LONG:  # as nearly all are, and they are many
        return escape(text)
    return Markup("").join(_broken(piece) for piece in _LONG_WORD.split(text))


def linked(text: str) -> Markup:
    """`text`, breakable, and clickable where a web address is its last word."""
    if (match := _LAST_ADDRESS.fullmatch(text)) is None:
        return breakable(text)
    return Markup('{}<a href="{}">{}</a>').format(breakable(match[1]), match[2], breakable(match[2]))


def clickable(text: str) -> Markup:
    """`text`, breakable, and clickable wherever there is a web address in it."""
    said, at = Markup(), 0
    for found in _ADDRESS.finditer(text):
        said += breakable(text[at : found.start()]) + Markup('<a href="{}">{}</a>').format(
            found[0], breakable(found[0])
        )
        at = found.end()
    return said + breakable(text[at:])


def as_is(line: str) -> Markup:
    """`line`, breakable, with its spaces kept."""
    return breakable(re.sub(r"^ +| (?= )", lambda spaces: "\N{NO-BREAK SPACE}" * len(spaces[0]), line))


def said(locale: Locale, text: str, **values: object) -> str:
    """Our own words in the page's language; markup among `values` stays markup."""
    if any(isinstance(value, Markup) for value in values.values()):
        return escape(locale.word(text)).format(**locale.isolated(values))
    return locale.word(text, **values)


def _broken(piece: str) -> Markup:
    chunks = [piece[at : at + 20] for at in range(0, len(piece), 20)] if _LONG_WORD.fullmatch(piece) else [piece]
    return Markup("<wbr>").join(chunks)


def fill(environment: Environment, template: str, page: WrittenPage) -> str:
    """The template's text with the page in it; a RenderError names the template's file and line."""
    hint = f"a template sees page and its fields: {', '.join(WrittenPage.__dataclass_fields__)}"
    return filled(environment, template, {"page": page, "_": partial(said, Locale(page.language))}, hint=hint)


def filled(environment: Environment, template: str, values: Mapping[str, Any], *, hint: str) -> str:
    """The template's text with these values; a RenderError names its file and line; the hint is for a missing name."""
    try:
        return environment.get_template(template).render(values)
    except jinja2.TemplateNotFound as error:
        raise _not_found(environment, error) from error
    except jinja2.TemplateSyntaxError as error:
        raise _syntax(error) from error
    except jinja2.UndefinedError as error:
        raise RenderError(f"in a template, {error}", where=_place(environment, error), hint=hint) from error
    except ReportsError as error:  # of what a template calls
        raise RenderError(error.what, where=_place(environment, error), hint=error.hint) from error
    except Exception as error:
        what = f"a template failed: {type(error).__name__}: {error}"
        raise RenderError(what, where=_place(environment, error)) from error


def check_template(
    template: str, folders: Sequence[Path], *, filters: Mapping[str, Callable[..., object]] | None = None
) -> None:
    """Read `template` and all it extends or includes, without a page.

    A JobError names the file and line of a mistake in the syntax, of a template that does not exist
    (with the nearest that does), and of a name that no template sees.
    """
    read_templates(template, folders, filters=filters)


def read_templates(
    template: str, folders: Sequence[Path], *, filters: Mapping[str, Callable[..., object]] | None = None
) -> dict[str, str]:
    """The files of `template` and of all it extends or includes, its own first, with their texts, checked."""
    known = environment(folders, filters=filters)
    waiting, seen, texts = [template], set[str](), dict[str, str]()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            path, text, others = _check_one(known, name)
            texts[path] = text
            waiting += others
    return texts


def _check_one(environment: Environment, template: str) -> tuple[str, str, list[str]]:
    try:
        source, path, _ = environment.loader.get_source(environment, template)  # type: ignore[union-attr]
        tree = environment.parse(source, template, path)
        environment.compile(tree, template, path)
    except jinja2.TemplateNotFound as error:
        raise _not_found(environment, error) from error
    except jinja2.TemplateSyntaxError as error:
        raise _syntax(error) from error
    except UnicodeDecodeError as error:
        raise JobError(f"the template '{template}' is not UTF-8", where=f"byte {error.start}") from error
    for name in sorted(meta.find_undeclared_variables(tree) - _NAMES - _GIVEN_BY_LOOPS - set(environment.globals)):
        line = min(node.lineno for node in tree.find_all(nodes.Name) if node.name == name)
        raise JobError(
            f"there is no '{name}' in a template", where=f"{path}:{line}", hint="a template sees page and its fields"
        )
    return str(path), source, [other for other in meta.find_referenced_templates(tree) if other]


def _not_found(environment: Environment, error: jinja2.TemplateNotFound) -> JobError:
    there = environment.list_templates(filter_func=lambda name: ".j2" in name)
    places = environment.loader.searchpath if isinstance(environment.loader, jinja2.FileSystemLoader) else []
    return JobError(
        f"there is no template '{error.name}'",
        where=", ".join(places),
        hint=choices(str(error.name), there, what="templates there"),
    )


def _syntax(error: jinja2.TemplateSyntaxError) -> JobError:
    return JobError(f"the template cannot be read: {error.message}", where=f"{error.filename}:{error.lineno}")


def _place(environment: Environment, error: Exception) -> str:
    """The innermost line of a template that the error came from."""
    loader = environment.loader
    folders = tuple(loader.searchpath) if isinstance(loader, jinja2.FileSystemLoader) else ()
    frames = reversed(traceback.extract_tb(error.__traceback__))
    return next((f"{frame.filename}:{frame.lineno}" for frame in frames if frame.filename.startswith(folders)), "")
