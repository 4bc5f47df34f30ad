"""Killed anywhere, a sweep goes on to the very bits of one that nobody disturbed."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from memjax.errors import UserError
from memjax.sweep import Spec, run
from memjax.sweep.engine.runner import Runner
from memjax.sweep.status import status
from memjax.sweep.store import directory as store
from memjax.sweep.store.journal import DiskJournal

HERE = Path(__file__).parent
SCRIPT = """
import os, signal, sys
sys.path[:0] = sys.argv[1:3]
import jax
jax.config.update("jax_num_cpu_devices", 2)
import numpy as np
from reference.sweeps import small_spec
from memjax.data import Dataset
from memjax.sweep import run
from memjax.sweep.engine import checkpoint
from memjax.sweep.store import journal
from memjax.sweep.store import directory as store
where, moment = sys.argv[4], int(sys.argv[5])

def die():
    os.kill(os.getpid(), signal.SIGKILL)

steps = 0
def deadly(function, before):
    def call(*args, **options):
        global steps
        steps += 1
        if before and steps == moment:
            die()
        found = function(*args, **options)
        steps += 1
        if steps == moment:
            die()
        return found
    return call

journal.save = deadly(journal.save, True)
checkpoint.save = deadly(checkpoint.save, True)
journal.os.fsync = deadly(os.fsync, True)
store.write = deadly(store.write, True)
data = np.load(sys.argv[3])
tiny = Dataset("tiny", *(data[name] for name in ("x_train", "y_train", "x_test", "y_test")))
engine = {"width": 2, "checkpoint_minutes": 0}
run(small_spec({"levels": [8, 32, 64], "sigma_c2c": [0, 1]}, engine=engine), where, dataset=tiny)
"""


@pytest.fixture(scope="module")
def spec(small):
    axes = {"levels": [8, 32, 64], "sigma_c2c": [0, 1]}
    return small(axes, engine={"width": 2, "checkpoint_minutes": 0})


@pytest.fixture(scope="module")
def undisturbed(spec, tiny):
    return run(spec, dataset=tiny)


@pytest.fixture(scope="module")
def data(tiny, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "tiny.npz"
    np.savez(path, **{n: getattr(tiny, n) for n in ("x_train", "y_train", "x_test", "y_test")})
    return path


@pytest.mark.parametrize("moment", [3, 9, 17, 28])
def test_a_killed_process_loses_nothing_but_its_task(
    spec, tiny, undisturbed, data, tmp_path, moment
):
    """Before and after rows and lines are written, and while the results are."""
    roots = [str(HERE.parent.parent), str(HERE)]
    args = [sys.executable, "-c", SCRIPT, *roots, str(data), str(tmp_path), str(moment)]
    assert subprocess.run(args, capture_output=True, timeout=300).returncode == -signal.SIGKILL
    assert not store.has_results(tmp_path)
    assert (
        "It is unfinished" in status(tmp_path)[0] and "No process is at it" in status(tmp_path)[1]
    )
    told = []
    found = run(spec, tmp_path, dataset=tiny, progress=lambda done, total: told.append(done))
    assert found.drop_attrs().identical(undisturbed.drop_attrs())
    assert store.load(tmp_path).drop_attrs().identical(undisturbed.drop_attrs())
    assert not (tmp_path / "unfinished").exists() and not (tmp_path / "states").exists()


def test_states_between_epochs_are_kept_and_gone_on_with(
    spec, tiny, undisturbed, tmp_path, monkeypatch
):

    plain, calls = Runner._chunk, []

    def interrupted(self, *args):
        advance = self.advance

        def once(*inner):
            calls.append(1)
            if len(calls) == 4:
                raise KeyboardInterrupt
            return advance(*inner)

        self.advance = once
        return plain(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(Runner, "_chunk", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(spec, tmp_path, dataset=tiny)
    assert len(list((tmp_path / "states").iterdir())) == 1
    calls.clear()
    monkeypatch.setattr(Runner, "_chunk", interrupted)
    calls += [0] * 10  # interrupts no more
    found = run(spec, tmp_path, dataset=tiny)
    # Tasks 1 (its second epoch alone), 2 and the baseline.
    assert len(calls) - 10 == 1 + 2 + 2
    assert found.drop_attrs().identical(undisturbed.drop_attrs())


@pytest.mark.parametrize("spoil", ["columns.npz", "state"])
def test_a_broken_checkpoint_is_not_believed(spec, tiny, undisturbed, tmp_path, spoil):
    engine = {"width": 2, "keep_states": True}
    raw = {"axes": {"levels": [8, 32, 64], "sigma_c2c": [0, 1]}, "seeds": 2}
    raw |= {"model": {"hidden": [8]}, "train": {"epochs": 1}, "engine": engine}
    run(Spec.from_dict(raw), tmp_path, dataset=tiny)
    for path in (tmp_path / "states").iterdir():
        for file in [path / spoil, *(path / spoil).rglob("*")]:
            if file.is_file():
                file.write_bytes(b"xx")
    longer = Spec.from_dict(raw | {"train": {"epochs": 2}})
    found = run(longer, tmp_path, dataset=tiny)
    xr.testing.assert_identical(found.drop_attrs(), undisturbed.drop_attrs())


def test_a_kill_after_the_results_leaves_nothing_unfinished(spec, tiny, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(DiskJournal, "remove", DiskJournal.close)
        run(spec, tmp_path, dataset=tiny)
    assert "It is unfinished" in status(tmp_path)[0]
    run(spec, tmp_path, dataset=tiny)
    assert status(tmp_path) == ["It is finished: 12 lanes, none failed."]


def test_results_that_are_gone_are_run_again(small, tiny, tmp_path):
    def interrupted(done, total):
        if done > 10:
            raise KeyboardInterrupt

    run(small({"levels": [8, 32]}), tmp_path, dataset=tiny)
    grown = small({"levels": [4, 8, 16, 32, 64, 128]})
    with pytest.raises(KeyboardInterrupt):
        run(grown, tmp_path, dataset=tiny, progress=interrupted)
    shutil.rmtree(tmp_path / "results.zarr")
    (tmp_path / "spec.toml").unlink()
    found = run(grown, tmp_path, dataset=tiny)
    assert found.drop_attrs().identical(run(grown, dataset=tiny).drop_attrs())


ENGINE = {"width": 1, "checkpoint_minutes": 0}  # short tasks


def interrupt(spec, tiny, out):
    """Stops a sweep after a task, and returns what its status is."""
    begun = []

    def stop(done, total):
        begun.append(done)
        if done > begun[0] + 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(spec, out, dataset=tiny, progress=stop)
    assert rows(out)
    return status(out)


@pytest.mark.parametrize("held", [False, True])
def test_an_unfinished_sweep_is_not_lost_to_one_of_other_lanes(small, tiny, tmp_path, held):
    """It may grow, with or without results, but lanes that are done stay in it."""

    def lanes(*levels, **changes):
        return small({"levels": [8, *levels]}, seeds=1, engine=ENGINE, **changes)

    if held:
        results = run(lanes(32), tmp_path, dataset=tiny)
    told = interrupt(lanes(32, 2, 4, 16, 64), tiny, tmp_path)
    if held:
        assert run(lanes(32), tmp_path, dataset=tiny).identical(results)
    other = lanes(32, 2, 4, 16, 64, train={"epochs": 2, "learning_rate": 0.2})
    smaller = lanes(*[32] * held, 100)
    for one in (other, smaller):
        with pytest.raises(UserError, match=r"holds .* of another specification; give another"):
            run(one, tmp_path, dataset=tiny)
    assert status(tmp_path) == told
    grown = lanes(2, 4, 16, 64, 32, 100)
    found = run(grown, tmp_path, dataset=tiny)
    assert found.drop_attrs().identical(run(grown, dataset=tiny).drop_attrs())


def test_an_unfinished_sweep_of_more_epochs_is_not_lost_to_results(small, tiny, tmp_path):
    short, long = (
        small({"levels": [2, 8, 32]}, train={"epochs": epochs}, engine=ENGINE) for epochs in (1, 2)
    )
    results = run(short, tmp_path, dataset=tiny)
    told = interrupt(long, tiny, tmp_path)
    assert run(short, tmp_path, dataset=tiny).identical(results)
    assert status(tmp_path) == told


def rows(out: Path) -> list[Path]:
    return sorted((out / "unfinished").glob("*.npz"))


def one_file(out: Path) -> None:
    rows(out)[0].unlink()


def one_bit(out: Path) -> None:
    held = bytearray(rows(out)[0].read_bytes())
    held[200] ^= 1
    rows(out)[0].write_bytes(held)


@pytest.mark.parametrize("lose", [one_file, one_bit])
def test_rows_that_are_lost_while_it_runs_are_trained_again(
    spec, tiny, undisturbed, tmp_path, lose
):
    def disturb(done, total):
        if done == 6:
            lose(tmp_path)

    found = run(spec, tmp_path, dataset=tiny, progress=disturb)
    assert found.drop_attrs().identical(undisturbed.drop_attrs())


def test_a_directory_that_goes_while_it_runs_is_told(spec, tiny, tmp_path):
    def disturb(done, total):
        if done == 6:
            shutil.rmtree(tmp_path)

    with pytest.raises(UserError, match="what was done was removed meanwhile: run the same"):
        run(spec, tmp_path, dataset=tiny, progress=disturb)


@pytest.mark.parametrize("kind", ["lanes", "baseline"])
def test_rows_that_are_lost_again_and_again_are_told_not_filled_in(
    small, tiny, tmp_path, monkeypatch, kind
):
    record = DiskJournal.record

    def lossy(self, what, *args):
        record(self, what, *args)
        if what == kind:
            for path in rows(tmp_path):
                path.unlink()

    run(small({"levels": [8]}, seeds=1), tmp_path, dataset=tiny)
    monkeypatch.setattr(DiskJournal, "record", lossy)
    with pytest.raises(
        UserError, match=r"what was run of [12] lanes? is lost on the disk; run the"
    ):
        run(small({"levels": [8]}, seeds=2), tmp_path, dataset=tiny)
