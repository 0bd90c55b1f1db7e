"""What a child process of the service does: one run that was taken from the queue, to its commit."""

from __future__ import annotations

import datetime as dt
import sys
from contextlib import closing
from dataclasses import replace

from reports.app import open_app
from reports.children import AGAIN
from reports.errors import ReportsError
from reports.model import Order


def main(order: Order) -> int:
    """The run's end is in the store when this gives 0."""

    def clock() -> dt.datetime:
        return dt.datetime.now(dt.UTC) + order.ahead

    try:
        with closing(replace(open_app(order.root), clock=clock)) as app:
            return 0 if app.carry_out(order.run, owner=order.owner) else AGAIN
    except ReportsError as error:  # the project itself cannot be read
        sys.stderr.write(f"{error}\n")
        return 1
