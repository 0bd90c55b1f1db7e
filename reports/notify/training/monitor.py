"""A training that tells how it goes: for plain loops, and for the callbacks of the frameworks.

with Training("resnet", to="me@example.com", every=5, total=40) as training:
    for epoch in range(1, 41):
        ...
        training.update(epoch, loss=loss, accuracy=accuracy, val_loss=val_loss, val_accuracy=val_accuracy)
    training.finish(model=net, saved="resnet.pt")
"""

from __future__ import annotations

import atexit
import functools
import logging
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, Unpack

import pandas as pd

from reports.notify.ranks import rank
from reports.notify.training import curves, models, words
from reports.notify.training.history import History, numbers
from reports.notify.training.logbook import Logbook, column
from reports.notify.training.names import Name, parse, say, share
from reports.notify.training.options import OF_A_WATCH, Options
from reports.notify.training.samples import Shown, asked
from reports.notify.training.watches import Watching, opened
from reports.settings import environment

_log = logging.getLogger("reports.notify.training")

P = ParamSpec("P")


def _quietly(
    method: Callable[Concatenate[Training, P], None],
) -> Callable[Concatenate[Training, P], None]:
    """Nothing that goes wrong in telling of a training may end it: it is logged, and said in the next message."""

    @functools.wraps(method)
    def call(self: Training, /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            method(self, *args, **kwargs)
        except Exception as error:  # noqa: BLE001  the training's boundary
            self.stumble(f"{method.__name__} of the monitor", error)

    return call


class Training:
    """Tells of a training: every so many epochs and at its end. Only its construction may raise, for wrong arguments.

    Between two messages an `update` costs microseconds. It is a context manager, so that a training that fails or is
    interrupted is told as well; with a `watch` of the caller's own that is the watch's part.
    """

    def __init__(self, name: str, *, watch: Watching | None = None, **options: Unpack[Options]) -> None:
        if wrong := set(options) - Options.__optional_keys__:
            raise TypeError(
                f"Training takes no {', '.join(sorted(wrong))}; it takes {', '.join(Options.__annotations__)}"
            )
        if watch is not None and (both := OF_A_WATCH & set(options)):
            raise TypeError(f"the watch that is given says {' and '.join(sorted(both))} itself")
        self.name, self.options = name, options
        self._given, self._watch = watch, watch
        self._own: AbstractContextManager[Watching] | None = None
        self._begun = False
        self._start({})

    def _start(self, known: Options, *given: object) -> None:
        self.plan: Options = {**known, **self.options}
        after = self.plan.get("after", None if self.unit == "epoch" else 0.0)
        self.history = History(better=self.plan.get("better"), monitor=self.plan.get("monitor", ""), after=after)
        self.model: object = given[0] if given else None
        self._models, self._began, self._over = given, time.monotonic(), False
        self._shift = 1 - self.plan.get("counted_from", 1)
        self._told: float | None = None  # the epoch of the predictions that were asked for last
        self._said, self._usual, self._waits = 0, 1, False  # in how many updates an epoch is said
        self._shown, self._troubles = Shown(), dict[str, str]()
        log = self.plan.get("log")
        self._speaks = (number := rank(environment)) is None or number.speaks
        self._log = Logbook(log, name=self.name, run=self.plan.get("run", "")) if log and self._speaks else None

    @property
    def unit(self) -> str:
        """What is counted: epochs or steps."""
        return self.plan.get("unit", "epoch")

    @property
    def total(self) -> float | None:
        return self.plan.get("total")

    # -- begin and end ----------------------------------------------------------------------------

    @_quietly
    def begin(self, *given: object, **known: Unpack[Options]) -> None:
        """The training begins now, anew if there was one before.

        `given` is what the function of predictions is called with, the model first; `known` is what a framework knows
        of the training, where the user has not said it.
        """
        if self._own is not None:
            self.end(getattr(sys, "last_value", None) or RuntimeError("It ended without a word, and begins anew."))
        self._begun = True
        self._start(known, *given)
        if self._given is None:
            self._own = opened(self.name, self.plan)
            self._watch = self._own.__enter__()
            atexit.register(self._left)  # after those of the watch, and so before them

    @_quietly
    def earlier(self, epochs: Iterable[tuple[float, Mapping[str, Any]]]) -> None:
        """What is known of the epochs before this process went on: they are in the curves."""
        for number, values in epochs:
            self.history.earlier(number, numbers(values)[0])

    @_quietly
    def end(self, error: BaseException | None = None) -> None:
        """The training is over, with an error or not: the closing message goes out if the watch is our own."""
        if error is not None or not self._over:
            self.finish()
        own, self._own = self._own, None
        atexit.unregister(self._left)
        if own is not None:
            own.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)
            self._watch = None

    def _left(self) -> None:
        """The program ends, and nobody has ended the training: an error ended both, or the watch says that it ends."""
        self.finish()
        if (error := getattr(sys, "last_value", None)) is not None:
            self.end(error)

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(error)

    # -- what is told -----------------------------------------------------------------------------

    @_quietly
    def update(self, epoch: float | None = None, values: Mapping[str, Any] | None = None, /, **metrics: Any) -> None:
        """What an epoch came to: its number, or the next one, and its metrics by name; learning rates among them.

        Said again for the same epoch, it adds to it: validation may come later.
        """
        if not self._begun:
            self.begin()
        kept, left = numbers({**(values or {}), **metrics})
        number = self._number(epoch)
        self._follow(number)
        if self._log and not self.history.epochs and (number > 1 if self.history.after is None else self.history.after):
            self._recall(number, kept)
        took = self.history.add(number, kept, at=time.monotonic() - self._began)
        for name in left:
            self._troubles[name] = f"{name} is no number, and is not shown."
        self._write(number, kept, took)
        self._waits = self._said < self._usual
        if not self._waits:
            self._tell()

    def _follow(self, number: float) -> None:
        """Counts the updates of an epoch: once there were two, the first waits for the second, or the next epoch."""
        last = self.history.last
        if last and last.number == number:
            self._said += 1
            return
        if self._waits:
            self._tell()
        self._said, self._usual = 1, max(self._said, self._usual)

    def _tell(self) -> None:
        """The watch learns of the last epoch, and of all that a message of it shows if it is due."""
        self._waits = False
        if (last := self.history.last) is None or self._watch is None:
            return
        at, total = _whole(last.number), _whole(self.total)
        message = self._message() if self._watch.due(at) else {}
        self._watch.update(at, total=total, **message, **self._named(last.metrics))

    @_quietly
    def finish(self, *, model: object = None, saved: object = None, text: str = "") -> None:
        """What the closing message shows besides curves, metrics and predictions: the model, and where it lies."""
        self._over = True
        if self._watch is None:
            return
        if self._waits:
            self._tell()
        found = models.summary(self.model if model is None else model)
        place = models.lies(saved or self.plan.get("saved"))
        said = words.ended(self.history, unit=self.unit, total=self.total)
        shown = self._predicted()
        tables = self._tables(shown, best="Best") | ({} if found.table is None else {"Model": found.table})
        self._watch.finish(
            text=self._text(said, [place, found.sentence, text], shown),
            images=self._images(shown),
            tables=tables,
            attachments=self._files(found),
        )

    def stumble(self, what: str, error: Exception) -> None:
        """Keeps what went wrong in telling of the training, for the log and for the next message."""
        said = f"{what}: {type(error).__name__}: {error}"
        if what not in self._troubles:
            _log.warning("%s, of training %s", said, self.name, exc_info=error)
        self._troubles[what] = f"Not shown, for {said}."

    # -- messages ---------------------------------------------------------------------------------

    def _message(self) -> dict[str, Any]:
        """The message of an epoch that is due. Predictions are made now, by the training's own thread."""
        shown = self._predicted()
        return {"text": self._text((), (), shown), "images": self._images(shown), "tables": self._tables(shown)}

    def _predicted(self) -> Shown:
        """Sample predictions of the last epoch, asked for once."""
        function, last = self.plan.get("predictions"), self.history.last
        at = last.number if last else 0.0
        if function is None or self._told == at or not self._speaks:
            return self._shown
        self._shown, self._told = Shown(), at
        try:
            self._shown = asked(function, *self._models)
            if self._log and self._shown.judged is not None:
                self._log.predictions(self._shown.judged, at)
        except Exception as error:  # noqa: BLE001  a function of the user's own may raise anything
            self.stumble("sample predictions", error)
        return self._shown

    def _text(self, before: Iterable[str], after: Iterable[str], shown: Shown) -> str:
        """Paragraphs: what must not be missed, how good it is between other sentences, and predictions in words."""
        said = [*before, *words.best(self.history, unit=self.unit), *after]
        troubles = list(self._troubles.values())
        self._troubles.clear()
        warnings = words.warnings(self.history, unit=self.unit)
        return "\n\n".join(one for one in (*warnings, " ".join(filter(None, said)), shown.text, *troubles) if one)

    def _images(self, shown: Shown) -> Callable[[], list[tuple[object, str]]]:
        """Curves of what there is now, drawn where the message is made; then the predictions."""
        history, unit = self.history.copy(), self.unit

        def images() -> list[tuple[object, str]]:
            return [(one.content, one.alt) for one in curves.draw(history, unit=unit)] + shown.images

        return images

    def _tables(self, shown: Shown, *, best: str = "Best so far") -> dict[str, pd.DataFrame]:
        table = words.best_table(self.history, unit=self.unit)
        return ({best: table} if len(table) else {}) | shown.tables

    def _files(self, found: models.Summary) -> list[Any]:
        epochs = words.epochs_table(self.history.epochs, unit=self.unit)
        files: list[Any] = [("metrics.csv", epochs)] if len(epochs) else []
        return files + ([("model.txt", found.text.encode())] if found.text else [])

    # -- epochs -----------------------------------------------------------------------------------

    def _number(self, epoch: float | None) -> float:
        last = self.history.last
        if epoch is None:
            return last.number + 1 if last else 1
        if float(epoch) == 0 and not last:
            self._shift = 1
        return float(epoch) + self._shift

    def _recall(self, first: float, kept: Mapping[str, float]) -> None:
        """What the log says of the epochs before, by the names that the metrics have now."""
        names = {Name(column(parse(name).metric), parse(name).split): name for name in kept}
        for number, values in self._log.earlier(first) if self._log else ():
            self.history.earlier(number, {names.get(one, _name(one)): value for one, value in values.items()})

    def _named(self, kept: Mapping[str, float]) -> dict[str, Any]:
        """The metrics as people call and write them, by names that a watch's update has for nothing else."""
        return {_heading(name): _said(name, kept[name]) for name in self.history.arranged(kept)}

    def _write(self, number: float, kept: Mapping[str, float], took: float) -> None:
        try:
            if self._log:
                self._log.write(number, kept, total=self.total, took=took, at=datetime.now(UTC))
        except Exception as error:  # noqa: BLE001  the curves come all the same
            self.stumble("the log", error)


def _whole(number: float | None) -> float | int | None:
    return int(number) if number is not None and number == int(number) else number


def _name(one: Name) -> str:
    return f"val_{one.metric}" if one.split == "validation" else one.metric


@functools.lru_cache(maxsize=1000)
def _heading(name: str) -> str:
    return name if name.startswith("lr-") else parse(name).heading


def _said(name: str, value: float) -> float | str:
    metric = parse(name).metric
    return say(metric, value) if share(metric, value) else value
