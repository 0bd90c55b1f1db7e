"""Where a list of channels leads, and what is told of a name that leads nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from projects import JOB, SETTINGS, make_project

from reports import toml
from reports.errors import DefinitionError, JobError
from reports.routes import Route, each, leads, routes
from reports.settings import Settings
from reports.written import Key

TEAM = {"token": {"env": "SLACK_BOT_TOKEN"}, "to": ["#finance", "@ann"]}
HOOK = {"webhook": {"env": "SLACK_HOOK"}}
CHANNELS = {"team": TEAM, "bare": {"token": {"env": "SLACK_BOT_TOKEN"}}, "hook": HOOK}


def lead(*names: str, channels: dict[str, Any] | None = None) -> list[Route]:
    settings = Settings.model_validate({"channels": CHANNELS if channels is None else channels})
    return list(routes(names, settings, Key(("channels",))))


def wrong(*names: str) -> DefinitionError:
    with pytest.raises(DefinitionError) as caught:
        lead(*names)
    return caught.value


def test_a_name_reaches_whom_its_channel_names_and_a_place_reaches_that_one() -> None:
    """Mail goes to the lists, which this does not know."""
    assert lead("mail", "team", "bare:#cash", "hook") == [
        Route(""),
        Route("team", ("#finance", "@ann")),
        Route("bare", ("#cash",)),
        Route("hook", ("hook",)),
    ]
    assert [str(one) for one in lead("mail", "team")] == ["mail", "team (#finance, @ann)"]


def test_each_channel_is_one_route_and_each_place_is_reached_once() -> None:
    """However often a list names them."""
    assert lead("team:#cash", "mail", "team", "team:#finance", "mail") == [
        Route("team", ("#cash", "#finance", "@ann")),
        Route(""),
    ]


def test_every_wrong_name_is_told_at_once_with_the_nearest() -> None:
    """What is there is named as well; a channel without anybody says how to name one."""
    told = wrong("tem", "team", "bare", "mail:ann@example.com", "hook:#cash")
    assert [one.what for one in told.problems] == [
        "there is no channel 'tem'",
        "'bare' does not say whom it reaches",
        "'mail:ann@example.com' names an address: mail goes to the lists",
        "'hook' is a webhook, which reaches its one channel",
    ]
    assert told.problems[0].hint == "did you mean 'team'? channels here: mail, team, bare, hook"
    assert told.problems[1].hint == 'write "bare:#channel", or add to = ["#channel"] to [channels.bare]'


def test_what_is_wrong_is_told_with_its_line(tmp_path: Path) -> None:
    """The file's own, whichever file it is."""
    folder = make_project(tmp_path, settings=SETTINGS, job=JOB + '\n[alerts]\nerror = ["tem"]\n')
    file = folder / "jobs" / "daily" / "job.toml"
    with pytest.raises(JobError) as caught:
        routes(["tem"], Settings(), Key(("alerts", "error"), file, JobError))
    line = toml.read(file, error=JobError).line(("alerts", "error"))
    assert caught.value.problems[0].where == f"{file}:{line}, key alerts.error"
    assert line > 1


def test_a_name_that_cannot_be_used_stops_no_other() -> None:
    """Where somebody has to be told of something, all that can be reached are."""
    settings = Settings.model_validate({"channels": CHANNELS})
    found = list(each(["tem", "team", "mail"], settings, Key(("alerts", "error"))))
    assert [one for one in found if isinstance(one, Route)] == [Route("team", ("#finance", "@ann")), Route("")]
    assert [one.what for one in found if isinstance(one, DefinitionError)] == ["there is no channel 'tem'"]


@pytest.mark.parametrize(
    ("name", "leads_there"),
    [("team", True), ("team:#test", True), ("ann@example.com", False), ("finance", False), ("tem:#test", False)],
)
def test_what_is_asked_for_by_hand_is_told_apart(name: str, leads_there: bool) -> None:  # noqa: FBT001
    """A channel, or a place there, from an address and a group."""
    settings = Settings.model_validate({"channels": CHANNELS, "groups": {"finance": ["ann@example.com"]}})
    assert leads(name, settings) is leads_there


def test_a_group_of_a_channels_name_stays_a_group() -> None:
    """Its people have got such mails before there was the channel."""
    settings = Settings.model_validate({"channels": CHANNELS, "groups": {"team": ["ann@example.com"]}})
    assert not leads("team", settings)
    assert leads("team:#test", settings)
