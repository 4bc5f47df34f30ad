"""The embedded default: scikit-learn's 1,797 real handwritten digits, 8x8."""

import numpy as np

from memjax.data.dataset import Dataset


def load_digits() -> Dataset:
    """Loads the embedded digits: 1,437 for training, 360 for testing, always the same.

    The samples are shuffled with a fixed seed; then every fifth of each class goes to the test
    set, so both parts hold the classes in equal shares.

    Returns:
        The data set: x float32 [n, 8, 8] in [0, 1], y int32 [n] in 0..9.

    Example:
        >>> digits = load_digits()
        >>> digits.x_train.shape, digits.x_test.shape, digits.n_classes
        ((1437, 8, 8), (360, 8, 8), 10)

    Reference:
        E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
        Repository (1998), the test part.
    """
    from sklearn import datasets

    bunch = datasets.load_digits()
    x = (bunch.images / 16.0).astype(np.float32)
    y = bunch.target.astype(np.int32)
    # RandomState, not Generator: NumPy promises that its stream never changes (NEP 19).
    order = np.random.RandomState(0).permutation(len(y))
    by_class = order[np.argsort(y[order], kind="stable")]
    held_out = np.zeros(len(y), dtype=bool)
    held_out[by_class[::5]] = True
    train, test = order[~held_out[order]], order[held_out[order]]
    return Dataset("digits", x[train], y[train], x[test], y[test], n_classes=10)
