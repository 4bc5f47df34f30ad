"""The MNIST family of TFDS, prepared from IDX files without TensorFlow."""

import sys

import numpy as np
import pytest

from memjax.data.idx_builder import FAMILY, idx_builder
from memjax.errors import DataError


@pytest.mark.parametrize("name", FAMILY)
def test_prepares_what_tfds_would_have(tmp_path, idx_dir, samples, name):
    import tensorflow_datasets as tfds

    idx_builder(name, idx_dir, data_dir=tmp_path / "tfds").download_and_prepare()
    builder = tfds.builder(name, data_dir=tmp_path / "tfds")
    assert builder.is_prepared()
    assert builder.info.file_format.value == "array_record"
    source = builder.as_data_source("train")
    assert len(source) == 12
    images, labels = samples["train"]
    expected = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    for sample in source:
        assert sample["image"].shape == (28, 28, 1)
        assert expected.pop(sample["image"].tobytes()) == sample["label"]
    assert not expected
    assert "tensorflow" not in sys.modules


def test_checksums_are_tfds_own():
    import tensorflow_datasets as tfds

    for name in FAMILY:
        assert idx_builder(name).url_infos == tfds.builder_cls(name).url_infos
        assert len(idx_builder(name).url_infos) >= 4


def test_downloads_from_where_tfds_does():
    asked = {}

    class Manager:
        def download(self, urls):
            asked.update(urls)
            return {part: [None, None] for part in urls}

    builder = idx_builder("fashion_mnist")
    assert set(builder._split_generators(Manager())) == {"train", "test"}
    assert {url for urls in asked.values() for url in urls} <= set(builder.url_infos)


def test_empty_directory(tmp_path):
    builder = idx_builder("mnist", tmp_path, data_dir=tmp_path / "tfds")
    with pytest.raises(DataError, match=f"{tmp_path}: no IDX files: put train-images"):
        builder.download_and_prepare()


def test_images_keep_their_bytes(idx_dir, samples):
    builder = idx_builder("mnist", idx_dir)
    examples = dict(
        builder._generate_examples(
            idx_dir / "t10k-images-idx3-ubyte.gz", idx_dir / "t10k-labels-idx1-ubyte.gz"
        )
    )
    assert list(examples) == list(range(7))
    np.testing.assert_array_equal(np.asarray(examples[3]["image"]), samples["t10k"][0][3])
