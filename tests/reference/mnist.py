"""Real MNIST, where it is there."""

import functools
import os
from pathlib import Path

import numpy as np
import pytest

from memjax.data.idx import find_idx, read_idx

MNIST = Path(os.environ.get("MEMJAX_TEST_MNIST", Path(__file__).parents[3] / "shared" / "mnist"))

needs_mnist = pytest.mark.skipif(
    not MNIST.is_dir(), reason=f"no MNIST in {MNIST}: set MEMJAX_TEST_MNIST to its directory"
)


@functools.cache
def first_test_image() -> np.ndarray:
    """A seven, of bytes."""
    return read_idx(find_idx(MNIST)["test"][0])[0]
