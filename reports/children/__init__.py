"""Child processes that are ready before they are needed, and that end when they must; see `Nursery`.

It knows nothing of what the children do, and imports nothing of it.
"""

from reports.children.child import Child
from reports.children.endings import AGAIN, Ended, Limits
from reports.children.nursery import Nursery

__all__ = ["AGAIN", "Child", "Ended", "Limits", "Nursery"]
