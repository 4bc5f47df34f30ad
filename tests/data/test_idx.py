"""IDX files: round trips, and every way in which a file can be wrong."""

import gzip

import numpy as np
import pytest

from memjax.data.idx import find_idx, load_idx, read_idx, read_pair
from memjax.errors import DataError
from reference.mnist import MNIST, needs_mnist


def one_line(error, *parts):
    message = str(error.value)
    assert "\n" not in message
    for part in parts:
        assert str(part) in message


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("shape", [(5,), (2, 3), (4, 3, 2), (0, 3)])
def test_round_trip(tmp_path, write_idx, suffix, shape):
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    read = read_idx(write_idx(tmp_path / f"data{suffix}", array))
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, array)


def test_gzip_is_seen_from_the_content(tmp_path, write_idx):
    path = write_idx(tmp_path / "data.gz", np.arange(4))
    np.testing.assert_array_equal(read_idx(path.rename(tmp_path / "data")), np.arange(4))


def test_missing_file(tmp_path):
    with pytest.raises(DataError) as error:
        read_idx(tmp_path / "absent")
    one_line(error, tmp_path / "absent", "no such file", "check the path")


def test_directory_instead_of_file(tmp_path):
    with pytest.raises(DataError) as error:
        read_idx(tmp_path)
    one_line(error, tmp_path, "directory", "give a file")


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\0\x08", b"\x89PNG\r\n\x1a\n", b"\0\0\x0d\x01\0\0\0\0", b"\0\0\x08\0"],
    ids=["empty", "short", "png", "floats", "no dimensions"],
)
def test_wrong_magic(tmp_path, content):
    path = tmp_path / "data"
    path.write_bytes(content)
    with pytest.raises(DataError) as error:
        read_idx(path)
    one_line(error, path, "not an IDX file of bytes", "download the file again")


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("length", [4, 7, 14, 15, 16, 39, 41])
def test_wrong_length(tmp_path, write_idx, length, suffix):
    whole = write_idx(tmp_path / "whole", np.arange(24).reshape(4, 3, 2)).read_bytes()
    assert len(whole) == 40
    content = (whole + b"\0")[:length]
    path = tmp_path / f"data{suffix}"
    path.write_bytes(gzip.compress(content) if suffix else content)
    with pytest.raises(DataError) as error:
        read_idx(path)
    told = f"{length} bytes" if length < 41 else "more than 40 bytes"
    one_line(error, path, told, "truncated or damaged", "download the file again")


def test_header_that_claims_the_world(tmp_path):
    path = tmp_path / "data"
    path.write_bytes(b"\0\0\x08\x03" + b"\xff" * 12)
    with pytest.raises(DataError) as error:
        read_idx(path)
    one_line(error, path, "bytes, more than 2147483648: damaged, or no data set of images")


def test_no_more_is_unpacked_than_the_header_asks_for(tmp_path, monkeypatch):
    path, read = tmp_path / "data.gz", []
    path.write_bytes(gzip.compress(b"\0\0\x08\x01\0\0\0\x02" + bytes(2**20)))
    plain = gzip.GzipFile.read

    def counted(self, size=-1):
        read.append(size)
        return plain(self, size)

    monkeypatch.setattr(gzip.GzipFile, "read", counted)
    with pytest.raises(DataError) as error:
        read_idx(path)
    one_line(error, path, "more than 10 bytes where its header asks for 10")
    assert read == [4, 4, 2, 1]


@pytest.mark.parametrize("damage", ["cut", "flipped", "not deflate"])
def test_corrupt_gzip(tmp_path, write_idx, damage):
    path = write_idx(tmp_path / "data.gz", np.arange(200) % 7)
    content = bytearray(path.read_bytes())
    if damage == "cut":
        del content[-9:]
    elif damage == "flipped":
        content[-6] ^= 1  # the checksum
    else:
        content[10:] = b"\xff" * 20
    path.write_bytes(content)
    with pytest.raises(DataError) as error:
        read_idx(path)
    one_line(error, path, "corrupt gzip", "download the file again")


def test_labels_in_place_of_images(idx_dir):
    labels = idx_dir / "train-labels-idx1-ubyte.gz"
    images = idx_dir / "train-images-idx3-ubyte.gz"
    with pytest.raises(DataError) as error:
        read_pair(labels, labels)
    one_line(error, labels, "1 dimensions, expected 3", "put images under this name")
    with pytest.raises(DataError) as error:
        read_pair(images, images)
    one_line(error, images, "3 dimensions, expected 1", "put labels under this name")


def test_images_and_labels_of_different_length(idx_dir):
    images, labels = idx_dir / "train-images-idx3-ubyte.gz", idx_dir / "t10k-labels-idx1-ubyte.gz"
    with pytest.raises(DataError) as error:
        read_pair(images, labels)
    one_line(error, images, "12 images", f"7 labels in {labels.name}", "from one data set")


def test_load(idx_dir, samples):
    data = load_idx(idx_dir, "tiny")
    assert (data.name, data.n_classes) == ("tiny", 10)
    np.testing.assert_allclose(data.x_train * 255, samples["train"][0], atol=1e-4)
    np.testing.assert_array_equal(data.y_test, samples["t10k"][1])
    assert (data.x_train.dtype, data.y_train.dtype) == (np.float32, np.int32)


@pytest.mark.parametrize("spelling", ["-idx{}-ubyte", ".idx{}-ubyte", ".idx{}-ubyte.gz"])
def test_spellings(tmp_path, write_idx, samples, spelling):
    for part, (images, labels) in samples.items():
        write_idx(tmp_path / (f"{part}-images" + spelling.format(3)), images)
        write_idx(tmp_path / (f"{part}-labels" + spelling.format(1)), labels)
    np.testing.assert_array_equal(load_idx(tmp_path, "tiny").y_train, samples["train"][1])


def test_one_file_missing(idx_dir):
    (idx_dir / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError) as error:
        find_idx(idx_dir)
    one_line(error, idx_dir, "t10k-labels-idx1-ubyte missing", "add it")


def test_no_files(tmp_path):
    assert find_idx(tmp_path) is None
    assert find_idx(tmp_path / "absent") is None
    with pytest.raises(DataError) as error:
        load_idx(tmp_path, "tiny")
    one_line(error, tmp_path, "no IDX files: put train-images-idx3-ubyte")


@needs_mnist
def test_real_mnist():
    mnist = load_idx(MNIST, "mnist")
    assert mnist.x_train.shape == (60000, 28, 28)
    assert mnist.x_test.shape == (10000, 28, 28)
    assert mnist.n_classes == 10
    np.testing.assert_array_equal(mnist.y_train[:10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4])
    assert abs(mnist.x_train.mean(dtype=np.float64) - 0.1307) < 1e-4, "MNIST's well-known mean"
