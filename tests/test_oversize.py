"""Messages that are too large, made smaller in the open; real reports, real mails."""

from __future__ import annotations

import datetime as dt
import email
import html
import io
import random
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from email import policy
from email.message import EmailMessage
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports import oversize
from reports.definition import Job, Oversize
from reports.errors import RenderError
from reports.model import XLSX, Artifact, Column, Message, Report, Run, Table
from reports.model import size as in_words
from reports.pipeline import Pipeline, Produced
from reports.settings import Settings
from reports.transports import mime

ALL: tuple[Oversize, ...] = ("zip", "link", "leave_out")
WHEN = dt.datetime(2026, 11, 2, 7, tzinfo=dt.UTC)
RUN = Run(id="3f2a9c41", job="daily", as_of=dt.date(2026, 10, 31), started=WHEN)
BODY = 15_000  # bytes, more than the mail without attachments has, whatever is said in it


def noise(count: int, seed: int = 1) -> bytes:
    """Bytes that no zip makes smaller."""
    return random.Random(seed).randbytes(count)  # noqa: S311


def file(name: str, content: bytes) -> Artifact:
    return Artifact(name=name, media_type=XLSX if name.endswith(".xlsx") else "text/csv", content=content)


def pipeline() -> Pipeline:
    job = Job(title="Daily sales", name="daily", show=[{"text": "The body."}])
    return Pipeline(job=job, run=RUN, settings=Settings(), tell=lambda _: None)


def made(*attachments: Artifact, whole_in: str = "") -> Produced:
    """A report with these attachments; with `whole_in` a cut table that points there."""
    produced = pipeline().render([], {})
    table = Table(
        frame=pd.DataFrame({"a": [1, 2, 3]}), columns=[Column(key="a", label="A")], limit=1, whole_in=whole_in
    )
    blocks = [*produced.page.blocks, *([table] if whole_in else [])]
    return replace(
        produced,
        page=replace(produced.page, blocks=blocks),
        report=replace(produced.report, attachments=attachments),
    )


def compose(report: Report) -> Message:
    return mime.compose(report, sender="me@x.example", to=["you@x.example"], key=RUN.key, date=WHEN)


def link(artifact: Artifact) -> str:
    return f"https://files.example.com/linked/{artifact.sha256[:16]}"


def fit(
    produced: Produced,
    limit: int | None,
    *steps: Oversize,
    link: Callable[[Artifact], str] | None = link,
) -> tuple[Produced, Message]:
    return oversize.fit(
        produced, restated=pipeline().restated, compose=compose, limit=limit, policy=steps or ALL, link=link
    )


def attached(message: Message) -> dict[str, Any]:
    read = email.message_from_bytes(message.content, policy=policy.default)
    assert isinstance(read, EmailMessage)
    return {str(part.get_filename()): part.get_payload(decode=True) for part in read.iter_attachments()}


def shown(produced: Produced) -> str:
    return html.unescape(produced.report.html.replace("<wbr>", ""))


def said(produced: Produced) -> Sequence[str]:
    """The notices, which both bodies must have."""
    for notice in produced.page.notices:
        assert notice in produced.report.text
        assert notice.split(" (")[0] in shown(produced)
    return produced.page.notices


# -- what fits ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [None, 200_000])
def test_what_fits_is_left_alone(limit: int | None) -> None:
    """The very same report, and no limit is no limit."""
    produced = made(file("a.csv", noise(100_000)))
    found, message = fit(produced, limit)
    assert found is produced
    assert message == compose(produced.report)


def test_the_size_that_counts_is_that_of_the_finished_mail() -> None:
    """Base64 makes three bytes four: a file under the limit can be a mail over it."""
    produced = made(file("a.csv", noise(100_000)))
    exact = len(compose(produced.report).content)
    assert fit(produced, exact)[0] is produced
    assert fit(produced, exact - 1)[0] is not produced
    assert exact > 135_000


# -- each step ------------------------------------------------------------------------------------------


def test_a_file_that_gets_smaller_is_zipped() -> None:
    """Under its name with .zip, the same bytes inside, the same zip each time."""
    produced = made(file("Sales.csv", b"a,b\n" * 50_000), file("small.csv", b"a\n"))
    found, message = fit(produced, 20_000)
    files = attached(message)
    assert set(files) == {"Sales.csv.zip", "small.csv"}
    with zipfile.ZipFile(io.BytesIO(files["Sales.csv.zip"])) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"Sales.csv": b"a,b\n" * 50_000}
    assert said(found) == []
    assert fit(produced, 20_000)[1] == message


def test_a_file_that_no_zip_makes_smaller_is_linked() -> None:
    """With its size and an address that can be clicked."""
    book = file("Sales.xlsx", noise(100_000))
    found, message = fit(made(book), BODY)
    assert attached(message) == {}
    assert said(found) == [f"Sales.xlsx (100 kB) is too large to be attached. Fetch it here: {link(book)}"]
    assert f'<a href="{link(book)}"' in found.report.html


def test_without_a_place_for_links_it_is_left_out_with_a_sentence() -> None:
    """What it was, how large, what the limit is, and how to get it."""
    found, message = fit(made(file("Sales.xlsx", noise(100_000))), BODY, link=None)
    assert attached(message) == {}
    (notice,) = said(found)
    assert notice == (
        f"Sales.xlsx (100 kB) is not attached: with it this mail would be larger than the {in_words(BODY)} that can "
        f"be sent. Ask the report's owner for it, who finds it with: reports show {RUN.id}"
    )


def test_the_policy_is_followed_in_its_order() -> None:
    """Whoever writes leave_out alone gets no link and no zip."""
    produced = made(file("a.csv", b"a,b\n" * 50_000))
    assert "not attached" in said(fit(produced, 20_000, "leave_out")[0])[0]
    assert "Fetch it here" in said(fit(produced, 20_000, "link", "zip")[0])[0]


def test_no_more_is_taken_out_than_needed() -> None:
    """The largest goes first; the others stay, as they were made."""
    files = [file("middle.csv", noise(30_000, 1)), file("large.csv", noise(90_000, 2)), file("text.csv", b"ab" * 9_000)]
    found, message = fit(made(*files), 80_000)
    assert set(attached(message)) == {"middle.csv", "text.csv"}
    assert [notice.split()[0] for notice in said(found)] == ["large.csv"]


def test_a_zip_that_helps_is_kept_beside_a_link() -> None:
    """Each step builds on the one before."""
    files = [file("packs.csv", b"a,b\n" * 50_000), file("hard.xlsx", noise(90_000))]
    found, message = fit(made(*files), 30_000)
    assert set(attached(message)) == {"packs.csv.zip"}
    assert [notice.split()[0] for notice in said(found)] == ["hard.xlsx"]


def test_sentences_stand_before_those_that_were_there() -> None:
    """And those that were there stay."""
    before = pipeline().restated(made(file("a.csv", noise(90_000))), notices=["3 rows did not fit."])
    assert [notice.split()[0] for notice in said(fit(before, BODY)[0])] == ["a.csv", "3"]


def test_a_table_does_not_point_at_a_file_that_is_not_there() -> None:
    """It names the file that is attached, the zip that has it, or none."""
    for content, limit, pointing in [
        (b"ab" * 50, 200_000, "; all in the attachment Sales.csv."),
        (b"ab" * 50_000, 20_000, "; all in the attachment Sales.csv.zip."),
        (noise(90_000), 20_000, "Showing 1 of 3 rows."),
    ]:
        produced = made(file("Sales.csv", content), whole_in="Sales.csv")
        produced = pipeline().restated(produced, notices=[])
        found, _ = fit(produced, limit)
        assert pointing in found.report.text
        assert pointing in shown(found)


# -- what cannot be sent --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "what"),
    [
        (("fail",), "the mail is 126 kB, and at most 20 kB can be sent"),
        (("zip",), "the mail is 126 kB, and at most 20 kB can be sent"),
        (("zip", "fail"), "the mail is 126 kB, and at most 20 kB can be sent"),
    ],
)
def test_a_policy_that_comes_to_its_end_fails_the_run(steps: tuple[Oversize, ...], what: str) -> None:
    """With the sizes and what can be done, in the job and in the settings."""
    with pytest.raises(RenderError) as caught:
        fit(made(file("a.csv", noise(90_000))), 20_000, *steps)
    assert re.sub(r"1\d\d kB", "126 kB", caught.value.what) == what
    assert caught.value.where == "job daily, subject 'Daily sales, 2026-10-31'"
    assert "leave_out" in caught.value.hint
    assert "[mail] size_limit" in caught.value.hint


def test_an_empty_policy_fails_too() -> None:
    """Nothing is sent that nobody allowed to be changed."""
    with pytest.raises(RenderError):
        oversize.fit(
            made(file("a.csv", noise(90_000))),
            restated=pipeline().restated,
            compose=compose,
            limit=BODY,
            policy=(),
            link=link,
        )


def test_what_the_zip_spared_is_told_when_it_was_not_enough() -> None:
    """Whoever raises the limit knows how far."""
    with pytest.raises(RenderError, match="after all that its oversize allows"):
        fit(made(file("a.csv", b"ab" * 9_000 + noise(90_000))), 20_000, "zip")


def test_a_body_that_is_too_large_alone_is_an_error_that_says_so() -> None:
    """There is no such thing as an empty mail."""
    with pytest.raises(RenderError, match="without any attachment, and at most 1,000 bytes") as caught:
        fit(made(file("a.csv", b"a")), 1_000)
    assert "fewer charts" in caught.value.hint


# -- whatever comes -------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a.csv", "b.xlsx", "现金流量表.csv", "a.csv.zip", "x" * 250 + ".csv", "Cash flow & more.csv"])
CONTENTS = st.builds(
    lambda packs, hard, seed: b"0" * packs + noise(hard, seed),
    st.integers(0, 40_000), st.integers(0, 40_000), st.integers(0, 9),
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    files=st.dictionaries(NAMES, CONTENTS, max_size=4),
    limit=st.integers(BODY, 90_000),
    steps=st.permutations(ALL).flatmap(lambda steps: st.integers(1, 3).map(lambda count: steps[:count])),
    linked=st.booleans(),
)
def test_nothing_is_over_the_limit_and_nothing_is_gone_without_a_word(
    files: dict[str, bytes], limit: int, steps: list[Oversize], *, linked: bool
) -> None:
    """Each file is attached, in a zip, linked or named; the body is there; or else it is an error."""
    produced = made(*(file(name, content) for name, content in files.items()))
    try:
        found, message = fit(produced, limit, *steps, link=link if linked else None)
    except RenderError:
        assert "leave_out" not in steps
        return
    there = attached(message)
    assert len(message.content) <= limit
    assert "The body." in found.report.text
    assert "The body." in found.report.html
    for artifact in produced.report.attachments:
        packed = there.get(f"{artifact.name}.zip", b"")
        named = [notice for notice in said(found) if notice.startswith(artifact.name[:100])]
        ways: list[Any] = [
            there.get(artifact.name) == artifact.content,
            artifact.name in _names(packed),
            any(in_words(len(artifact.content)) in notice for notice in named),
        ]
        assert any(ways)


def _names(content: bytes) -> list[str]:
    with io.BytesIO(content) as file:
        return zipfile.ZipFile(file).namelist() if zipfile.is_zipfile(file) else []
