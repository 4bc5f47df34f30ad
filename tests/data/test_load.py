"""Where `load` looks, and in which order."""

import subprocess
import sys

import numpy as np
import pytest

from memjax.data import _load, load
from memjax.data.digits import load_digits
from memjax.data.idx_builder import idx_builder
from memjax.errors import DataError


@pytest.fixture(autouse=True)
def no_variable(monkeypatch):
    monkeypatch.delenv("MEMJAX_DATA_DIR", raising=False)


@pytest.fixture
def tfds_names(monkeypatch):
    """TFDS is not asked; the names for which it would have been are kept."""
    names = []

    def load_tfds(name):
        names.append(name)
        return load_digits()

    monkeypatch.setattr(_load, "load_tfds", load_tfds)
    return names


def test_import_costs_nothing():
    heavy = "{'sklearn', 'tensorflow_datasets', 'requests', 'PIL'}"
    code = f"import sys, memjax.data; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_default_is_digits(monkeypatch):
    monkeypatch.setenv("MEMJAX_DATA_DIR", "/nowhere")
    assert load().name == "digits"
    assert load("digits", data_dir="/nowhere").n_features == 64


def test_idx_files_of_any_name(idx_dir, samples):
    data = load("letters", data_dir=str(idx_dir))
    assert data.name == "letters"
    np.testing.assert_array_equal(data.y_train, samples["train"][1])


def test_folder_of_the_name_comes_first(tmp_path, idx_dir, write_idx):
    folder = idx_dir / "mnist"
    folder.mkdir()
    for part in ("train", "t10k"):
        write_idx(folder / f"{part}-images-idx3-ubyte", np.zeros((2, 4, 4)))
        write_idx(folder / f"{part}-labels-idx1-ubyte", np.arange(2))
    assert load("mnist", data_dir=idx_dir).n_features == 16
    assert load("kmnist", data_dir=idx_dir).n_features == 784


def test_prepared_tfds(tmp_path, idx_dir):
    idx_builder("fashion_mnist", idx_dir, data_dir=tmp_path / "tfds").download_and_prepare()
    data = load("fashion_mnist", data_dir=tmp_path / "tfds")
    assert (data.name, len(data.x_train), len(data.x_test)) == ("fashion_mnist", 12, 7)


def test_variable(idx_dir, monkeypatch):
    monkeypatch.setenv("MEMJAX_DATA_DIR", str(idx_dir))
    assert len(load("mnist").x_train) == 12


def test_variable_holds_one_folder_a_name(tmp_path, idx_dir, monkeypatch, tfds_names):
    idx_dir.rename(tmp_path / "kmnist")
    monkeypatch.setenv("MEMJAX_DATA_DIR", str(tmp_path))
    assert load("kmnist").name == "kmnist"
    load("mnist")
    assert tfds_names == ["mnist"]


def test_files_of_the_variable_are_not_taken_for_another_data_set(idx_dir, monkeypatch, tfds_names):
    monkeypatch.setenv("MEMJAX_DATA_DIR", str(idx_dir))
    load("fashion_mnist")
    assert tfds_names == ["fashion_mnist"]


def test_argument_before_variable(tmp_path, idx_dir, monkeypatch):
    monkeypatch.setenv("MEMJAX_DATA_DIR", str(idx_dir))
    with pytest.raises(DataError, match=f"{tmp_path / 'empty'}: "):
        (tmp_path / "empty").mkdir()
        load("mnist", data_dir=tmp_path / "empty")


def test_tfds_otherwise(tfds_names):
    load("kmnist")
    assert tfds_names == ["kmnist"]


def test_given_directory_without_data(tmp_path, tfds_names):
    with pytest.raises(DataError) as error:
        load("mnist", data_dir=tmp_path)
    message = str(error.value)
    assert "\n" not in message
    for part in (tmp_path, "'mnist'", "train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        assert str(part) in message
    assert not tfds_names, "a given directory is the only place"


def test_missing_directory(tmp_path, monkeypatch):
    with pytest.raises(DataError, match=f"{tmp_path}/absent: no such directory: check data_dir"):
        load("mnist", data_dir=tmp_path / "absent")
    monkeypatch.setenv("MEMJAX_DATA_DIR", str(tmp_path / "absent"))
    with pytest.raises(DataError, match="no such directory: check data_dir or MEMJAX_DATA_DIR"):
        load("mnist")


def test_incomplete_directory(idx_dir):
    (idx_dir / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match="train-labels-idx1-ubyte missing: add it"):
        load("mnist", data_dir=idx_dir)


@pytest.mark.parametrize("name", ["", "../mnist", "huggingface:mnist", "mnist/", "a/b/c", "a b"])
def test_strange_names(name, tfds_names):
    with pytest.raises(DataError, match=r"data set name .*: give a name such as digits"):
        load(name)
    assert not tfds_names


def test_unknown_name():
    with pytest.raises(DataError, match="unknown data set 'nosuch': use digits, mnist, "):
        load("nosuch")


def test_a_data_set_that_is_registered_is_found(monkeypatch):
    monkeypatch.setitem(_load.DATASETS, "mine", lambda: load_digits().take(10, 5))
    assert len(load("mine").x_train) == 10
