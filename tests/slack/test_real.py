"""What is promised of any workspace: a real one where the environment names it (see `slackreal`), else one of ours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import slackreal
from slackreal import Place

from reports.errors import TransportError
from reports.slack import Posted

BLOCKS = [
    {"type": "header", "text": {"type": "plain_text", "text": "A test of reports"}},
    {
        "type": "table",
        "rows": [[{"type": "raw_text", "text": "Pool"}, {"type": "raw_text", "text": "12"}]],
        "column_settings": [{"is_wrapped": True}, {"align": "right"}],
    },
]


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """The workspace, real or ours."""
    with slackreal.place() as found:
        yield found


@pytest.fixture
def posted(place: Place) -> Iterator[Posted]:
    """A message that is deleted in the end."""
    made = place.slack.post(place.channel, "A test of reports: this message goes away by itself")
    yield made
    place.slack.delete(made)


def needs_user(place: Place) -> None:
    if not place.slack.user_token:
        pytest.skip("REPORTS_TEST_SLACK_USER_TOKEN names no user's token")


def test_the_workspace_is_told(place: Place) -> None:
    """Whose token it is, where, and with which scopes."""
    found = place.slack.check()
    assert found.team
    assert found.user_id
    assert found.bot
    assert "chat:write" in found.scopes


def test_channels_are_listed_with_their_purpose(place: Place) -> None:
    """All pages of them."""
    found = place.slack.channels()
    assert found
    assert all(one.id and one.name for one in found)


def test_people_are_listed_with_time_zone_and_status(place: Place) -> None:
    """And each is found again by their id."""
    found = place.slack.users()
    assert any(one.timezone for one in found)
    assert place.slack.user(found[0].id).id == found[0].id


def test_a_message_is_posted_changed_commented_and_read(place: Place, posted: Posted) -> None:
    """In place: no second message appears."""
    place.slack.update(posted, "changed", blocks=BLOCKS)
    comment = place.slack.comment(posted, "a comment")
    said = {one.ts: one for one in place.slack.history(place.channel, most=5)}
    assert said[posted.ts].text == "changed"
    assert comment.ts not in said  # it stands in the thread
    place.slack.delete(comment)


def test_blocks_and_attachments_are_posted(place: Place) -> None:
    """A table and an attachment with a colour."""
    attachments = [{"color": "#1F5A92", "text": "an attachment", "fallback": "an attachment"}]
    made = place.slack.post(place.channel, "A test of reports", blocks=BLOCKS, attachments=attachments)
    place.slack.delete(made)


def test_a_message_may_have_another_name_and_icon(place: Place) -> None:
    """By chat:write.customize."""
    made = place.slack.post(place.channel, "A test of reports", name="Cash report", icon="chart")
    place.slack.delete(made)


def test_a_file_is_uploaded_with_title_and_comment_and_deleted(place: Place, posted: Posted) -> None:
    """In three steps, into the thread of a message."""
    made = place.slack.upload(
        place.channel, b"pool,balance\nA,12\n", name="pools.csv", title="Pools", comment="all rows", thread=posted.ts
    )
    assert made.id
    place.slack.delete_file(made.id)


def test_a_channel_that_is_not_there_is_explained(place: Place) -> None:
    """With what to do about it."""
    with pytest.raises(TransportError, match="channel_not_found") as caught:
        place.slack.post("C0NOTTHERE", "nobody reads this")
    assert "/invite" in caught.value.hint
    assert caught.value.permanent


def test_messages_are_searched(place: Place) -> None:
    """By a user's token."""
    needs_user(place)
    assert isinstance(place.slack.search("reports", most=3), list)


def test_a_status_is_set_and_taken_away(place: Place) -> None:
    """By a user's token."""
    needs_user(place)
    place.slack.status("testing reports", "test_tube", until=dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5))
    place.slack.status("")


def test_notifications_are_snoozed_and_come_back(place: Place) -> None:
    """By a user's token."""
    needs_user(place)
    assert place.slack.snooze(dt.timedelta(minutes=1))
    place.slack.end_snooze()
