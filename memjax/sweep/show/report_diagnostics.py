"""What the report shows of a cell's pulses and devices, and of its answers."""

import base64
from typing import Any

import xarray as xr

from memjax.sweep.analysis.results import axis_label, failed

_BYTES = 1_500_000  # of all cells; what does not fit is left out

_NEEDS: dict[str, set[str]] = {
    "pulses": {"layer"},
    "wanted_pulses": {"layer"},
    "saturated": {"layer"},
    "conductance_before": {"layer", "conductance"},
    "conductance_after": {"layer", "conductance"},
    "response_pulses": set(),
    "response": {"quantile", "train"},
    "update_pairs": {"layer", "wanted", "realised"},
    "confusion": {"label", "answer"},
}
"""Columns and their dimensions, in the order in which they find room."""

_DIMS = ("layer", "conductance", "quantile", "train", "wanted", "realised", "label", "answer")


def diagnostics(ds: xr.Dataset) -> dict[str, Any] | None:
    """Means over the seeds of every cell, row by row, as 32-bit floats; None if nothing is there.

    Args:
      ds: a sweep's result, its axes as the report has them.
    """
    found, left, left_out = {}, _BYTES, False
    for name in _NEEDS:
        if name not in ds or not _NEEDS[name] <= set(ds[name].dims):
            continue
        cells = ds[name].where(~failed(ds)).mean("seed")
        if name == "update_pairs":
            cells = cells.sum("layer", min_count=1)
        if name == "confusion":
            cells = cells.transpose(..., "label", "answer")
        size = 4 * cells.size
        if size > left:
            left_out = True
            continue
        left -= size
        found[name] = base64.b64encode(cells.values.astype("<f4").tobytes()).decode()
    if not found and not left_out:
        return None
    coords = {
        dim: {"values": ds[dim].values.tolist(), "label": axis_label(ds, dim)}
        for dim in _DIMS
        if dim in ds.coords
    }
    return {"columns": found, "coords": coords, "left_out": left_out}
