"""The pulse response of the devices that were swept, with the band of their spread."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from memjax.sweep.analysis.results import axes, axis_label, failed, labels
from memjax.sweep.show.lines import legend_title, lines, tidy
from memjax.sweep.show.panels import evenly, legend, make_panels, panel_title, part_drawn, wrapped

_ROUNDING = 1e-4  # of the range: other programs of one device differ by so little


def has_response(ds: xr.Dataset) -> bool:
    """Whether results tell how devices answer pulses."""
    return {"response", "response_pulses"} <= set(ds) and "quantile" in ds["response"].dims


def response_figure(ds: xr.Dataset) -> Figure:
    """Draws conductance against pulses, up and then down: the median of devices and their band.

    A line a value of the axis that changes the response most, panels over the next one; axes that
    change nothing of it, which are not of the device, are left out.
    """
    ds = tidy(ds)
    found = ds[["response", "response_pulses", "status"]].where(~failed(ds))
    found = found.mean("seed", keep_attrs=True)
    moved = {axis: _moved(found, axis) for axis in axes(ds)}
    order = sorted((a for a in moved if moved[a] > _ROUNDING), key=lambda a: -moved[a])
    line, rest, over = next(iter(order), None), order[1:2], order[2:]
    still = [axis for axis in axes(ds) if axis not in order]
    found = found.isel(dict.fromkeys(still, 0), drop=True)
    found = found.isel({axis: ds.sizes[axis] // 2 for axis in over}).assign_attrs(ds.attrs)
    chosen = evenly(ds.sizes[rest[0]]) if rest else [0]
    low, high = (100 * float(ds["quantile"].values[i]) for i in (0, -1))
    title = f"pulse response of the devices: their median; band: {low:g} to {high:g} % of them"
    if over:
        title += f", at {', '.join(f'{a} {labels(ds, a)[ds.sizes[a] // 2]}' for a in over)}"
    if rest:
        title += part_drawn(len(chosen), ds.sizes[rest[0]], "panels")
    about = found["response"].attrs
    unit = f"conductance ({about.get('units', '1')})"
    figure, panels = make_panels(ds, title, len(chosen), unit)
    for ax, index in zip(panels, chosen, strict=True):
        part = found.isel({rest[0]: index}) if rest else found
        for name, colour, one in lines(part, line):
            g = one["response"].transpose("quantile", "train").values
            x = np.arange(g.shape[1]) * float(one["response_pulses"])
            ax.plot(x, g[len(g) // 2], color=colour, label=name)
            ax.fill_between(x, g[0], g[-1], color=colour, alpha=0.2, linewidth=0)
        if rest:
            name = f"{axis_label(ds, rest[0])}: {labels(ds, rest[0])[index]}"
            panel_title(ax, wrapped(name, 34))
        ax.set_xlabel("pulses (as many up, then down)")
        ax.set_ylim(-0.02, 1.02)
    legend(figure, panels[0], "outside right center", title=legend_title(ds, line))
    return figure


def _moved(found: xr.Dataset, axis: str) -> float:
    """How much the response, pulse by pulse, changes along an axis."""
    changes = found["response"].std(axis).mean() + found["response_pulses"].std(axis).mean()
    return float(changes.fillna(0.0))
