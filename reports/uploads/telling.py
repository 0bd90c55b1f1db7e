"""How uploads ended goes to people, as one message in the outbox, with the rejected rows as files of its run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from reports import addressing, leases, oversize
from reports.definition import Job, Oversize
from reports.errors import DefinitionError, TransportError
from reports.model import Artifact, Message, Outgoing, Report, Run
from reports.settings import Settings
from reports.store import Store, Upload
from reports.transports import mime
from reports.transports.account import resolve
from reports.uploads.notice import NAME, Notice

_POLICY: Sequence[Oversize] = ("zip", "link", "leave_out")


def check(who: Sequence[str], settings: Settings) -> addressing.Envelope | None:
    """Whom the mail goes to, None where nobody is to be told; a DefinitionError tells what is wrong with a name."""
    if not who:
        return None
    try:
        return addressing.envelopes(Job(name=NAME, title="Upload", to=tuple(who)), settings)[0]
    except DefinitionError as error:
        what = "; ".join(one.what for one in error.problems)
        raise DefinitionError(what, where="--notify", hint=error.problems[0].hint) from error


@dataclass(frozen=True, kw_only=True)
class Informer:
    """Keeps the files of uploads as those of a run, with the message that tells of them."""

    settings: Settings
    store: Store
    clock: Callable[[], dt.datetime]

    def tell(
        self, uploads: Sequence[Upload], files: Sequence[Artifact], run_id: str, envelope: addressing.Envelope | None
    ) -> Run:
        """The run, which has ended as the uploads did; its message waits in the outbox."""
        now = self.clock()
        started = min((one.started for one in uploads), default=now)
        run = Run(
            id=run_id, job=NAME, as_of=self.settings.today(started), started=started,
            params={"uploads": " ".join(one.id for one in uploads)},
        )  # fmt: skip
        notice = Notice(
            uploads=uploads, run=run, settings=self.settings, store=self.store, files=files,
            banner=envelope.banner if envelope else "",
        )  # fmt: skip
        outgoing = [self._outgoing(notice, run, envelope)] if envelope else []
        bad = notice.state in ("failed", "interrupted")
        error = next((one.error for one in uploads if one.error), "")
        over = replace(run, state="failed" if bad else "succeeded", finished=now, error=error, log=_log(uploads))
        owner = leases.new_owner()
        self.store.runs.start(run, owner=owner, until=now + leases.LENGTH)
        kept = [self.store.artifacts.keep(one) for one in files]
        self.store.runs.succeed(over, owner=owner, artifacts=kept, messages=outgoing)
        return over

    def _outgoing(self, notice: Notice, run: Run, envelope: addressing.Envelope) -> Outgoing:
        mail, now = self.settings.mail, self.clock()

        def compose(report: Report) -> Message:
            return mime.compose(
                report, sender=resolve(mail).sender, to=envelope.to, cc=envelope.cc, bcc=envelope.bcc,
                reply_to=envelope.reply_to, key=run.key, date=now,
            )  # fmt: skip

        _, message = oversize.fit(
            notice.produced(), restated=notice.restated, compose=compose, limit=self._limit(notice.files),
            policy=_POLICY, link=None,
        )  # fmt: skip
        return Outgoing(message=message, kind="report", expires=now + mail.expires, on_unknown=mail.on_unknown)

    def _limit(self, files: Sequence[Artifact]) -> int | None:
        """What the other side takes, as far as that can be known."""
        try:
            return oversize.limit_of(files, self.settings)
        except TransportError:  # it is away: the mail waits in the outbox until it is back
            return resolve(self.settings.mail).size_limit


def _log(uploads: Sequence[Upload]) -> str:
    return "\n".join(
        f"upload {one.id} of {one.name} into {one.source}.{one.target}: {one.state}, {one.rows_read:,} read, "
        f"{one.inserted:,} inserted, {one.updated:,} updated, {one.rejected:,} rejected"
        for one in uploads
    )
