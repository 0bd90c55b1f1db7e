"""Who gets it: lists, groups, tests, redirection and permission, settled before a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from projects import JOB, SETTINGS, make_project

from reports import addressing, jobs, toml
from reports.addressing import Envelope, allowed, envelopes, owners, redirected
from reports.definition import Job
from reports.errors import DefinitionError, SettingsError
from reports.settings import Mail, Settings

ADDRESSES = [f"{name}@{domain}" for name in ("ann", "Ann", "BOB", "zoë") for domain in ("a.example", "B.example")]


def job(**changes: Any) -> Job:
    return Job(**{"title": "Daily sales", "name": "daily", "folder": Path("jobs/daily")} | changes)


def project(mail: dict[str, Any] | None = None, **groups: Any) -> Settings:
    return Settings.model_validate({"mail": mail or {}, "groups": groups}, context={"root": Path("here")})


def envelope(*arguments: Any, **options: Any) -> Envelope:
    """That of a job without audiences."""
    (found,) = envelopes(*arguments, **options)
    return found


def problems(*arguments: Any, **options: Any) -> list[DefinitionError]:
    with pytest.raises(DefinitionError) as caught:
        envelope(*arguments, **options)
    return list(caught.value.problems)


# -- the lists ------------------------------------------------------------------------------------------


def test_a_job_goes_to_its_lists_with_its_own_reply_to() -> None:
    """What the job says comes before what the settings say."""
    named = job(to="a@x.example", cc=["C <c@x.example>"], bcc=["d@x.example"], reply_to="desk@x.example")
    found = envelope(named, project({"to": "other@x.example", "reply_to": "other@x.example"}))
    assert found == Envelope(
        to=("a@x.example",), cc=("C <c@x.example>",), bcc=("d@x.example",), reply_to="desk@x.example"
    )


def test_a_job_without_recipients_goes_to_those_of_the_settings() -> None:
    """And answers go where the settings say."""
    found = envelope(job(), project({"to": ["a@x.example", "b@x.example"], "reply_to": "desk@x.example"}))
    assert (found.to, found.reply_to, found.banner, found.kind) == (
        ("a@x.example", "b@x.example"), "desk@x.example", "", "report",
    )  # fmt: skip


def test_nobody_at_all_is_an_error_that_says_where_to_write_it() -> None:
    """A run for nobody is not a silent success; an empty group is nobody too."""
    for error in (*problems(job(), project()), *problems(job(to="finance"), project(finance=[]))):
        assert error.what == "job 'daily' has nobody to send to"
        assert error.where == "jobs/daily/job.toml"
        assert "[mail]" in error.hint


def test_a_word_without_an_at_is_a_group() -> None:
    """In any list; its members may stand in another list too, and get one mail."""
    settings = project(finance=["a@x.example", "b@x.example"], board="c@x.example")
    found = envelope(job(to=["finance", "A@x.example"], cc="board", bcc=["finance", "e@x.example"]), settings)
    assert (found.to, found.cc, found.bcc) == (("a@x.example", "b@x.example"), ("c@x.example",), ("e@x.example",))
    both = envelope(job(to=[" board ", "finance"]), settings)
    assert both.to == ("c@x.example", "a@x.example", "b@x.example")


def test_every_mistake_is_told_at_once_with_its_line_and_the_nearest_group(tmp_path: Path) -> None:
    """In the job, in a group, in the reply address, in what was asked for: one look mends all."""
    text = 'to = ["finanse", "good@x.example"]\ncc = "a b@x"\nreply_to = "desk"\nbcc = "finance"\n' + JOB
    make_project(tmp_path, job=text, settings=SETTINGS + '\n[groups]\nfinance = ["a@x.example", "@wrong"]\n')
    document = toml.read(tmp_path / "settings.toml", error=SettingsError)
    settings = toml.validate(document, Settings, error=SettingsError, root=tmp_path)
    found = problems(jobs.load("daily", settings), settings, only=["x@"])
    folder, file = tmp_path / "jobs/daily/job.toml", tmp_path / "settings.toml"
    assert [(error.what, error.where) for error in found] == [
        ("'finanse' is neither a mail address nor a group", f"{folder}:1, key to"),
        ("'a b@x' is not a mail address", f"{folder}:2, key cc"),
        ("'@wrong' is not a mail address", f"{file}:12, key groups.finance"),
        ("'x@' is not a mail address", "--to"),
        ("'desk' is not a mail address", f"{folder}:3, key reply_to"),
    ]
    assert found[0].hint == "did you mean 'finance'? groups in settings.toml: finance"
    assert {type(error).__name__ for error in found} == {"JobError", "SettingsError", "DefinitionError"}


@given(st.lists(st.sampled_from(ADDRESSES)), st.lists(st.sampled_from(ADDRESSES)), st.lists(st.sampled_from(ADDRESSES)))
def test_any_mix_of_lists_names_each_address_once(to: list[str], cc: list[str], bcc: list[str]) -> None:
    """Nobody is lost and nobody is there twice, and the first list counts."""
    found = envelope(job(to=[*to, "one@c.example"], cc=cc, bcc=bcc), project())
    everyone = [address.casefold() for address in found.everyone]
    assert len(everyone) == len(set(everyone))
    assert set(everyone) == {address.casefold() for address in (*to, *cc, *bcc, "one@c.example")}
    assert {address.casefold() for address in found.to} == {address.casefold() for address in (*to, "one@c.example")}
    assert not {address.casefold() for address in cc} & {address.casefold() for address in found.bcc}


# -- a test, and everything to one address --------------------------------------------------------------


def test_a_test_goes_to_those_asked_for_and_never_to_the_list() -> None:
    """It says that it is one, and whom it would have spared."""
    real = job(to=["a@x.example", "b@x.example"], cc="c@x.example", bcc="d@x.example")
    found = envelope(real, project(me=["me@x.example"]), only=["me", "ME@x.example"])
    assert (found.everyone, found.kind) == (("me@x.example",), "test")
    assert found.banner == "Test: this report was asked for by hand; its own list, 4 recipients, was not used."


def test_a_job_that_has_no_list_yet_can_be_tested() -> None:
    """The list is often what is written last."""
    assert envelope(job(), project(), only=["me@x.example"]).banner.endswith("it has no list.")


def test_redirection_sends_everything_to_one_address_and_says_so() -> None:
    """The banner names the first ten, and counts the rest."""
    real = job(to=[f"r{number}@x.example" for number in range(9)], cc="c@x.example", bcc=["d@x.example", "e@x.example"])
    found = envelope(real, project({"redirect": "QA <qa@x.example>"}))
    assert (found.everyone, found.kind) == (("QA <qa@x.example>",), "report")
    assert found.banner.startswith("This is not production: [mail] redirect sends every mail to QA <qa@x.example>")
    assert "r8@x.example, c@x.example and 2 more." in found.banner
    assert "d@x.example" not in found.banner


def test_a_test_is_redirected_too() -> None:
    """Outside production nothing goes anywhere else, whatever is asked for."""
    found = envelope(job(to="a@x.example"), project({"redirect": "qa@x.example"}), only=["me@x.example"])
    assert (found.everyone, found.kind) == (("qa@x.example",), "test")
    assert found.banner.startswith("Test: ")
    assert found.banner.endswith("It was for me@x.example.")


def test_a_notice_is_redirected_like_a_report() -> None:
    """And stays what it is without [mail] redirect."""
    notice = Envelope(to=["ops@x.example"], kind="failure")
    assert redirected(notice, project()) is notice
    found = redirected(notice, project({"redirect": "qa@x.example"}))
    assert (found.everyone, found.kind) == (("qa@x.example",), "failure")


def test_a_wrong_redirect_is_told_with_its_key() -> None:
    """One address, no group."""
    (error,) = problems(job(to="a@x.example"), project({"redirect": "team"}, team="b@x.example"))
    assert (error.what, error.where) == ("'team' is not a mail address", "here/settings.toml, key mail.redirect")


# -- whom [mail] allow lets receive ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "lets", "refuses"),
    [
        ("*@example.com", "Ann <Ann@EXAMPLE.com>", "ann@evil-example.com"),
        ("@example.com", "ann@example.com", "ann@sub.example.com"),
        ("example.com", "ann@example.com", "ann@example.com.evil.test"),
        ("*@*.example.com", "ann@a.b.example.com", "ann@example.com"),
        ("cfo@partner.example", "CFO@partner.example", "ceo@partner.example"),
        ("sales-*@partner.example", "sales-north@partner.example", "sales@partner.example"),
        ("*@bücher.example", "ann@xn--bcher-kva.example", "ann@bucher.example"),
        ("*@xn--bcher-kva.example", "ann@Bücher.example", "ann@bücher.test"),
        ("*@*.bücher.example", "ann@shop.BÜCHER.example", "ann@bücher.example"),
        ("a.b@example.com", "a.b@example.com", "axb@example.com"),
        ("o?b@example.com", "o?b@example.com", "oxb@example.com"),
        ("*@[a-z].example", "", "ann@a.example"),
    ],
)
def test_a_pattern_lets_whom_it_names_and_nobody_else(pattern: str, lets: str, refuses: str) -> None:
    """Only * is a wild card, it never reaches over the @, and case and script do not matter."""
    mail = Mail(allow=(pattern,))
    assert not lets or allowed(lets, mail)
    assert not allowed(refuses, mail)


def test_without_patterns_everybody_may_receive() -> None:
    """The list is for those who want one."""
    assert allowed("anybody@anywhere.example", Mail())


def test_whoever_is_not_allowed_is_told_with_patterns_and_key_before_the_run() -> None:
    """In each list by its own key; members of a group by the group's."""
    settings = project({"allow": ["ours.example", "cfo@partner.example"]}, others=["x@other.example"])
    found = problems(job(to=["a@ours.example", "ceo@partner.example"], bcc="others"), settings)
    assert [(error.what, error.where) for error in found] == [
        ("ceo@partner.example is not among those whom [mail] allow lets receive: ours.example, cfo@partner.example",
         "jobs/daily/job.toml, key to"),
        ("x@other.example is not among those whom [mail] allow lets receive: ours.example, cfo@partner.example",
         "here/settings.toml, key groups.others"),
    ]  # fmt: skip
    (asked,) = problems(job(to="ceo@partner.example"), settings, only=["me@home.example"])
    assert asked.where == "--to"


def test_with_redirection_only_that_address_must_be_allowed() -> None:
    """The others get nothing."""
    settings = project({"allow": "ours.example", "redirect": "qa@ours.example", "admins": "x@other.example"})
    assert envelope(job(to="x@other.example"), settings).everyone == ("qa@ours.example",)
    assert owners(job(), settings) == ("x@other.example",)
    (error,) = problems(job(to="a@ours.example"), project({"allow": "ours.example", "redirect": "qa@other.example"}))
    assert error.where == "here/settings.toml, key mail.redirect"


@pytest.mark.parametrize("pattern", ["", " ", "*@", "a b@example.com", "Me <me@example.com>", "*@*bücher.example"])
def test_a_pattern_that_could_mean_nobody_is_an_error(pattern: str) -> None:
    """A slip in the list would look as if everybody were refused."""
    found = problems(job(to="a@x.example"), project({"allow": [pattern]}))
    assert (found[0].what, found[0].where) == (
        f"'{pattern}' is no pattern for addresses", "here/settings.toml, key mail.allow",
    )  # fmt: skip


# -- who is told ----------------------------------------------------------------------------------------


def test_the_owner_is_told_else_the_admins_else_nobody() -> None:
    """Groups are expanded, each address once; a job that cannot be read has no owner."""
    settings = project({"admins": ["ops"]}, ops=["o@x.example", "p@x.example", "O@X.example"])
    assert owners(job(owner=["me@x.example", "ops"]), settings) == ("me@x.example", "o@x.example", "p@x.example")
    assert owners(job(), settings) == owners(None, settings) == ("o@x.example", "p@x.example")
    assert owners(job(), project()) == ()


def test_a_wrong_owner_is_told_with_its_key() -> None:
    """So that `reports check` finds it before the night in which it matters."""
    for named, settings, where in [
        (job(owner="ops"), project(), "jobs/daily/job.toml, key owner"),
        (job(), project({"admins": "ops"}), "here/settings.toml, key mail.admins"),
        (job(owner="a@other.example"), project({"allow": "ours.example"}), "jobs/daily/job.toml, key owner"),
    ]:
        with pytest.raises(DefinitionError) as caught:
            addressing.owners(named, settings)
        assert [problem.where for problem in caught.value.problems] == [where]
