"""Which declarations hold for an element: the rules that match it, in CSS's order, and its own style attribute."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import cssselect2

from reports.lint.css import Declaration, Rule, declarations
from reports.lint.markup import Element

DARK = "prefers-color-scheme"


class Cascade:
    """The rules of a mail, or of its templates, over the tree of the mail."""

    def __init__(self, root: Element, rules: Iterable[Rule]) -> None:
        matcher = cssselect2.Matcher()
        for rule in rules:
            for selector in _compiled(rule):
                matcher.add_selector(selector, rule)
        wrappers = cssselect2.ElementWrapper.from_html_root(root).iter_subtree()
        self._found: dict[Element, list[tuple[Any, Rule]]] = {
            one.etree_element: [
                ((specificity, order), rule)
                for specificity, order, pseudo, rule in matcher.match(one)
                if pseudo is None
            ]
            for one in wrappers
        }

    def applies(self, rule: Rule) -> bool:
        """Whether the rule matches anything."""
        return any(one is rule for found in self._found.values() for _, one in found)

    def rules(self, element: Element, *, dark: bool = False) -> Sequence[Rule]:
        """The rules that hold for it in light or in dark mode, the strongest last."""
        found = sorted(self._found.get(element, ()), key=lambda one: one[0])
        return [rule for _, rule in found if _holds(rule.media, dark=dark)]

    def style(self, element: Element, *, dark: bool = False) -> dict[str, Declaration]:
        """Each property that is declared for it, by the declaration that counts."""
        by_rules = [one for rule in self.rules(element, dark=dark) for one in rule.declarations]
        own = declarations(element.get("style", ""), element.line)
        plain = [one for one in (*by_rules, *own) if not one.important]
        return {one.name: one for one in (*plain, *(one for one in (*by_rules, *own) if one.important))}


def _compiled(rule: Rule) -> Sequence[Any]:
    try:
        return list(cssselect2.compile_selector_list(list(rule.prelude)))
    except cssselect2.SelectorError:
        return ()


def _holds(media: str, *, dark: bool) -> bool:
    if DARK in media:
        return dark and "dark" in media.partition(DARK)[2]
    return media in {"", "all", "screen"}
