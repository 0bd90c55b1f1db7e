"""A small BERT, made here and not downloaded, which learns in seconds on a CPU whether its first word is a large one."""

from __future__ import annotations

from typing import Any

import torch
import transformers

torch.set_num_threads(1)  # more cost more than they bring with so little to do


class Sentences(torch.utils.data.Dataset):  # type: ignore[misc,name-defined]
    """Words by number; what is to be learnt is whether the first is a large one."""

    def __len__(self) -> int:
        return 48

    def __getitem__(self, place: int) -> dict[str, Any]:
        words = torch.randint(1, 50, (8,), generator=torch.Generator().manual_seed(place))
        return {"input_ids": words, "attention_mask": torch.ones_like(words), "labels": int(words[0] > 25)}


def model() -> Any:
    torch.manual_seed(7)
    small = transformers.BertConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=16, num_labels=2,
    )  # fmt: skip
    return transformers.BertForSequenceClassification(small)
