"""A small module of PyTorch Lightning, which learns in seconds on a CPU whether values are large."""

from __future__ import annotations

from typing import Any

import torch
from lightning import pytorch as lightning

torch.set_num_threads(1)  # more cost more than they bring with so little to do

VALUES = torch.randn(128, 16, generator=torch.Generator().manual_seed(7))
LABELS = (VALUES.mean(dim=1) > 0).long()


class Module(lightning.LightningModule):  # type: ignore[misc,name-defined]
    """Learns whether values are large; logs as most modules do."""

    def __init__(self, *, fails_at: int = -1) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.body, self.drop, self.head = torch.nn.Linear(16, 8), torch.nn.Dropout(0.1), torch.nn.Linear(8, 2)
        self.fails_at = fails_at

    def forward(self, values: Any) -> Any:
        return self.head(self.drop(torch.relu(self.body(values))))

    def training_step(self, batch: Any, _: int) -> Any:
        if self.current_epoch == self.fails_at:
            raise FloatingPointError("the loss is no number")
        loss = torch.nn.functional.cross_entropy(self(batch[0]), batch[1])
        self.log("train_loss", loss, on_step=True, on_epoch=True)
        return loss

    def validation_step(self, batch: Any, _: int) -> None:
        said = self(batch[0])
        self.log("val_loss", torch.nn.functional.cross_entropy(said, batch[1]))
        self.log("val_acc", (said.argmax(dim=1) == batch[1]).float().mean())

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.Adam(self.parameters(), 0.01)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 2)]


def rows() -> Any:
    """What it learns from, in batches."""
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(VALUES, LABELS), 32)
