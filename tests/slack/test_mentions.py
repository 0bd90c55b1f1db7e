"""Text for Slack is what was written, whatever signs are in it."""

from __future__ import annotations

import pytest

from reports.slack import mentions


def test_signs_that_mean_something_are_escaped() -> None:
    """A < in a text must not become somebody's name."""
    assert mentions.escape("a < b & <!channel>") == "a &lt; b &amp; &lt;!channel&gt;"


def test_people_channels_and_everybody_have_their_signs() -> None:
    """As Slack documents them."""
    assert (mentions.user("U1"), mentions.channel("C1")) == ("<@U1>", "<#C1>")
    assert [mentions.everybody(one) for one in ("channel", "here", "everyone")] == [
        "<!channel>",
        "<!here>",
        "<!everyone>",
    ]
    with pytest.raises(KeyError):
        mentions.everybody("nobody")


def test_a_link_stays_one() -> None:
    """With a text that cannot end it early; what is no address is text."""
    assert mentions.link("https://example.com/?a=1&b=2", "a > b | c") == (
        "<https://example.com/?a=1&amp;b=2|a &gt; b / c>"
    )
    assert mentions.link("https://example.com/") == "<https://example.com/>"
    assert mentions.link("javascript:alert(1)", "here") == "here"
