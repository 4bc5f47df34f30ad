"""Labelled images: the section ``[data]`` of the experiments that learn to classify them."""

import dataclasses
import functools
import hashlib
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float32, Int32

from memjax.data import Dataset, load
from memjax.errors import DataError
from memjax.pytree import params, static


class Samples(NamedTuple):
    """Inputs and their integer labels."""

    x: Float32[Array | np.ndarray, "samples ..."]
    y: Int32[Array | np.ndarray, " samples"]


@functools.partial(
    jax.tree_util.register_dataclass,
    data_fields=["train", "test", "corrupted"],
    meta_fields=["name", "n_classes"],
)
@dataclasses.dataclass(frozen=True)
class Labelled:
    """A data set as lanes share it.

    Attributes:
      train, test: the two parts.
      corrupted: the test inputs under every corruption, ``[corruptions, samples, ...]``, or None.
      name: of the data set.
      n_classes: number of classes.
    """

    train: Samples
    test: Samples
    corrupted: Float32[Array | np.ndarray, "corruptions samples ..."] | None
    name: str
    n_classes: int

    @property
    def n_features(self) -> int:
        """Number of values in one input."""
        return int(np.prod(self.train.x.shape[1:]))

    def digest(self) -> str:
        """A fingerprint of what is learnt, whatever its name."""
        found = hashlib.blake2b(digest_size=8)
        for array in (*self.train, *self.test):
            found.update(np.ascontiguousarray(array).data)
        return found.hexdigest()


def labelled(dataset: Dataset, corrupted: list[np.ndarray]) -> Labelled:
    """A data set, and its test inputs under corruptions, as lanes share it."""
    return Labelled(
        Samples(dataset.x_train, dataset.y_train),
        Samples(dataset.x_test, dataset.y_test),
        np.stack(corrupted) if corrupted else None,
        dataset.name,
        dataset.n_classes,
    )


@params
class Images:
    """The data set."""

    name: str = static(default="digits", doc="name of the data set", swept=False)
    dir: str = static(default="", doc="directory of its files", swept=False)
    train_size: int | None = static(
        default=None, doc="training samples to keep", at_least=1, swept=False
    )
    test_size: int | None = static(
        default=None, doc="test samples to keep", at_least=1, swept=False
    )
    crop: int | None = static(
        default=None, doc="height and width of the middle to keep", at_least=1, swept=False
    )
    binarize: float | None = static(
        default=None,
        doc="pixels above it are 1, the others 0",
        more_than=0,
        less_than=1,
        swept=False,
    )

    def load(self, given: Dataset | None = None) -> Dataset:
        """The data set, cropped as it says; what is given in its place, as it is."""
        if given is not None:
            return given
        dataset = load(self.name, data_dir=self.dir or None)
        dataset = dataset.take(self.train_size, self.test_size)
        if self.crop is not None:
            dataset = dataset.crop(self.crop)
        return dataset if self.binarize is None else dataset.binarize(self.binarize)


def check_batch(data: Labelled, batch_size: int) -> None:
    """Raises ``DataError`` where the training samples are less than one batch."""
    if batch_size > len(data.train.x):
        raise DataError(
            f"{data.name}: {len(data.train.x)} training samples are less than one batch of "
            f"{batch_size}; lower train.batch_size"
        )
