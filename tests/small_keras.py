"""A small network of Keras, which learns in seconds on a CPU whether pictures are bright."""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np

CHANCE = np.random.default_rng(20261128)
PICTURES = CHANCE.normal(size=(256, 8, 8, 1)).astype("float32")
LABELS = (PICTURES.mean(axis=(1, 2, 3)) > 0).astype("int64")


def network(rate: Any = 0.02) -> Any:
    """A convolution of a few parameters, which learns whether a picture is bright."""
    keras.utils.set_random_seed(7)
    model = keras.Sequential([
        keras.layers.Input((8, 8, 1)),
        keras.layers.Conv2D(4, 3, activation="relu", name="look"),
        keras.layers.Flatten(name="flat"),
        keras.layers.Dense(2, activation="softmax", name="say"),
    ])  # fmt: skip
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
