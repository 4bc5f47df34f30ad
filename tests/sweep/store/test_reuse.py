"""A sweep that grows trains only what is new, and ends with the bits of one that was whole."""

import shutil

import numpy as np
import pytest

from memjax.errors import UserError
from memjax.sweep import Spec, run
from memjax.sweep.engine.checkpoint import Checkpoint
from memjax.sweep.engine.trainer import Trainer
from memjax.sweep.spec import grid, identity

GRID = {"levels": [8, 32], "sigma_c2c": [0, 1]}


@pytest.fixture
def trained(monkeypatch):
    """Lanes as they are trained."""
    numbers, plain = [], Trainer.lanes

    def count(self, some, *rest):
        numbers.extend(some.tolist())
        return plain(self, some, *rest)

    monkeypatch.setattr(Trainer, "lanes", count)
    return numbers


@pytest.mark.parametrize(
    ("axes", "seeds", "new"),
    [
        ({"levels": [8, 16, 32], "sigma_c2c": [0, 1]}, 2, 4),
        ({"levels": [32, 8], "sigma_c2c": [1, 0.5, 0]}, 3, 10),
        (GRID, 4, 8),
        (GRID, 2, 0),
    ],
)
def test_more_points_and_seeds_train_what_is_new(small, tiny, tmp_path, trained, axes, seeds, new):
    run(small(GRID), tmp_path, dataset=tiny)
    trained.clear()
    grown = run(small(axes, seeds), tmp_path, dataset=tiny)
    assert len(trained) == len(set(trained)) == new
    whole = run(small(axes, seeds), dataset=tiny)
    assert grown.drop_attrs().identical(whole.drop_attrs())
    trained.clear()
    assert (
        run(small(axes, seeds), tmp_path, dataset=tiny).drop_attrs().identical(whole.drop_attrs())
    )
    assert not trained


def test_more_devices_and_algorithms_train_what_is_new(small, tiny, tmp_path, trained):
    few, many = ({"device": d} for d in (["EpiRAM", "Ag:a-Si"], ["EpiRAM", "HZO-FeFET", "Ag:a-Si"]))
    run(small(few, 1), tmp_path, dataset=tiny)
    trained.clear()
    grown = run(small(many, 1), tmp_path, dataset=tiny)
    assert len(trained) == 1
    assert grown.drop_attrs().identical(run(small(many, 1), dataset=tiny).drop_attrs())


@pytest.mark.parametrize("kept", [False, True])
def test_more_epochs_go_on_where_states_were_kept(small, tiny, tmp_path, monkeypatch, kept):
    epochs, plain = [], Checkpoint.restore

    def restore(self, state):
        found = plain(self, state)
        epochs.append(found[2])
        return found

    monkeypatch.setattr(Checkpoint, "restore", restore)
    engine = {"width": 2, "keep_states": kept}
    run(small(GRID, train={"epochs": 2}, engine=engine), tmp_path, dataset=tiny)
    assert (tmp_path / "states").exists() == kept
    epochs.clear()
    longer = small(GRID, train={"epochs": 3}, engine=engine)
    grown = run(longer, tmp_path, dataset=tiny)
    assert set(epochs) == {2 if kept else 0}
    assert grown.drop_attrs().identical(run(longer, dataset=tiny).drop_attrs())


@pytest.mark.parametrize(
    "other",
    [
        {"axes": {"levels": [8], "sigma_c2c": [0, 1]}},
        {"axes": {"levels": [8, 32]}},
        {"axes": {"levels": [8, 32], "sigma_d2d": [0, 1]}},
        {"seeds": 1},
        {"root_seed": 1},
        {"train": {"epochs": 1}},
        {"train": {"epochs": 2, "learning_rate": 0.2}},
        {"engine": {"width": 3}},
    ],
)
def test_anything_else_is_another_sweep(small, tiny, tmp_path, other):
    raw = {"axes": GRID, "seeds": 2, "model": {"hidden": [8]}, "train": {"epochs": 2}}
    raw |= {"engine": {"width": 2}}
    run(Spec.from_dict(raw), tmp_path, dataset=tiny)
    with pytest.raises(UserError, match="holds the results of another specification"):
        run(Spec.from_dict(raw | other), tmp_path, dataset=tiny)


def keys(spec):
    return identity.lane_keys(spec, np.arange(grid.count(spec)))


def test_keys_are_those_of_the_same_coordinates(small):
    old, new = small(GRID), small({"levels": [16, 32, 8], "sigma_c2c": [0.5, 1, 0]}, 3)
    numbers = [keys(new).tolist().index(key) for key in keys(old)]
    for values, others in zip(
        grid.parameter_values(old, np.arange(8)).values(),
        grid.parameter_values(new, np.array(numbers)).values(),
        strict=True,
    ):
        assert values == others
    np.testing.assert_array_equal(np.array(numbers) % 3, np.arange(8) % 2)


def test_an_axis_more_or_less_keeps_the_lanes_that_are_the_same(small, tiny, tmp_path, trained):
    """The axis that is new has a point where it was fixed before."""
    run(small({"levels": [8, 32]}), tmp_path, dataset=tiny)
    trained.clear()
    grown = run(small({"levels": [8, 32], "sigma_c2c": [0, 1]}), tmp_path, dataset=tiny)
    assert len(trained) == 4
    whole = run(small({"levels": [8, 32], "sigma_c2c": [0, 1]}), dataset=tiny)
    assert grown.drop_attrs().identical(whole.drop_attrs())


def test_states_are_of_their_own_lanes_where_random_numbers_are_common(small, tiny, tmp_path):
    """Lanes of one seed then draw the same numbers, whatever their levels."""
    engine, common = {"width": 2, "keep_states": True}, ["levels"]
    few, many = (
        small({"levels": values}, engine=engine, common_random_numbers=common)
        for values in ([8, 16, 32], [2, 4, 8, 16, 32])
    )
    run(few, tmp_path, dataset=tiny)
    grown = run(many, tmp_path, dataset=tiny)
    assert grown.drop_attrs().identical(run(many, dataset=tiny).drop_attrs())


def test_states_of_other_data_and_settings_are_not_gone_on_with(small, tiny, tmp_path):
    def impatient(done, total):
        raise KeyboardInterrupt

    engine = {"width": 2, "checkpoint_minutes": 0}
    with pytest.raises(KeyboardInterrupt):
        run(small(GRID, engine=engine), tmp_path, dataset=tiny, progress=impatient)
    shutil.rmtree(tmp_path / "unfinished")
    other = small(GRID, engine=engine, train={"epochs": 2, "batch_size": 2})
    found = run(other, tmp_path, dataset=tiny)
    assert found.drop_attrs().identical(run(other, dataset=tiny).drop_attrs())


def test_a_device_may_be_put_before_the_others(small):
    few, names = small({"device": ["EpiRAM", "Ag:a-Si"]}), ["Idealized", "EpiRAM", "Ag:a-Si"]
    assert np.isin(keys(few), keys(small({"device": names}))).all()
    noisy = small({"device": names}, device={"sigma_read": 0.1})
    assert not np.isin(keys(few), keys(noisy)).any()


def test_lanes_of_other_versions_are_told(small, tiny, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("jax.__version__", "0.0.1")
        run(small(GRID), tmp_path, dataset=tiny)

    def older(spec):
        return [note for note in run(spec, tmp_path, dataset=tiny).notes if "jax" in note]

    (told,) = older(small(GRID, 3))
    assert told.startswith("some lanes were trained by memjax ") and told.endswith("jax 0.0.1")
    assert older(small(GRID, 4)) == [told]
    assert older(small(GRID, 4, train={"epochs": 3})) == []  # which trains all of them again


def test_tasks_of_other_versions_are_told(small, tiny, tmp_path, monkeypatch):
    train, left = Trainer.lanes, [1]

    def lanes(self, *args):
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return train(self, *args)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("jax.__version__", "0.0.1")
        patch.setattr(Trainer, "lanes", lanes)
        run(small(GRID), tmp_path, dataset=tiny)
    notes = run(small(GRID), tmp_path, dataset=tiny).notes
    assert any(note.endswith("jax 0.0.1") for note in notes)
