"""Tiny IDX data sets, written by the tests themselves."""

import gzip
from pathlib import Path

import numpy as np
import pytest


def _write_idx(path: Path, array: np.ndarray) -> Path:
    header = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes()
    content = header + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.fixture
def write_idx():
    """Writes an array as an IDX file, gzipped if the path ends in .gz."""
    return _write_idx


@pytest.fixture
def samples():
    """Images and labels of 12 training and 7 test samples, 28x28, in MNIST's layout."""
    rng = np.random.default_rng(0)
    parts = {}
    for part, n in (("train", 12), ("t10k", 7)):
        images = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        parts[part] = images, (np.arange(n) % 10).astype(np.uint8)
    return parts


@pytest.fixture
def idx_dir(tmp_path, samples):
    """A directory with the four files of a tiny data set, gzipped."""
    directory = tmp_path / "idx"
    directory.mkdir()
    for part, (images, labels) in samples.items():
        _write_idx(directory / f"{part}-images-idx3-ubyte.gz", images)
        _write_idx(directory / f"{part}-labels-idx1-ubyte.gz", labels)
    return directory
