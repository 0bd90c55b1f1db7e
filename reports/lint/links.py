"""Links: that each leads somewhere, and where it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from reports.lint.finding import Finding, Severity
from reports.lint.markup import Element
from reports.lint.subject import Subject

SHORTENERS = frozenset([
    "bit.ly", "goo.gl", "is.gd", "ow.ly", "rb.gy", "rebrand.ly", "shorturl.at", "t.co", "t.ly", "tiny.cc",
    "tinyurl.com",
])  # fmt: skip
_SCHEMES = frozenset({"https", "mailto", "tel", "sms"})
_DANGEROUS = frozenset({"javascript", "data", "vbscript", "file"})
_VAGUE = frozenset({"here", "click here", "link", "this link", "more", "read more"})
_ADDRESS = re.compile(r"(?:https?://)?((?:[\w-]+\.)+[a-z]{2,})(?:[/?#:]\S*)?", re.IGNORECASE)


Fault = tuple[Severity, str, str, str]


def check(subject: Subject) -> Iterator[Finding]:
    """Every a that is to be clicked."""
    named = {one.get("name") or one.get("id") for one in subject.tree.all()} - {None}
    for link in subject.tree.all("a"):
        if not (link.get("name") and link.get("href") is None):
            where = subject.places.element(link)
            for severity, rule, what, do in (*_leads(link, named), *_says(link)):
                yield Finding(severity=severity, rule=rule, what=what, do=do, where=where)


def _parts(link: Element) -> tuple[str, str, str]:
    """The address, its scheme and its host; a host of "?" where it is no address."""
    href = link.get("href", "").strip()
    try:
        parts = urlsplit(href)
    except ValueError:
        return href, "", "?"
    return href, parts.scheme.lower(), (parts.hostname or "").lower()


def _leads(link: Element, named: set[str | None]) -> Iterator[Fault]:
    href, scheme, host = _parts(link)
    if not href:
        yield (
            "error",
            "link-empty",
            f"'{link.said()[:40]}' is a link to nothing",
            "give it an href, or write plain text",
        )
    elif host == "?":
        yield "error", "link-broken", f"{href[:60]} is no address", "write a whole address"
    elif href.startswith("#"):
        yield _anchor(href, known=href[1:] in named)
    elif scheme == "http":
        yield "warning", "link-http", f"{href[:60]} is not encrypted", "write https:"
    elif scheme in _DANGEROUS:
        what = f"{scheme}: is taken out everywhere, and makes filters suspicious"
        yield "error", "link-scheme", what, "link to a page"
    elif scheme not in _SCHEMES:
        yield "error", "link-relative", f"{href[:60]} leads nowhere from a mail", "write all of it, with https://"
    if host.removeprefix("www.") in SHORTENERS:
        what = f"{host} hides where the link leads, and filters distrust it"
        yield "warning", "link-short", what, "link to the page"


def _anchor(href: str, *, known: bool) -> Fault:
    if not known:
        return "error", "link-anchor", f"nothing in the mail is called '{href[1:]}'", 'add name="..." where it leads'
    return "warning", "link-anchor", f"{href}: phones do not jump within a mail", "let the mail be short instead"


def _says(link: Element) -> Iterator[Fault]:
    href, _, host = _parts(link)
    said = link.said()
    shown = _ADDRESS.fullmatch(said)
    if shown and host and _site(shown[1]) != _site(host):
        yield "error", "link-lies", f"the link says {shown[1]} and leads to {host}", "let both be the same"
    if said.lower().rstrip(" .>") in _VAGUE:
        yield "warning", "link-vague", f"'{said}' does not say where it leads", "say what will be seen there"
    if href and not said and not any(one.get("alt") for one in link.all("img")) and not link.get("aria-label"):
        yield "warning", "link-silent", "a link without a word", "put text into it, or an alt into its picture"


def _site(host: str) -> str:
    return ".".join(host.lower().removeprefix("www.").split(".")[-2:])
