"""What Word does with boxes: it knows tables and cells, and little of what CSS says about anything else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reports.lint.clients import own
from reports.lint.css import Declaration
from reports.lint.finding import Finding
from reports.lint.markup import Element
from reports.lint.subject import Subject

WORD = ("word",)
_CELLS = frozenset({"td", "th"})
_NO_WIDTH = frozenset({"div", "p", "span"})
_AFTER_COMMENTS = frozenset({"script", "style", "head", "title", "meta"})


def check(subject: Subject) -> Iterator[Finding]:
    """Boxes that Word would make too wide, too tight, or show where they are hidden."""
    for element in subject.word.all():
        style = own(element)
        if element.tag in _AFTER_COMMENTS or _hidden(style):
            yield from _seen_after_all(element, style, subject)
            continue
        yield from _max_width(element, style, subject)
        yield from _inline_block(element, style, subject)
        yield from _padding(element, style, subject)
        yield from _width(element, style, subject)
    for element in subject.tree.all():
        yield from _margin(element, own(element), subject)


def _hidden(style: dict[str, Declaration]) -> bool:
    return "display" in style and style["display"].value == "none"


def _seen_after_all(element: Element, style: dict[str, Declaration], subject: Subject) -> Iterator[Finding]:
    if _hidden(style) and "mso-hide" not in style and (element.said() or element.all("img")):
        yield Finding(
            severity="error",
            rule="word-hidden",
            what="Word shows what display:none hides",
            do="add mso-hide:all to the same style",
            where=subject.places.declaration(element, "display"),
            clients=WORD,
        )


def _max_width(element: Element, style: dict[str, Declaration], subject: Subject) -> Iterator[Finding]:
    most = pixels(style.get("max-width"))
    if most is None or most == 0 or element.tag == "img":  # a picture's width is a rule of its own
        return
    bounds = [element, *element.up()]
    if not any((wide := _attribute(one)) is not None and wide <= most for one in bounds):
        yield Finding(
            severity="error",
            rule="word-max-width",
            what=f"max-width:{style['max-width'].value}: Word makes it as wide as the window",
            do=f'put a table of width="{most:.0f}" around it, between <!--[if mso]> and <![endif]-->',
            where=subject.places.declaration(element, "max-width"),
            clients=WORD,
        )


def _attribute(element: Element) -> float | None:
    value = element.get("width", "").strip()
    return float(value) if value.isdecimal() else None


def pixels(declaration: Declaration | None) -> float | None:
    """A length in pixels."""
    found = re.fullmatch(r"(\d*\.?\d+)(px)?", declaration.value) if declaration else None
    return float(found[1]) if found else None


def _inline_block(element: Element, style: dict[str, Declaration], subject: Subject) -> Iterator[Finding]:
    if "display" not in style or style["display"].value != "inline-block" or element.parent is None:
        return
    beside = [one for one in element.parent if isinstance(one, Element) and one is not element]
    if any(
        own(one).get("display", style["display"]).value == "inline-block" and "display" in own(one) for one in beside
    ):
        yield Finding(
            severity="error",
            rule="word-inline-block",
            what="display:inline-block: Word puts the blocks below each other, each as wide as all",
            do="put each into a cell of a table between <!--[if mso]> and <![endif]-->",
            where=subject.places.declaration(element, "display"),
            clients=WORD,
        )


def _padding(element: Element, style: dict[str, Declaration], subject: Subject) -> Iterator[Finding]:
    padded = [one for name, one in style.items() if name.startswith("padding") and re.search(r"[1-9]", one.value)]
    if padded and element.tag not in _CELLS | {"caption", "ul", "ol", "body"}:
        yield Finding(
            severity="warning",
            rule="word-padding",
            what=f"{padded[0].name}:{padded[0].value} on <{element.tag}>: Word knows the padding of cells alone",
            do="give the padding to the td around it",
            where=subject.places.declaration(element, padded[0].name),
            clients=WORD,
        )


def _width(element: Element, style: dict[str, Declaration], subject: Subject) -> Iterator[Finding]:
    width = style.get("width")
    if width is None or element.tag not in _NO_WIDTH or width.value in {"100%", "auto"} or pixels(width) == 0:
        return
    cell = element.parent
    if cell is None or not (cell.tag in _CELLS and _attribute(cell)):
        yield Finding(
            severity="warning",
            rule="word-width",
            what=f"width:{width.value} on <{element.tag}>: Word makes it as wide as what is around it",
            do="give the width to a td, by attribute and by style",
            where=subject.places.declaration(element, "width"),
            clients=WORD,
        )


def _margin(element: Element, style: dict[str, Declaration], subject: Subject) -> Iterator[Finding]:
    for name, one in style.items():
        if not name.startswith("margin"):
            continue
        if re.search(r"(^|\s)-\.?\d", one.value):
            yield Finding(
                severity="error",
                rule="margin-negative",
                what=f"{name}:{one.value}: a negative margin is dropped",
                do="leave less padding in the cell around it",
                where=subject.places.declaration(element, name),
                clients=("word", "outlook", "gmail", "gmail_app", "yahoo"),
            )
        elif "auto" in one.value and not any("center" in up.get("align", "") for up in (element, *element.up())):
            yield Finding(
                severity="warning",
                rule="word-margin-auto",
                what=f"{name}:{one.value}: Word does not centre by it",
                do='add align="center" to the td around it, or to the table itself',
                where=subject.places.declaration(element, name),
                clients=WORD,
            )
