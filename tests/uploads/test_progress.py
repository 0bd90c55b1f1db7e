"""How far an upload is, for people and for logs."""

from __future__ import annotations

import pytest

from reports.cli.uploading import Meter, described
from reports.uploads.loading import Progress


def test_rows_rate_share_and_what_is_left() -> None:
    """Of a part that was loaded before, the rate counts what was loaded since."""
    half = Progress(rows=60_000, rejected=2, seconds=10, share=0.5, begun_at=10_000)
    assert described(half) == "60,000 rows  5,000 a second  50%  about 0:00:12 left  2 rejected"
    assert described(Progress(rows=5, rejected=0, seconds=0, share=-1)) == "5 rows  0 a second"
    assert "left" not in described(Progress(rows=5, rejected=0, seconds=1, share=1))


def test_a_line_every_ten_seconds_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """And none of an upload that is over before."""
    now = 0.0

    def clock() -> float:
        return now

    with Meter(clock) as meter:
        for second in range(35):
            now = float(second)
            meter.show(Progress(rows=second * 100, rejected=0, seconds=max(second, 1), share=0.1))
    told = capsys.readouterr().err.splitlines()
    assert [line.partition(" rows")[0] for line in told] == ["1,000", "2,000", "3,000"]
