"""Where in the templates something of the finished mail was written.

A template is read as HTML with its Jinja left blank. The tag of the mail came from the template's tag whose every
plain attribute it has; a declaration came from that tag's style, or from the template's rule for it. Where no
template has it (it came with the data, or from a hook), the line is that of the finished body.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from reports.lint import css, markup
from reports.lint.cascade import Cascade
from reports.lint.css import Declaration, Rule
from reports.lint.markup import Element

BODY = "body.html"
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_HOLE = "\N{OBJECT REPLACEMENT CHARACTER}"


@dataclass(frozen=True)
class Template:
    """A template's file, as people name it, with its text."""

    name: str
    text: str = field(repr=False)

    @cached_property
    def elements(self) -> Sequence[Element]:
        """Its tags, those for Word alone among them."""
        plain = _JINJA.sub(lambda found: re.sub(r"[^\n]", _HOLE, found[0]), self.text)
        seen: dict[tuple[int, str, str], Element] = {}
        for word in (False, True):
            for one in markup.read(plain, word=word).all():
                seen.setdefault((one.line, one.tag, str(sorted(one.attrib.items()))), one)
        return list(seen.values())

    @cached_property
    def rules(self) -> Sequence[Rule]:
        """Its rules, whether they are moved into the tags or stay."""
        styles = [one for one in self.elements if one.tag == "style" and one.text]
        return [rule for one in styles for rule in css.sheet(one.text or "", one.text_line).rules]


class Places:
    """The places of one mail by its `trees`; `templates` are those it was made by, the job's own first."""

    def __init__(self, trees: Sequence[Element], templates: Sequence[Template]) -> None:
        self._templates = templates
        self._cascades = [(one, Cascade(tree, one.rules)) for one in templates for tree in trees]
        self._known: dict[Element, tuple[str, Element] | None] = {}

    def line(self, number: int) -> str:
        """A line of the body of which no more is known."""
        return f"{BODY}:{number}"

    def text(self, snippet: str) -> str:
        """The first line of a template with this text, empty where none has it."""
        wanted = "".join(snippet.split())
        for template in self._templates:
            for number, line in enumerate(template.text.splitlines(), start=1):
                if wanted in "".join(line.split()):
                    return f"{template.name}:{number}"
        return ""

    def element(self, element: Element) -> str:
        """The tag's line."""
        if found := self._source(element):
            return f"{found[0]}:{found[1].line}"
        return self.line(element.line)

    def declaration(self, element: Element, name: str) -> str:
        """The line that gives the property to the element, or the element's own."""
        source = self._source(element)
        if source and name in {one.name for one in css.declarations(source[1].get("style", ""))}:
            return f"{source[0]}:{source[1].line}"
        for template, cascade in self._cascades:
            for rule in reversed(cascade.rules(element)):
                if found := _declares(rule, name):
                    return f"{template.name}:{found.line}"
        return self.element(element)

    def rule(self, rule: Rule, name: str = "") -> str:
        """The line of a rule that stays in a style element, or of one of its declarations."""
        for template in self._templates:
            for one in template.rules:
                if one.selector == rule.selector and one.media == rule.media:
                    found = _declares(one, name) if name else None
                    if found or not name:
                        return f"{template.name}:{found.line if found else one.line}"
        return self.line(rule.line)

    def _source(self, element: Element) -> tuple[str, Element] | None:
        if element not in self._known:
            fitting = [
                (score, template.name, one)
                for template in self._templates
                for one in template.elements
                if one.tag.strip(_HOLE) == element.tag and (score := _score(one, element)) >= 0
            ]
            best = max(fitting, key=lambda found: found[0], default=None)
            self._known[element] = (best[1], best[2]) if best else None
        return self._known[element]


def _declares(rule: Rule, name: str) -> Declaration | None:
    """The declaration of the property, or of one that it is part of."""
    names = {name, *_wholes(name)}
    return next((one for one in reversed(rule.declarations) if one.name in names), None)


def _wholes(name: str) -> Iterator[str]:
    while "-" in name:
        name = name.rpartition("-")[0]
        yield name


def _score(written: Element, element: Element) -> int:
    """How much the two have in common; -1 where the template's tag cannot have become the mail's."""
    score = 0
    for name, value in written.attrib.items():
        given = element.get(name)
        if _HOLE in name or name in {"style", "/"}:
            continue
        if given is None or not _fits(value, given):
            return -1
        score += 4
    score += 2 if (written.text or "").strip(_HOLE + " \n") and _same_text(written, element) else 0
    if written.parent is not None and element.parent is not None:
        score += written.parent.tag.strip(_HOLE) == element.parent.tag
        score += written.parent.get("class") == element.parent.get("class")
    return score


def _fits(pattern: str, given: str) -> bool:
    if _HOLE not in pattern:
        return pattern == given
    parts = [re.escape(piece) for piece in re.split(f"{_HOLE}+", pattern)]
    return re.fullmatch(".*".join(parts), given, re.DOTALL) is not None


def _same_text(written: Element, element: Element) -> bool:
    return (written.text or "").strip() == (element.text or "").strip()
