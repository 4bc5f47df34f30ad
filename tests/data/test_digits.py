"""The embedded digits."""

import hashlib

import numpy as np

from memjax.data.digits import load_digits


def test_sizes():
    digits = load_digits()
    assert (digits.name, digits.n_classes, digits.n_features) == ("digits", 10, 64)
    assert digits.x_train.shape == (1437, 8, 8)
    assert digits.x_test.shape == (360, 8, 8)
    assert digits.x_train.min() == 0.0
    assert digits.x_train.max() == 1.0


def test_split_is_always_the_same():
    digits = load_digits()
    parts = (digits.x_train * 16, digits.y_train, digits.x_test * 16, digits.y_test)
    content = b"".join(part.astype(np.uint8).tobytes() for part in parts)
    assert hashlib.sha256(content).hexdigest()[:16] == "968fa12027013c63"


def test_every_sample_once_and_every_class_in_its_share():
    from sklearn import datasets

    digits = load_digits()
    ours = np.concatenate([digits.flat().x_train, digits.flat().x_test]) * 16
    theirs = datasets.load_digits().data
    np.testing.assert_array_equal(
        ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)].astype(np.float32)
    )
    share = np.bincount(digits.y_test) / (np.bincount(digits.y_train) + np.bincount(digits.y_test))
    np.testing.assert_allclose(share, 0.2, atol=0.006)


def test_shuffled():
    assert np.unique(load_digits().y_train[:100]).size == 10
