"""A sweep as one HTML file: its heat map, lines and curves, to explore with no network."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from plotly.offline import get_plotlyjs

from memjax.errors import UserError
from memjax.outputs import whole
from memjax.sweep.analysis.effects import best_cell, main_effects
from memjax.sweep.analysis.objective import Objective
from memjax.sweep.analysis.results import (
    axes,
    axis_label,
    baseline_curve,
    baseline_name,
    failed,
    final,
    heading,
    is_geometric,
    is_numeric,
    labels,
    objective,
    scores,
    spread,
    stage,
    strings,
)
from memjax.sweep.show.report_diagnostics import diagnostics
from memjax.sweep.show.tables import nothing_found

_PAGE = Path(__file__).with_name("report.html")
_CURVE_BYTES = 1_000_000  # of means of curves that are kept: 2.7 MB of the file with their sd
_LOST_ROWS = 1000  # failed lanes that are listed
_LANE = "number/of lane"  # no axis has a slash in its name


def write(results: xr.Dataset, path: Path | str) -> Path:
    """Writes the report of a sweep: one HTML file that opens offline in any browser.

    Args:
      results: a sweep's result, see ``memjax.sweep.run.run``.
      path: the file, ``.html``; it appears whole or not at all, in place of an older one.

    Returns:
      The path.

    Raises:
      UserError: it is no name of an HTML file or cannot be written, or a lane has no final value.
    """
    path = Path(path)
    if path.suffix.lower() != ".html":
        raise UserError(f"{path}: a report is an HTML file; give --out a name that ends in .html")
    page = html(results)
    try:
        with whole(path) as partial:
            partial.write_text(page, encoding="utf-8")
    except OSError as error:
        why = error.strerror or error
        raise UserError(f"{path}: cannot be written: {why}; give another --out") from None
    return path


def html(results: xr.Dataset) -> str:
    """The page of ``write``: the template with plotly.js and the data filled in.

    All that comes from the sweep is one JSON block, in which no tag can begin; the page's script
    shows it as text.
    """
    data = json.dumps(_data(results), allow_nan=False).replace("<", r"\u003c")
    template = _PAGE.read_text(encoding="utf-8")
    return template.replace("/*PLOTLY*/", get_plotlyjs()).replace("/*DATA*/", data)


def _data(ds: xr.Dataset) -> dict[str, Any]:
    """What the page shows: values in the objective's units, cells row by row over the axes."""
    numbers = np.arange(ds["status"].size).reshape(ds["status"].shape)
    ds = ds.assign({_LANE: (ds["status"].dims, numbers)})  # as `memjax explain` counts them
    one = [axis for axis in axes(ds) if ds.sizes[axis] == 1]
    fixed = [[heading(ds, axis), labels(ds, axis)[0]] for axis in one]
    ds = ds.isel(dict.fromkeys(one, 0), drop=True)
    ds = ds.sortby([axis for axis in axes(ds) if is_numeric(ds, axis)])
    names, about, along = axes(ds), objective(ds), stage(ds)
    ds = ds.transpose(*names, "seed", along.dim, ...)
    last, curves, reference = final(ds), scores(ds), baseline_curve(ds)
    effects, cells, stages = main_effects(ds)["share"], last.mean("seed"), ds.sizes[along.dim]
    points = _CURVE_BYTES // _bytes(about)
    kept = np.linspace(0, stages - 1, max(2, min(stages, points // cells.size)))
    curves = curves.isel({along.dim: np.unique(kept.round().astype(int))})
    every = ds[along.dim].values
    attrs = ds.attrs
    return {
        "name": str(attrs.get("name", "sweep")),
        "objective": {
            "name": about.label,
            "unit": about.unit,
            "percent": about.as_percent,
            "lower": about.better == "lower",
            "guess": about.guess,
            "guess_name": about.guess_name,
            "baseline_name": baseline_name(ds),
        },
        "stages": {
            "name": along.label,
            "label": along.axis_label,
            "noun": along.noun,
            "unit": "" if along.units == "1" else f" {along.units}",
            "training": along.is_training,
            "log": bool(is_geometric(every) and every[0] > 0),
            "all": every.tolist(),
            "curves": curves[along.dim].values.tolist(),
        },
        "diagnostics": diagnostics(ds),
        "luck": nothing_found(ds),
        "dataset": str(attrs.get("dataset", "")),
        "seconds": float(attrs["seconds"]) if "seconds" in attrs else None,
        "notes": strings(attrs.get("notes")),
        "fixed": fixed,
        "axes": [_axis(ds, axis) for axis in names],
        "seeds": ds.sizes["seed"],
        "baseline": None
        if reference is None
        else {"mean": _json(reference.mean("seed")), "sd": _json(spread(reference))},
        "cells": {"mean": _pack(cells, about), "sd": _pack(spread(last), about)},
        "curves": {"mean": _pack(curves.mean("seed"), about), "sd": _pack(spread(curves), about)},
        "lost": failed(ds).sum("seed").values.ravel().tolist(),
        "best": int(about.gain(cells.values).argmax()),
        "best_value": [float(x) for x in (best_cell(ds).mean(), spread(best_cell(ds)))],
        "effects": [
            [heading(ds, name) if name in names else name, float(share)]
            for name, share in effects.items()
        ],
        "failures": _failures(ds),
        "errors": strings(attrs.get("errors")),
        "spec": str(attrs.get("spec", "")),
        "versions": {name: str(attrs.get(name, "?")) for name in ("memjax", "jax")},
        "command": str(attrs.get("command", "")),
    }


def _axis(ds: xr.Dataset, axis: str) -> dict[str, Any]:
    """Describes an axis; ``x`` is where its values lie, None where they are evenly spaced names."""
    about: dict[str, Any] = {"name": heading(ds, axis), "label": axis_label(ds, axis)}
    about |= {"values": labels(ds, axis), "x": None, "log": False, "numeric": is_numeric(ds, axis)}
    if about["numeric"]:
        values = ds[axis].values.astype(float)
        log = is_geometric(values)
        if not log or values[0] > 0:  # 0 has no place on a logarithmic axis
            about |= {"x": values.tolist(), "log": log}
    return about


def _failures(ds: xr.Dataset) -> dict[str, Any]:
    """Lists failed lanes: number, status, index of the seed, index on each axis."""
    where = np.argwhere(failed(ds).values)
    shown = [tuple(index) for index in where[:_LOST_ROWS]]
    rows = [
        [int(ds[_LANE].values[i]), int(ds["status"].values[i]), int(i[-1]), *map(int, i[:-1])]
        for i in shown
    ]
    return {"count": len(where), "rows": sorted(rows), "seeds": ds["seed"].values.tolist()}


def _bytes(about: Objective) -> int:
    """Of a packed value."""
    return 2 if about.as_percent else 4


def _pack(values: xr.DataArray, about: Objective) -> str:
    """Encodes values, the first byte of each the lowest.

    Fractions are 16-bit words of ten-thousandths, NaN as 65535; others are 32-bit floats. A word
    rounds on to the tenth of a percent that tables write, which are of the number itself.
    """
    numbers = values.values.astype(float)
    if not about.as_percent:
        return base64.b64encode(numbers.astype("<f4").tobytes()).decode()
    nearest = (1000 * np.char.mod("%.1f", 100 * numbers).astype(float) / 10).round()
    words = np.nan_to_num((1e4 * numbers).round().clip(nearest - 4, nearest + 4), nan=65535)
    return base64.b64encode(words.clip(0, 65535).astype("<u2").tobytes()).decode()


def _json(numbers: xr.DataArray) -> list[float | None]:
    return [x if np.isfinite(x) else None for x in numbers.values.astype(float).tolist()]
