"""What is kept of the epochs of a training, and the best of them."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from reports.notify.training.history import Best, History, numbers


def told(*losses: float, first: int = 1, seconds: float = 60) -> History:
    """A training of one validation loss an epoch, each as long as the others."""
    history = History()
    for place, loss in enumerate(losses, start=1):
        history.add(first + place - 1, {"val_loss": loss}, at=place * seconds)
    return history


def test_the_best_is_the_lowest_loss_and_the_highest_accuracy() -> None:
    """With the epoch in which each first was."""
    history = History()
    for number, (loss, accuracy) in enumerate([(0.9, 0.5), (0.4, 0.8), (0.6, 0.9), (0.4, 0.9)], start=1):
        history.add(number, {"val_loss": loss, "val_accuracy": accuracy, "lr": 0.1}, at=number)
    assert history.best("val_loss") == Best("val_loss", 0.4, 2)
    assert history.best("val_accuracy") == Best("val_accuracy", 0.9, 3)
    assert history.best("lr") is None
    assert history.watched == "val_loss"


def test_a_way_that_nobody_knows_is_said() -> None:
    """By the metric, for all its parts, or by the whole name."""
    history = History(better={"reward": "up", "val_loss": "up"})
    for number, value in enumerate([1.0, 3.0, 2.0], start=1):
        history.add(number, {"reward": value, "val_reward": value, "temperature": value, "val_loss": value}, at=number)
    assert history.best("reward") == Best("reward", 3.0, 2)
    assert history.best("val_reward") == Best("val_reward", 3.0, 2)
    assert history.best("temperature") is None
    assert history.best("val_loss") == Best("val_loss", 3.0, 2)


def test_what_is_no_number_is_never_the_best() -> None:
    """Neither nan nor infinite, whether better or worse."""
    assert told(math.nan, 0.5, -math.inf, math.nan).best("val_loss") == Best("val_loss", 0.5, 2)
    assert told(math.nan).best("val_loss") is None


def test_a_loss_that_is_no_number_is_noticed_since_when() -> None:
    """And forgotten once it is one again."""
    assert told(0.5, 0.4).broken is None
    broken = told(0.5, math.nan, math.inf).broken
    assert broken is not None
    assert broken.number == 2
    assert told(0.5, math.nan, 0.4).broken is None


def test_the_metric_that_decides_can_be_chosen() -> None:
    """Else it is validation loss, then loss, then any with a way."""
    history = History(monitor="val_f1")
    history.add(1, {"loss": 1.0, "val_loss": 1.0, "val_f1": 0.5}, at=1)
    assert history.watched == "val_f1"
    assert history.names[0] == "val_f1"
    plain = History()
    plain.add(1, {"lr": 0.1, "accuracy": 0.5, "loss": 1.0}, at=1)
    assert plain.watched == "loss"
    assert plain.names == ["loss", "accuracy", "lr"]


def test_an_epoch_said_twice_is_one() -> None:
    """Validation may come later."""
    history = History()
    assert history.add(1, {"loss": 1.0}, at=50) == 50
    assert history.add(1, {"val_loss": 1.2}, at=60) == 10
    assert [(one.number, dict(one.metrics), one.took) for one in history.epochs] == [
        (1, {"loss": 1.0, "val_loss": 1.2}, 60)
    ]


def test_epochs_that_come_again_replace_those_before() -> None:
    """As after a fall back to a checkpoint; the best of what is forgotten is forgotten too."""
    history = told(0.5, 0.4, 0.1)
    history.add(2, {"val_loss": 0.3}, at=240)
    assert history.series("val_loss") == [(1, 0.5), (2, 0.3)]
    assert history.best("val_loss") == Best("val_loss", 0.3, 2)


def test_a_training_that_goes_on_is_known_by_its_first_number() -> None:
    """Where it counts epochs; what is known from before is no work of this process."""
    assert told(0.5, 0.4).resumed == 0
    later = told(0.5, 0.4, first=31)
    assert (later.resumed, later.whole, later.usual) == (30, False, 60)
    history = History()
    history.earlier(1, {"val_loss": 0.2})
    history.earlier(2, {"val_loss": 0.9})
    history.add(3, {"val_loss": 0.8}, at=30)
    history.add(4, {"val_loss": 0.7}, at=40)
    assert (history.resumed, history.whole, history.usual) == (2, True, 10)
    assert history.best("val_loss") == Best("val_loss", 0.2, 1)


def test_the_usual_epoch_is_the_middle_one_of_late() -> None:
    """The first, in which everything is compiled, does not count."""
    history = History()
    for number, at in enumerate([300, 310, 320, 390, 400], start=1):
        history.add(number, {}, at=at)
    assert history.usual == 10
    assert told(0.5).usual == 60
    assert History().usual is None


def test_steps_are_paced_by_their_distance() -> None:
    """Each hundred of them in 50 seconds is half a second a step."""
    history = History(after=0)
    for number in (100, 200, 300):
        history.add(number, {"loss": 1.0}, at=number / 2)
    assert history.usual == 0.5
    assert history.resumed == 0


def test_memory_is_bounded_and_the_best_is_kept() -> None:
    """A million steps are thinned; first, last and best are known."""
    history = History(after=0)
    for number in range(1, 20_001):
        history.add(number, {"loss": 1.0 if number != 77 else 0.5}, at=number)
    assert len(history.epochs) <= 4000
    assert history.epochs[0].number == 1
    assert history.epochs[-1].number == 20_000
    assert history.best("loss") == Best("loss", 0.5, 77)


def test_a_copy_stays_as_it_is() -> None:
    """While the training goes on."""
    history = told(0.5)
    copied = history.copy()
    history.add(2, {"val_loss": 0.1}, at=120)
    history.add(1, {"val_loss": 0.7}, at=130)
    assert copied.series("val_loss") == [(1, 0.5)]
    assert copied.best("val_loss") == Best("val_loss", 0.5, 1)


def test_numbers_are_what_can_be_one() -> None:
    """Arrays of one number too; the rest is named."""

    class Tensor:
        def __float__(self) -> float:
            return 0.25

    kept, left = numbers({"loss": Tensor(), "accuracy": 1, "who": "me", "several": [1, 2], "none": None})
    assert kept == {"loss": 0.25, "accuracy": 1.0}
    assert left == ["who", "several", "none"]


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=60))
def test_the_best_is_that_of_all_epochs(losses: list[float]) -> None:
    """Kept on the way, it is what a look at the whole would find."""
    finite = [loss for loss in losses if math.isfinite(loss)]
    best = told(*losses).best("val_loss")
    assert (best.value if best else None) == min(finite, default=None)
