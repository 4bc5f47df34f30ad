"""The cell or the lane that a picture is of."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from memjax.sweep.analysis.effects import best_cell
from memjax.sweep.analysis.results import axes, failed, final, objective, text
from memjax.sweep.show.panels import wrapped


@dataclass(frozen=True)
class Chosen:
    """A cell, as the mean over its seeds, or a lane.

    Attributes:
      ds: the sweep's result.
      place: indices along the axes and, of a lane, ``seed``.
      values: what results say of it; lanes that failed do not count.
      lost: its lanes that failed.
      lanes: how many it has.
    """

    ds: xr.Dataset
    place: Mapping[str, int]
    values: xr.Dataset
    lost: int
    lanes: int

    def title(self, what: str) -> str:
        """A picture's title: the sweep, what is shown, and of which cell.

        Args:
          what: the picture shows.
        """
        ds, place = self.ds, self.place
        seed = "one lane" if "seed" in place else "mean over seeds"
        at = ", ".join(f"{dim} {text(ds[dim].values[i].item())}" for dim, i in place.items())
        about = objective(ds)
        fate = ""
        if self.lost:
            fate = f"; it failed, counted at {about.guess_name}: nothing is known of it"
            if self.lost < self.lanes:
                fate = f"; {self.lost} of {self.lanes} lanes failed, counted at {about.guess_name}"
        of = f"{what}, {seed}" + (f" at {at}" if at else "")
        said = wrapped(f"{of} ({about.text(final(ds).isel(place).mean())}){fate}", 90)
        return f"{ds.attrs.get('name', 'sweep')}\n{said}"


def choose(ds: xr.Dataset, lane: Mapping[str, int] | None = None) -> Chosen:
    """A lane, or the mean over seeds of a cell.

    Args:
      ds: a sweep's result.
      lane: its indices along the axes and ``seed``; without ``seed``, the mean over the seeds; the
        best cell without any.
    """
    place = dict(_best(ds) if lane is None else lane)
    here = ds.isel(place)
    is_lost = failed(here)
    if "seed" not in place:
        here = here.where(~is_lost).mean("seed", keep_attrs=True)
    return Chosen(ds, place, here, int(is_lost.sum()), is_lost.size)


def _best(ds: xr.Dataset) -> dict[str, int]:
    best = best_cell(ds)
    return {axis: int(np.flatnonzero(ds[axis].values == best[axis].values)[0]) for axis in axes(ds)}
