"""TFDS's MNIST family prepared from IDX files, for TFDS itself cannot without TensorFlow.

Reading a prepared TFDS data set needs no TensorFlow. Preparing one does: TFDS unpacks archives
and encodes images with it. Here the standard library unpacks and Pillow encodes; what comes out
is the data set that TFDS would have written, under its own name and version.
"""

import os
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from memjax.data.idx import find_idx, read_pair
from memjax.errors import DataError

FAMILY = ("mnist", "fashion_mnist", "kmnist")
_FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}


class _FromIdx:
    """The two methods in which a builder of the family differs from TFDS's own."""

    URL: str
    idx_dir: Path | None

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator]:
        if self.idx_dir is None:
            urls = {part: [self.URL + file for file in files] for part, files in _FILES.items()}
            found = dl_manager.download(urls)
        else:
            found = find_idx(self.idx_dir)
        if found is None:
            raise DataError(f"{self.idx_dir}: no IDX files: put {_FILES['train'][0]} and so on")
        return {part: self._generate_examples(*files) for part, files in found.items()}

    def _generate_examples(self, images_path: Any, labels_path: Any) -> Iterator:
        from PIL import Image

        images, labels = read_pair(os.fspath(images_path), os.fspath(labels_path))
        for index, (image, label) in enumerate(zip(images, labels, strict=True)):
            yield index, {"image": Image.fromarray(image), "label": int(label)}


def idx_builder(name: str, idx_dir: Path | str | None = None, **builder_kwargs: Any) -> Any:
    """Makes a TFDS builder that prepares one of `FAMILY` from IDX files without TensorFlow.

    Args:
        name: "mnist", "fashion_mnist" or "kmnist".
        idx_dir: Directory of the IDX files; None downloads them from where TFDS does, against
            TFDS's checksums.
        **builder_kwargs: For TFDS's builder, `data_dir` above all.

    Returns:
        A `tfds.core.GeneratorBasedBuilder` that writes array_record.
    """
    import tensorflow_datasets as tfds

    base = tfds.builder_cls(name)
    body = {
        "name": base.name,  # the data set on disk is TFDS's own
        "__module__": base.__module__,  # and TFDS finds its checksums beside its module
        "idx_dir": None if idx_dir is None else Path(idx_dir),
    }
    cls = types.new_class(
        base.__name__,
        (_FromIdx, base),
        {"skip_registration": True},
        lambda space: space.update(body),
    )
    return cls(file_format="array_record", **builder_kwargs)
