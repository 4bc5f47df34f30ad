"""Lanes side by side are lanes alone: bit for bit, in one compilation."""

import os
import subprocess
import sys

import jax
import numpy as np
import pytest

from memjax import limits
from memjax.cells import CELLS
from memjax.data import load
from memjax.devices import MODELS
from memjax.pulses import SCHEMES
from memjax.pytree import as_arrays
from memjax.sweep import Spec, run
from memjax.sweep.engine.runner import use_all_cores
from memjax.sweep.spec import identity

GRID = {"levels": [8, 32], "sigma_c2c": [0, 1]}
VARIABLES = ("test_accuracy", "train_loss")


@pytest.fixture(scope="module")
def grid(small, tiny):
    return run(small(GRID), dataset=tiny)


def assert_same_bits(a, b):
    for name in VARIABLES:
        np.testing.assert_array_equal(*(ds[name].transpose(*a[name].dims).values for ds in (a, b)))


def compilations(function) -> int:
    """How often XLA compiles while a function runs."""
    counted = []

    def listen(event: str, seconds: float, **facts) -> None:
        del seconds, facts
        if event == "/jax/core/compile/backend_compile_duration":
            counted.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        function()
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    return len(counted)


def test_lanes_differ_and_learn(grid):
    finals = grid.train_loss.isel(epoch=-1).values.ravel()
    assert len(set(finals.tolist())) == 8
    assert float(grid.train_loss.isel(epoch=1).mean()) < float(grid.train_loss.isel(epoch=0).mean())


@pytest.mark.parametrize("levels", GRID["levels"])
@pytest.mark.parametrize("sigma_c2c", GRID["sigma_c2c"])
def test_a_lane_is_its_configuration_run_alone(small, tiny, grid, levels, sigma_c2c):
    alone = run(small({"levels": [levels], "sigma_c2c": [sigma_c2c]}, seeds=1), dataset=tiny)
    assert_same_bits(alone, grid.sel(levels=[levels], sigma_c2c=[sigma_c2c], seed=[0]))


@pytest.mark.parametrize(
    ("axes", "seeds"),
    [
        ({"levels": [4, 8, 16, 32], "sigma_c2c": [0, 0.5, 1]}, 3),  # points and seeds are added
        ({"sigma_c2c": [1, 0], "levels": [32, 8]}, 2),  # other order
        ({"levels": [8], "sigma_c2c": [0, 1]}, 2),
    ],
)
def test_other_points_change_no_bits(small, tiny, grid, axes, seeds):
    other = run(small(axes, seeds), dataset=tiny).sel(seed=[0, 1])
    levels = [level for level in axes["levels"] if level in GRID["levels"]]
    shared = {"levels": levels, "sigma_c2c": GRID["sigma_c2c"]}
    assert_same_bits(grid.sel(shared), other.sel(shared))


def test_zipped_lanes_are_the_grids(small, tiny, grid):
    zipped = run(small({"pair": {"levels": [8, 32], "sigma_c2c": [1, 0]}}), dataset=tiny)
    for point, (levels, sigma_c2c) in enumerate([(8, 1), (32, 0)]):
        assert_same_bits(grid.sel(levels=levels, sigma_c2c=sigma_c2c), zipped.isel(pair=point))


@pytest.mark.parametrize("count", [1, 3, 4, 5])
def test_any_number_of_lanes_fills_chunks_of_four(small, tiny, count):
    values = [2, 8, 16, 32, 64][:count]
    some = run(small({"levels": values}, seeds=1), dataset=tiny)
    every = run(small({"levels": [2, 8, 16, 32, 64]}, seeds=1), dataset=tiny)
    assert some.test_accuracy.notnull().all()
    assert_same_bits(some, every.sel(levels=values))


def test_common_random_numbers_leave_only_the_devices_difference(small, tiny):
    # Two names of one device: identical randomness, so identical lanes.
    axes = {"sigma_c2c": [0, 1e-30]}
    shared = run(small(axes, common_random_numbers=["sigma_c2c"]), dataset=tiny)
    own = run(small(axes), dataset=tiny)
    assert_same_bits(shared.isel(sigma_c2c=0), shared.isel(sigma_c2c=1))
    assert (own.train_loss.isel(sigma_c2c=0) != own.train_loss.isel(sigma_c2c=1)).all()


def test_one_compilation_a_group_whatever_the_number_of_variants(small, tiny):
    def sweep(hidden: int, variants: int, epochs: int) -> int:
        axes = {"levels": {"linspace": [8, 64, variants]}, "learning_rate": [0.1, 0.2]}
        spec = small(axes, model={"hidden": [hidden]}, train={"epochs": epochs})
        return compilations(lambda: run(spec, dataset=tiny))

    jax.clear_caches()  # whatever was compiled before would not be counted
    few, many = sweep(6, 2, 1), sweep(7, 9, 3)
    assert 0 < many <= few
    assert sweep(7, 9, 3) == 0


EVERYTHING = {
    "scheme": ["coincidence", "bernoulli", "binomial", "deterministic"],
    "kind": ["reference", "differential", "refresh_pair", "vector"],
    "model": ["ConstantStep", "SoftBounds", "SaturatingExponential", "ConstantStep"],
    "activation": ["relu", "tanh", "sigmoid", "relu"],
    "batch_size": [1, 2, 1, 3],
}


@pytest.fixture(scope="module")
def everything(small, tiny):
    axes = {"case": EVERYTHING, "levels": [16, 64]}
    return run(small(axes, 1, train={"epochs": 4, "learning_rate": 0.5}), dataset=tiny)


def test_programs_are_given_up_near_the_limit_of_mappings(small, tiny, grid, monkeypatch):
    again = lambda: run(small(GRID), dataset=tiny)  # noqa: E731
    again()  # what was compiled before may have been cleared
    assert compilations(again) == 0
    monkeypatch.setattr(limits, "is_near_most_mappings", lambda: True)
    found = []
    assert compilations(lambda: found.append(again())) > 0
    assert_same_bits(found[0], grid)


def test_every_scheme_cell_and_model_learns(everything):
    assert (everything.status == 0).all()
    assert everything.scheme.dims == ("case",)
    loss = everything.train_loss.sel(levels=64)
    assert (loss.isel(epoch=-1) < loss.isel(epoch=0)).all()


def test_static_groups_are_their_configurations_run_alone(small, tiny, everything):
    assert set(EVERYTHING["scheme"]) == SCHEMES.keys() - {"truncated"}  # which loses small updates
    assert set(EVERYTHING["kind"]) == set(CELLS)
    assert set(EVERYTHING["model"]) <= set(MODELS)
    one = {name: values[1:2] for name, values in EVERYTHING.items()}
    spec = small({**one, "levels": [64]}, 1, train={"epochs": 4, "learning_rate": 0.5})
    alone = run(spec, dataset=tiny).squeeze(list(one), drop=True)
    assert_same_bits(alone, everything.sel(levels=[64]).isel(case=1, drop=True))


def test_a_lane_that_goes_bad_is_flagged_and_the_rest_go_on(small, tiny):
    good = run(small({"weight_range": [0.5, 1.0]}), dataset=tiny)
    mixed = run(small({"weight_range": [0.5, 3e38, 1.0]}), dataset=tiny)
    bad = mixed.sel(weight_range=3e38)
    assert (bad.status == 1).all()
    assert bad.test_accuracy.isnull().all()
    rest = mixed.sel(weight_range=[0.5, 1.0])
    assert (rest.status == 0).all()
    assert_same_bits(good, rest)


def test_corruptions_start_clean_and_cost_accuracy(small, tiny):
    evaluate = {"gaussian": [0.01, 3.0], "salt_and_pepper": [1.0]}
    train = {"epochs": 8, "learning_rate": 0.5}
    ds = run(small({"levels": [64]}, evaluate=evaluate, train=train), dataset=tiny)
    names = ["clean", "gaussian 0.01", "gaussian 3", "salt_and_pepper 1"]
    assert ds.corruption.values.tolist() == names
    assert ds.corrupted_accuracy.dims == ("levels", "seed", "corruption")
    assert ds.baseline_corrupted_accuracy.dims == ("seed", "corruption")
    final = ds.test_accuracy.isel(epoch=-1).values
    np.testing.assert_array_equal(ds.corrupted_accuracy.sel(corruption="clean").values, final)
    mean = ds.corrupted_accuracy.mean(["levels", "seed"])
    assert float(mean.sel(corruption="gaussian 3")) < float(mean.sel(corruption="clean"))


def test_baseline_is_what_a_plain_loop_reaches(small, tiny):
    spec = small({"levels": [8]}, 1, train={"epochs": 8, "learning_rate": 0.5})
    found = run(spec, dataset=tiny).baseline_accuracy
    reference = as_arrays(spec.built().reference())
    data = jax.tree.map(jax.numpy.asarray, reference.load(tiny))
    words = jax.numpy.asarray(identity.baseline_key_data(spec)[0])
    state = reference.init(words, data)
    advance, evaluate = (
        jax.jit(reference.advance),
        jax.jit(reference.evaluate, static_argnames="last"),
    )
    for epoch in range(8):
        stage = jax.numpy.int32(epoch)
        state, _ = advance(state, words, stage, data)
        reached = float(evaluate(state, words, stage, data, last=False)["test_accuracy"])
        assert float(found[0, epoch]) == pytest.approx(reached, abs=1 / 18 + 1e-6)
    assert reached > 0.8


def test_baseline_has_a_learning_rate_of_its_own(small, tiny):
    def baseline(**train):
        spec = small({"levels": [8]}, train={"epochs": 8, **train})
        return run(spec, dataset=tiny).baseline_accuracy.values

    plain = baseline(learning_rate=0.5)
    own = baseline(learning_rate=0.01, baseline_learning_rate=0.5)
    np.testing.assert_array_equal(plain, own)
    assert (plain != baseline(learning_rate=0.01)).any()


def test_progress_counts_the_lanes_that_a_table_counts(small, tiny):
    """And tells that the baseline is at it, which is no lane of the sweep."""
    told = []
    run(small(GRID), dataset=tiny, progress=lambda done, total: told.append((done, total)))
    assert {total for _, total in told} == {8}
    done = [lanes for lanes, _ in told]
    assert done == sorted(done)
    assert done[-2:] == pytest.approx([8, 8])


def test_starting_all_cores_late_does_nothing():
    use_all_cores()
    assert len(jax.local_devices()) == 2


SCRIPT = """
import sys
sys.path[:0] = sys.argv[1:3]
import jax
jax.config.update("jax_num_cpu_devices", 1)
import numpy as np
from reference.sweeps import small_spec
from memjax.data import Dataset
from memjax.sweep import run
data = np.load(sys.argv[3])
tiny = Dataset("tiny", *(data[name] for name in ("x_train", "y_train", "x_test", "y_test")))
ds = run(small_spec({"levels": [8, 32], "sigma_c2c": [0, 1]}), dataset=tiny)
assert ds.attrs["devices"].startswith("1 x")
np.savez(sys.argv[4], test_accuracy=ds.test_accuracy, train_loss=ds.train_loss)
"""


def test_one_device_gives_the_bits_of_two(tiny, grid, tmp_path):
    assert grid.attrs["devices"].startswith("2 x")
    parts = {name: getattr(tiny, name) for name in ("x_train", "y_train", "x_test", "y_test")}
    np.savez(tmp_path / "data.npz", **parts)
    here = os.path.dirname(__file__)
    root = os.path.dirname(os.path.dirname(here))
    files = [str(tmp_path / "data.npz"), str(tmp_path / "one.npz")]
    subprocess.run([sys.executable, "-c", SCRIPT, root, here, *files], check=True, timeout=300)
    with np.load(tmp_path / "one.npz") as one:
        for name in VARIABLES:
            np.testing.assert_array_equal(one[name], grid[name].values)


def test_lanes_that_are_diagnosed_are_the_same_lanes():
    """On the digits, with every noise: rounding would show there if XLA fused it otherwise."""
    digits = load("digits").take(300, 100)
    raw = {"seeds": 2, "axes": {"levels": [8, 128], "sigma_c2c": [0.25, 4]}}
    raw |= {"train": {"epochs": 1}, "device": {"sigma_read": 0.05}}
    plain, counted = (
        run(Spec.from_dict({**raw, "evaluate": {"diagnostics": on}}), dataset=digits)
        for on in (False, True)
    )
    assert_same_bits(plain, counted)
    assert "pulses" in counted and "pulses" not in plain
