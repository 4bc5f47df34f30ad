"""Results are whole or absent, and what goes wrong is told with its remedy."""

import dataclasses
import errno
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import xarray as xr

from memjax.errors import UserError
from memjax.sweep import Spec, run
from memjax.sweep.run import job
from memjax.sweep.store import directory as store
from memjax.sweep.store.lock import exclusive


def claim(directory, spec, dataset=None):
    """What a sweep does first."""
    todo = job(spec, dataset)
    return store.claim(directory, spec, todo.frame, todo.keys["lanes"])


@pytest.fixture(scope="module")
def ds(small, tiny):
    return run(small({"levels": [8, 32]}, seeds=1), dataset=tiny)


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """A temporary directory of its own for rescued results."""
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    return place


def fill_up(monkeypatch, times: int = 1) -> None:
    """The disk is full for the next writes: each leaves half a store and raises ENOSPC."""
    whole, left = xr.Dataset.to_zarr, [times]

    def to_zarr(self, path, **options):
        whole(self, path, **options)
        if left[0]:
            left[0] -= 1
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(xr.Dataset, "to_zarr", to_zarr)


def test_saved_results_are_loaded_equal(ds, tmp_path):
    store.save(tmp_path, ds)
    assert store.load(tmp_path).identical(ds.load())
    assert {path.name for path in tmp_path.iterdir()} == {"results.zarr", "spec.toml"}


def test_same_specification_returns_without_training(small, tiny, tmp_path, monkeypatch):
    spec = small({"levels": [8, 32]}, seeds=1)
    first = run(spec, tmp_path / "new" / "out", dataset=tiny)
    names = {path.name for path in (tmp_path / "new" / "out").iterdir()}
    assert names == {".lock", "results.zarr", "spec.toml"}
    assert Spec.from_toml(tmp_path / "new" / "out" / "spec.toml") == spec
    monkeypatch.setattr(sys.modules["memjax.sweep.run"], "LocalWorkers", None)
    assert run(spec, tmp_path / "new" / "out", dataset=tiny).identical(first)


def test_other_specification_is_refused(small, tiny, ds, tmp_path):
    mine, other = small({"levels": [8, 32]}, seeds=1), small({"levels": [16, 32]}, seeds=1)
    assert claim(tmp_path, mine, tiny) is None
    store.save(tmp_path, ds)
    with pytest.raises(UserError, match=r"holds the results of another .* another --out"):
        claim(tmp_path, other, tiny)
    assert claim(tmp_path, mine, tiny).identical(ds)


def test_other_data_are_refused(small, tiny, ds, tmp_path):
    spec = small({"levels": [8, 32]}, seeds=1)
    store.save(tmp_path, ds)
    assert ds.attrs["data_digest"] == tiny.digest()
    renamed = dataclasses.replace(tiny, name="renamed")
    assert run(spec, tmp_path, dataset=renamed).identical(ds)
    other = dataclasses.replace(tiny, x_test=tiny.x_test[::-1])
    message = r"holds the results of this specification on other data; give another --out"
    with pytest.raises(UserError, match=message):
        claim(tmp_path, spec, other)
    for dataset in (other, None):  # None: what the specification names
        with pytest.raises(UserError, match=message):
            run(spec, tmp_path, dataset=dataset)
    assert store.load(tmp_path).identical(ds)


@pytest.mark.parametrize(
    ("attribute", "what"),
    [("data_digest", "on other data"), ("frame", "an earlier version of memjax has written")],
)
def test_results_that_do_not_tell_what_they_are_of_are_refused(
    small, tiny, ds, tmp_path, attribute, what
):
    del (old := ds.copy()).attrs[attribute]
    store.save(tmp_path, old)
    with pytest.raises(UserError, match=f"{what}; give another --out"):
        claim(tmp_path, small({"levels": [8, 32]}, seeds=1), tiny)


def test_a_sweep_that_never_finished_claims_nothing(small, tmp_path):
    assert claim(tmp_path, small({"levels": [8, 32]})) is None
    assert list(tmp_path.iterdir()) == []
    assert claim(tmp_path, small({"levels": [8]})) is None


@pytest.mark.parametrize("content", [b"\xff\xfe", b"seeds = 1"])
def test_somebody_elses_file_is_left_alone(small, tmp_path, content):
    (tmp_path / "spec.toml").write_bytes(content)
    with pytest.raises(UserError, match=r"holds the spec\.toml of another specification"):
        claim(tmp_path, small())
    assert (tmp_path / "spec.toml").read_bytes() == content


def test_results_hold_their_specification_themselves(small, tiny, ds, tmp_path):
    store.save(tmp_path, ds)
    (tmp_path / "spec.toml").unlink()
    spec = small({"levels": [8, 32]}, seeds=1)
    assert claim(tmp_path, spec, tiny).identical(ds)


def test_results_take_the_place_of_earlier_ones_whole(ds, tmp_path):
    store.save(tmp_path, ds)
    store.save(tmp_path, ds.assign_attrs(name="later"))
    assert store.load(tmp_path).attrs["name"] == "later"
    assert {path.name for path in tmp_path.iterdir()} == {"results.zarr", "spec.toml"}


@pytest.mark.parametrize("late", [False, True])
def test_a_kill_while_results_are_replaced_loses_none(small, tiny, ds, tmp_path, late):
    store.save(tmp_path, ds)
    (tmp_path / "results.zarr").rename(tmp_path / ".results.zarr.earlier")
    if late:
        store.write(ds, tmp_path / "results.zarr")
    spec = small({"levels": [8, 32]}, seeds=1)
    assert claim(tmp_path, spec, tiny).identical(ds)
    assert not (tmp_path / ".results.zarr.earlier").exists()


def test_file_in_the_way(small, tmp_path):
    (tmp_path / "file").write_text("")
    for place in ("file", "file/below"):
        with pytest.raises(UserError, match=r"cannot be written: .*; give another --out"):
            claim(tmp_path / place, small())


def test_no_permission(small, tmp_path, monkeypatch):
    def write_text(self, *args, **options):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "write_text", write_text)
    with pytest.raises(UserError, match="cannot be written: Permission denied; give another --out"):
        claim(tmp_path, small())
    assert list(tmp_path.iterdir()) == []


def test_full_disk_leaves_nothing_half_written_and_rescues(ds, tmp_path, monkeypatch, temporary):
    fill_up(monkeypatch)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(UserError) as caught:
        store.save(out, ds)
    message = str(caught.value)
    assert "cannot be written: No space left on device; the results are kept in" in message
    assert list(out.iterdir()) == []
    (rescued,) = temporary.iterdir()
    assert str(rescued) in message
    assert store.load(rescued).identical(ds)


def test_full_disks_everywhere_leave_nothing(ds, tmp_path, monkeypatch, temporary):
    fill_up(monkeypatch, times=2)
    with pytest.raises(UserError, match="could not be saved elsewhere either: free some space"):
        store.save(tmp_path, ds)
    assert list(tmp_path.iterdir()) == [temporary]
    assert list(temporary.iterdir()) == []


def test_interruption_leaves_nothing_half_written(ds, tmp_path, monkeypatch):
    def interrupted(*args, **options):
        Path(args[1]).mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr(xr.Dataset, "to_zarr", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.save(tmp_path, ds)
    assert list(tmp_path.iterdir()) == []


def test_what_an_earlier_run_left_half_written_is_cleared(ds, tmp_path):
    partial = tmp_path / ".results.zarr.partial"
    partial.mkdir()
    (partial / "junk").write_text("x")
    store.save(tmp_path, ds)
    assert {path.name for path in tmp_path.iterdir()} == {"results.zarr", "spec.toml"}
    assert store.load(tmp_path).identical(ds)


def test_no_results(tmp_path):
    with pytest.raises(UserError, match=r"no results there; run `memjax sweep SPEC\.toml --out"):
        store.load(tmp_path)
    with pytest.raises(UserError, match="no results there"):
        store.load(tmp_path / "missing")


def broken_metadata(path: Path) -> None:
    (path / "zarr.json").write_text("{")


def broken_chunk(path: Path) -> None:
    next(p for p in (path / "test_accuracy" / "c").rglob("*") if p.is_file()).write_bytes(b"xx")


def missing_variable(path: Path) -> None:
    shutil.rmtree(path / "status")


def empty(path: Path) -> None:
    shutil.rmtree(path)
    path.mkdir()


def a_file(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("x")


@pytest.mark.parametrize("spoil", [broken_metadata, broken_chunk, missing_variable, empty, a_file])
def test_broken_results_are_told_in_one_line(ds, tmp_path, spoil):
    store.save(tmp_path, ds)
    spoil(tmp_path / "results.zarr")
    with pytest.raises(UserError, match=r"broken results .*, or remove the directory") as caught:
        store.load(tmp_path)
    assert "\n" not in str(caught.value)


def test_results_that_may_not_be_read_are_not_called_broken(ds, tmp_path, monkeypatch):
    def refused(*args, **options):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    store.save(tmp_path, ds)
    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(UserError, match="cannot be read: Permission denied; see to its permis"):
        store.load(tmp_path)


def test_a_disk_that_is_really_full(ds, tmp_path, temporary):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "memjax-test", str(disk)]
    if os.name != "posix" or os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root can mount a small disk")
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    try:
        (disk / "ballast").write_bytes(bytes(60 * 1024))
        with pytest.raises(UserError, match="No space left on device; the results are kept in"):
            store.save(disk, ds)
        assert [path.name for path in disk.iterdir()] == ["ballast"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    (rescued,) = temporary.iterdir()
    assert store.load(rescued).identical(ds)


def test_message_tells_the_directory(ds, tmp_path, monkeypatch, temporary):
    fill_up(monkeypatch)
    with pytest.raises(UserError, match=f"^{re.escape(str(tmp_path))}: cannot be written"):
        store.save(tmp_path, ds)


def test_results_that_are_replaced_while_they_are_read_are_read_again(ds, tmp_path, monkeypatch):
    """Old arrays against the new list, and the other way round, are not called broken."""
    later, check, calls = ds.assign_attrs(name="later"), store.checksums.check, []

    def replaced(path):
        calls.append(path)
        if len(calls) == 1:
            store.save(tmp_path, later)
            raise store.checksums.Damaged("zarr.json has changed since it was written")
        is_checked = check(path)
        if len(calls) == 2:
            store.save(tmp_path, ds)
        return is_checked

    store.save(tmp_path, ds)
    monkeypatch.setattr(store.checksums, "check", replaced)
    assert store.load(tmp_path).identical(ds) and len(calls) == 3


def test_results_are_there_at_every_moment_of_their_replacement(ds, tmp_path, monkeypatch):
    store.save(tmp_path, ds)
    (tmp_path / "results.zarr").rename(tmp_path / ".results.zarr.earlier")
    assert store.has_results(tmp_path) and store.written(tmp_path) > 0
    assert store.load(tmp_path).identical(ds)


def test_results_that_are_broken_while_a_process_is_at_work_are_waited_for(ds, tmp_path):
    store.save(tmp_path, ds)
    broken_metadata(tmp_path / "results.zarr")
    with exclusive(tmp_path), pytest.raises(UserError) as caught:
        store.load(tmp_path)
    assert "broken results" in str(caught.value) and "wait for it" in str(caught.value)
    assert "remove the directory" not in str(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("can't start new thread"),
        SystemError("Out of memory interning an attribute name"),
    ],
)
def test_too_little_memory_is_no_fault_of_the_results(ds, tmp_path, monkeypatch, error):
    def no_room(self):
        raise error

    store.save(tmp_path, ds)
    monkeypatch.setattr(xr.Dataset, "load", no_room)
    with pytest.raises(UserError, match=r"results\.zarr: there is too little memory") as caught:
        store.load(tmp_path)
    assert "remove the directory" not in str(caught.value)


def test_results_are_on_the_disk_before_they_have_their_name(ds, tmp_path, monkeypatch):
    """A power cut after ``save`` finds them: what else holds their lanes is removed then."""
    synced, rename, before = [], Path.rename, []

    def fsync(number):
        synced.append(os.fstat(number).st_ino)

    def renamed(self, target):
        before.extend(synced)
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "rename", renamed)
    store.save(tmp_path, ds)
    written = [tmp_path / "results.zarr", *(tmp_path / "results.zarr").rglob("*")]
    assert {path.stat().st_ino for path in (*written, tmp_path / "spec.toml")} <= {*before}
    assert synced[-1] == tmp_path.stat().st_ino
