"""What is left of the objective under other circumstances, as a picture."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from memjax.sweep.analysis.effects import ranked
from memjax.sweep.analysis.results import (
    Robustness,
    baseline,
    baseline_name,
    failed,
    objective,
    robustness,
)
from memjax.sweep.show.lines import averaged, band, legend_title, lines, tidy
from memjax.sweep.show.panels import (
    BASELINE,
    GUESS,
    legend,
    make_panels,
    panel_title,
    wrapped,
)
from memjax.words import literal


def robustness_figure(ds: xr.Dataset) -> Figure:
    """Draws what is left of the gain over the guess under other circumstances, a panel a kind.

    100 % is the plain objective, 0 % the guess: ``(y - guess) / (plain - guess)``. A line a value
    of the axis along which what is left varies most. Lanes that are at the guess without any
    circumstances, as failed ones are, have nothing to lose and are left out: they would look
    robust.
    """
    ds = tidy(ds)
    about, of = objective(ds), robustness(ds)
    assert of is not None
    order, kinds = ranked(ds), _kinds(ds[of.dim].values.tolist(), of.plain)
    gains = _gains(ds, ds[of.column], of)
    left = (gains / gains.sel({of.dim: of.plain})).mean([of.dim, "seed"])
    axis = max(order, key=lambda name: _moved(left, name), default=None)
    subtitle = f"{averaged(ds, [a for a in order if a != axis])}, band: ± sd over seeds"
    if gains.isnull().any():
        subtitle += f" (lanes that failed or are at {about.guess_name} left out)"
    side = "above" if about.better == "higher" else "below"
    y_label = wrapped(f"{about.label} {side} {about.guess_name}, relative to {of.plain} (%)", 30)
    figure, panels = make_panels(ds, subtitle, len(kinds), y_label)
    series = [
        (name, {"color": colour}, _gains(part, part[of.column], of))
        for name, colour, part in lines(ds, axis)
    ]
    if of.baseline is not None:
        series.append((baseline_name(ds), BASELINE, _gains(ds, ds[of.baseline], of)))
    for ax, (kind, levels) in zip(panels, kinds.items(), strict=True):
        for name, look, values in series:
            by_seed = values.mean([d for d in values.dims if d not in ("seed", of.dim)])
            plain = by_seed.sel({of.dim: of.plain})
            relative = 100 * by_seed.sel({of.dim: list(levels)}) / plain
            fate = f"failed or at {about.guess_name}"
            if not plain.isnull().all():
                reached = about.guess + about.gain(plain.mean())
                form = ".0f" if about.as_percent else None
                fate = f"{of.plain} {about.text(reached, form=form)}"
            band(ax, np.array(list(levels.values())), relative, f"{name} ({fate})", look)
        ax.axhline(0, **GUESS, label=about.guess_name)
        ax.set_ylim(-5, 105)
        panel_title(ax, kind.replace("_", " "))
        ax.set_xlabel(literal(f"{of.dim.replace('_', ' ')} level"))
    legend(figure, panels[0], "outside right center", title=legend_title(ds, axis))
    return figure


def _gains(ds: xr.Dataset, values: xr.DataArray, of: Robustness) -> xr.DataArray:
    """How much better than the guess, of lanes (or the reference's) that are so when plain."""
    about, reference, values = objective(ds), baseline(ds), values.astype(float)
    reached = None if reference is None else float(reference.mean())
    if values.sizes.keys() >= set(ds["status"].dims):
        values = values.where(~failed(ds))
    plain = values.sel({of.dim: of.plain}, drop=True)
    is_at_guess = xr.apply_ufunc(lambda x: about.is_at_guess(x, reached), plain)
    return about.gain(values - about.guess).where(~is_at_guess)


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
