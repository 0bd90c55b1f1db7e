"""Whether every text can be read: in light colours, in the mail's own dark ones, and turned by a client.

WCAG AA wants 4.5 : 1, and 3 : 1 for large text (24 px, or 18.66 px in bold). Clients turn colours in two ways:
some turn what is light behind and dark before it (Outlook, Gmail on Android), others all (Gmail on an iPhone).
How they do it is not published; here the lightness is mirrored, and white becomes a dark grey.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from reports.colours import ENOUGH, Colour
from reports.lint import colours
from reports.lint.colours import BLACK, WHITE, inverted, lightness
from reports.lint.css import Declaration
from reports.lint.finding import Finding
from reports.lint.markup import Element
from reports.lint.subject import Subject

_SIZES = {"h1": 2.0, "h2": 1.5, "h3": 1.17, "h5": 0.83, "h6": 0.67, "small": 0.83}
_BOLD = frozenset({"b", "strong", "th", "h1", "h2", "h3", "h4", "h5", "h6"})
_UNSEEN = frozenset({"head", "style", "script", "title", "template"})
_LINK, _LINK_IN_DARK = Colour(0, 0, 0.933), Colour(0.62, 0.62, 1)
_DARK_PAGE = Colour(0.118, 0.118, 0.118)


@dataclass(frozen=True)
class Look:
    """How a text is shown: what an element hands down."""

    ink: Colour
    behind: Colour
    size: float = 16
    bold: bool = False
    own_ink: bool = False

    @property
    def wanted(self) -> float:
        """The contrast that it has to have."""
        return 3.0 if self.size >= 24 or (self.bold and self.size >= 18.66) else ENOUGH


@dataclass(frozen=True)
class Scheme:
    """A way to show the mail: which rules hold, and what is done to the colours."""

    name: str
    dark: bool = False
    ink: Callable[[Colour], Colour] = lambda colour: colour
    behind: Callable[[Colour], Colour] = lambda colour: colour


SCHEMES = (
    Scheme("in light colours"),
    Scheme("in its own dark colours", dark=True),
    Scheme(
        "where a client darkens what is light",
        ink=lambda colour: inverted(colour) if lightness(colour) < 0.5 else colour,
        behind=lambda colour: inverted(colour) if lightness(colour) >= 0.5 else colour,
    ),
    Scheme("where a client turns all colours", ink=inverted, behind=inverted),
)


def check(subject: Subject) -> Iterator[Finding]:
    """Texts with too little contrast, by the line that gives them their colour."""
    knows_dark = any(
        "dark" in one.get("content", "") for one in subject.tree.all("meta") if "color" in one.get("name", "")
    )
    for scheme in SCHEMES:
        ink, page = (WHITE, _DARK_PAGE) if scheme.dark and knows_dark else (BLACK, WHITE)
        for body in subject.tree.all("body"):
            yield from _within(body, Look(ink, page), scheme, subject)


def _within(element: Element, above: Look, scheme: Scheme, subject: Subject) -> Iterator[Finding]:
    style = subject.cascade.style(element, dark=scheme.dark)
    if element.tag in _UNSEEN or ("display" in style and style["display"].value == "none"):
        return
    look = _look(element, style, above, scheme)
    blocked = element.get("alt") if element.tag == "img" else None  # a picture that is blocked shows its alt
    texts = [blocked, element.text, *(child.tail for child in element)]
    if look.size and any(one and one.strip("\N{NO-BREAK SPACE} \n\t") for one in texts):
        yield from _judged(element, look, scheme, subject)
    for child in element:
        if isinstance(child, Element):
            yield from _within(child, look, scheme, subject)


def _judged(element: Element, look: Look, scheme: Scheme, subject: Subject) -> Iterator[Finding]:
    ink, behind = scheme.ink(look.ink), scheme.behind(look.behind)
    ratio = ink.contrast(behind)
    if ratio < look.wanted and not (element.tag == "a" and not look.own_ink and not scheme.dark):
        by = next((one for one in (element, *element.up()) if _gives_ink(one, subject, scheme)), element)
        yield Finding(
            severity="error" if ratio < 2 else "warning",
            rule="contrast",
            what=f"{look.ink} on {look.behind} has a contrast of {ratio:.1f} {scheme.name}",
            do=f"choose colours with {look.wanted:g} or more",
            where=subject.places.declaration(by, "color"),
        )


def _gives_ink(element: Element, subject: Subject, scheme: Scheme) -> bool:
    return "color" in subject.cascade.style(element, dark=scheme.dark) or bool(element.get("color"))


def _look(element: Element, style: Mapping[str, Declaration], above: Look, scheme: Scheme) -> Look:
    behind = _behind(element, style, above.behind)
    ink = _ink(element, style, behind)
    linked = element.tag == "a" and bool(element.get("href"))
    usual = (_LINK_IN_DARK if above.ink.luminance > 0.5 and scheme.dark else _LINK) if linked else above.ink
    return replace(
        above,
        behind=behind,
        ink=ink or usual,
        own_ink=ink is not None or (above.own_ink and not linked),
        size=_size(element, style, above.size),
        bold=_bold(element, style, above=above.bold),
    )


def _ink(element: Element, style: Mapping[str, Declaration], behind: Colour) -> Colour | None:
    declared = style["color"].value if "color" in style else element.get("color", "") if element.tag == "font" else ""
    return colours.read(declared, behind) if declared else None


def _behind(element: Element, style: Mapping[str, Declaration], above: Colour) -> Colour:
    found = None
    for name in ("background", "background-color"):
        for word in _words(style[name].value) if name in style else ():
            found = colours.read(word, above) or found
    return found or colours.read(element.get("bgcolor", ""), above) or above


def _words(value: str) -> list[str]:
    return re.findall(r"[a-z-]+\([^)]*\)|[^\s,]+", value)


def _size(element: Element, style: Mapping[str, Declaration], above: float) -> float:
    value = style["font-size"].value if "font-size" in style else ""
    found = re.fullmatch(r"(\d*\.?\d+)(px|pt|em|rem|%)?", value)
    if found is None:
        return above * _SIZES.get(element.tag, 1)
    factor = {"pt": 4 / 3, "em": above, "rem": 16, "%": above / 100}.get(found[2] or "px", 1.0)
    return float(found[1]) * factor


def _bold(element: Element, style: Mapping[str, Declaration], *, above: bool) -> bool:
    if "font-weight" in style:
        value = style["font-weight"].value
        return value in {"bold", "bolder"} or (value.isdecimal() and int(value) >= 600)
    return above or element.tag in _BOLD
