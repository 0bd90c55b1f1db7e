"""A long piece of work that tells how it goes: at its start if wanted, on its way, and how it ended, whatever that was.

    with watch("train resnet", every=100, to="me@example.com") as watching:
        for step in range(n):
            ...
            watching.update(step, total=n, loss=loss)

What is said here is only noted; `voice` makes messages of it in a thread of its own. A failure to tell is logged, and
never an error of the work.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar, Unpack, overload

from reports.notify import measures, pictured
from reports.notify.calls import watched
from reports.notify.course import Course, Point
from reports.notify.moments import Ending, Extras, Moment, Options, ended
from reports.notify.pace import APART, Pace
from reports.notify.ranks import Rank, rank
from reports.notify.standing import State
from reports.notify.voice import BEAT, stumbled, voice
from reports.settings import environment

P = ParamSpec("P")
T = TypeVar("T")
GRACE, EXPECTED = 0.25, 60.0
"""Seconds that an update which is due waits for more to be said of its step; the latter where somebody asked first."""


@overload
def watch(title: Callable[P, T], /) -> Callable[P, T]: ...
@overload
def watch(title: str = "", /, **options: Unpack[Options]) -> Watch: ...
def watch(title: str | Callable[P, T] = "", /, **options: Unpack[Options]) -> Watch | Callable[P, T]:
    """Watches a block (`with`) or each call of a function (`@watch("nightly load", to=...)`); see `Options`.

    A TypeError tells at once of an option that there is not, a ValueError of a number that cannot be; nothing else is
    raised from then on.
    """
    if wrong := set(options) - Options.__optional_keys__:
        raise TypeError(f"watch takes no {', '.join(sorted(wrong))}; it takes {', '.join(Options.__annotations__)}")
    for name in ("every", "minutes", "total", "apart"):
        number: Any = options.get(name)
        if number is not None and (isinstance(number, str) or not number >= 0):
            raise ValueError(f"{name} is {number!r}, and has to be a number from 0 on")
    return Watch(title, options) if isinstance(title, str) else Watch("", options)(title)


def current() -> Watch:
    """The innermost watch that is open here, as in a function that a decorator watches; a silent one if none is."""
    return _current.get()


class Watch:
    """One piece of work. `update` may be called by any thread; entering and leaving is one thread's."""

    def __init__(self, title: str, options: Options, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.title, self.options, self._clock = title, options, clock
        self.rank: Rank | None = None
        self.is_open = False
        self.tail: Callable[[], str] = str
        self.outcome: tuple[State, Sequence[str]] | None = None
        self._clear()

    def _clear(self) -> None:
        options, self._began = self.options, self._clock()
        every, minutes = options.get("every") or 0, options.get("minutes") or 0
        self._pace = Pace(every, minutes, apart=options.get("apart", APART), began=self._began)
        self._course, self._count = Course(), 0
        self._lock = threading.RLock()  # a signal's own code may come in between
        self._now = Moment(seconds=0, total=options.get("total"))
        self._waiting: tuple[Moment, Course] | None = None
        self._ready, self._beaten = 0.0, self._began - 2 * BEAT
        self._due_at: float | None = None
        self._expected: float | None = None
        self._closing, self._values = Extras(), dict[str, Any]()
        self._signals: list[str] = []
        self.returned: Any = None

    # -- what the work says ----------------------------------------------------------------------------

    def update(
        self,
        step: float | None = None,
        /,
        *,
        total: float | None = None,
        text: str = "",
        images: Any = (),
        attachments: Any = (),
        tables: Any = None,
        **metrics: Any,
    ) -> None:
        """Notes how far it is: the step (else updates are counted), of how many, and metrics by name.

        It is sent if that is due, with all else that is said; said again for the same step, it adds to that. `images`,
        `attachments` and `tables` may be functions, called in the background where the message is made. A matplotlib
        Figure is drawn at once where the update is due, for it may be changed afterwards.
        """
        try:
            if self.is_open:
                extras = Extras(text=_text(text), images=images, attachments=attachments, tables=tables)
                self._update(step, total, extras, metrics)
        except Exception as error:  # noqa: BLE001  the work's boundary
            stumbled("an update", error)

    def due(self, step: float | None = None) -> bool:
        """Whether `update(step)` would be sent, now or as an addition to one that is about to be."""
        try:
            with self._lock:
                at = self._count + 1 if step is None else _number(step, self._count + 1)
                due = self._is_due(at)
                if due:
                    self._expected, self._ready = at, self._clock() + EXPECTED
                return due
        except Exception as error:  # noqa: BLE001  likewise
            stumbled("a question", error)
            return False

    def finish(
        self, *, text: str = "", images: Any = (), attachments: Any = (), tables: Any = None, **values: Any
    ) -> None:
        """What the closing message says besides how far it came; said again, it adds to that."""
        try:
            extras = Extras(text=_text(text), images=images, attachments=attachments, tables=tables)
            with self._lock:
                self._closing = self._closing.amended(pictured.held(extras, draw=True))
                self._values |= {name: measures.kept(value) for name, value in values.items()}
        except Exception as error:  # noqa: BLE001  likewise
            stumbled("the end's own words", error)

    def _update(self, step: float | None, total: float | None, extras: Extras, metrics: Mapping[str, Any]) -> None:
        kept = {name: measures.kept(value) for name, value in metrics.items()}
        with self._lock:
            self._count += 1
            at, now, before = self._count if step is None else _number(step, self._count), self._clock(), self._now
            due = self._is_due(at)
            self._pace.seen(at)
            held = pictured.held(extras, draw=due) if extras else extras
            self._now = Moment(
                seconds=now - self._began,
                step=at,
                total=before.total if total is None else _number(total, before.total),
                metrics={**before.metrics, **kept} if kept else before.metrics,
                extras=before.extras.amended(held) if at == before.step else held,
            )
            self._course.add(Point(at, self._now.seconds, kept))
            if now - self._beaten > BEAT:
                self._beaten = now
                voice().beat(self, self._now)
            if due:
                self._goes_out(at, now)
            elif self._waiting and self._waiting[0].step != at:
                self._ready = now

    def _is_due(self, at: float) -> bool:
        if not self.is_open or (self.rank and not self.rank.speaks):
            return False
        return at == self._due_at or self._pace.due(at, self._clock())

    def _goes_out(self, at: float, now: float) -> None:
        if at != self._due_at:
            self._pace.mark(at, now)
            self._due_at = at
        more = 0 if self._now.extras else EXPECTED if self._expected == at else GRACE
        if self._waiting and self._waiting[0].step != at:  # which has waited long enough, and is now this one
            more = 0
        self._waiting, self._ready = (self._now, self._course.copy()), now + more
        voice().wake()

    # -- what is told of it, asked by the voice ----------------------------------------------------------

    def now(self) -> Moment:
        """How far it is at this moment."""
        with self._lock:
            return Moment(**{**vars(self._now), "seconds": self._clock() - self._began})

    def take(self) -> tuple[tuple[Moment, Course] | None, float | None]:
        """The update that is to be sent now, if there is one; else the seconds until that may be."""
        with self._lock:
            if self._waiting is None:
                return None, None
            if (left := self._ready - self._clock()) > 0:
                return None, left
            taken, self._waiting = self._waiting, None
            return taken, None

    def course(self) -> Course:
        """How it went so far, as a copy."""
        with self._lock:
            return self._course.copy()

    def ending(self, error: BaseException | None = None, *, state: State | None = None, said: str = "") -> Ending:
        """What is told of its end: as the error has it, or in that state for that reason."""
        with self._lock:
            found, words, told = ended(error, signals=self._signals)
            moment = self.now()
            self._waiting = None
            if self.outcome and found == "finished":
                found, words = self.outcome[0], [*self.outcome[1], *words]
        return Ending(
            state=state or found,
            moment=Moment(**{**vars(moment), "extras": moment.extras.amended(self._closing)}),
            crash=told,
            said=[one for one in (said, *words) if one],
            returned=self.returned,
            values=dict(self._values),
            tail=self.tail(),
        )

    def came(self, signal: str) -> None:
        """A signal came that the program deals with itself: it is told with the end."""
        self._signals.append(f"{signal} came {round(self._clock() - self._began):,} s after the start.")

    def forked(self) -> None:
        """In a child of the process: what is watched there is the parent's, and the child's copy says nothing."""
        self.is_open, self._lock = False, threading.RLock()

    # -- begin and end ---------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        try:
            self._clear()
            self.rank, self.is_open = rank(environment), True
            voice().begin(self)
        except Exception as error:  # noqa: BLE001  the work's boundary
            stumbled("the start", error)
        self._token = _current.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            _current.reset(self._token)
        except ValueError:  # left in another context than it was entered in
            _current.set(_SILENT)
        try:
            if self.is_open:
                voice().end(self, self.ending(error))
        except Exception as fault:  # noqa: BLE001  likewise
            stumbled("the end", fault)
        self.is_open = False

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        """The function, watched anew each time that it is called; it gives and raises what it did before."""
        title = self.title or getattr(function, "__name__", "call")
        return watched(function, lambda: Watch(title, self.options, clock=self._clock))


def _number(step: Any, other: T) -> float | T:
    """The step, or how many there are, as a number; or else the other one."""
    if type(step) is int or type(step) is float:
        return step
    try:
        number = float(step)
        return int(number) if number.is_integer() else number
    except Exception:  # noqa: BLE001  the step's own code
        return other


def _text(given: Any) -> str:
    return given if type(given) is str else measures.text(given)


_SILENT = Watch("", {})
_current: contextvars.ContextVar[Watch] = contextvars.ContextVar("reports_watch", default=_SILENT)
