"""What is said on channels that are no mail: kept as bytes, and told where something cannot be shown."""

from __future__ import annotations

import pytest

from reports.errors import Unsupported
from reports.model import Artifact
from reports.transports.notes import Note, ended, pack, unpack, without_files

BOOK = Artifact(name="cash.xlsx", media_type="application/x", content=b"x" * 20_000)
CHART = Artifact(name="chart.png", media_type="image/png", content=b"y" * 100, cid="chart", alt="Cash by month")
NOTE = Note(
    title="Cash",
    text="All is well.\n",
    html="<p>All is well.</p>",
    blocks=[{"type": "divider"}],
    files=[BOOK, CHART],
    tone="good",
    whole="All of it is in the mail of this report.",
    links={"cash.xlsx": "https://files.example.com/cash.xlsx"},
)


def test_a_note_comes_back_as_it_was_packed() -> None:
    """Every field, and equal notes are equal bytes, so that every attempt says the same."""
    assert unpack(pack(NOTE)) == NOTE
    assert pack(unpack(pack(NOTE))) == pack(NOTE)
    bare = Note(title="t", text="现金", blocks=[], files=[])
    assert unpack(pack(bare)) == bare


def test_files_that_a_service_does_not_take_are_named_in_a_line() -> None:
    """With their sizes and where they are, in the text and in the HTML."""
    said = without_files(NOTE, taker="ntfy", policy="say")
    assert said.files == ()
    last = said.text.splitlines()[-1]
    assert last == "1 file does not go by this channel: chart.png (100 bytes). All of it is in the mail of this report."
    assert "cash.xlsx (20 kB): https://files.example.com/cash.xlsx" in said.text.splitlines()
    assert said.html.endswith(f"<p>{last}</p>")


def test_a_note_without_links_names_all_of_its_files() -> None:
    """And a note without files is as it was."""
    said = without_files(Note(title="t", text="All is well.", files=[BOOK, CHART]), taker="ntfy", policy="link")
    assert said.text == "All is well.\n\n2 files do not go by this channel: cash.xlsx (20 kB), chart.png (100 bytes)."
    bare = Note(title="t", text="All is well.")
    assert without_files(bare, taker="ntfy", policy="fail") is bare


def test_what_may_not_be_left_out_is_an_error() -> None:
    """It names the service, the files, and what to do."""
    with pytest.raises(Unsupported, match=r"ntfy takes no files, and this message has 2 files: cash.xlsx") as caught:
        without_files(NOTE, taker="ntfy", policy="fail")
    assert "on_unsupported" in caught.value.hint


def test_lines_at_the_end_are_text_whatever_they_say() -> None:
    """A name with a bracket is no tag."""
    assert ended(NOTE, ["a <b> c"]).html.endswith("<p>a &lt;b&gt; c</p>")
