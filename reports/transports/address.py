"""Addresses and header texts: checked once, before anything is written or sent."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reports.errors import DefinitionError

_NAMED = re.compile(r'(?P<name>"(?:[^"\\]|\\.)*"|[^<>]*?)\s*<(?P<spec>[^<>]*)>')
# Letters, digits and the marks RFC 5322 allows in a dot-atom; beyond ASCII any letter or digit (RFC 6532).
_LOCAL = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_EXAMPLE = 'write it like "name@example.com" or "Name <name@example.com>"'


@dataclass(frozen=True)
class Address:
    """A display name, the part before the @, and the domain in ASCII (punycode where it is not)."""

    name: str
    local: str
    domain: str

    @property
    def spec(self) -> str:
        """The address alone, as the envelope needs it."""
        return f"{self.local}@{self.domain}"

    @property
    def key(self) -> str:
        """What two ways to write one address have in common."""
        return self.spec.casefold()


def parse(text: str, *, where: str = "") -> Address:
    """The address in `name@domain` or `Name <name@domain>`; a DefinitionError names what cannot be one."""
    text = clean(text, what="the address", where=where).strip()
    match = _NAMED.fullmatch(text)
    name, spec = (match["name"], match["spec"]) if match else ("", text)
    local, _, domain = spec.strip().rpartition("@")
    in_ascii = ascii_domain(domain)
    if not _LOCAL.fullmatch(local) or len(local.encode()) > 64 or not in_ascii:
        raise DefinitionError(f"'{text}' is not a mail address", where=where, hint=_EXAMPLE)
    return Address(_unquoted(name), local, in_ascii)


def parse_lists(lists: Mapping[str, Iterable[str]]) -> dict[str, Sequence[Address]]:
    """Several lists by where they are written; an address is in the first list that has it, and once.

    One DefinitionError names all that are wrong, or that there are none at all.
    """
    found: dict[str, tuple[str, Address]] = {}
    wrong: list[DefinitionError] = []
    for where, text in ((where, text) for where, texts in lists.items() for text in texts):
        try:
            address = parse(text, where=where)
        except DefinitionError as error:
            wrong.append(error)
        else:
            found.setdefault(address.key, (where, address))
    if wrong:
        raise DefinitionError.join(wrong)
    if not found:
        raise DefinitionError("there is nobody to send to", where=next(iter(lists), ""), hint=_EXAMPLE)
    return {name: tuple(address for where, address in found.values() if where == name) for name in lists}


def clean(text: str, *, what: str, where: str = "") -> str:
    """`text` as it is; a DefinitionError where a line break or control character could forge a header."""
    for place, character in enumerate(text):
        if unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}:
            raise DefinitionError(
                f"{what} has the character U+{ord(character):04X} at position {place + 1}: {text[:60]!r}",
                where=where,
                hint="line breaks and control characters have no place in a mail's headers; take it out",
            )
    return text


def ascii_domain(domain: str) -> str:
    """`domain` in lower case and punycode, or nothing where it is no domain."""
    if len(domain) > 253:  # also because the codec is slow on long texts
        return ""
    try:
        found = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
    fits = len(found) <= 253 and all(_LABEL.fullmatch(label) for label in found.split("."))
    return found if fits else ""


def _unquoted(name: str) -> str:
    name = name.strip()
    if len(name) >= 2 and name[0] == name[-1] == '"':
        return re.sub(r"\\(.)", r"\1", name[1:-1]).strip()
    return name
