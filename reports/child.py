"""What a child process of the service does: one run that was taken from the queue, to its commit."""

from __future__ import annotations

import datetime as dt
import logging
import sys
from contextlib import closing

from reports.app import App
from reports.children import AGAIN
from reports.errors import ReportsError, StoreError
from reports.runner import Order


def main(order: Order) -> int:
    """The run's end is in the store when this gives 0."""

    def clock() -> dt.datetime:
        return dt.datetime.now(dt.UTC) + order.ahead

    logging.getLogger("reports.runs").disabled = True  # how it ended is told by the service, in its own log
    try:
        with closing(App(order.settings, clock=clock)) as app:
            return 0 if app.carry_out(order.run, owner=order.owner) else AGAIN
    except StoreError as error:  # it was away before there was anything to do
        sys.stderr.write(f"{error}\n")
        return AGAIN
    except ReportsError as error:  # the store cannot be used as settings name it
        sys.stderr.write(f"{error}\n")
        return 1
