"""Style sheets and style attributes, read by tinycss2: declarations and rules with their lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import tinycss2

_PREFIXES = ("-webkit-", "-moz-", "-ms-", "-o-", "mso-")


@dataclass(frozen=True)
class Declaration:
    """One property with its value, in small letters; `parts` are the value's tokens."""

    name: str
    value: str
    important: bool
    line: int
    parts: Sequence[Any] = field(repr=False, compare=False, default=())

    @property
    def prefixed(self) -> bool:
        """Of one engine alone, and passed over by the others."""
        return self.name.startswith(_PREFIXES)

    def tokens(self) -> Iterator[Any]:
        """The tokens of the value, also those in functions."""
        yield from _flat(self.parts)


@dataclass(frozen=True)
class Rule:
    """One rule; `media` is the condition of the @media around it, empty where it holds always."""

    selector: str
    declarations: Sequence[Declaration]
    line: int
    media: str = ""
    prelude: Sequence[Any] = field(repr=False, compare=False, default=())


@dataclass(frozen=True)
class AtRule:
    """The name, and what stands before its block."""

    name: str
    prelude: str
    line: int


@dataclass(frozen=True)
class Sheet:
    """The content of one style element; `broken` are what no client understands, with their lines."""

    rules: Sequence[Rule]
    at_rules: Sequence[AtRule]
    broken: Sequence[tuple[str, int]]


@lru_cache(maxsize=4096)
def declarations(text: str, line: int = 1) -> Sequence[Declaration]:
    """Those of a style attribute that begins on `line`."""
    return tuple(_declared(tinycss2.parse_blocks_contents(text, skip_comments=True, skip_whitespace=True), line))


def sheet(text: str, line: int = 1) -> Sheet:
    """A style sheet whose text begins on `line`."""
    rules: list[Rule] = []
    at_rules: list[AtRule] = []
    broken: list[tuple[str, int]] = []
    nodes = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)
    _gather(nodes, line, "", (rules, at_rules, broken))
    return Sheet(rules, at_rules, broken)


def _gather(nodes: Sequence[Any], line: int, media: str, into: tuple[list[Rule], list[AtRule], Any]) -> None:
    rules, at_rules, broken = into
    for node in nodes:
        at = line + node.source_line - 1
        if node.type == "error":
            broken.append((node.message, at))
        elif node.type == "qualified-rule":
            inside = tinycss2.parse_blocks_contents(node.content, skip_comments=True, skip_whitespace=True)
            selector = tinycss2.serialize(node.prelude).strip()
            broken += [(one.message, line + one.source_line - 1) for one in node.prelude if one.type == "error"]
            rules.append(Rule(selector, list(_declared(inside, line)), at, media, node.prelude))
        elif node.type == "at-rule":
            prelude = tinycss2.serialize(node.prelude).strip().lower()
            at_rules.append(AtRule(node.lower_at_keyword, prelude, at))
            if node.content and node.lower_at_keyword in {"media", "supports"}:
                inner = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
                _gather(inner, line, f"{media} {prelude}".strip() or "all", into)


def _declared(nodes: Sequence[Any], line: int) -> Iterator[Declaration]:
    for node in nodes:
        if node.type == "declaration":
            value = tinycss2.serialize(node.value).strip().lower()
            yield Declaration(node.lower_name, value, node.important, line + node.source_line - 1, node.value)


def _flat(tokens: Sequence[Any]) -> Iterator[Any]:
    for token in tokens:
        yield token
        if token.type == "function":
            yield from _flat(token.arguments)
