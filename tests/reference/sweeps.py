"""Sweep results made up, and sweeps so small that tests can run them; as fixtures too."""

import hashlib
from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from memjax.data import Dataset
from memjax.sweep import Spec
from memjax.sweep.engine.runner import Runner

AXES = {
    "levels": ("number of conductance levels L", "1"),
    "on_off": ("on/off ratio Gmax / Gmin", "1"),
    "sigma_c2c": ("cycle-to-cycle sd of one step", "mean steps"),
    "weight_range": ("weight range", "1"),
}
"""What a sweep says of some of its axes."""


def synthetic(
    axes: dict,
    final: Callable | None = None,
    seeds: int = 5,
    epochs: int = 15,
    noise: float = 0.004,
) -> xr.Dataset:
    """A classifier's sweep, of final accuracies `final(**coordinates)` plus normal seed noise."""
    rng = np.random.default_rng(0)
    target = _final(axes, final or (lambda **_: 0.9), seeds, noise, rng)
    epoch = np.arange(1, epochs + 1)
    rise = (1 - np.exp(-epoch / 2.5)) / (1 - np.exp(-epochs / 2.5))
    accuracy = 0.1 + (target[..., None] - 0.1) * rise
    float_target = 0.978 + noise / 3 * rng.standard_normal((seeds, 1))
    reference = {"units": "1", "long_name": "float baseline", "reference_of": "test_accuracy"}
    dims = (*axes, "seed", "epoch")
    columns = {
        "test_accuracy": (dims, accuracy.astype("float32"), _about("test accuracy")),
        "train_loss": (dims, (2.3 * (1 - accuracy)).astype("float32"), _about("loss")),
        "baseline_accuracy": (
            ("seed", "epoch"),
            0.1 + (float_target - 0.1) * rise,
            reference,
        ),
    }
    attrs = {"experiment": "classifier", "objective": "test_accuracy", "better": "higher"}
    attrs |= {"bounds": [0.0, 1.0], "guess": 0.1, "stage": "epoch", "n_classes": 10}
    return _labelled(columns, axes, {"epoch": epoch}, seeds, attrs)


TIMES = (1.0, 10.0, 100.0, 1000.0)


def synthetic_study(
    axes: dict,
    final: Callable | None = None,
    seeds: int = 4,
    times: tuple[float, ...] = TIMES,
    noise: float = 0.004,
) -> xr.Dataset:
    """A study without reference: an error in volts that grows with the logarithm of time."""
    target = _final(axes, final or (lambda **_: 0.2), seeds, noise, np.random.default_rng(0))
    grown = (1 + np.log10(times)) / (1 + np.log10(times[-1]))
    columns = {
        "rms_error": (
            (*axes, "seed", "time_s"),
            (target[..., None] * grown).astype("float32"),
            _about("rms error of the output", "V"),
        ),
        "energy": ((*axes, "seed"), 1e-12 * (1 + target), _about("energy", "J")),
    }
    attrs = {"experiment": "my_study.py:Study", "objective": "rms_error", "better": "lower"}
    time = ("time_s", list(times), _about("time since programming", "s"))
    attrs |= {"guess": 1.0, "stage": "time_s"}
    return _labelled(columns, axes, {"time_s": time}, seeds, attrs)


def _final(
    axes: dict, final: Callable, seeds: int, noise: float, rng: np.random.Generator
) -> np.ndarray:
    values = [np.asarray(column) for column in axes.values()]
    target = np.empty((*map(len, values), seeds))
    for index in np.ndindex(*target.shape[:-1]):
        here = {name: v[i] for name, v, i in zip(axes, values, index, strict=True)}
        target[index] = final(**here)
    return target + noise * rng.standard_normal(target.shape)


def _about(long_name: str, units: str = "1") -> dict[str, str]:
    return {"long_name": long_name, "units": units}


def _labelled(columns: dict, axes: dict, coords: dict, seeds: int, attrs: dict) -> xr.Dataset:
    shape = (*(len(values) for values in axes.values()), seeds)
    coords = coords | {"seed": np.arange(seeds)}
    for name, values in axes.items():
        coords[name] = (name, np.asarray(values), _about(*AXES[name]) if name in AXES else {})
    columns = columns | {"status": ((*axes, "seed"), np.zeros(shape, "int8"), _about("status"))}
    return with_keys(xr.Dataset(columns, coords, {"name": "synthetic"} | attrs))


def with_keys(ds: xr.Dataset, root_seed: int = 0, shared: tuple = (), **others: object):
    """Lanes say who they are and their random numbers: of all parameters but the shared ones."""
    dims = ds["status"].dims
    keys, words = np.empty((2, *ds["status"].shape), np.uint64)
    for index in np.ndindex(*ds["status"].shape):
        here = {d: ds[d].values[i].item() for d, i in zip(dims, index, strict=True)} | others
        own = {name: value for name, value in here.items() if name not in shared}
        keys[index], words[index] = (
            int.from_bytes(hashlib.blake2b(repr(told).encode(), digest_size=8).digest(), "little")
            for told in (sorted(here.items()), (root_seed, sorted(own.items())))
        )
    return ds.assign_coords(lane_key=(dims, keys), key_data=(dims, words))


def as_older(ds: xr.Dataset) -> xr.Dataset:
    """A classifier's results as versions wrote them that knew nothing else."""
    old = ds.drop_vars(["lane_key", "key_data"]).copy(deep=True)
    kept = ("n_classes", "name", "dataset", "spec", "notes", "data_digest")
    old.attrs = {name: value for name, value in ds.attrs.items() if name in kept}
    for variable in old.variables.values():
        variable.attrs = {}
    return old


def with_failures(ds: xr.Dataset, from_epoch: float = 4, **where: object) -> xr.Dataset:
    """Lanes at the given coordinates go non-finite at an epoch, or at another stage."""
    column, stage = ds.attrs["objective"], ds.attrs["stage"]
    lost = xr.ones_like(ds["status"], dtype=bool)
    for name, value in where.items():
        lost = lost & (ds[name] == value)
    gone = lost & (ds[stage] >= from_epoch)
    return ds.assign(
        status=ds["status"].where(~lost, 1).transpose(*ds["status"].dims).astype("int8"),
        **{column: ds[column].where(~gone).transpose(*ds[column].dims)},
    )


def with_corruption(ds: xr.Dataset) -> xr.Dataset:
    """Adds accuracies on noisy images, which fall faster for a larger sigma_c2c (if swept)."""
    levels = {"gaussian": (0.1, 0.2, 0.4), "salt_and_pepper": (0.05, 0.1, 0.2, 0.3)}
    names = ["clean"] + [f"{kind} {x:g}" for kind, xs in levels.items() for x in xs]
    amount = xr.DataArray(
        [0.0] + [x for xs in levels.values() for x in xs], {"corruption": names}, "corruption"
    )
    final = ds["test_accuracy"].isel(epoch=-1, drop=True)
    base = ds["baseline_accuracy"].isel(epoch=-1, drop=True)
    speed = 1 + ds["sigma_c2c"] if "sigma_c2c" in ds.dims else 1
    dims = (*final.dims, "corruption")
    ds = ds.assign(
        corrupted_accuracy=(0.1 + (final - 0.1) * np.exp(-amount * speed)).transpose(*dims),
        baseline_corrupted_accuracy=0.1 + (base - 0.1) * np.exp(-0.8 * amount),
    )
    about = _about("test accuracy on corrupted images") | {"relative_to": "clean"}
    ds["corrupted_accuracy"].attrs = about
    return ds


def with_diagnostics(ds: xr.Dataset) -> xr.Dataset:
    """Adds what two layers' pulses did: devices of more levels take more pulses, others nothing."""
    rng, dims = np.random.default_rng(1), ds["status"].dims
    levels = ds["levels"] if "levels" in ds.dims else xr.DataArray(8)
    one = xr.ones_like(ds["status"], float) * levels
    side = 0.01 * 10 ** ((np.arange(10) + 0.5) / 2.5)
    pulses = np.concatenate([-side[::-1], [0.0], side])
    sizes = {"layer": [1, 2], "conductance": (np.arange(32) + 0.5) / 32}
    sizes |= dict.fromkeys(("wanted", "realised", "error"), pulses)
    sizes |= dict.fromkeys(("g_plus", "g_minus"), (np.arange(16) + 0.5) / 16)
    sizes |= {"quantile": [0.05, 0.5, 0.95], "train": np.arange(97)}

    def random(*names: str) -> xr.DataArray:
        shape = [len(sizes[name]) for name in names]
        return xr.DataArray(1.0 + rng.integers(0, 9, shape), {n: sizes[n] for n in names}, names)

    ramp = np.minimum(np.arange(97), 96 - np.arange(97)) / 48
    response = xr.DataArray(ramp, {"train": sizes["train"]}, "train")
    spread = xr.DataArray([-0.1, 0.0, 0.1], {"quantile": sizes["quantile"]}, "quantile")
    columns = {
        "pulses": one * random("layer"),
        "wanted_pulses": 2 * one * random("layer"),
        "saturated": one * 0 + random("layer") / 10,
        "update_snr": one * random("layer"),
        "conductance_before": one * 0 + random("layer", "conductance"),
        "conductance_after": one * random("layer", "conductance"),
        "update_pairs": one * 0 + random("layer", "wanted", "realised"),
        "update_errors": one * 0 + random("layer", "error"),
        "pairs": one * 0 + random("layer", "g_plus", "g_minus"),
        "response": (one * 0 + spread + response * (1 - 1 / levels)).clip(0, 1),
        "response_pulses": (one / 8).clip(1, None),
    }
    return ds.assign({name: column.transpose(*dims, ...) for name, column in columns.items()})


@pytest.fixture
def make() -> Callable:
    return synthetic


@pytest.fixture
def study() -> Callable:
    return synthetic_study


@pytest.fixture
def fail() -> Callable:
    return with_failures


@pytest.fixture
def corrupt() -> Callable:
    return with_corruption


def device_accuracy(sigma_c2c: float = 0.0, levels: float = 64, **others: object) -> float:
    """Falls strongly with sigma_c2c, weakly with few levels, with nothing else."""
    del others
    return 0.1 + 0.87 / (1 + (sigma_c2c / 2.5) ** 2) * (1 - 0.6 / levels)


@pytest.fixture
def device() -> Callable:
    return device_accuracy


def small_spec(axes: dict | None = None, seeds: int = 2, **tables) -> Spec:
    """A sweep of a 16-8-3 network, chunks of 2 lanes a device."""
    tables = {"model": {"hidden": [8]}, "train": {"epochs": 2}, "engine": {"width": 2}} | tables
    return Spec.from_dict({"seeds": seeds, "axes": axes or {}, **tables})


@pytest.fixture(scope="session")
def small() -> Callable:
    return small_spec


@pytest.fixture(scope="session")
def tiny() -> Dataset:
    """Random 4x4 images in three classes, each brighter in rows of its own."""
    rng = np.random.default_rng(0)
    y = np.arange(60, dtype=np.int32) % 3
    x = np.float32(0.4) * rng.random((60, 4, 4), np.float32)
    x[np.arange(60), y] += np.float32(0.6)
    return Dataset("tiny", x[:42], y[:42], x[42:], y[42:])


def run_interrupted(
    monkeypatch: pytest.MonkeyPatch, go: Callable[[], xr.Dataset], every: int
) -> tuple[xr.Dataset, int]:
    """What a sweep comes to that is interrupted at every few stages, and how many it began."""
    plain, calls = Runner._chunk, []

    def interrupted(self, *args):
        advance = self.advance

        def once(*inner):
            calls.append(1)
            if len(calls) % every == 0:
                raise KeyboardInterrupt
            return advance(*inner)

        self.advance = once
        return plain(self, *args)

    monkeypatch.setattr(Runner, "_chunk", interrupted)
    for _ in range(40):
        try:
            return go(), len(calls)
        except KeyboardInterrupt:
            continue
    raise AssertionError("it never ends")
