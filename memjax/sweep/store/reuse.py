"""A sweep with more points or seeds than one that has its results: what it need not train."""

import hashlib
import tomllib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from memjax.sweep.spec import grid as lanes
from memjax.sweep.spec.sections import CHOICES
from memjax.sweep.spec.spec import Spec
from memjax.sweep.store.journal import Columns
from memjax.sweep.store.label import NOT_RUN, unlabel


@dataclass(frozen=True)
class Known:
    """What earlier results say of a sweep.

    Attributes:
      lanes: numbers of the lanes that they hold.
      seeds: likewise, of the baseline.
      columns, baseline: what those have reported.
      is_all: whether nothing is left to train.
    """

    lanes: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    seeds: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    columns: Columns = field(default_factory=dict)
    baseline: Columns = field(default_factory=dict)
    is_all: bool = False

    @property
    def which(self) -> str:
        """A digest of the numbers."""
        return hashlib.blake2b(self.lanes.astype("<i8").tobytes(), digest_size=8).hexdigest()


def known(results: xr.Dataset | None, spec: Spec) -> Known:
    """What results hold of a sweep: nothing, if it trains for more epochs than they did.

    Args:
      results: of the sweep, or of one that it extends (see ``places``).
      spec: the sweep.
    """
    if results is None or results.sizes["epoch"] != spec.sections["train"]["epochs"]:
        return Known()
    old = spec_of(results)
    numbers = places(old, spec)
    if numbers is None:
        return Known()
    columns, baseline = unlabel(results)
    whole = columns["status"] != NOT_RUN
    seeds = np.flatnonzero(np.isfinite(baseline["test_accuracy"][:, -1]))
    baseline = {name: column[seeds] for name, column in baseline.items()}
    columns = {name: column[whole] for name, column in columns.items()}
    is_all = whole.all() and len(numbers) == lanes.count(spec) and len(seeds) == spec.seeds
    return Known(numbers[whole], seeds, columns, baseline, bool(is_all))


def spec_of(results: xr.Dataset) -> Spec:
    """The specification that results are of."""
    return Spec.from_dict(tomllib.loads(results.attrs["spec"]))


def places(old: Spec, new: Spec) -> np.ndarray | None:
    """The numbers in one sweep of another's lanes; None unless it has all of them, or more."""
    if frame(old, new) != frame(new, old) or old.seeds > new.seeds:
        return None
    if old.sections["train"]["epochs"] > new.sections["train"]["epochs"]:
        return None
    index = []
    for mine, other in zip(old.axes, new.axes, strict=True):
        where = {point: place for place, point in enumerate(_points(other.columns))}
        along = [where.get(point) for point in _points(mine.columns)]
        if None in along:
            return None
        index.append(np.asarray(along))
    grid = np.meshgrid(*index, np.arange(old.seeds), indexing="ij")
    return np.ravel_multi_index(grid, lanes.shape(new)).ravel()


def fill(columns: Columns, part: Columns, numbers: np.ndarray, total: int) -> None:
    """Puts lanes into columns of all lanes, which it makes where they are not there yet."""
    for name, values in part.items():
        if name not in columns:
            nothing = NOT_RUN if name == "status" else np.nan
            columns[name] = np.full((total, *values.shape[1:]), nothing, values.dtype)
        columns[name][numbers] = values


def _points(columns: dict[str, list[Any]]) -> list[str]:
    """A name for each point of an axis."""
    rows = zip(*columns.values(), strict=True)
    named = [dict(zip(columns, row, strict=True)) for row in rows]
    return [repr(sorted((k, v) for k, v in row.items() if v is not None)) for row in named]


def frame(spec: Spec, other: Spec) -> Any:
    """All that must be equal: everything but points, seeds, epochs and how lanes are run.

    Of a section whose choice (of a device, an algorithm) is swept, what both have and neither
    sweeps: a choice more brings parameters of its own.
    """
    swept = {parameter for axis in (*spec.axes, *other.axes) for parameter in axis.columns}
    tables = {}
    for section, table in spec.sections.items():
        own = {k: v for k, v in table.items() if (section, k) != ("train", "epochs")}
        if section in CHOICES and CHOICES[section][0] in swept:
            both = other.sections[section].keys() - swept
            own = {k: v for k, v in own.items() if k in both}
        tables[section] = own
    del tables["engine"]
    axes = [axis.name for axis in spec.axes]
    return (
        axes,
        spec.root_seed,
        spec.common_random_numbers,
        spec.sections["engine"]["width"],
        tables,
    )
