"""Promises of a watch inside of a program: what is told when, and that the work is never disturbed."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mailserver import MailServer
from matplotlib.figure import Figure
from PIL import Image
from sending import PASSWORD
from watched import mails, until

from reports.notify import boxes, current, watch
from reports.notify.voice import voice
from reports.notify.watching import Watch


@pytest.fixture(autouse=True)
def over() -> Iterator[None]:
    """What a test has watched is told before its server goes."""
    yield
    voice().close()


def sent(server: MailServer, count: int) -> list[Any]:
    """So many mails, once they are there."""
    assert until(lambda: len(server.messages) >= count), [one.subject for one in mails(server)]
    return mails(server)


def settled() -> None:
    """All that was said is told."""
    assert voice().wait(60)
    assert boxes.flush(60)


def test_the_end_is_told_with_the_last_state(account: MailServer) -> None:
    """How far it came, how long it took, on which machine, and what was said at last."""
    with watch("train resnet", to="ann@example.com") as watching:
        for step in range(1, 21):
            watching.update(step, total=20, loss=1 / step)
        watching.finish(text="The model is in resnet.pt.", accuracy=0.9)
    (mail,) = sent(account, 1)
    assert mail.subject.startswith("Finished: train resnet on ")
    assert mail.step == 20
    assert "of 20, 100%" in mail.text
    assert "0.05000" in mail.text
    assert "0.9000" in mail.text
    assert "The model is in resnet.pt." in mail.text
    assert account.messages[0].recipients == ("ann@example.com",)


def test_what_is_counted_is_called_as_it_is(account: MailServer) -> None:
    """By the option `unit`, in figures and below the chart."""
    with watch("train resnet", unit="epoch") as watching:
        for number in range(1, 7):
            watching.update(number, total=6, loss=1 / number)
    (mail,) = sent(account, 1)
    assert "Epoch 6 of 6, 100%" in " ".join(mail.text.split())
    assert "by epoch, 1 to 6" in " ".join(mail.text.split())
    assert "Step" not in mail.text


def test_start_updates_and_end_are_one_conversation(account: MailServer) -> None:
    """Each refers to the first; those on the way have one subject."""
    with watch("train", every=5, start=True, apart=0) as watching:
        sent(account, 1)
        for step in range(1, 11):
            watching.update(step, loss=0.5)
            if step == 5:
                sent(account, 2)
            if step == 10:
                sent(account, 3)
    first, *rest, last = sent(account, 4)
    assert [one.step for one in rest] == [5, 10]
    assert {one.subject for one in (first, *rest)} == {first.subject}
    assert last.subject == f"Finished: {first.subject}"
    assert {one.parsed["In-Reply-To"] for one in (*rest, last)} == {first.parsed["Message-ID"]}
    assert {one.parsed["References"] for one in (*rest, last)} == {first.parsed["Message-ID"]}
    assert first.parsed["In-Reply-To"] is None


def test_an_update_that_comes_too_late_gives_way_to_the_end(account: MailServer) -> None:
    """A short run tells its end alone."""
    with watch("short", every=1, apart=0) as watching:
        for step in range(100):
            watching.update(step)
    settled()
    assert [one.subject.partition(":")[0] for one in mails(account)] == ["Finished"]


def test_updates_that_could_not_be_sent_give_way_to_newer_ones(account: MailServer) -> None:
    """While the network is away; when it is back the newest is sent, and the others never."""
    account.replies["MAIL"] = "451 4.3.2 not now"
    with watch("train", every=10, apart=0) as watching:
        for step in range(1, 31):
            watching.update(step)
            if step % 10 == 0:
                tried = len(account.commands)
                assert until(lambda tried=tried: len(account.commands) > tried)
        account.replies.clear()
        for step in range(31, 41):
            watching.update(step)
        (mail,) = sent(account, 1)
        assert mail.step == 40
    assert [one.step for one in sent(account, 2)] == [40, 40]


def test_pictures_files_and_tables_go_with_it(account: MailServer, tmp_path: Path) -> None:
    """However they are given; a frame becomes a table, or the file that its name says."""
    path = tmp_path / "notes.txt"
    path.write_text("by hand", "utf-8")
    figure = Figure(figsize=(3, 2))
    figure.subplots().plot([1, 2, 3])
    frame = pd.DataFrame({"class": ["cat", "dog"], "found": [10, 12]})
    with watch("train") as watching:
        watching.finish(
            images=[(figure, "The loss falls"), Image.new("RGB", (40, 20), "red")],
            attachments=[path, ("classes.csv", frame), ("model.bin", b"123")],
            tables={"Classes": frame},
        )
    (mail,) = sent(account, 1)
    assert 'alt="The loss falls"' in mail.html
    assert "Classes" in mail.text
    assert "dog" in mail.text
    assert mail.files["notes.txt"] == b"by hand"
    assert b"cat,10" in mail.files["classes.csv"]
    assert mail.files["model.bin"] == b"123"
    assert sum(content.startswith(b"\x89PNG") for content in mail.files.values()) == 2


def test_functions_are_called_in_the_background(account: MailServer) -> None:
    """And only for messages that are made."""
    called: list[threading.Thread] = []

    def tables() -> dict[str, pd.DataFrame]:
        called.append(threading.current_thread())
        return {"Counted": pd.DataFrame({"n": [1]})}

    with watch("train", every=2, apart=0) as watching:
        for step in (1, 2):
            watching.update(step, tables=tables)
        (mail,) = sent(account, 1)
        watching.update(3)
    assert "Counted" in mail.text
    assert [one is threading.main_thread() for one in called] == [False]


def test_a_figure_is_sent_as_it_was_when_it_was_said(account: MailServer) -> None:
    """Whatever becomes of it while the message waits; pyplot and the figure itself are left as they are."""
    figure = Figure(figsize=(2, 1))
    axes = figure.subplots()
    canvas = figure.canvas
    with watch("train", every=1, apart=0) as watching:
        axes.set_facecolor("red")
        watching.update(1, images=[figure])
        axes.set_facecolor("blue")
        (mail,) = sent(account, 1)
    (picture,) = [one for one in mail.files.values() if one.startswith(b"\x89PNG")]
    path = Path("picture.png")
    path.write_bytes(picture)
    with Image.open(path) as opened:
        pixels = np.asarray(opened.convert("RGB")).reshape(-1, 3)
    assert ((pixels == (255, 0, 0)).all(axis=1)).any()
    assert not ((pixels == (0, 0, 255)).all(axis=1)).any()
    assert figure.canvas is canvas


def test_what_cannot_be_shown_is_told(account: MailServer, tmp_path: Path) -> None:
    """The rest of the message is there."""

    def broken() -> list[object]:
        raise ValueError("no predictions yet")

    with watch("train") as watching:
        watching.update(1, loss=0.25)
        watching.finish(images=broken, attachments=[tmp_path / "not-there.pt"], text="Done.")
    (mail,) = sent(account, 1)
    assert "no predictions yet" in mail.words
    assert "not-there.pt" in mail.words
    assert "0.2500" in mail.text
    assert "Done." in mail.text


def test_what_is_said_after_a_question_goes_together(account: MailServer) -> None:
    """A plain update, the question whether it is due, and the rest of it, make one message."""
    with watch("train", every=10, apart=0) as watching:
        for step in range(1, 21):
            watching.update(step, loss=1 / step)
            assert watching.due(step) == (step in (10, 20))
            if watching.due(step):
                time.sleep(0.6)  # it takes its time to be drawn
                watching.update(step, loss=1 / step, text=f"Drawn at {step}.")
                sent(account, step // 10)
    assert [(one.step, f"Drawn at {one.step}." in one.text) for one in mails(account)[:2]] == [(10, True), (20, True)]


def test_updates_that_are_due_all_the_time_are_sent_as_fast_as_it_goes(account: MailServer) -> None:
    """The newest, though another one comes before it is made."""
    with watch("train", every=1, apart=0) as watching:
        for step in range(1, 3000):
            watching.update(step)
            if len(account.messages) >= 2:
                break
            time.sleep(0.02)
    first, second = sent(account, 3)[:2]
    assert 0 < first.step < second.step <= step


def test_many_metrics_are_drawn_over_the_steps(account: MailServer) -> None:
    """One small chart where there are enough updates; not where one brings pictures, nor where it is not wanted."""
    for options in ({}, {"chart": False}):
        with watch("train", **options) as watching:  # type: ignore[arg-type]
            for step in range(1, 30):
                watching.update(step, loss=1 / step, val_loss=1.1 / step, constant=3)
    charted, plain = sent(account, 2)
    assert any(name.startswith("chart") for name in charted.files)
    assert "constant" not in charted.text.partition("by step")[2].partition("Where it ran")[0]
    assert not plain.files


# -- how it ends ---------------------------------------------------------------------------------------


def test_an_error_is_told_and_passed_on(account: MailServer) -> None:
    """With its own words, the place, and the traceback."""

    def divide() -> None:
        with watch("train") as watching:
            watching.update(3, loss=0.5)
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        divide()
    (mail,) = sent(account, 1)
    assert mail.subject.startswith("Failed: train on ")
    assert "[Problem] ZeroDivisionError: division by zero" in mail.text
    assert f"{__file__}:" in mail.text
    assert "Traceback (most recent call last)" in mail.text
    assert mail.step == 3


def test_no_secret_is_told(account: MailServer) -> None:
    """Whatever an error says."""
    with pytest.raises(ConnectionError), watch("train"):
        raise ConnectionError(f"postgresql://me:{PASSWORD}@host refused, " + "x" * 30_000)
    (mail,) = sent(account, 1)
    assert "refused" in mail.text
    assert PASSWORD not in mail.text + mail.html + mail.files["traceback.txt"].decode()


def test_a_title_of_several_lines_is_one(account: MailServer) -> None:
    """As a subject has to be."""
    with watch("train\nall \x07of it"):
        pass
    assert sent(account, 1)[0].subject.startswith("Finished: train all of it on ")


def test_a_long_traceback_is_attached_whole(account: MailServer) -> None:
    """Its last lines stand first."""
    with pytest.raises(ValueError, match="x"), watch("train"):
        raise ValueError("x" * 50_000)
    (mail,) = sent(account, 1)
    assert b"x" * 50_000 in mail.files["traceback.txt"]
    assert mail.text.index("Its last lines") < mail.text.index("Traceback\n")


@pytest.mark.parametrize(
    ("error", "subject", "said"),
    [
        (KeyboardInterrupt(), "Interrupted", "interrupted by hand"),
        (SystemExit(3), "Failed", "sys.exit(3)"),
        (SystemExit(0), "Finished", "Took"),
        (asyncio.CancelledError(), "Interrupted", "CancelledError"),
    ],
)
def test_other_ends_have_their_words(account: MailServer, error: BaseException, subject: str, said: str) -> None:
    """And are passed on as they are."""
    with pytest.raises(type(error)) as caught, watch("train"):
        raise error
    assert caught.value is error
    (mail,) = sent(account, 1)
    assert mail.subject.startswith(f"{subject}: ")
    assert said in mail.words


def test_nested_watches_tell_each_their_own(account: MailServer) -> None:
    """An error that passes through both ends both; each has its conversation."""

    def work() -> None:
        with watch("outer"):
            with watch("first"):
                current().update(7)
            assert current().title == "outer"
            with watch("second"):
                raise RuntimeError("torn")

    with pytest.raises(RuntimeError, match="torn"):
        work()
    found = {one.subject.rpartition(" on ")[0]: one for one in sent(account, 3)}
    assert set(found) == {"Finished: first", "Failed: second", "Failed: outer"}
    assert found["Finished: first"].step == 7
    assert len({one.parsed["Message-ID"] for one in found.values()}) == 3


def test_threads_may_say_what_they_do(account: MailServer) -> None:
    """Any number of them at once."""
    with watch("load", total=4000) as watching:
        workers = [threading.Thread(target=lambda: [watching.update(rows=1) for _ in range(1000)]) for _ in range(4)]
        for one in workers:
            one.start()
        for one in workers:
            one.join()
    (mail,) = sent(account, 1)
    assert mail.step == 4000


# -- as a decorator ------------------------------------------------------------------------------------


def test_a_function_gives_what_it_gave(account: MailServer) -> None:
    """That stands in the mail as well; each call is a work of its own."""

    @watch("add up", to="ann@example.com")
    def add(*numbers: int) -> dict[str, int]:
        """Adds."""
        current().update(len(numbers))
        return {"sum": sum(numbers)}

    assert (add(1, 2), add(4)) == ({"sum": 3}, {"sum": 4})
    assert (add.__name__, add.__doc__) == ("add", "Adds.")
    found = sent(account, 2)
    assert [(one.step, "{'sum': 3}" in one.text) for one in found] == [(2, True), (1, False)]


def test_the_value_is_kept_whatever_the_mail_server_says(account: MailServer) -> None:
    """A refusal is in the outbox, and nowhere else."""
    account.replies["MAIL"] = "550 5.7.1 nobody here likes you"

    @watch
    def add() -> int:
        return 3

    assert add() == 3
    settled()
    assert account.messages == []


def test_wrong_settings_are_logged_once_and_disturb_nothing(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the start, in words; the work does not notice."""
    monkeypatch.setenv("REPORTS_FROM", "me@example.com")

    @watch("add", to="nobody of this name", every=1, start=True, apart=0)
    def add() -> int:
        for step in range(5):
            current().update(step)
        return 3

    assert add() == 3
    settled()
    told = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert len(told) == 1
    assert "nobody of this name" in told[0].getMessage()


def test_coroutines_and_generators_are_watched_while_they_run(account: MailServer) -> None:
    """Not only while they are made."""

    @watch("wait")
    async def wait() -> str:
        await asyncio.sleep(0.01)
        return "awaited"

    @watch("count")
    def count() -> Iterator[int]:
        yield from (1, 2)
        raise ValueError("no more")

    assert asyncio.run(wait()) == "awaited"
    with pytest.raises(ValueError, match="no more"):
        list(count())
    found = {one.subject.partition(" on ")[0]: one for one in sent(account, 2)}
    assert "awaited" in found["Finished: wait"].text
    assert "no more" in found["Failed: count"].text


def test_a_returned_frame_is_a_table_and_a_returned_file_goes_with_it(account: MailServer, tmp_path: Path) -> None:
    """Anything else is written out, and cut."""
    path = tmp_path / "result.csv"
    path.write_text("a,b\n1,2\n", "utf-8")
    for value in (pd.DataFrame({"region": ["North"]}), path, ["x" * 500] * 500):
        watch("give")(lambda value=value: value)()
        settled()
    frame, file, long = sent(account, 3)
    assert "North" in frame.text
    assert file.files == {"result.csv": b"a,b\n1,2\n"}
    assert len(long.text) < 5000


# -- who speaks ----------------------------------------------------------------------------------------


def test_only_the_first_rank_speaks(account: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are silent while all is well, and when they are interrupted."""
    monkeypatch.setenv("RANK", "3")
    with watch("train", every=1, start=True, apart=0) as watching:
        watching.update(1)
        assert not watching.due(2)
    with pytest.raises(KeyboardInterrupt), watch("train"):
        raise KeyboardInterrupt
    monkeypatch.setenv("RANK", "0")
    with watch("train"):
        pass
    settled()
    (mail,) = sent(account, 1)
    assert mail.subject.endswith(", rank 0")


def test_an_error_of_any_rank_is_told_by_its_number(account: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the last state that it knew."""
    monkeypatch.setenv("RANK", "3")

    def train() -> None:
        with watch("train", every=1) as watching:
            watching.update(41, loss=0.5)
            raise RuntimeError("NCCL timed out")

    with pytest.raises(RuntimeError, match="NCCL"):
        train()
    (mail,) = sent(account, 1)
    assert mail.subject.endswith(", rank 3")
    assert mail.step == 41
    assert "NCCL timed out" in mail.text


# -- the work comes first --------------------------------------------------------------------------------


def test_an_update_costs_microseconds() -> None:
    """The median of a thousand is far below a millisecond, even where updates are due."""
    times = []
    with watch("train", every=100, apart=0) as watching:
        for step in range(1000):
            began = time.perf_counter()
            watching.update(step, total=1000, loss=0.5, accuracy=0.9)
            times.append(time.perf_counter() - began)
    assert sorted(times)[500] < 0.001


def test_nothing_that_is_said_can_raise(account: MailServer, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever it is; the end is told all the same."""

    class Hostile:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name)

        def __str__(self) -> str:
            raise RuntimeError("no words")

        __float__ = __bool__ = __eq__ = __hash__ = __iter__ = __len__ = __str__  # type: ignore[assignment]

    with watch("train", every=1, apart=0) as watching:
        watching.update(Hostile(), total=Hostile(), text=Hostile(), images=Hostile(), loss=Hostile())  # type: ignore[arg-type]
        watching.update(1, tables=Hostile(), attachments=[Hostile()], loss=0.5)
        watching.due(Hostile())  # type: ignore[arg-type]
        watching.finish(text=Hostile(), tables={"Classes": Hostile()}, value=Hostile())  # type: ignore[arg-type]
    settled()
    (mail,) = [one for one in sent(account, 1) if "Finished" in one.subject]
    assert mail.step == 1
    assert "0.5" in mail.text
    assert "cannot be shown" in caplog.text


def test_a_wrong_option_is_told_at_once() -> None:
    """With those that there are."""
    with pytest.raises(TypeError, match="evry; it takes every, minutes"):
        watch("train", evry=3)  # type: ignore[call-overload]


@pytest.mark.parametrize("wrong", [{"every": "10"}, {"minutes": -1}, {"total": float("nan")}])
def test_a_number_that_cannot_be_is_told_at_once(wrong: dict[str, Any]) -> None:
    """And not after hours."""
    with pytest.raises(ValueError, match="has to be a number from 0 on"):
        watch("train", **wrong)


def test_outside_of_a_watch_nothing_is_told() -> None:
    """A function that is watched works as well without."""
    current().update(3, loss=0.5)
    assert not current().due(3)
    assert isinstance(current(), Watch)
