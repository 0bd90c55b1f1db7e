"""Promises of a watch in Slack: one message that changes, and the end said below it as well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mailserver import MailServer
from slackserver import SlackServer, limited
from watched import account as mail_account
from watched import end_watchers, mails, run, started, until

from reports.notify import boxes, watch
from reports.notify.voice import voice

PLACE = "team:#cash"


@pytest.fixture
def slack(alone: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackServer]:
    """A workspace as the channel `team` of a project."""
    monkeypatch.delenv("REPORTS_DATA")
    with SlackServer() as server:
        settings = f'[channels.team]\ntoken = {{ env = "TEAM_TOKEN" }}\napi = "{server.api}"\ntimeout = 5\n'
        (alone / "settings.toml").write_text(settings, "utf-8")
        monkeypatch.setenv("TEAM_TOKEN", server.bot)
        yield server
        voice().close()
        boxes.close_all()
        end_watchers()


def told(server: SlackServer) -> list[str]:
    """What each message in the channel says of its state, the first one first."""
    return [_state(one) for one in server.said("cash")]


def _state(message: dict[str, Any]) -> str:
    known = ("Started", "Running", "Finished", "Failed", "Interrupted", "Killed")
    said = str(message.get("blocks") or message.get("text"))
    return next((word for word in known if word in said), "other")


def test_updates_change_one_message_and_the_end_is_said_below(slack: SlackServer) -> None:
    """Whoever looks sees how it is now; who follows the thread hears of the end."""
    with watch("train", via=PLACE, every=10, start=True, apart=0) as watching:
        assert until(lambda: told(slack) == ["Started"])
        for step in range(1, 21):
            watching.update(step, total=20, loss=1 / step)
            if step in (10, 20):
                assert until(
                    lambda step=step: f"{step}" in str(slack.said("cash")[0]["blocks"]) and told(slack) == ["Running"]
                )
    assert until(lambda: len(slack.said("cash")) >= 2)
    first, below = slack.said("cash")[:2]
    assert (_state(first), _state(below)) == ("Finished", "Finished")
    assert below["thread_ts"] == first["ts"]
    assert (
        slack.calls("files.getUploadURLExternal", "upload", "files.completeUploadExternal").count("chat.postMessage")
        == 2
    )


def test_an_error_is_said_below_with_the_traceback(slack: SlackServer) -> None:
    """The first message says that it failed; the pictures come once, with what is said below."""

    def train() -> None:
        with watch("train", via=PLACE, every=5, apart=0) as watching:
            for step in range(1, 8):
                watching.update(step, loss=1 / step)
                if step == 5:
                    assert until(lambda: told(slack) == ["Running"])
            raise RuntimeError("the loss is NaN")

    with pytest.raises(RuntimeError):
        train()
    assert until(lambda: len(slack.said("cash")) >= 2)
    first, below = [one for one in slack.said("cash") if one.get("blocks")][:2]
    assert "the loss is NaN" in str(first["blocks"])
    assert "Traceback" in str(below["blocks"])
    assert below["thread_ts"] == first["ts"]


def test_slack_that_wants_less_gets_the_newest(slack: SlackServer) -> None:
    """Updates that could not be said in time give way; nothing is said twice."""
    slack.faults["chat.postMessage"] = [limited(30)] * 2
    with watch("train", via=PLACE, every=1, apart=0) as watching:
        for step in range(1, 30):
            watching.update(step)
    assert voice().wait(60)
    assert boxes.flush(60)
    assert until(lambda: slack.calls().count("chat.postMessage") >= 1)
    assert len(told(slack)) <= 2
    assert "Running" not in told(slack)


def test_mail_and_slack_hear_the_same(
    slack: SlackServer, alone: Path, server: MailServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each in its own form: one mail about the end, and in Slack one message."""
    for name, value in mail_account(server, tmp_path / "data").items():
        monkeypatch.setenv(name, value)
    with watch("train", via=["mail", PLACE]) as watching:
        watching.update(3, loss=0.25)
    assert until(lambda: told(slack) == ["Finished"] and server.messages)
    (mail,) = mails(server)
    assert mail.subject.startswith("Finished: train")


def test_a_kill_changes_the_same_message(slack: SlackServer, alone: Path) -> None:
    """The watcher knows which one it is."""
    code = f"""
    import os, time
    from pathlib import Path
    from reports.notify import watch
    with watch("train", via="{PLACE}", start=True, every=1, apart=0) as watching:
        while not Path("enough").exists():
            watching.update()
            time.sleep(0.05)
        os.kill(os.getpid(), 9)
    """
    with started(alone, code, environment={"TEAM_TOKEN": slack.bot}) as script:
        assert until(lambda: told(slack)[:1] == ["Running"])
        (alone / "enough").touch()
        assert script.wait() == -9
    assert until(lambda: told(slack)[:2] == ["Killed", "Killed"]), told(slack)
    first, below = slack.said("cash")[:2]
    assert below["thread_ts"] == first["ts"]


def test_a_short_work_is_one_message(slack: SlackServer, alone: Path) -> None:
    """There is nothing to change."""
    code = f"""
    from reports.notify import watch
    with watch("short", via="{PLACE}"):
        pass
    """
    run(alone, code, environment={"TEAM_TOKEN": slack.bot})
    assert told(slack) == ["Finished"]
