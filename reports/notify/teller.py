"""The messages of one watch, one after the other: a conversation that is begun once and then only goes on.

Where a channel can change what it has posted, an update takes the place of the one before; the end does so too, and
is said below as well, for nobody is told of a change. Mails refer to the first one.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from reports.dispatch import Dispatch
from reports.model import Follow, MessageKind
from reports.notify import making
from reports.notify.course import Course
from reports.notify.moments import Ending, Extras, Moment
from reports.notify.notification import Notification
from reports.notify.outgoing import Handle
from reports.notify.outlets import Outlet, outlet
from reports.notify.pages import Told
from reports.notify.standing import State
from reports.notify.stories import Story, plain, standing
from reports.notify.writing import Post
from reports.settings import SlackChannel

_LEFT = "taken over from a process that has ended"
JOB = "(watch)"
"""What stands for the job in a run that is a message of a watch."""


@dataclass
class Teller:
    """Tells one story to those it is for. Where that cannot be found out an error says so, once, and nobody is told."""

    story: Story
    _outlet: Outlet | None = field(default=None, init=False, repr=False)
    _nobody: bool = field(default=False, init=False, repr=False)
    _handles: deque[Handle] = field(default_factory=lambda: deque(maxlen=4), init=False, repr=False)

    def ready(self) -> None:
        """Finds out to whom, so that what is wrong with that is told early."""
        if self._outlet is None and not self._nobody:
            self._nobody = True
            options = self.story.options
            self._outlet = outlet(
                to=options.get("to") or (), via=options.get("via") or (), project=options.get("project")
            )
            self._nobody = False

    def start(self, moment: Moment, *, unnoticed: str = "") -> None:
        """That it has begun; `unnoticed` is why its being killed would not be noticed."""
        said = [f"Should it be killed, nobody will tell: {unnoticed}."] if unnoticed else []
        told = Told(state="started", origin=self.story.origin, standing=standing(moment), said=said)
        self._post(told, moment.extras, "progress")

    def progress(self, moment: Moment, course: Course, *, tail: str = "") -> None:
        """How far it is; `tail` is the end of what it printed."""
        told = Told(state="running", origin=self.story.origin, standing=standing(moment, course), tail=tail)
        self._post(told, moment.extras, "progress")

    def end(self, ending: Ending, course: Course) -> None:
        """How it ended."""
        returned = making.returned(ending.returned)
        told = Told(
            state=ending.state,
            origin=self.story.origin,
            standing=standing(ending.moment, course),
            said=ending.said,
            crash=ending.crash,
            tail=ending.tail,
            returned=returned.text,
            values=plain(ending.values),
        )
        self._post(told, returned.added(ending.moment.extras), _kind(ending.state))

    def take_up(self) -> None:
        """What the process that began this was about to send is nobody's any more, and gives way to what comes now."""
        self.ready()
        if self._outlet is not None:
            box = self._outlet.box
            Dispatch(settings=self._outlet.settings, store=box.store, clock=box.clock).take_up()

    @property
    def waits(self) -> bool:
        """Whether something of it is still to be sent, or may be tried again by itself."""
        return any(handle.result.waits for handle in self._handles)

    def send_rest(self) -> Callable[[], bool]:
        """What waits in the outbox is tried at once, for its own process is no more; gives whether some of it waits."""
        self.take_up()
        if (outlet := self._outlet) is None:
            return bool
        box = outlet.box

        def waiting() -> list[int]:
            return [one.id for one in box.store.outbox.deliveries(job=JOB) if one.state == "pending"]

        box.store.outbox.change(waiting(), to="pending", states=("pending",), now=box.clock(), reason=_LEFT)
        box.ring()
        return lambda: bool(waiting())

    def _post(self, told: Told, extras: Extras, kind: MessageKind) -> None:
        """To everybody at once, or where the end is said twice, first in place of what was there."""
        self.ready()
        if (whole := self._outlet) is None:
            return
        said = making.made(told, extras, whole.settings, chart=bool(self.story.options.get("chart", True)))
        follows, self.story.sent = bool(self.story.sent), self.story.sent + 1
        changing = [one for one in whole.places if _can_change(whole, one[0])]
        others = [one for one in whole.places if one not in changing]
        post = functools.partial(Post, kind=kind, thread=f"watch {self.story.key}")
        below: Follow = "reply" if follows else ""
        if whole.mail or others:
            self._put(replace(whole, places=others), said, post(follow=below))
        if changing and (follows or kind == "progress"):
            short = making.without_chart(said) if kind == "progress" else making.without_files(said)
            self._put(replace(whole, mail=None, places=changing), short, post(follow="edit" if follows else ""))
        if changing and kind != "progress":
            self._put(replace(whole, mail=None, places=changing), said, post(follow=below))

    def _put(self, where: Outlet, said: Notification, how: Post) -> None:
        self._handles.append(where.post(said, how, job=JOB))


def _kind(state: State) -> MessageKind:
    return "report" if state in {"finished", "partial"} else "failure"


def _can_change(whole: Outlet, channel: str) -> bool:
    return isinstance(whole.settings.channels[channel], SlackChannel)
