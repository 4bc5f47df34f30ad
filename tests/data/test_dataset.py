"""A data set is checked once, when it is made."""

import dataclasses

import numpy as np
import pytest

from memjax.data import Dataset
from memjax.errors import DataError


def make(**changes):
    rng = np.random.default_rng(0)
    fields = {
        "x_train": rng.random((6, 3, 2), dtype=np.float32),
        "y_train": np.array([0, 1, 2, 0, 1, 2], np.int32),
        "x_test": rng.random((4, 3, 2), dtype=np.float32),
        "y_test": np.array([0, 1, 1, 0], np.int32),
    }
    return Dataset("tiny", **(fields | changes))


def test_counts():
    data = make()
    assert (data.n_classes, data.n_features) == (3, 6)
    assert make(n_classes=10).n_classes == 10


def test_channels():
    x = np.zeros((2, 3, 2, 3), np.float32)
    y = np.zeros(2, np.int32)
    assert make(x_train=x, y_train=y, x_test=x, y_test=y).n_features == 18


def test_flat_keeps_the_pixels_in_order():
    data = make(n_classes=5)
    flat = data.flat()
    np.testing.assert_array_equal(flat.x_train, data.x_train.reshape(6, 6))
    np.testing.assert_array_equal(flat.x_test, data.x_test.reshape(4, 6))
    assert (flat.n_classes, flat.n_features) == (5, 6)


def test_take_gives_the_first():
    data = make()
    few = data.take(train_size=2, test_size=1)
    np.testing.assert_array_equal(few.x_train, data.x_train[:2])
    np.testing.assert_array_equal(few.y_train, [0, 1])
    np.testing.assert_array_equal(few.y_test, [0])
    assert few.n_classes == data.n_classes, "a smaller sample has the same classes"
    assert len(data.take(train_size=6).x_test) == 4


@pytest.mark.parametrize("size", [0, -1, 7])
def test_take_says_what_there_is(size):
    with pytest.raises(DataError, match=rf"'tiny': train_size = {size}: choose between 1 and 6"):
        make().take(train_size=size)
    with pytest.raises(DataError, match=rf"'tiny': test_size = {size}: choose between 1 and 4"):
        make().take(test_size=size)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_train": np.zeros(6, np.float32)}, r"training images are float32\[6\]: give"),
        ({"x_test": np.zeros((4, 3, 2))}, r"test images are float64\[4, 3, 2\]: give float32"),
        ({"y_train": np.zeros(6, np.int64)}, r"training labels are int64\[6\]: give int32"),
        ({"y_test": np.zeros((4, 1), np.int32)}, r"test labels are int32\[4, 1\]: give int32"),
        ({"y_train": np.zeros(5, np.int32)}, "6 training images but 5 labels: give one"),
        ({"x_test": np.zeros((4, 2, 3), np.float32)}, "give both the same shape"),
        (
            {"x_test": np.zeros((0, 3, 2), np.float32), "y_test": np.zeros(0, np.int32)},
            "no test samples: give at least 1",
        ),
        ({"x_test": np.full((4, 3, 2), 255, np.float32)}, "from 255 to 255: scale them"),
        ({"x_test": np.full((4, 3, 2), np.nan, np.float32)}, "from nan to nan: scale them"),
        ({"y_test": np.array([0, -1, 0, 0], np.int32)}, "label -1 is negative: number labels"),
        ({"n_classes": 2}, "label 2 does not fit 2 classes: number labels from 0"),
    ],
)
def test_mistakes(changes, message):
    with pytest.raises(DataError, match=message) as error:
        make(**changes)
    assert str(error.value).startswith("data set 'tiny': ")
    assert "\n" not in str(error.value)


def test_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        make().name = "other"


def test_crop_keeps_the_middle_and_binarize_thresholds():
    x = np.linspace(0, 1, 2 * 6 * 5, dtype=np.float32).reshape(2, 6, 5)
    y = np.zeros(2, np.int32)
    small = Dataset("mine", x, y, x, y).crop(3)
    np.testing.assert_array_equal(small.x_train, x[:, 1:4, 1:4])
    ones = small.binarize(0.5)
    np.testing.assert_array_equal(ones.x_test, (x[:, 1:4, 1:4] > 0.5).astype(np.float32))
    assert ones.x_test.dtype == np.float32
    for wrong in (small.flat(), small):
        with pytest.raises(DataError, match="choose a smaller size"):
            wrong.crop(4)
