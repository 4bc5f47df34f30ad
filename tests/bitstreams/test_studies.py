"""The studies of applications run, on small digits."""

from pathlib import Path

import pytest

from memjax.sweep import Spec, run

SWEEPS = Path(__file__).parent.parent.parent / "sweeps"


@pytest.fixture(autouse=True)
def as_users_have_it():
    """Optax promotes types."""
    import jax

    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def study(name, *settings):
    of_digits = ["data.name=digits", "seeds=1", *settings]
    return run(Spec.from_toml(SWEEPS / f"{name}.toml", of_digits))


def test_edges_are_found_by_streams_and_lost_by_wrong_bits():
    ds = study(
        "stochastic_edges",
        "axes.flips=[0,0.5]",
        "axes.sigma_v0_d2d=[0]",
        "data.test_size=4",
        "study.lengths=[16,256]",
    )
    rms = ds.rms_error.squeeze().sel(flips=0.0)
    assert float(rms.sel(encoder="shared", length=256)) < 0.05
    assert float(rms.sel(encoder="shared", length=256)) < float(
        rms.sel(encoder="two_devices", length=256)
    )
    last = ds.isel(length=-1).sel(encoder="shared").squeeze()
    assert float(last.found.sel(flips=0.0)) > 0.9
    assert float(last.found.sel(flips=0.5)) < float(last.chance.sel(flips=0.5)) + 0.15


def test_a_network_of_gates_learns_its_digits_by_length():
    ds = study(
        "stochastic_network",
        "axes.sigma_v0_d2d=[0]",
        'axes.calibration=["nominal"]',
        "study.lengths=[32,512]",
        "study.epochs=20",
        "data.test_size=100",
    )
    accuracy = ds.test_accuracy.squeeze()
    assert float(ds.float_accuracy.item()) > 0.85
    assert float(accuracy.isel(length=1)) > float(ds.float_accuracy.item()) - 0.1
    assert float(accuracy.isel(length=0)) < float(accuracy.isel(length=1)) + 0.02
