"""What a store says after a service was disturbed, held against what was due and what the mail server took."""

from __future__ import annotations

import collections
import datetime as dt
from collections.abc import Sequence

from sink import Taken

from reports.model import UNSETTLED, Delivery, Run

ENDED = {"succeeded", "failed", "skipped", "missed", "interrupted"}


def each_once(rows: Sequence[Run], wanted: Sequence[dt.datetime]) -> None:
    """Each of these occurrences has one row, and nothing else has."""
    found = collections.Counter(run.occurrence for run in rows)
    assert [at for at in wanted if at not in found] == [], "occurrences without a row"
    assert set(found) <= set(wanted), "rows for what was never due"
    assert max(found.values(), default=1) == 1, "two rows for one occurrence"


def ended_with_reason(rows: Sequence[Run]) -> None:
    """Each is in an end state; one that did not succeed says why, and who was told or why nobody was."""
    for run in rows:
        assert run.state in ENDED, (run.state, run)
        assert run.finished is not None, run
        if run.state != "succeeded":
            assert run.error, run
        if run.state in {"failed", "missed", "interrupted"}:
            assert run.notice, f"nobody was told, and it does not say why: {run}"


def reported(rows: Sequence[Run], ledger: Sequence[Delivery]) -> None:
    """Each that succeeded has one report in the ledger; no other has any."""
    sent: dict[str, set[str]] = {}
    for one in ledger:
        if one.kind == "report":
            sent.setdefault(one.run, set()).add(one.message_id)
    for run in rows:
        assert len(sent.get(run.id, ())) == (run.state == "succeeded"), f"not one report for a success: {run}"


def as_taken(ledger: Sequence[Delivery], taken: Sequence[Taken]) -> None:
    """What is accepted was taken; the rest waits for somebody; nobody has a second copy; all is in the ledger.

    What is unknown may have been taken, and is not sent again by itself; so this is not for on_unknown = "resend".
    """
    copies = collections.Counter((one.message_id, one.recipient) for one in taken)
    known = {(one.message_id, one.recipient): one for one in ledger}
    assert set(copies) <= set(known), "the server took what the ledger does not know"
    for key, one in known.items():
        assert one.state == "accepted" or one.state in UNSETTLED, f"what nobody will get: {one}"
        assert one.state != "accepted" or copies[key], f"accepted in the ledger and not at the server: {one}"
        assert one.state != "pending" or not copies[key], f"about to be sent a second time: {one}"
        assert copies[key] < 2, f"a second copy: {one}"
