"""Image classification data sets as NumPy arrays: embedded digits, TFDS, IDX files."""

from memjax.data._load import load
from memjax.data.dataset import Dataset

__all__ = ["Dataset", "load"]
