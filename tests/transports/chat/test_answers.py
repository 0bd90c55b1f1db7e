"""What a plugin's work means, where nothing but its own words or a lone answer tells."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reports.transports.chat.answers import Work, receipt
from reports.transports.chat.exchanges import Exchange
from reports.transports.https import Answer


def answered(code: int, text: str = "") -> Exchange:
    return Exchange("example.com", Answer(code, text))


def test_a_plugin_that_asked_nobody_is_refused_in_its_own_words() -> None:
    """It would give up again; one that speaks no HTTP may have tried, and is asked again."""
    assert receipt("a", Work(content=False, seen=[], words=["There are no topics"])).state == "refused"
    assert receipt("a", Work(content=False, seen=[], words=["There are no topics"])).text == "There are no topics"
    assert receipt("a", Work(content=False, seen=[], speaks_http=False)).state == "deferred"


def test_the_last_answer_that_was_not_good_decides() -> None:
    """A login that went well before it changes nothing."""
    told = receipt("a", Work(content=False, seen=[answered(200), answered(429), answered(200)]))
    assert (told.state, told.code) == ("deferred", 429)


def test_an_answer_that_is_good_and_a_plugin_that_is_not_content_is_a_refusal() -> None:
    """In the plugin's words: it has read more of the answer."""
    told = receipt("a", Work(content=False, seen=[answered(200, '{"ok":false}')], words=["rejected: no such chat"]))
    assert (told.state, told.code, told.text) == ("refused", 200, "rejected: no such chat")


EXCHANGE = st.one_of(st.just(Exchange("example.com", error="reset")), st.builds(answered, st.integers(100, 599)))
WORK = st.builds(
    Work,
    content=st.booleans(),
    seen=st.lists(EXCHANGE),
    words=st.lists(st.text(max_size=9)),
    speaks_http=st.booleans(),
    files=st.booleans(),
)


@given(WORK)
def test_whatever_happened_is_one_of_the_four(work: Work) -> None:
    """Accepted only where the plugin was content, and a wait only where it is tried again."""
    told = receipt("a", work)
    assert told.state in {"accepted", "refused", "deferred", "unknown"}
    assert (told.state == "accepted") == work.content
    assert (told.retry_after is None) or told.state == "deferred"
