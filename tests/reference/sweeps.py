"""Sweep results made up, and sweeps so small that tests can run them; as fixtures too."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

from memjax.data import Dataset
from memjax.sweep import Spec


def synthetic(
    axes: dict,
    final: Callable | None = None,
    seeds: int = 5,
    epochs: int = 15,
    noise: float = 0.004,
) -> xr.Dataset:
    """A dataset whose final accuracy is `final(**coordinates)` plus normal seed noise."""
    rng = np.random.default_rng(0)
    final = final or (lambda **_: 0.9)
    coords = {name: np.asarray(values) for name, values in axes.items()}
    sizes = tuple(len(values) for values in coords.values())
    target = np.empty((*sizes, seeds))
    for index in np.ndindex(*sizes):
        here = {name: values[i] for (name, values), i in zip(coords.items(), index, strict=True)}
        target[index] = final(**here)
    target += noise * rng.standard_normal(target.shape)
    epoch = np.arange(1, epochs + 1)
    rise = (1 - np.exp(-epoch / 2.5)) / (1 - np.exp(-epochs / 2.5))
    accuracy = 0.1 + (target[..., None] - 0.1) * rise
    float_target = 0.978 + noise / 3 * rng.standard_normal((seeds, 1))
    dims = (*coords, "seed", "epoch")
    return xr.Dataset(
        {
            "test_accuracy": (dims, accuracy.astype("float32")),
            "train_loss": (dims, (2.3 * (1 - accuracy)).astype("float32")),
            "status": (dims[:-1], np.zeros((*sizes, seeds), "int8")),
            "baseline_accuracy": (("seed", "epoch"), 0.1 + (float_target - 0.1) * rise),
        },
        coords={**coords, "seed": np.arange(seeds), "epoch": epoch},
        attrs={"n_classes": 10, "name": "synthetic"},
    )


def with_failures(ds: xr.Dataset, from_epoch: int = 4, **where: object) -> xr.Dataset:
    """Lanes at the given coordinates go non-finite at an epoch."""
    lost = xr.ones_like(ds["status"], dtype=bool)
    for name, value in where.items():
        lost = lost & (ds[name] == value)
    gone = lost & (ds["epoch"] >= from_epoch)
    return ds.assign(
        status=ds["status"].where(~lost, 1).transpose(*ds["status"].dims),
        test_accuracy=ds["test_accuracy"].where(~gone).transpose(*ds["test_accuracy"].dims),
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
    return ds.assign(
        corrupted_accuracy=(0.1 + (final - 0.1) * np.exp(-amount * speed)).transpose(*dims),
        baseline_corrupted_accuracy=0.1 + (base - 0.1) * np.exp(-0.8 * amount),
    )


@pytest.fixture
def make() -> Callable:
    return synthetic


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
