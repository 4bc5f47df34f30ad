"""Real MNIST, where it is there."""

import functools
import os
from pathlib import Path

import numpy as np
import pytest

from memjax.data.idx import find_idx, read_idx

MNIST = Path(os.environ.get("MEMJAX_DATA_DIR", Path(__file__).parents[3] / "shared" / "mnist"))

needs_mnist = pytest.mark.skipif(
    not MNIST.is_dir() or find_idx(MNIST) is None, reason="MEMJAX_DATA_DIR names no MNIST"
)


@functools.cache
def first_test_image() -> np.ndarray:
    """A seven, of bytes."""
    return read_idx(find_idx(MNIST)["test"][0])[0]
