"""HTML as a tree that remembers its lines, once as Word reads a mail and once as all others do.

Word reads what stands in `<!--[if mso]>` as well; the others read what stands in `<!--[if !mso]>` alone.
Lines stay what they were: what a reader does not see is blank.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from xml.etree.ElementTree import Element as Node

VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr", "param"]
)
# What an opening tag ends, up to the element that bounds it.
_ENDS = {
    "td": ({"td", "th"}, {"tr", "table"}),
    "th": ({"td", "th"}, {"tr", "table"}),
    "tr": ({"tr", "td", "th"}, {"table", "tbody", "thead", "tfoot"}),
    "tbody": ({"thead", "tbody", "tfoot", "tr", "td", "th"}, {"table"}),
    "tfoot": ({"thead", "tbody", "tr", "td", "th"}, {"table"}),
    "li": ({"li"}, {"ul", "ol"}),
    "p": ({"p"}, {"td", "th", "div", "li", "body"}),
    "body": ({"head"}, {"html"}),
}
_REVEALED = re.compile(r"(<!--\[if ([^\]]*)\]>\s*(?:<!-->|-->))(.*?)(<!--\s*<!\[endif\]-->)", re.DOTALL)
_HIDDEN = re.compile(r"(<!--\[if ([^\]]*)\]>)(.*?)(<!\[endif\]-->)", re.DOTALL)
_BARE = re.compile(r"(<!\[if ([^\]]*)\]>)(.*?)(<!\[endif\]>)", re.DOTALL)


class Element(Node):
    """One element with the `line` of its tag, the `text_line` of its first text, and its `parent`."""

    line = 0
    text_line = 0
    parent: Element | None = None

    def up(self) -> Iterator[Element]:
        """The elements around it, the nearest first."""
        above = self.parent
        while above is not None:
            yield above
            above = above.parent

    def said(self) -> str:
        """All text within it, in one line."""
        return " ".join("".join(self.itertext()).split())

    def all(self, *tags: str) -> list[Element]:
        """It and the elements within it, those with one of these tags."""
        return [one for one in self.iter() if isinstance(one, Element) and (not tags or one.tag in tags)]


def blank(text: str) -> str:
    """As many lines, with nothing on them."""
    return re.sub(r"[^\n]", " ", text)


def read(html: str, *, word: bool) -> Element:
    """The tree of what Word, or any other client, sees. Whatever is wrong with it, there is a tree."""
    tree = _Tree()
    tree.feed(_seen(html, word=word))
    tree.close()
    return tree.root


def _seen(html: str, *, word: bool) -> str:
    def keep(found: re.Match[str]) -> str:
        begin, condition, inside, end = found.groups()
        return blank(begin) + (inside if _holds(condition, word=word) else blank(inside)) + blank(end)

    def hidden(found: re.Match[str]) -> str:
        return keep(found) if word else blank(found[0])

    return _BARE.sub(keep, _HIDDEN.sub(hidden, _REVEALED.sub(keep, html)))


def _holds(condition: str, *, word: bool) -> bool:
    mso = re.search(r"(!\s*\(?\s*)?\b(?:mso|ie)\b", condition, re.IGNORECASE)
    return mso is not None and word == (mso[1] is None)


class _Tree(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("html", {})
        self.root.line = 1
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in reversed(attrs)}  # of two alike the first counts
        if tag == "html":
            self.root.attrib.update(given)
            self.root.line = self.getpos()[0]
            return
        self._end_before(tag)
        element = Element(tag, given)
        element.line, element.parent = self.getpos()[0], self._open[-1]
        self._open[-1].append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag != "html" and any(one.tag == tag for one in self._open[1:]):
            while self._open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        inside = self._open[-1]
        if len(inside):
            inside[-1].tail = (inside[-1].tail or "") + data
        else:
            inside.text_line = inside.text_line or self.getpos()[0]
            inside.text = (inside.text or "") + data

    def unknown_decl(self, data: str) -> None:
        """`<![endif]>` and the like: nothing to read."""

    def _end_before(self, tag: str) -> None:
        ended, bounds = _ENDS.get(tag, (frozenset(), frozenset()))
        for depth in range(len(self._open) - 1, 0, -1):
            if self._open[depth].tag in bounds:
                return
            if self._open[depth].tag in ended:
                del self._open[depth:]
                self._end_before(tag)
                return
