"""A sweep as one HTML file: its heat map, lines and curves, to explore with no network."""

import base64
import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from plotly.offline import get_plotlyjs

from memjax.errors import UserError
from memjax.sweep.analysis.effects import (
    accuracy,
    axes,
    best_cell,
    chance,
    failed,
    final_accuracy,
    heading,
    is_numeric,
    labels,
    main_effects,
)
from memjax.sweep.show.panels import LABELS, is_geometric, label

_PAGE = Path(__file__).with_name("report.html")
_CURVE_POINTS = 500_000  # cells x epochs that are kept: 2.7 MB of the file
_LOST_ROWS = 1000  # failed lanes that are listed


def write(results: xr.Dataset, path: Path | str) -> Path:
    """Writes the report of a sweep: one HTML file that opens offline in any browser.

    Args:
        results: A sweep's result, see `memjax.sweep.analysis.effects.main_effects`, with
            `baseline_accuracy` (seed, epoch).
        path: The file, `.html`; it appears whole or not at all, in place of an older one.

    Returns:
        The path.

    Raises:
        UserError: It is no name of an HTML file or cannot be written, or a lane has no accuracy.
    """
    path = Path(path)
    if path.suffix.lower() != ".html":
        raise UserError(f"{path}: a report is an HTML file; give --out a name that ends in .html")
    page = html(results)
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        try:
            partial.write_text(page, encoding="utf-8")
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        why = error.strerror or error
        raise UserError(f"{path}: cannot be written: {why}; give another --out") from None
    return path


def html(results: xr.Dataset) -> str:
    """Returns the page of `write`: the template with plotly.js and the data filled in.

    All that comes from the sweep is one JSON block, in which no tag can begin; the page's script
    shows it as text.
    """
    data = json.dumps(_data(results), allow_nan=False).replace("<", r"\u003c")
    template = _PAGE.read_text(encoding="utf-8")
    return template.replace("/*PLOTLY*/", get_plotlyjs()).replace("/*DATA*/", data)


def _data(ds: xr.Dataset) -> dict[str, Any]:
    """Collects what the page shows: accuracies as fractions, cells row by row over the axes."""
    numbers = np.arange(ds["status"].size).reshape(ds["status"].shape)
    ds = ds.assign(lane=(ds["status"].dims, numbers))  # as `memjax explain` counts them
    one = [axis for axis in axes(ds) if ds.sizes[axis] == 1]
    fixed = [[heading(ds, axis), labels(ds, axis)[0]] for axis in one]
    ds = ds.isel(dict.fromkeys(one, 0), drop=True)
    ds = ds.sortby([axis for axis in axes(ds) if is_numeric(ds, axis)])
    names = axes(ds)
    ds = ds.transpose(*names, "seed", "epoch", ...)
    final, curves, baseline = final_accuracy(ds), accuracy(ds), ds["baseline_accuracy"]
    effects, cells, epochs = main_effects(ds)["share"], final.mean("seed"), ds.sizes["epoch"]
    kept = np.linspace(0, epochs - 1, max(2, min(epochs, _CURVE_POINTS // cells.size)))
    curves = curves.isel(epoch=np.unique(kept.round().astype(int)))
    attrs = ds.attrs
    return {
        "name": str(attrs.get("name", "sweep")),
        "dataset": str(attrs.get("dataset", "")),
        "seconds": float(attrs["seconds"]) if "seconds" in attrs else None,
        "notes": _strings(attrs.get("notes")),
        "fixed": fixed,
        "axes": [_axis(ds, axis) for axis in names],
        "seeds": ds.sizes["seed"],
        "chance": chance(ds),
        "baseline": {"mean": _json(baseline.mean("seed")), "sd": _json(_sd(baseline))},
        "epochs": {"all": ds["epoch"].values.tolist(), "curves": curves["epoch"].values.tolist()},
        "cells": {"mean": _pack(1e4 * cells), "sd": _pack(1e4 * _sd(final))},
        "curves": {"mean": _pack(1e4 * curves.mean("seed")), "sd": _pack(1e4 * _sd(curves))},
        "lost": _pack(failed(ds).sum("seed")),
        "best": int(cells.values.argmax()),
        "best_accuracy": [float(x) for x in (cells.max(), _sd(best_cell(ds)))],
        "effects": [
            [heading(ds, name) if name in names else name, round(share, 4)]
            for name, share in effects.items()
        ],
        "failures": _failures(ds),
        "errors": _strings(attrs.get("errors")),
        "spec": str(attrs.get("spec", "")),
        "versions": {name: str(attrs.get(name, "?")) for name in ("memjax", "jax")},
        "command": str(attrs.get("command", "memjax sweep spec.toml --out DIR")),
    }


def _axis(ds: xr.Dataset, axis: str) -> dict[str, Any]:
    """Describes an axis; `x` is where its values lie, None where they are evenly spaced names."""
    plain = re.sub(r"\$|_\\mathrm\{|\}", "", label(ds, axis)) if axis in LABELS else None
    about: dict[str, Any] = {"name": heading(ds, axis), "label": plain or label(ds, axis)}
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
        [int(ds["lane"].values[i]), int(ds["status"].values[i]), int(i[-1]), *map(int, i[:-1])]
        for i in shown
    ]
    return {"count": len(where), "rows": sorted(rows), "seeds": ds["seed"].values.tolist()}


def _sd(by_seed: xr.DataArray) -> xr.DataArray:
    """Returns the sample standard deviation over seeds; of one seed, 0."""
    return by_seed.std("seed", ddof=min(1, by_seed.sizes["seed"] - 1))


def _pack(numbers: xr.DataArray) -> str:
    """Encodes numbers as 16-bit words (the first of each byte pair the lower), NaN as 65535."""
    words = np.nan_to_num(numbers.values.astype(float).round(), nan=65535)
    return base64.b64encode(words.clip(0, 65535).astype("<u2").tobytes()).decode()


def _json(numbers: xr.DataArray) -> list[float | None]:
    return [x if np.isfinite(x) else None for x in numbers.values.astype(float).tolist()]


def _strings(found: Any) -> list[str]:
    return [str(x) for x in ([found] if isinstance(found, str) else np.ravel(found or []))]
