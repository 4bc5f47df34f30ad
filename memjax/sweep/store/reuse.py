"""Lanes that earlier results hold: what a sweep need not run again."""

from typing import NamedTuple

import numpy as np
import xarray as xr

from memjax.experiments import Stages
from memjax.sweep.store.columns import NOT_RUN
from memjax.sweep.store.journal import Entry, Keys
from memjax.sweep.store.label import unlabel


class Frame(NamedTuple):
    """What lanes depend on besides their own configuration.

    Attributes:
      digest: of the experiment, its data and the user's code (``identity.frame_digest``).
      data: the digest of the data.
      source: the digest of the user's code, empty where there is none.
      stages: of every lane.
    """

    digest: str
    data: str
    source: str
    stages: Stages


def reusable(results: xr.Dataset | None, frame: Frame) -> list[Entry]:
    """The lanes that results hold of a frame: none, if they have fewer stages, or more.

    Args:
      results: of a sweep.
      frame: of another one, perhaps larger.
    """
    if results is None or results.attrs.get("frame") != frame.digest:
        return []
    if not np.array_equal(results[frame.stages.dim].values, frame.stages.values):
        return []
    columns, baseline = unlabel(results)
    found = []
    whole = columns["status"] != NOT_RUN
    if whole.any():
        keys = results.lane_key.values.reshape(-1)
        found.append(Entry("lanes", keys[whole], {name: c[whole] for name, c in columns.items()}))
    if "baseline_key" in results.coords:
        whole = results.baseline_key.values != 0
        rows = {name: column[whole] for name, column in baseline.items()}
        found.append(Entry("baseline", results.baseline_key.values[whole], rows))
    return found


def difference(results: xr.Dataset, frame: Frame, keys: Keys) -> str:
    """Why results cannot become those of a sweep: empty where they can, as it has all of theirs.

    Args:
      results: what is there.
      frame: of the sweep.
      keys: of its lanes.
    """
    attrs = results.attrs
    if "frame" not in attrs:
        return "results that an earlier version of memjax has written"
    if attrs.get("data_digest") != frame.data:
        return "the results of this specification on other data"
    if attrs.get("source", "") != frame.source:
        return "the results of other source code of the experiment or model"
    old = results[frame.stages.dim].values if frame.stages.dim in results.coords else None
    fewer = old is not None and np.array_equal(old, frame.stages.values[: len(old)])
    if attrs["frame"] != frame.digest or not fewer or not np.isin(results.lane_key, keys).all():
        return "the results of another specification"
    return ""
