"""What one watch tells, as plain values that also travel to another process: of what, to whom, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from reports.notify import measures
from reports.notify.course import Course
from reports.notify.moments import Ending, Moment, Options
from reports.notify.standing import Origin, Standing

_TAIL, _TRACE, _MOST = 1000, 8000, 20
"""Characters of texts and of a traceback, and how many metrics, that the watcher is told."""
_ADDRESS = ("to", "via", "project", "chart")


@dataclass
class Story:
    """A conversation about one piece of work, known by `key`; `sent` counts its messages so far."""

    origin: Origin
    options: Options
    key: str
    sent: int = 0

    @property
    def speaks(self) -> bool:
        """Whether it tells how it goes; other ranks tell of errors alone."""
        return not self.origin.rank

    def tells(self, ending: Ending) -> bool:
        """Whether it tells of such an end."""
        if self.options.get("quiet") and ending.state == "finished":
            return False
        return self.speaks or ending.state in {"partial", "failed", "killed"}

    # -- as plain values ---------------------------------------------------------------------------------

    def told(self) -> dict[str, Any]:
        """Itself, for another process."""
        address = {name: self.options[name] for name in _ADDRESS if name in self.options}  # type: ignore[literal-required]
        return {"origin": self.origin.told(), "options": address, "key": self.key, "sent": self.sent}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """The same again."""
        return cls(origin=Origin.of(told["origin"]), options=told["options"], key=told["key"], sent=told["sent"])

    def state(self, moment: Moment, course: Course, tail: str) -> dict[str, Any]:
        """How far it is, for another process."""
        return {"standing": _bounded(standing(moment, course).told()), "sent": self.sent, "tail": tail[-_TAIL:]}

    def end_told(self, ending: Ending) -> dict[str, Any]:
        """How it ended, for another process, as far as that can be said at once."""
        crash = ending.crash
        return {
            "ending": {
                "state": ending.state,
                "said": list(ending.said),
                "crash": {**vars(crash), "said": crash.said[:_TAIL], "trace": crash.trace[-_TRACE:]} if crash else None,
                "tail": ending.tail[-_TAIL:],
            },
            **self.at_once(ending.moment),
        }

    def at_once(self, moment: Moment) -> dict[str, Any]:
        """How far it is, as far as nothing has to be waited for: in the work's own time."""
        here = {name: value for name, value in moment.metrics.items() if isinstance(value, float | int | str)}
        standing = {"seconds": moment.seconds, "step": moment.step, "total": moment.total, "metrics": here}
        return {"standing": _bounded({**standing, "text": moment.extras.text}), "sent": self.sent}


def standing(moment: Moment, course: Course | None = None) -> Standing:
    """How far it was, in numbers and texts; this may wait for a device that has them."""
    total, now, course = moment.total, moment.seconds, course or Course()
    return Standing(
        seconds=now,
        step=moment.step,
        total=total,
        share=_share(moment, course),
        left=course.left(total, now) if total else None,
        metrics=plain(moment.metrics),
        text=moment.extras.text,
        points=[(one.step, plain(one.metrics)) for one in course.whole()],
    )


def _share(moment: Moment, course: Course) -> float | None:
    if not moment.total or moment.step is None:
        return None
    return course.share(moment.total) if course.last else min(max(moment.step / moment.total, 0.0), 1.0)


def plain(metrics: Mapping[str, Any]) -> dict[str, float | int | bool | str]:
    """Metrics as numbers and texts."""
    return {name: measures.plain(value) for name, value in metrics.items()}


def _bounded(standing: dict[str, Any]) -> dict[str, Any]:
    """No more of it than goes through a pipe at once."""
    metrics = dict(list(standing["metrics"].items())[:_MOST])
    return {**standing, "metrics": metrics, "text": standing["text"][:_TAIL]}
