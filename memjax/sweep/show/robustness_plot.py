"""What is left of the objective under other circumstances, as a picture."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from memjax.sweep.analysis.effects import ranked
from memjax.sweep.analysis.results import baseline_name, failed, objective, robustness
from memjax.sweep.show.lines import averaged, band, legend_title, lines, tidy
from memjax.sweep.show.panels import BASELINE, legend, make_panels, panel_title, wrapped
from memjax.words import literal


def robustness_figure(ds: xr.Dataset) -> Figure:
    """Draws the objective under other circumstances relative to the plain ones, a panel a kind.

    A line a value of the axis along which what is left varies most. Failed lanes are left out: at
    the guess under any circumstances, they would look robust.
    """
    ds = tidy(ds)
    about, of = objective(ds), robustness(ds)
    assert of is not None
    order, kinds = ranked(ds), _kinds(ds[of.dim].values.tolist(), of.plain)
    axis = max(order, key=lambda name: _moved(_left(ds), name), default=None)
    subtitle = f"{averaged(ds, [a for a in order if a != axis])}, band: ± sd over seeds"
    left_out = " (failed lanes left out)" if failed(ds).any() else ""
    y_label = wrapped(f"{about.label} relative to {of.plain} (%)")
    figure, panels = make_panels(ds, subtitle + left_out, len(kinds), y_label)
    series = [
        (name, {"color": colour}, part[of.column].astype(float).where(~failed(part)))
        for name, colour, part in lines(ds, axis)
    ]
    if of.baseline is not None:
        series.append((baseline_name(ds), BASELINE, ds[of.baseline].astype(float)))
    for ax, (kind, levels) in zip(panels, kinds.items(), strict=True):
        for name, look, values in series:
            by_seed = values.mean([d for d in values.dims if d not in ("seed", of.dim)])
            plain = by_seed.sel({of.dim: of.plain})
            relative = 100 * by_seed.sel({of.dim: list(levels)}) / plain
            fate = "failed"
            if not plain.isnull().all():
                form = ".0f" if about.as_percent else None
                fate = f"{of.plain} {about.text(plain.mean(), form=form)}"
            band(ax, np.array(list(levels.values())), relative, f"{name} ({fate})", look)
        panel_title(ax, kind.replace("_", " "))
        ax.set_xlabel(literal(f"{of.dim.replace('_', ' ')} level"))
    legend(figure, panels[0], "outside right center", title=legend_title(ds, axis))
    return figure


def _left(ds: xr.Dataset) -> xr.DataArray:
    """What is left of the plain objective, on average, of lanes that did not fail."""
    of = robustness(ds)
    assert of is not None
    values = ds[of.column].astype(float).where(~failed(ds))
    return (values / values.sel({of.dim: of.plain})).mean([of.dim, "seed"])


def _moved(left: xr.DataArray, axis: str) -> float:
    return float(left.mean([d for d in left.dims if d != axis]).var())


def _kinds(names: list[str], plain: str) -> dict[str, dict[str, float]]:
    """Groups points by kind: from the plain one (level 0) on, each name with its level."""
    kinds: dict[str, dict[str, float]] = {}
    for name in names:
        kind, _, level = name.rpartition(" ")
        if kind:
            kinds.setdefault(kind, {plain: 0.0})[name] = float(level)
    return {kind: dict(sorted(found.items(), key=lambda x: x[1])) for kind, found in kinds.items()}
