"""What a plugin's work means for a delivery, read from what it said to the network and was answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.model import Receipt
from reports.transports.chat.exchanges import Exchange
from reports.transports.https import Answer

_LATER = {408, 425, 429, 500, 502, 503, 504}
_TOO_OFTEN = {45009, 130101, 11232, 99991400}
"""What the robots of WeCom, DingTalk and Feishu say, in a good answer, to those who post too much in a minute."""
_HINTS = {
    401: "its token or password is not taken: look at the url of the channel",
    403: "it may not post there: look at the url of the channel, and what its token is for",
    404: "what its url names is not there any more: make a new webhook or token there, and put it into the url",
    410: "what its url names was taken away: make a new webhook there, and put it into the url",
    413: 'it is larger than one is taken there: attach less, or set on_unsupported = "link"',
}
_UNKNOWN = "it may have arrived: look there; then reports outbox retry RUN --unknown, or cancel"
_PARTLY = "a part of it was taken and another was not: look there before it is sent again"


@dataclass(frozen=True)
class Work:
    """What a plugin did: whether it was content, what it said to the network, and its own words of what went wrong."""

    content: bool
    seen: Sequence[Exchange]
    words: Sequence[str] = ()
    speaks_http: bool = True
    files: bool = False


def receipt(recipient: str, work: Work) -> Receipt:
    """Accepted, refused, deferred or unknown, with the answer's code and words.

    Of a plugin that speaks no HTTP no more can be known than whether it was content: what failed is deferred.
    """
    last = work.seen[-1] if work.seen else None
    refusal = next((one for one in work.seen if one.good and one.answer and _refused(one.answer)), None)
    if work.content and not refusal:
        code = last.answer.code if last and last.answer else 0
        place = f" by {last.place}" if last else ""
        return Receipt(recipient=recipient, state="accepted", code=code, text=f"accepted{place}")
    bad = refusal or next((one for one in reversed(work.seen) if not one.good), last)
    if work.files and bad and any(one.good for one in work.seen if one is not bad):
        return Receipt(recipient=recipient, state="unknown", text=_words(bad, work.words), hint=_PARTLY)
    if bad is None:
        state = "refused" if work.speaks_http else "deferred"
        said = work.words[-1] if work.words else "the plugin gave up and did not say why"
        return Receipt(recipient=recipient, state=state, text=said)  # type: ignore[arg-type]
    return _of(bad, recipient, work.words)


def _of(bad: Exchange, recipient: str, words: Sequence[str]) -> Receipt:
    said, answer = _words(bad, words), bad.answer
    if answer is None and bad.gone:
        return Receipt(recipient=recipient, state="unknown", text=said, hint=_UNKNOWN)
    if answer is None:
        hint = f"nothing had gone: look at the network of this machine, and whether {bad.place} is up"
        return Receipt(recipient=recipient, state="deferred", text=said, hint=hint)
    if answer.code in _LATER or _refused(answer) in _TOO_OFTEN:
        return Receipt(
            recipient=recipient, state="deferred", code=answer.code, text=said, retry_after=answer.retry_after
        )
    hint = _HINTS.get(answer.code, "mend what it says, then: reports outbox retry RUN")
    return Receipt(recipient=recipient, state="refused", code=answer.code, text=said, hint=hint)


def _refused(answer: Answer) -> int:
    """The code of an error in an answer that is otherwise good: `errcode` of WeCom and DingTalk, `code` of Feishu."""
    values = answer.values
    for name in ("errcode", "StatusCode"):
        if isinstance(code := values.get(name), int) and code:
            return code
    code = values.get("code")
    return code if "msg" in values and isinstance(code, int) and code else 0


def _words(bad: Exchange, words: Sequence[str]) -> str:
    """The server's own words, if it had any; else what the plugin says."""
    if bad.answer is None:
        what = "no answer after the whole message had gone" if bad.gone else "the connection failed"
        return f"{what}: {bad.error} ({bad.place})"
    values = bad.answer.values
    said = [str(values[name]) for name in ("errmsg", "description", "error", "message", "msg") if values.get(name)]
    code = _refused(bad.answer)
    own = f"{code}: {said[0]}" if code and said else said[0] if said else ""
    return (own or (words[-1] if words else "") or bad.answer.text)[:500]
