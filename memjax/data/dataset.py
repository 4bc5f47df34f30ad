"""What every loader returns: a training and a test set of images, checked once."""

import dataclasses
import hashlib

import numpy as np

from memjax.errors import DataError


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """Images in [0, 1] with their labels, split into training and test.

    Attributes:
        name: What the data set is called, for messages and results.
        x_train: Training images, float32 [n, height, width] or [n, height, width, channels];
            [n, features] once flat.
        y_train: Training labels, int32 [n], each in 0 .. n_classes - 1.
        x_test: Test images, shaped as the training images but for their number.
        y_test: Test labels, int32.
        n_classes: Number of classes; 0 counts them from the largest label.

    Raises:
        DataError: If ranks, dtypes, lengths, pixel values or labels are not as above.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    n_classes: int = 0

    def __post_init__(self):
        self._check_split("training", self.x_train, self.y_train)
        self._check_split("test", self.x_test, self.y_test)
        if self.x_train.shape[1:] != self.x_test.shape[1:]:
            raise self._error(
                f"training images are {self.x_train.shape[1:]}, test images "
                f"{self.x_test.shape[1:]}: give both the same shape"
            )
        largest = int(max(self.y_train.max(), self.y_test.max()))
        if self.n_classes == 0:
            object.__setattr__(self, "n_classes", largest + 1)
        elif largest >= self.n_classes:
            raise self._error(
                f"label {largest} does not fit {self.n_classes} classes: number labels from 0"
            )

    @property
    def n_features(self) -> int:
        """Number of values in one image."""
        return int(np.prod(self.x_train.shape[1:]))

    def digest(self) -> str:
        """A short fingerprint of the data, whatever its name: the same data, the same digest."""
        found = hashlib.blake2b(digest_size=8)
        for array in (self.x_train, self.y_train, self.x_test, self.y_test):
            found.update(np.ascontiguousarray(array).data)
        return found.hexdigest()

    def flat(self) -> "Dataset":
        """Returns the same data with every image as one row, [n, features]."""
        return dataclasses.replace(
            self,
            x_train=self.x_train.reshape(len(self.x_train), -1),
            x_test=self.x_test.reshape(len(self.x_test), -1),
        )

    def take(self, train_size: int | None = None, test_size: int | None = None) -> "Dataset":
        """Returns the first samples of each part, with `n_classes` unchanged.

        Args:
            train_size: Number of training samples to keep; None keeps all.
            test_size: Number of test samples to keep; None keeps all.

        Returns:
            A smaller data set.

        Raises:
            DataError: If a size is below 1 or above what there is.
        """
        n_train = self._check_size("train_size", train_size, len(self.x_train))
        n_test = self._check_size("test_size", test_size, len(self.x_test))
        return dataclasses.replace(
            self,
            x_train=self.x_train[:n_train],
            y_train=self.y_train[:n_train],
            x_test=self.x_test[:n_test],
            y_test=self.y_test[:n_test],
        )

    def crop(self, size: int) -> "Dataset":
        """Returns the middle ``size`` x ``size`` pixels of every image.

        Args:
            size: Height and width to keep.

        Raises:
            DataError: If images are smaller, or flat already.
        """
        if self.x_train.ndim < 3 or size > min(self.x_train.shape[1:3]):
            shape = " x ".join(map(str, self.x_train.shape[1:]))
            raise self._error(f"crop = {size}: images are {shape}; choose a smaller size")
        top, left = ((extent - size) // 2 for extent in self.x_train.shape[1:3])
        window = (slice(None), slice(top, top + size), slice(left, left + size))
        return dataclasses.replace(self, x_train=self.x_train[window], x_test=self.x_test[window])

    def binarize(self, threshold: float) -> "Dataset":
        """Returns images of zeros and ones: 1 where a pixel is above the threshold.

        Args:
            threshold: Between 0 and 1.
        """
        train, test = ((x > threshold).astype(np.float32) for x in (self.x_train, self.x_test))
        return dataclasses.replace(self, x_train=train, x_test=test)

    def _error(self, what: str) -> DataError:
        return DataError(f"data set {self.name!r}: {what}")

    def _check_size(self, argument: str, size: int | None, available: int) -> int:
        if size is None:
            return available
        if not 1 <= size <= available:
            raise self._error(f"{argument} = {size}: choose between 1 and {available}")
        return size

    def _check_split(self, part: str, x: np.ndarray, y: np.ndarray) -> None:
        if x.ndim not in (2, 3, 4) or x.dtype != np.float32:
            raise self._error(
                f"{part} images are {x.dtype}{list(x.shape)}: give float32 [n, height, width], "
                "[n, height, width, channels] or [n, features]"
            )
        if y.ndim != 1 or y.dtype != np.int32:
            raise self._error(f"{part} labels are {y.dtype}{list(y.shape)}: give int32 [n]")
        if len(x) != len(y):
            raise self._error(f"{len(x)} {part} images but {len(y)} labels: give one label each")
        if x.size == 0:
            raise self._error(f"no {part} samples: give at least 1, of at least one pixel")
        low, high = float(x.min()), float(x.max())
        if not (low >= 0.0 and high <= 1.0):
            raise self._error(f"{part} pixels range from {low:g} to {high:g}: scale them to [0, 1]")
        if y.min() < 0:
            raise self._error(f"{part} label {y.min()} is negative: number labels from 0")
