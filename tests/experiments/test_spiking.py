"""The experiment "spiking": through a whole sweep, resumed, in floating point, and refused."""

import tomllib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax.errors import UserError
from memjax.experiments.spiking import Spiking
from memjax.spiking import edge_kernels
from memjax.sweep import Spec, run
from memjax.sweep.analysis.sensitivity import sobol_indices
from memjax.sweep.search.search import search
from memjax.sweep.show.report import write
from reference import spiking_twin
from reference.sweeps import run_interrupted

SWEEP = """
experiment = "spiking"
seeds = 2

[axes]
levels = [4, 64]
algorithm = ["sgd", "mixed_precision"]

[device]
sigma_c2c = 0.5
sigma_read = 0.02
on_off = 10

[cell]
weight_range = 10

[model]
duration = 50

[train]
epochs = 2
learning_rate = 1.0

[engine]
width = 2
checkpoint_minutes = 0
"""


@pytest.fixture(autouse=True, scope="module")
def in_memory():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEMJAX_CACHE_DIR", "")
        yield


def spec_of(**tables) -> Spec:
    raw = tomllib.loads(SWEEP)
    for section, table in tables.items():
        raw[section] = table if section == "axes" else raw.get(section, {}) | table
    return Spec.from_dict(raw)


@pytest.fixture(scope="module")
def ds(tiny):
    return run(spec_of(), dataset=tiny)


def test_a_sweep_from_toml(ds):
    assert ds.test_accuracy.dims == ("levels", "algorithm", "seed", "epoch")
    assert (ds.status == 0).all() and ds.attrs["objective"] == "test_accuracy"
    assert ds.baseline_accuracy.shape == (2, 2)
    assert float(ds.baseline_accuracy[..., -1].mean()) > 0.8
    assert float(ds.test_accuracy.isel(levels=-1, epoch=-1).mean()) > 0.7
    assert float(ds.spike_errors.min()) > 0
    assert len(np.unique(ds.spike_errors.values)) > ds.spike_errors.size // 2  # counts may agree
    assert ds.attrs["notes"] == []


def test_interrupted_anywhere_it_goes_on_to_the_same_bits(ds, tiny, tmp_path, monkeypatch):
    found, calls = run_interrupted(
        monkeypatch, lambda: run(spec_of(), tmp_path, dataset=tiny), every=3
    )
    assert calls > 4
    assert found.drop_attrs().identical(ds.drop_attrs())


def test_reports_indices_and_searches_work(ds, tiny, tmp_path):
    assert "test accuracy" in write(ds, tmp_path / "report.html").read_text()
    assert set(sobol_indices(ds).parameter) >= {"levels", "algorithm"}
    one = spec_of(axes={"levels": [4, 8, 16, 64]}, train={"epochs": 1})
    found = search(one, 0.4, "levels", lanes=6, dataset=tiny)
    assert found.attrs["along"] == "levels"


def test_the_float_network_is_the_twins(tiny):
    """Image by image, in float64 and with ``d^`` formed."""
    dt, steps, network = 0.5, 100, spec_of().built().reference()
    data = network.load(tiny)
    words = jnp.zeros(2, jnp.uint32)
    state, told = jax.jit(network.advance)(network.init(words, data), words, jnp.int32(0), data)
    weights, right, wrong = np.zeros((48, 3)), [], []
    for x, label in zip(tiny.x_train, tiny.y_train, strict=True):
        pixels = np.round(x * 255).astype(int)
        spikes = spiking_twin.hidden(pixels, edge_kernels(), dt, steps, "exact").reshape(steps, -1)
        fires = spiking_twin.outputs(spikes, weights, dt)[0]
        wanted = np.zeros((steps, 3))
        wanted[20::7, label] = 1
        weights += spiking_twin.normad(spikes, wanted - fires, dt, rate=1.0)
        right.append(fires.sum(axis=0).argmax() == label)
        wrong.append(np.abs(wanted - fires).sum())
    np.testing.assert_allclose(state.weights, weights, atol=1e-3)
    assert float(told["train_accuracy"]) == pytest.approx(np.mean(right))
    assert float(told["spike_errors"]) == pytest.approx(np.mean(wrong))


def test_steps_may_be_an_axis_and_images_be_shuffled(tiny):
    axes = {"dt": [0.25, 0.5], "order_seed": [0, 1]}
    found = run(
        spec_of(axes=axes, model={"duration": 50, "dts": [0.25, 0.5]}, train={"epochs": 1}),
        dataset=tiny,
    )
    with pytest.raises(UserError, match=r"list all its values in model\.dts"):
        run(spec_of(axes={"dt": [0.25, 0.5]}), dataset=tiny)
    assert found.spike_errors.dims[:2] == ("dt", "order_seed")
    assert len(np.unique(found.spike_errors.isel(seed=0, epoch=0))) == 4


def test_rows_go_alone_only_where_they_may(tiny):
    """Tiki-Taka moves rows by turns, and a short lifetime all of them."""
    found = run(
        spec_of(axes={"algorithm": ["tiki_taka", "rprop"]}, train={"epochs": 1}), dataset=tiny
    )
    assert (found.status == 0).all() and float(found.train_accuracy.max()) > 0.2


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"model": {"dt": 1.0}}, "dt = 1 ms: .* every 4 ms at most .*training diverges; take 0.5"),
        ({"model": {"dt": 0.2}}, r"dt = 0.2 ms does not divide the period of the desired trains"),
        ({"model": {"dt": 0.3}}, "dt = 0.3 ms does not divide the duration, 50 ms"),
        ({"model": {"dts": [0.25]}}, r"dt = 0.5 must be one of dts = \(0.25,\)"),
        ({"model": {"code": "morse"}}, "morse"),
        ({"pulses": {"scheme": "coincidence"}}, "is no single outer product; take one of"),
        ({"cell": {"kind": "differential", "held": "translated"}}, "a scale of its own"),
        ({"neuron": {"refractory": -1}}, "refractory"),
        ({"train": {"learning_rate": -1}}, "learning_rate"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(tables, message):
    with pytest.raises(UserError, match=message) as caught:
        spec_of(**tables)
    assert "\n" not in str(caught.value)


def test_images_must_be_grey_and_large_enough(tiny):
    with pytest.raises(UserError, match="training images are 16; kernels of 3 x 3 need grey"):
        run(spec_of(), dataset=tiny.flat())
    with pytest.raises(UserError, match="training images are 2 x 2; kernels"):
        run(spec_of(), dataset=tiny.crop(2))


def test_narrow_ranges_are_told():
    spec = spec_of(cell={"weight_range": 0.5})
    (note,) = spec.built().notes([{"device.levels": [4, 8]}])
    assert note.startswith("cell.weight_range = 0.5 is in nA here")
    assert isinstance(spec.built(), Spiking) and jnp.ndim(spec.built().train.learning_rate) == 0
