"""A Boltzmann machine on devices, swept as any experiment is."""

import io

import numpy as np
import pytest
import xarray as xr
from rich.console import Console

from memjax.errors import DataError, SpecError, UserError
from memjax.sweep import Spec, run
from memjax.sweep.run import notes
from memjax.sweep.show.report import write
from memjax.sweep.show.tables import summary
from reference.sweeps import run_interrupted

AXES = {"levels": [15, 40]}
TRAIN = {"epochs": 3, "batch_size": 10, "persistent": True, "chains": 2}
TRAIN |= {"baseline_learning_rate": 0.02}


def spec_of(axes: dict | None = None, seeds: int = 1, **tables) -> Spec:
    raw = {
        "experiment": "boltzmann",
        "seeds": seeds,
        "axes": AXES if axes is None else axes,
        "cell": {"weight_range": 1.0, "held": "translated"},
        "device": {"beta": 0.005},
        "model": {"hidden": 24},
        "data": {"train_size": 400, "test_size": 100},
        "train": TRAIN,
        "engine": {"width": 1, "checkpoint_minutes": 0},
    }
    return Spec.from_dict(raw | tables)


@pytest.fixture(scope="module")
def ds() -> xr.Dataset:
    return run(spec_of())


def test_it_learns_and_tells_both_errors(ds):
    """By chance 90 % are wrong; measured after three short epochs of few samples: 62 to 75 %."""
    assert ds.attrs["objective"] == "test_error" and ds.attrs["better"] == "lower"
    assert ds.attrs["guess"] == pytest.approx(0.9) and (ds.status == 0).all()
    assert ds.test_error.dims == ("levels", "seed", "epoch")
    assert ds.running_error.dims == ("levels", "seed")
    assert (ds.test_error[..., -1] < 0.8).all() and (ds.baseline_error[..., -1] < 0.8).all()
    assert ((ds.running_error > 0) & (ds.running_error < 0.85)).all()
    assert ((ds.reconstruction_error > 0) & (ds.reconstruction_error < 0.5)).all()


def test_killed_it_goes_on_with_its_chains_to_the_same_bits(ds, tmp_path, monkeypatch):
    found, calls = run_interrupted(monkeypatch, lambda: run(spec_of(), tmp_path), every=4)
    assert calls > 3
    xr.testing.assert_identical(found.drop_attrs(), ds.drop_attrs())


def test_a_report_and_a_table_are_made_of_it(ds, tmp_path):
    Console(file=(said := io.StringIO()), width=200).print(summary(ds))
    assert "best cell" in said.getvalue()
    assert "test error" in write(ds, tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    "tables",
    [
        {"train": TRAIN | {"algorithm": "sgd"}, "pulses": {"scheme": "coincidence"}},
        {"units": {"kind": "switch", "jitter": 0.1}, "model": {"hidden": 24, "expected": True}},
        {"train": TRAIN | {"persistent": False, "products": "halves", "cd_steps": 2}},
    ],
    ids=["trains", "devices as units", "halves"],
)
def test_other_ways(tables):
    """Chance is 90 %; the bound is loose: it says that learning goes the right way."""
    found = run(spec_of(**{"axes": {"levels": [40]}} | tables))
    assert (found.test_error[..., -1] < 0.8).all()


def test_any_device_and_algorithm():
    axes = {"algorithm": ["mixed_precision", "tiki_taka"], "c2c": ["pulse", "step"]}
    found = run(
        spec_of(
            axes,
            device={"model": "SoftBounds", "levels": 400, "sigma_c2c": 0.001, "sigma_read": 0.01},
            cell={"kind": "reference", "weight_range": 1.0},
            train=TRAIN | {"epochs": 1},
        )
    )
    assert (found.status == 0).all() and np.isfinite(found.test_error).all()


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        ({"device": {"sigma_c2c": 0.1}}, "held = 'translated' is of pulses without noise"),
        ({"device": {"model": "LinearStep"}}, "needs a device with a scale of its own"),
        ({"model": {"hidden": 0}}, "hidden"),
        ({"train": {"chains": 0}}, "chains"),
        ({"train": {"cd_steps": 1.5}}, "cd_steps"),
        ({"train": {"products": "float16"}}, "products"),
        ({"units": {"kind": "perfect"}}, "'perfect' is not known"),
        ({"axes": {"sigma_c2c": [0.0, 0.1]}}, "held = 'translated' is of pulses without noise"),
    ],
)
def test_what_does_not_fit_is_one_line(tables, told):
    with pytest.raises((SpecError, UserError), match=told) as error:
        spec_of(**tables)
    assert "\n" not in str(error.value)


def test_less_than_a_batch_is_told():
    with pytest.raises(DataError, match=r"lower train\.batch_size"):
        run(spec_of(data={"train_size": 5}))


def test_rates_that_nothing_heeds_are_noted():
    assert any(
        "learning_rate has no effect" in n for n in notes(spec_of({"learning_rate": [1, 2]}))
    )
    told = notes(spec_of({"chains": [1, 2]}))
    assert any("baseline does not follow the axes: it is trained at chains = 2" in n for n in told)
