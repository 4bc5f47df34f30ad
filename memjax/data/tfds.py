"""TensorFlow Datasets without TensorFlow: read as random-access array_record files."""

import contextlib
import importlib.util
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from memjax.data._reach import unreachable_host
from memjax.data.dataset import Dataset
from memjax.data.idx import to_unit
from memjax.data.idx_builder import FAMILY, idx_builder
from memjax.errors import DataError

CONNECT_SECONDS = 10.0
"""Time for every host of a download to answer; the download itself is not limited."""


def load_tfds(name: str, data_dir: Path | str | None = None, *, download: bool = True) -> Dataset:
    """Loads a TFDS image classification data set, preparing it first where it is missing.

    The order of the samples is TFDS's own, a fixed shuffle.

    Args:
        name: TFDS's name, such as "mnist" or "emnist/letters".
        data_dir: TFDS's data directory; None for TFDS's default.
        download: Whether to download and prepare what `data_dir` does not hold.

    Returns:
        The data set: x float32 [n, height, width] (with channels last if there are several) in
        [0, 1], y int32 [n].

    Raises:
        DataError: If there is no such data set, it is not images of one size with labels, or it
            is not here and cannot be prepared.
    """
    with _quiet():
        builder = _builder(name, data_dir)
        image, label = _keys(name, builder)
        if not builder.is_prepared():
            if not download:
                raise DataError(
                    f"TFDS data set {name!r} is not prepared in {builder.data_path}: prepare this "
                    "version there, or leave data_dir out to download"
                )
            builder = _prepare(name, builder)
        missing = {"train", "test"} - set(builder.info.splits)
        if missing:
            raise DataError(
                f"TFDS data set {name!r} has the splits {', '.join(builder.info.splits)}: choose "
                "one with train and test"
            )
        train, test = (_read(builder, split, image, label) for split in ("train", "test"))
    return Dataset(name, *train, *test, n_classes=builder.info.features[label].num_classes)


def _builder(name: str, data_dir: Path | str | None) -> Any:
    import tensorflow_datasets as tfds

    data_set, _, config = name.partition("/")
    try:
        # Not tfds.builder: it falls back on a features.json, which may import any module.
        return tfds.builder_cls(data_set)(config=config or None, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError:
        raise DataError(
            f"unknown data set {name!r}: use digits, {', '.join(FAMILY)} or another image "
            "classification data set of TFDS, or give a data_dir with its IDX files"
        ) from None
    except Exception as error:  # each data set's own code runs here, and raises anything
        where = "" if data_dir is None else f" in {data_dir}"
        raise DataError(
            f"TFDS data set {name!r}{where}: {_first_line(error)}: choose another, such as "
            f"{', '.join(FAMILY)}, or prepare it again"
        ) from error


def _keys(name: str, builder: Any) -> tuple[str, str]:
    """Returns the names of the image and of the label in a sample."""
    import tensorflow_datasets as tfds

    image, label = (builder.info.supervised_keys or ("image", "label"))[:2]
    features = dict(builder.info.features)
    if not (
        isinstance(features.get(image), tfds.features.Image)
        and isinstance(features.get(label), tfds.features.ClassLabel)
        and features[image].np_dtype == np.uint8
        and None not in features[image].shape
    ):
        raise DataError(
            f"TFDS data set {name!r} is not 8-bit images of one size with a class label each: "
            f"choose another, such as {', '.join(FAMILY)}"
        )
    return image, label


def _prepare(name: str, builder: Any) -> Any:
    """Downloads and writes the data set as array_record."""
    import tensorflow_datasets as tfds

    if builder.name in FAMILY:
        builder = idx_builder(builder.name, data_dir=builder.data_dir_root)
    elif importlib.util.find_spec("tensorflow") is None:
        raise DataError(
            f"TFDS data set {name!r} is not in {builder.data_path}, and TFDS needs TensorFlow to "
            "prepare it (not to read it): pip install tensorflow, or prepare it elsewhere as "
            "array_record and pass --data-dir DIR or set MEMJAX_DATA_DIR"
        )
    host = unreachable_host(builder.url_infos or (), CONNECT_SECONDS)
    if host is not None:
        raise _not_here(name, builder, f"nothing came from {host} within {CONNECT_SECONDS:g} s")
    try:
        builder.download_and_prepare(
            file_format="array_record",
            download_config=tfds.download.DownloadConfig(try_download_gcs=False),
        )
    except Exception as error:  # as do its downloads
        raise _not_here(name, builder, _first_line(error)) from error
    return builder


def _read(builder: Any, split: str, image: str, label: str) -> tuple[np.ndarray, np.ndarray]:
    try:
        source = builder.as_data_source(split)
        # All at once: three times faster than sample by sample.
        samples = source.__getitems__(list(range(len(source))))
    except Exception as error:  # another file format, a damaged file
        raise DataError(
            f"{builder.data_path}: {_first_line(error)}: prepare it again as array_record"
        ) from error
    x = np.stack([sample[image] for sample in samples])
    y = np.array([sample[label] for sample in samples], dtype=np.int32)
    return to_unit(x[..., 0] if x.shape[-1] == 1 else x), y


def _not_here(name: str, builder: Any, why: str) -> DataError:
    return DataError(
        f"data set {name!r} is not in {builder.data_path} and could not be downloaded and prepared "
        f"({why}): connect to the internet, pass --data-dir DIR with its IDX files, or set "
        "MEMJAX_DATA_DIR to DIR"
    )


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps TFDS's log, banners and progress bars off the terminal; what matters is raised."""
    from absl import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.FATAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.set_verbosity(verbosity)
