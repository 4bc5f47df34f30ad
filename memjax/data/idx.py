"""IDX files, the format MNIST is published in: a short header, then bytes."""

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from memjax.data.dataset import Dataset
from memjax.errors import DataError

MOST_BYTES = 2**31
"""That a file may unpack to: 2 GiB, forty times MNIST; gzip makes as much of 2 MB of zeros."""

_FETCH_AGAIN = "download the file again"
_PARTS = {"train": "train", "test": "t10k"}
_KINDS = ("images-idx3-ubyte", "labels-idx1-ubyte")


def read_idx(path: Path | str) -> np.ndarray:
    """Reads one IDX file of unsigned bytes, gzipped or not.

    The header is 0, 0, 8 (unsigned bytes), the number of dimensions, then each dimension as a
    big-endian 32-bit integer.

    Args:
        path: The file; whether it is gzipped is seen from its content, not from its name.

    Returns:
        uint8 array of the dimensions that the header declares.

    Raises:
        DataError: If the file cannot be read, is no such IDX file, or is longer or shorter than
            its header says.
    """
    content, total = _content(Path(path))
    if len(content) < 4 or content[:3] != b"\0\0\x08" or content[3] == 0:
        raise DataError(
            f"{path}: not an IDX file of bytes (it begins with {content[:4].hex(' ') or 'nothing'},"
            f" expected 00 00 08 and a number of dimensions): {_FETCH_AGAIN}"
        )
    header = 4 + 4 * content[3]
    # A header cut short gives too few dimensions; its length then gives it away below.
    shape = [int.from_bytes(content[i : i + 4], "big") for i in range(4, header, 4)]
    expected = header + math.prod(shape)
    if expected > MOST_BYTES:
        raise DataError(
            f"{path}: its header asks for {expected} bytes, more than {MOST_BYTES}: damaged, or no "
            f"data set of images; {_FETCH_AGAIN}"
        )
    if len(content) < header or total != expected:
        more = "more than " * (total is None)
        raise DataError(
            f"{path}: {more}{total or expected} bytes where its header asks for "
            f"{max(expected, header)}: truncated or damaged, {_FETCH_AGAIN}"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def read_pair(images_path: Path | str, labels_path: Path | str) -> tuple[np.ndarray, np.ndarray]:
    """Reads a file of images and the file of their labels.

    Args:
        images_path: IDX file of images.
        labels_path: IDX file of labels.

    Returns:
        Images uint8 [n, height, width] and labels uint8 [n].

    Raises:
        DataError: If a file is not readable IDX, has other dimensions, or both do not match.
    """
    images, labels = read_idx(images_path), read_idx(labels_path)
    for path, array, rank in ((images_path, images, 3), (labels_path, labels, 1)):
        if array.ndim != rank:
            raise DataError(
                f"{path}: {array.ndim} dimensions, expected {rank}: put "
                f"{'images' if rank == 3 else 'labels'} under this name"
            )
    if len(images) != len(labels):
        raise DataError(
            f"{images_path}: {len(images)} images, but {len(labels)} labels in "
            f"{Path(labels_path).name}: take both files from one data set"
        )
    return images, labels


def find_idx(directory: Path | str) -> dict[str, tuple[Path, Path]] | None:
    """Finds the four files of an IDX data set.

    Args:
        directory: Where `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`,
            `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte` lie, each with or without
            `.gz`; `train-images.idx3-ubyte` and so on will do.

    Returns:
        The image and label file of "train" and of "test"; None if there is none of the four.

    Raises:
        DataError: If some of the four are there and others are not.
    """
    found, missing = {}, []
    for split, stem in _PARTS.items():
        for kind in _KINDS:
            path = _spelt(Path(directory), f"{stem}-{kind}")
            if path is None:
                missing.append(f"{stem}-{kind}")
            else:
                found[split, kind] = path
    if not found:
        return None
    if missing:
        raise DataError(f"{directory}: {', '.join(missing)} missing: add it (plain or .gz)")
    images, labels = _KINDS
    return {split: (found[split, images], found[split, labels]) for split in _PARTS}


def load_idx(directory: Path | str, name: str) -> Dataset:
    """Loads the data set that four IDX files in a directory make.

    Args:
        directory: Where the files lie; `find_idx` says how they are called.
        name: What to call the data set.

    Returns:
        The data set: x float32 [n, height, width] in [0, 1], y int32 [n].

    Raises:
        DataError: If the directory or a file is missing, broken or does not fit the others.
    """
    files = find_idx(directory)
    if files is None:
        raise DataError(
            f"{directory}: no IDX files: put train-images-idx3-ubyte, train-labels-idx1-ubyte, "
            "t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte (plain or .gz) there"
        )
    (x_train, y_train), (x_test, y_test) = (read_pair(*files[split]) for split in _PARTS)
    return Dataset(
        name,
        to_unit(x_train),
        y_train.astype(np.int32),
        to_unit(x_test),
        y_test.astype(np.int32),
    )


def to_unit(images: np.ndarray) -> np.ndarray:
    """Scales bytes to float32 in [0, 1]."""
    return images.astype(np.float32) / np.float32(255)


def _content(path: Path) -> tuple[bytes, int | None]:
    """No more of a file than its header asks for, and how many bytes there are, if no more."""
    try:
        with path.open("rb") as raw:
            is_packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            file: Any = gzip.GzipFile(fileobj=raw) if is_packed else raw
            content = file.read(4)
            content += file.read(4 * content[3] if len(content) == 4 else 0)
            shape = [int.from_bytes(content[i : i + 4], "big") for i in range(4, len(content), 4)]
            asked = math.prod(shape)
            if asked > MOST_BYTES:
                return content, None
            content += file.read(asked)
            return content, None if file.read(1) else len(content)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file: check the path") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path}: corrupt gzip ({error}): {_FETCH_AGAIN}") from error
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}: give a file that can be read") from error


def _spelt(directory: Path, name: str) -> Path | None:
    """Returns the file of that name, plain, gzipped, or spelt with a dot before `idx`."""
    stems = (name, name.replace("-idx", ".idx"))
    paths = (directory / (stem + suffix) for stem in stems for suffix in ("", ".gz"))
    return next((path for path in paths if path.is_file()), None)
