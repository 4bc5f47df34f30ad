"""TFDS without TensorFlow and without the internet."""

import functools
import hashlib
import threading
import types
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from memjax.data import tfds as module
from memjax.data.idx_builder import idx_builder
from memjax.data.tfds import CONNECT_SECONDS, load_tfds
from memjax.errors import DataError


@pytest.fixture
def prepared(tmp_path, idx_dir):
    """A TFDS directory that holds a tiny "mnist"."""
    with module._quiet():
        idx_builder("mnist", idx_dir, data_dir=tmp_path / "tfds").download_and_prepare()
    return tmp_path / "tfds"


@pytest.fixture
def offline(monkeypatch):
    """No host answers, without any time passing; the arguments of the question are kept."""
    asked = []

    def unreachable_host(urls, seconds):
        asked.append((list(urls), seconds))
        return "host.invalid"

    monkeypatch.setattr(module, "unreachable_host", unreachable_host)
    return asked


@pytest.fixture
def mirror(idx_dir, monkeypatch):
    """TFDS's MNIST, to be had from a server on this machine."""
    from tensorflow_datasets.core.download.checksums import UrlInfo
    from tensorflow_datasets.core.utils import Size
    from tensorflow_datasets.image_classification.mnist import MNIST

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Handler, directory=idx_dir)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        url = f"http://127.0.0.1:{server.server_port}/"
        infos = {}
        for path in idx_dir.iterdir():
            content = path.read_bytes()
            checksum = hashlib.sha256(content).hexdigest()
            infos[url + path.name] = UrlInfo(Size(len(content)), checksum, path.name)
        monkeypatch.setattr(MNIST, "URL", url)
        monkeypatch.setattr(MNIST, "url_infos", infos)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield idx_dir
        server.shutdown()
        thread.join()


def assert_holds(data, samples):
    """The samples are all there, in any order."""
    for part, x, y in (("train", data.x_train, data.y_train), ("t10k", data.x_test, data.y_test)):
        images, labels = samples[part]
        pixels = np.rint(x * 255).astype(np.uint8)
        assert sorted((p.tobytes(), int(label)) for p, label in zip(pixels, y, strict=True)) == (
            sorted((i.tobytes(), int(label)) for i, label in zip(images, labels, strict=True))
        )


def test_reads_what_is_prepared(prepared, samples, offline):
    data = load_tfds("mnist", prepared)
    assert (data.name, data.n_classes, data.x_train.shape) == ("mnist", 10, (12, 28, 28))
    assert_holds(data, samples)
    assert not offline, "no question to the internet for what lies here"


def test_says_nothing(prepared, capfd):
    load_tfds("mnist", prepared)
    assert capfd.readouterr() == ("", "")


def test_log_level_is_put_back(prepared):
    from absl import logging

    before = logging.get_verbosity()
    load_tfds("mnist", prepared)
    assert logging.get_verbosity() == before


def test_downloads_and_prepares(tmp_path, mirror, samples, capfd):
    assert_holds(load_tfds("mnist", tmp_path / "new"), samples)
    assert capfd.readouterr() == ("", "")
    for path in mirror.iterdir():
        path.unlink()
    assert_holds(load_tfds("mnist", tmp_path / "new"), samples)


def test_download_with_another_checksum(tmp_path, mirror):
    path = mirror / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(DataError) as error:
        load_tfds("mnist", tmp_path / "new")
    message = str(error.value)
    assert "'mnist'" in message and path.name in message and "MEMJAX_DATA_DIR" in message
    assert "\n" not in message


def test_offline(tmp_path, offline):
    with pytest.raises(DataError) as error:
        load_tfds("mnist", tmp_path)
    message = str(error.value)
    assert "\n" not in message
    for part in (
        f"'mnist' is not in {tmp_path}/mnist/3.0.1",
        "nothing came from host.invalid within 10 s",
        "connect to the internet",
        "--data-dir DIR",
        "MEMJAX_DATA_DIR",
    ):
        assert part in message
    ((urls, seconds),) = offline
    assert seconds == CONNECT_SECONDS <= 15
    assert any(url.endswith("train-images-idx3-ubyte.gz") for url in urls)


def test_not_prepared_and_not_to_be_downloaded(tmp_path, offline):
    with pytest.raises(DataError, match=f"'mnist' is not prepared in {tmp_path}/mnist/3.0.1: "):
        load_tfds("mnist", tmp_path, download=False)
    assert not offline


def test_needs_tensorflow(tmp_path, monkeypatch, offline):
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        DataError, match=r"'cifar10' is not in .* pip install tensorflow, or"
    ) as error:
        load_tfds("cifar10", tmp_path)
    assert "\n" not in str(error.value)
    assert not offline, "nothing is downloaded that could not be used"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nosuch", "unknown data set 'nosuch': use digits, mnist, fashion_mnist, kmnist or"),
        ("emnist/nosuch", "'emnist/nosuch' in .*nosuch not found.*: choose another, such as mnist"),
        (
            "penguins",
            "'penguins' is not 8-bit images of one size with a class label each: choose",
        ),
        ("imagenet_v2", "'imagenet_v2' is not 8-bit images of one size with a class label"),
    ],
)
def test_unfit_names(tmp_path, offline, name, message):
    with pytest.raises(DataError, match=message) as error:
        load_tfds(name, tmp_path)
    assert "\n" not in str(error.value)
    assert not offline


def test_damaged_records(prepared):
    (path,) = prepared.glob("mnist/*/mnist-test.array_record*")
    path.write_bytes(b"damaged")
    with pytest.raises(DataError) as error:
        load_tfds("mnist", prepared)
    assert str(path.parent) in str(error.value) and "prepare it again" in str(error.value)
    assert "\n" not in str(error.value)


def test_damaged_info(prepared):
    (path,) = prepared.glob("mnist/*/dataset_info.json")
    path.write_text("{")
    with pytest.raises(
        DataError, match=f"'mnist' in {prepared}: .*JSON.*: .*prepare it again$"
    ) as error:
        load_tfds("mnist", prepared)
    assert "\n" not in str(error.value)


def test_other_file_format(prepared):
    (path,) = prepared.glob("mnist/*/dataset_info.json")
    path.write_text(path.read_text().replace("array_record", "tfrecord"))
    with pytest.raises(DataError, match=f"{path.parent}: .*array_record"):
        load_tfds("mnist", prepared)


def test_splits_without_test(prepared, monkeypatch):
    builder = module._builder("mnist", prepared)
    without = types.SimpleNamespace(
        info=types.SimpleNamespace(
            features=builder.info.features,
            supervised_keys=builder.info.supervised_keys,
            splits={"train": None, "validation": None},
        ),
        is_prepared=lambda: True,
    )
    monkeypatch.setattr(module, "_builder", lambda name, data_dir: without)
    with pytest.raises(DataError, match="has the splits train, validation: choose one with"):
        load_tfds("mnist", prepared)


def test_directory_cannot_import_a_module(prepared, tmp_path, monkeypatch):
    """A features.json names classes, and TFDS's other door would import their module."""
    (tmp_path / "evil_module.py").write_text("raise SystemExit('executed')")
    monkeypatch.syspath_prepend(tmp_path)
    (path,) = prepared.glob("mnist/*/features.json")
    path.write_text('{"pythonClassName": "evil_module.Feature"}')
    load_tfds("mnist", prepared)
    path.parent.parent.rename(prepared / "other")
    with pytest.raises(DataError, match="unknown data set 'other'"):
        load_tfds("other", prepared)
