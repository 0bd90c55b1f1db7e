"""Links: that each leads somewhere, and where it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from reports.lint.finding import Finding
from reports.lint.markup import Element
from reports.lint.subject import Subject

SHORTENERS = frozenset(
    ["bit.ly", "goo.gl", "is.gd", "ow.ly", "rb.gy", "rebrand.ly", "shorturl.at", "t.co", "t.ly", "tiny.cc", "tinyurl.com"]
)
_SCHEMES = frozenset({"https", "mailto", "tel", "sms"})
_VAGUE = frozenset({"here", "click here", "link", "this link", "more", "read more"})
_ADDRESS = re.compile(r"(?:https?://)?((?:[\w-]+\.)+[a-z]{2,})(?:[/?#:]\S*)?", re.IGNORECASE)


def check(subject: Subject) -> Iterator[Finding]:
    """Every a that is to be clicked."""
    named = {one.get("name") or one.get("id") for one in subject.tree.all()} - {None}
    for link in subject.tree.all("a"):
        if not (link.get("name") and link.get("href") is None):
            for severity, rule, what, do in _faults(link, named):
                yield Finding(
                    severity=severity, rule=rule, what=what, do=do, where=subject.places.element(link)  # type: ignore[arg-type]
                )


def _faults(link: Element, named: set[str | None]) -> Iterator[tuple[str, str, str, str]]:
    href, said = link.get("href", "").strip(), link.said()
    try:
        parts = urlsplit(href)
        scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    except ValueError:
        yield "error", "link-broken", f"{href[:60]} is no address", "write a whole address"
        return
    if not href:
        yield "error", "link-empty", f"'{said[:40]}' is a link to nothing", "give it an href, or write plain text"
    elif href.startswith("#"):
        if href[1:] not in named:
            yield "error", "link-anchor", f"nothing in the mail is called '{href[1:]}'", 'add name="..." where it leads'
        else:
            yield "warning", "link-anchor", f"{href}: phones do not jump within a mail", "let the mail be short instead"
    elif scheme == "http":
        yield "warning", "link-http", f"{href[:60]} is not encrypted", "write https:"
    elif scheme in {"javascript", "data", "vbscript", "file"}:
        yield "error", "link-scheme", f"{scheme}: is taken out everywhere, and makes filters suspicious", "link to a page"
    elif scheme not in _SCHEMES:
        yield "error", "link-relative", f"{href[:60]} leads nowhere from a mail", "write the whole address, with https://"
    if host.removeprefix("www.") in SHORTENERS:
        yield "warning", "link-short", f"{host} hides where the link leads, and filters distrust it", "link to the page"
    shown = _ADDRESS.fullmatch(said)
    if shown and host and _site(shown[1]) != _site(host):
        yield "error", "link-lies", f"the link says {shown[1]} and leads to {host}", "let both be the same"
    if said.lower().rstrip(" .>") in _VAGUE:
        yield "warning", "link-vague", f"'{said}' does not say where it leads", "say what will be seen there"
    if href and not said and not any(one.get("alt") for one in link.all("img")) and not link.get("aria-label"):
        yield "warning", "link-silent", "a link without a word", "put text into it, or an alt into its picture"


def _site(host: str) -> str:
    return ".".join(host.lower().removeprefix("www.").split(".")[-2:])
