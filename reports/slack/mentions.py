"""Text as Slack reads it: what must be escaped in it, and how people, channels and everybody are mentioned."""

from __future__ import annotations

import re

EVERYBODY = {"channel": "<!channel>", "here": "<!here>", "everyone": "<!everyone>"}
"""Everybody in the channel, those of them who are there now, everybody in #general."""
_SIGNS = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_HALF = re.compile(r"&\w*$")  # of an escaped sign that was cut in two
_SCHEMES = re.compile(r"(https?|mailto):", re.IGNORECASE)


def escape(text: str) -> str:
    """`text` as it is, also where it holds signs that mean something to Slack."""
    return text.translate(_SIGNS)


def cut(text: str, most: int) -> str:
    """`text` escaped, in so many characters at the most; an ellipsis says that there was more."""
    said = escape(text)
    if len(said) <= most:
        return said
    return _HALF.sub("", said[: most - 1]).rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def fallback(text: str, most: int) -> str:
    """The first lines of `text` escaped, whole ones where there are several, and a mark where there was more."""
    said = escape(text.strip())
    if len(said) <= most:
        return said
    lines = _HALF.sub("", said[: most - 2]).rpartition("\n")[0].rstrip()
    return f"{lines}\n\N{HORIZONTAL ELLIPSIS}" if lines else cut(text.strip(), most)


def user(user_id: str) -> str:
    """A person, who is told: <@U0123>."""
    return f"<@{user_id}>"


def channel(channel_id: str) -> str:
    """A channel that can be clicked: <#C0123>."""
    return f"<#{channel_id}>"


def everybody(whom: str = "channel") -> str:
    """All in the channel, or only who is "here" now, or "everyone" in #general; a KeyError for another word."""
    return EVERYBODY[whom]


def link(url: str, text: str = "") -> str:
    """An address that can be clicked, under `text` if there is one."""
    if not _SCHEMES.match(url):
        return escape(text or url)
    safe = escape(url).replace("|", "%7C")
    return f"<{safe}|{escape(text).replace('|', '/')}>" if text else f"<{safe}>"
