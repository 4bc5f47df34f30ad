"""The experiment "spike_inference": both networks on devices, exact, with errors, mended."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.crossbar import PROGRAMMING
from memjax.crossbar.mapping import Mapping
from memjax.errors import UserError
from memjax.experiments.device_copies import device_copies
from memjax.sweep import Spec, run

TABLES = {
    "experiment": "spike_inference",
    "seeds": 2,
    "mapping": {"mapping": "offset", "scale": "layer", "on_off": 10, "levels": 1024},
    "programming": {"error": "independent", "clips": True},
    "train": {"epochs": 2, "learning_rate": 1.0, "analog_epochs": 100, "analog_rate": 0.01},
}


@pytest.fixture(autouse=True, scope="module")
def in_memory():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEMJAX_CACHE_DIR", "")
        yield


def test_both_networks_lose_by_errors_and_nothing_without(tiny):
    axes = {"network": ["spiking", "analog"], "sigma": [0, 0.3]}
    shared = {"common_random_numbers": ["network"]}
    ds = run(Spec.from_dict(TABLES | shared | {"axes": axes}), dataset=tiny)
    assert ds.test_accuracy.dims == ("network", "sigma", "seed", "stage")
    exact = ds.test_accuracy.isel(sigma=0).min(dim="seed").squeeze()
    assert float(exact.min()) > 0.8
    reference = float(ds.baseline_accuracy.isel(seed=0, stage=0))
    assert float(exact.sel(network="spiking")) == pytest.approx(reference, abs=0.06)
    assert float(ds.test_accuracy.isel(sigma=1).mean()) < float(exact.mean())
    assert ds.attrs["notes"] == ["the float baseline is that of the spiking network"]


def test_devices_and_thresholds_mend(tiny):
    axes = {"mended": {"kernel_devices": [1, 9], "output_devices": [1, 9], "calibration": [0, 20]}}
    tables = TABLES | {"axes": axes, "programming": {"error": "independent", "sigma": 0.2}}
    ds = run(Spec.from_dict(tables), dataset=tiny)
    plain, mended = ds.test_accuracy.mean(dim=("seed", "stage")).values
    assert mended > plain


def test_copies_are_of_levels_and_their_mean_is_less_wrong():
    w = jnp.asarray(np.random.default_rng(0).uniform(-1, 1, (200, 30)), jnp.float32)
    stream = random.stream(jax.random.key(0))
    grid = Mapping(mapping="differential", levels=5, scale="layer", weight_limit=1.0)
    held = np.asarray(device_copies(grid, PROGRAMMING["exact"](), stream, w))
    np.testing.assert_allclose(held, np.round(np.asarray(w) * 4) / 4, atol=1e-6)
    pair = Mapping(mapping="two_sided", scale="layer", weight_limit=1.0)
    noisy = PROGRAMMING["independent"](sigma=0.05)
    one, four = (np.std(device_copies(pair, noisy, stream, w, n) - w) for n in (1, 4))
    assert one == pytest.approx(0.05 * np.sqrt(2), rel=0.05)
    assert one / four == pytest.approx(2.0, rel=0.05)


def test_what_has_no_use_is_refused():
    with pytest.raises(UserError, match="slices and significance are of no use here"):
        Spec.from_dict(TABLES | {"mapping": {"slices": 2, "weight_bits": 8}})
    with pytest.raises(UserError, match=r"write_verify.*\[device\] model"):
        Spec.from_dict(TABLES | {"programming": {"error": "write_verify"}})
    experiment = Spec.from_dict(TABLES | {"device": {"model": "EpiRAM"}}).lane({})
    assert experiment.notes([]) == ["device has no effect: nothing pulses it (programming.error)"]
