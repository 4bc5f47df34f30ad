"""Pictures of bitstreams: the curve of switching, errors by length, correlation, the bits."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from memjax.bitstreams.bitstream import Bitstream
from memjax.bitstreams.correlation import mean_scc
from memjax.bitstreams.switching_fit import SwitchingFit
from memjax.palette import COLOURS


def switching_curve(fit: SwitchingFit) -> Any:
    """The probability against the voltage: measured points with intervals, the law, its band.

    Args:
      fit: of ``fit_switching``.

    Returns:
      A matplotlib figure.
    """
    from matplotlib.figure import Figure
    from scipy import stats

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes, counts = figure.subplots(), fit.counts
    volts = np.linspace(counts.voltage.min() - 0.1, counts.voltage.max() + 0.1, 200)
    widths = np.unique(counts.width)
    for number, width in enumerate(widths):
        colour, mine = COLOURS[number % len(COLOURS)], counts.width == width
        label = f"{1e3 * width:.3g} ms"
        axes.plot(volts, np.asarray(fit.device.probability(volts, width)), color=colour)
        axes.fill_between(volts, *fit.band(volts, float(width)), color=colour, alpha=0.2, lw=0)
        k, n = counts.switched[mine], counts.trials[mine]
        low = np.nan_to_num(stats.beta.ppf(0.025, k, n - k + 1), nan=0.0)
        high = np.nan_to_num(stats.beta.ppf(0.975, k + 1, n - k), nan=1.0)
        axes.errorbar(
            counts.voltage[mine],
            k / n,
            np.abs([k / n - low, high - k / n]),
            fmt="o",
            ms=4,
            color=colour,
            label=label,
        )
    axes.set_xlabel("pulse voltage (V)")
    axes.set_ylabel("switching probability")
    axes.set_ylim(-0.03, 1.03)
    axes.legend(title="pulse width", frameon=False)
    low, high = fit.intervals["v0"]
    title = f"V0 = {fit.device.v0:.4g} V ({low:.4g} to {high:.4g}), tau0 = {fit.device.tau0:.3g} s"
    axes.set_title(f"{title}\nbars and bands: 95 %", fontsize=10)
    return figure


def error_against_length(
    lengths: Any, errors: Mapping[str, Any], theory: Mapping[str, Any] | Any
) -> Any:
    """The rms error against the length of streams, both logarithmic, and the theory's line.

    Args:
      lengths: bits.
      errors: the rms errors at each length, by name.
      theory: ``sqrt(P (1 - P) / N)`` at each length, for all, or by name.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for number, (name, error) in enumerate(errors.items()):
        colour = COLOURS[number % len(COLOURS)]
        axes.plot(lengths, error, "o", ms=5, color=colour, label=name)
        if isinstance(theory, Mapping):
            axes.plot(lengths, theory[name], color=colour, lw=1)
    if not isinstance(theory, Mapping):
        axes.plot(lengths, theory, color="black", lw=1)
    axes.plot([], [], color="black", lw=1, label="fair bits: sqrt(P(1 − P)/N)")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlabel("length of a stream N (bits)")
    axes.set_ylabel("rms error of the probability")
    axes.legend(frameon=False, fontsize=9)
    return figure


def scc_map(n: int, points: int = 15) -> Any:
    """The mean SCC of independent streams over p and q: far from 0 towards the edges.

    Args:
      n: bits of a stream.
      points: values of p, and of q.
    """
    from matplotlib.figure import Figure

    values = np.linspace(0.05, 0.95, points)
    means = np.array([[mean_scc(float(p), float(q), n) for p in values] for q in values])
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes, most = figure.subplots(), float(np.abs(means).max())
    mesh = axes.pcolormesh(values, values, means, cmap="PuOr", vmin=-most, vmax=most)
    figure.colorbar(mesh, label="mean SCC of independent streams")
    axes.set_xlabel("probability of x")
    axes.set_ylabel("probability of y")
    axes.set_title(f"{n} bits", fontsize=10)
    axes.set_aspect("equal")
    return figure


def bars(streams: Mapping[str, Bitstream], most: int = 64) -> Any:
    """Streams as bars: a one is dark; their values at the right.

    Args:
      streams: one each, by name.
      most: bits that are drawn.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 0.45 * len(streams) + 0.8), layout="constrained")
    axes = figure.subplots()
    rows = np.stack([np.asarray(s.bits()).reshape(-1)[:most] for s in streams.values()])
    for row, bits in enumerate(rows):
        ones = np.flatnonzero(bits)
        axes.bar(ones, 0.8, width=1.0, bottom=row - 0.4, align="edge", color=COLOURS[0])
    axes.set_yticks(range(len(streams)), list(streams))
    axes.invert_yaxis()
    axes.set_xlim(0, rows.shape[1])
    axes.set_xlabel(f"bit (the first {rows.shape[1]})")
    twin = axes.secondary_yaxis("right")
    values = [f"{float(np.ravel(s.value)[0]):.3f}" for s in streams.values()]
    twin.set_yticks(range(len(streams)), values)
    twin.set_ylabel("share of ones")
    return figure


def edge_maps(maps: Mapping[str, Any]) -> Any:
    """Edge maps side by side, on one scale.

    Args:
      maps: images in [0, 1], by name.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2.1 * len(maps) + 0.8, 2.6), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(maps)))
    for axes, (name, image) in zip(panels, maps.items(), strict=True):
        drawn = axes.imshow(np.asarray(image), cmap="gray", vmin=0.0, vmax=1.0)
        axes.set_title(name, fontsize=9)
        axes.set_xticks([])
        axes.set_yticks([])
    figure.colorbar(drawn, ax=list(panels), label="edge strength")
    return figure
