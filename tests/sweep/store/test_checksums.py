"""A store whose files are not what was written is not read, whichever file it is."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from memjax.errors import UserError
from memjax.sweep import load
from memjax.sweep.store import checksums
from memjax.sweep.store import directory as store


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Results with texts, zeros (which Zarr would not write) and every kind of number."""
    place = tmp_path_factory.mktemp("saved")
    dims = ("device", "seed", "epoch")
    ds = xr.Dataset(
        {
            "test_accuracy": (dims, np.zeros((2, 1, 2), np.float32)),
            "status": (dims[:2], np.zeros((2, 1), np.int8)),
            "baseline_accuracy": (dims[1:], np.ones((1, 2))),
        },
        {"device": ["EpiRAM", ""], "seed": [0], "epoch": [1, 2]},
        {"n_classes": 10, "spec": ""},
    )
    store.save(place, ds)
    return place


@pytest.fixture
def copy(saved, tmp_path):
    shutil.copytree(saved, tmp_path, dirs_exist_ok=True)
    return tmp_path


def files(place: Path) -> list[Path]:
    found = sorted((place / "results.zarr").rglob("*"))
    return [path for path in found if path.is_file() and path.name != checksums.LIST]


def flip_a_bit(path: Path) -> None:
    held = bytearray(path.read_bytes())
    held[len(held) // 2] ^= 1
    path.write_bytes(held)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def test_every_array_has_its_metadata_and_a_chunk(saved):
    names = {path.relative_to(saved / "results.zarr").as_posix() for path in files(saved)}
    assert len(names) == 1 + 2 * 6
    assert {"status/c/0/0", "device/c/0", "zarr.json"} <= names


@pytest.mark.parametrize("spoil", [flip_a_bit, cut, Path.unlink])
def test_no_file_changes_or_goes_in_silence(saved, copy, spoil):
    for path in files(copy):
        spoil(path)
        name, _, file = path.relative_to(copy / "results.zarr").as_posix().partition("/")
        what = f"{file} of the array {name}" if file else name
        with pytest.raises(UserError, match=rf"broken results \({what} (is missing|has changed)"):
            load(copy)
        shutil.copy(saved / path.relative_to(copy), path)
    assert load(copy).identical(load(saved))


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 10_000])
def test_a_list_that_is_broken_is_told(copy, text):
    (copy / "results.zarr" / checksums.LIST).write_text(text)
    with pytest.raises(UserError, match=r"broken results \(\.checksums\.json "):
        load(copy)


@pytest.mark.filterwarnings("error")
def test_xarray_alone_reads_it_and_finds_a_flipped_bit(copy):
    for path in files(copy):
        if "c" in path.parts:
            assert len(xr.open_zarr(copy / "results.zarr").load())
            flip_a_bit(path)
            with pytest.raises(ValueError, match="checksum"):
                xr.open_zarr(copy / "results.zarr").load()
            flip_a_bit(path)


def test_results_of_versions_without_checksums_open_and_say_so(saved, copy):
    (copy / "results.zarr" / checksums.LIST).unlink()
    with pytest.warns(store.Unchecked, match=r"results\.zarr: has no checksums, .* unchecked"):
        assert load(copy).identical(load(saved))


def test_results_without_checksums_that_cannot_be_are_refused(saved, tmp_path):
    store.save(tmp_path, load(saved).isel(epoch=[0, 0]))
    assert load(tmp_path).sizes["epoch"] == 2  # as it was written
    (tmp_path / "results.zarr" / checksums.LIST).unlink()
    with pytest.raises(UserError, match=r"broken results \(two values of epoch are equal\)"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["status/c/0/9", "copied/zarr.json"])
def test_a_file_that_was_added_is_told(copy, name):
    path = copy / "results.zarr" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    array, _, file = name.partition("/")
    with pytest.raises(UserError, match=rf"\({file} of the array {array} was added"):
        load(copy)


def test_what_file_browsers_leave_is_no_array(saved, copy):
    (copy / "results.zarr" / "status" / ".DS_Store").write_bytes(b"\0")
    assert load(copy).identical(load(saved))
