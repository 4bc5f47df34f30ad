"""Image classification data sets as NumPy arrays: embedded digits, TFDS, IDX files."""

from memjax.data._load import DATASETS, load
from memjax.data.dataset import Dataset

__all__ = ["DATASETS", "Dataset", "load"]
