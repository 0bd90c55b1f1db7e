"""Trainings that tell how they go: curves, the best epoch, sample predictions, and at the end the model.

`Training` is for a loop of one's own. The callbacks of the frameworks are in `keras`, `lightning` and `huggingface`.
"""

from reports.notify.training.monitor import Training
from reports.notify.training.options import Options

__all__ = ["Options", "Training"]
