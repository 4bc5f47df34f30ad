"""Labelled results, and trouble told in one line."""

import jax
import numpy as np
import pytest

from memjax.errors import DataError, UserError
from memjax.sweep import Spec, run
from memjax.sweep.engine import runner, trainer
from memjax.sweep.engine.runner import Runner
from memjax.sweep.engine.trainer import Trainer


@pytest.fixture(scope="module")
def ds(small, tiny):
    axes = {
        "levels": [8, 32],
        "sigma_c2c": [0, 0.5],
        "pair": {"on_off": [2, 50], "weight_range": [1, 0.5]},
    }
    return run(small(axes), dataset=tiny)


def test_dimensions_are_axes_then_seed_and_epoch(ds):
    dims = ("levels", "sigma_c2c", "pair", "seed")
    assert ds.test_accuracy.dims == ds.train_loss.dims == (*dims, "epoch")
    assert ds.test_accuracy.shape == (2, 2, 2, 2, 2)
    assert ds.status.dims == dims
    assert ds.baseline_accuracy.dims == ("seed", "epoch")
    assert set(ds.data_vars) == {
        "test_accuracy",
        "train_loss",
        "status",
        "baseline_accuracy",
        "baseline_train_loss",
    }


def test_coordinates_are_the_values(ds):
    assert ds.levels.values.tolist() == [8, 32]
    assert ds.levels.dtype.kind == "i"
    assert ds.sigma_c2c.values.tolist() == [0, 0.5]
    assert ds.pair.values.tolist() == [0, 1]
    assert ds.on_off.dims == ds.weight_range.dims == ("pair",)
    assert ds.weight_range.values.tolist() == [1, 0.5]
    assert ds.seed.values.tolist() == [0, 1]
    assert ds.epoch.values.tolist() == [1, 2]


def test_the_line_that_everybody_writes(ds):
    means = ds.test_accuracy.isel(epoch=-1).mean("seed").sel(levels=32)
    assert means.dims == ("sigma_c2c", "pair")
    assert ((means >= 0) & (means <= 1)).all()


def test_attributes_tell_where_it_comes_from(ds, tmp_path):
    path = tmp_path / "spec.toml"
    assert ds.attrs["n_classes"] == 3
    assert ds.attrs["dataset"] == "tiny"
    assert ds.attrs["width"] == 2
    assert ds.attrs["lanes_per_second"] > 0
    path.write_text(ds.attrs["spec"])
    assert Spec.from_toml(path).axes[0].columns == {"levels": [8, 32]}


def test_a_swept_on_off_that_nothing_sees_is_noted(ds):
    (note,) = ds.attrs["notes"]
    assert note.startswith("on_off has no effect here")


def test_accuracies_are_of_the_test_set(ds, tiny):
    right = ds.test_accuracy.values * len(tiny.y_test)
    np.testing.assert_allclose(right, right.round(), atol=1e-4)


def test_no_axes_is_one_configuration(small, tiny):
    alone = run(small(seeds=1), dataset=tiny)
    assert alone.test_accuracy.dims == ("seed", "epoch")


def test_batch_beyond_the_data(small, tiny):
    with pytest.raises(DataError, match=r"42 training samples .* batch of 43; lower train\.batch"):
        run(small(train={"batch_size": 43}), dataset=tiny)


def test_data_sizes_are_checked(small):
    with pytest.raises(DataError, match="train_size = 5000: choose between 1 and 1437"):
        run(small(data={"train_size": 5000}))
    with pytest.raises(DataError, match="data set name ''"):
        run(small(data={"name": ""}))


@pytest.mark.parametrize("most", [16, 8, 4, 2])
def test_memory_that_does_not_suffice_halves_the_width(monkeypatch, small, tiny, most):
    """A chunk of ``most`` lanes or more, on two devices, is said not to fit."""
    train = Runner._chunk

    def chunk(self, variant, words, *rest):
        if len(words) >= most:
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: x")
        return train(self, variant, words, *rest)

    spec = small({"levels": [8, 16, 32]}, engine={"width": 8})
    plain = run(spec, dataset=tiny)
    monkeypatch.setattr(Runner, "_chunk", chunk)
    if most <= 2:
        with pytest.raises(UserError, match="not even one lane fits into memory; make"):
            run(spec, dataset=tiny)
        return
    told = []
    found = run(spec, dataset=tiny, progress=lambda done, total: told.append(done))
    np.testing.assert_allclose(found.train_loss, plain.train_loss, rtol=1e-5)
    assert told[-1] == pytest.approx(6)


@pytest.mark.parametrize("share", [0.7, 0.3, 1e-3])
def test_a_device_that_states_its_memory_gets_as_many_lanes_as_fit(monkeypatch, small, tiny, share):
    """A share of what XLA says that 8 lanes a device need besides the data."""
    widths = []
    begin = Runner.__init__

    def init(self, stages, columns, width, *rest):
        widths.append(width)
        begin(self, stages, columns, width, *rest)

    taken, shared, measure = [], [], Runner._measure

    def note(self, experiment, state, words, data):
        lowered = self.advance.lower(experiment, state, words, np.int32(0), data)
        found = lowered.compile().memory_analysis()
        shared.append(sum(leaf.nbytes for leaf in jax.tree.leaves(data)))
        taken.append(found.argument_size_in_bytes + found.temp_size_in_bytes)

    def wide(width):
        axes, model = {"levels": [8, 16, 32]}, {"hidden": [512]}
        return small(axes, model=model, engine={"width": width})

    monkeypatch.setattr(Runner, "_measure", note)
    run(wide(8), dataset=tiny)
    monkeypatch.setattr(Runner, "_measure", measure)
    room = shared[0] + share * (max(taken) - shared[0])
    monkeypatch.setattr(runner, "memory", lambda: int(room))
    if share < 0.1:
        with pytest.raises(UserError, match="not even one lane fits into memory; make"):
            run(wide(8), dataset=tiny)
        return
    monkeypatch.setattr(Runner, "__init__", init)
    found = run(wide(8), dataset=tiny)
    assert widths[0] == 8 and 1 <= widths[-1] < {0.7: 8, 0.3: 4}[share]
    assert (found.status == 0).all()


def test_tasks_of_several_chunks_have_the_bits_of_single_ones(monkeypatch, small, tiny, tmp_path):
    spec = small({"levels": list(range(8, 48)), "length": [5, 10]}, seeds=1, train={"epochs": 1})
    sizes, lanes = [], Trainer.lanes

    def note(self, numbers, *rest):
        sizes.append(len(numbers))
        return lanes(self, numbers, *rest)

    monkeypatch.setattr(Trainer, "lanes", note)
    several = run(spec, tmp_path, dataset=tiny)
    assert sizes == [20] * 4  # of 80 lanes, four tasks for each worker
    monkeypatch.setattr(trainer, "_MOST_CHUNKS", 1)
    single = run(spec, dataset=tiny)
    assert sizes[4:] == [4] * 20
    assert several.drop_attrs().identical(single.drop_attrs())


def test_a_task_that_fails_thrice_is_told_and_the_rest_go_on(monkeypatch, small, tiny, tmp_path):
    train, tries = Trainer.lanes, []

    def lanes(self, numbers, *rest):
        if 0 in numbers:
            tries.append(numbers)
            raise RuntimeError("no luck")
        return train(self, numbers, *rest)

    spec = small({"levels": [8, 16, 32]})
    plain = run(spec, dataset=tiny)
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "lanes", lanes)
        ds = run(spec, tmp_path, dataset=tiny)
    assert len(tries) == 3
    assert ds.attrs["errors"] == ["RuntimeError: no luck"]
    np.testing.assert_array_equal(ds.status.values.ravel(), [2, 2, 2, 2, 0, 0])
    good = {"levels": [32]}
    np.testing.assert_array_equal(ds.sel(good).train_loss, plain.sel(good).train_loss)
    again = run(spec, tmp_path, dataset=tiny)
    assert again.drop_attrs().identical(plain.drop_attrs())


def test_an_axis_whose_name_no_directory_can_have_is_refused_before_training(small, tiny, tmp_path):
    long = small({"a" * 300: {"levels": [8, 16], "on_off": [5, 10]}})
    with pytest.raises(
        UserError, match=r"an axis names a directory of the results; .* 200 letters"
    ):
        run(long, tmp_path, dataset=tiny)


def test_an_empty_out_is_not_this_directory(small, tiny):
    with pytest.raises(UserError, match="out is empty; give the path of a directory"):
        run(small(), "", dataset=tiny)
