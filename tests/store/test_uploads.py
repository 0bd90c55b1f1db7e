"""The log of uploads: begun, gone on with, ended, and each rejected row once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from storing import DAY, HOUR, MINUTE, NOW, a_run, ended

from reports.errors import StoreError, Superseded
from reports.store import Reject, Store, Upload


def an_upload(number: int = 1, **changes: Any) -> Upload:
    made = Upload(
        id=f"upload-{number}", source="wh", target="dbo.loans", file="in/loans – 贷款.csv", name="loans.csv",
        sha256=f"{number:064x}", size=5_000_000_000, mode="append", started=NOW + number * MINUTE,
        options={"keys": ["id"], "batch": 10}, login="me@here",
    )  # fmt: skip
    return replace(made, **changes)


def a_reject(row: int, **changes: Any) -> Reject:
    made = Reject(
        row=row, file="loans.csv", line=row + 1, column="amount", value="x\0y", reason="is not a number",
        cause="wrong type", content="1,x",
    )  # fmt: skip
    return replace(made, **changes)


def begun(store: Store, upload: Upload, owner: str = "me") -> Upload:
    store.uploads.start(upload, owner=owner, until=upload.started + HOUR)
    return upload


def test_an_upload_from_its_start_to_its_end(store: Store) -> None:
    """What is kept comes back as it was, numbers beyond 32 bits too."""
    one = begun(store, an_upload())
    assert store.uploads.find("upload-1") == one
    store.uploads.keep(replace(one, rows_read=3_000_000_000, batches=2), owner="me")
    assert store.uploads.find("upload").rows_read == 3_000_000_000
    done = replace(one, state="partial", rows_read=10, inserted=7, updated=1, rejected=2, batches=3, retries=1,
                   ended=NOW + HOUR, error="")  # fmt: skip
    store.uploads.end(done, owner="me")
    assert store.uploads.list() == [done]
    with pytest.raises(Superseded, match="is not this process's any more"):
        store.uploads.keep(done, owner="me")
    with pytest.raises(ValueError, match="has not ended"):
        store.uploads.end(one, owner="me")


def test_rejected_rows_are_recorded_once(store: Store) -> None:
    """Also when they are told again after a kill; and those beyond a mark are forgotten."""
    one = begun(store, an_upload())
    store.uploads.reject(one.id, [a_reject(1), a_reject(5, cause="too long", column="c" * 200)])
    store.uploads.reject(one.id, [a_reject(5, reason="again"), a_reject(1200), *map(a_reject, range(10, 900))])
    found = list(store.uploads.rejects(one.id))
    assert [reject.row for reject in found] == [1, 5, *range(10, 900), 1200]
    assert (found[0].value, found[1].reason, len(found[1].column)) == ("x\u2400y", "is not a number", 128)
    assert dict(store.uploads.causes(one.id)) == {"wrong type": 892, "too long": 1}
    assert next(iter(store.uploads.causes(one.id))) == "wrong type"
    store.uploads.forget(one.id, after=9)
    assert [reject.row for reject in store.uploads.rejects(one.id)] == [1, 5]
    assert store.uploads.count_rejects(one.id) == 2
    assert list(store.uploads.rejects("nothing")) == []


def test_an_upload_is_taken_over_only_when_nobody_has_it(store: Store) -> None:
    """Not while its lease lasts, nor when it is done; its owner before has nothing more to say then."""
    one = begun(store, an_upload())
    again = replace(one, started=NOW + 2 * MINUTE, file="elsewhere.csv")
    with pytest.raises(StoreError, match="is going on, or is done"):
        store.uploads.take_over(again, owner="you", until=NOW + DAY)
    later = replace(again, started=NOW + DAY)
    store.uploads.take_over(later, owner="you", until=NOW + 2 * DAY)
    assert store.uploads.find(one.id).file == "elsewhere.csv"
    assert store.uploads.find(one.id).started == one.started
    assert not store.uploads.renew(one.id, owner="me", until=NOW + DAY)
    assert store.uploads.renew(one.id, owner="you", until=NOW + DAY)
    with pytest.raises(Superseded):
        store.uploads.keep(one, owner="me")
    store.uploads.end(replace(one, state="succeeded", ended=NOW + DAY), owner="you")
    with pytest.raises(StoreError, match="is going on, or is done"):
        store.uploads.take_over(replace(later, started=NOW + 9 * DAY), owner="me", until=NOW + 9 * DAY)


def test_what_a_dead_process_left_is_interrupted(store: Store) -> None:
    """Known by its owner, or by a lease that ran out."""
    for number, owner in ((1, "dead"), (2, "alive")):
        begun(store, an_upload(number), owner)
    assert set(store.uploads.owners()) == {"dead", "alive"}
    store.uploads.settle(NOW + 5 * MINUTE, dead=["dead"])
    assert [one.state for one in store.uploads.list()] == ["running", "interrupted"]
    store.uploads.settle(NOW + DAY)
    assert [one.state for one in store.uploads.list()] == ["interrupted", "interrupted"]
    assert "ended before it was done" in store.uploads.list()[0].error


def test_uploads_are_found_by_their_bytes_and_their_table(store: Store) -> None:
    """Those of one source and one table, the newest first."""
    for number, changes in enumerate(
        [
            {},
            {"sha256": "x"},
            {"sha256": "x", "target": "dbo.other"},
            {"sha256": "x", "source": "other"},
            {"sha256": "x"},
        ]
    ):
        begun(store, an_upload(number, **changes))
    assert [one.id for one in store.uploads.of_file("wh", "dbo.loans", "x")] == ["upload-4", "upload-1"]
    assert [one.id for one in store.uploads.unfinished("wh", "dbo.loans")] == ["upload-4", "upload-1", "upload-0"]
    with pytest.raises(StoreError, match="begins the ids of several uploads"):
        store.uploads.find("upload")
    with pytest.raises(StoreError, match="there is no upload 'x'") as error:
        store.uploads.find("x")
    assert not error.value.temporary


def test_old_uploads_go_with_their_rows(store: Store) -> None:
    """When runs do; what is going on stays."""
    old, new, going = (an_upload(number) for number in (1, 2, 3))
    for one in (old, new, going):
        begun(store, one)
        store.uploads.reject(one.id, [a_reject(1)])
    store.uploads.end(replace(old, state="partial", ended=NOW), owner="me")
    store.uploads.end(replace(new, state="failed", ended=NOW + 5 * DAY), owner="me")
    run = a_run()
    assert store.runs.start(run, owner="me", until=NOW + HOUR)
    store.runs.fail(ended(run, "failed"), owner="me")
    store.runs.prune(NOW + 6 * DAY, keep=2 * DAY, keep_runs=10)
    assert [one.id for one in store.uploads.list()] == [going.id, new.id]
    assert [store.uploads.count_rejects(one.id) for one in (old, new, going)] == [0, 1, 1]
