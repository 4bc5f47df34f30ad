"""Pictures of arrays: what a product gives, what wires take, what time and programming do."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Key

from memjax import random
from memjax.crossbar.analog_model import AnalogModel
from memjax.crossbar.drift import Drift
from memjax.crossbar.losses import products
from memjax.crossbar.programming import Exact, Programming
from memjax.crossbar.times import TIMES
from memjax.crossbar.wires import AnyArray, Wires, cell_voltages
from memjax.errors import UserError
from memjax.palette import COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DOTS = 4000  # of a panel
_DEVICES = 2000  # of a fan
_MICRO = 1e-6


def product_scatter(
    analog: AnalogModel, *args: Any, key: Key[jax.Array, ""] | None = None, **options: Any
) -> "Figure":
    """Each layer's products against those wanted, with the inputs that it gets: a panel a layer.

    Args:
      analog: the model.
      args: what it is called with.
      key: a typed key, where products are noisy.
      options: what else it is called with.
    """
    layers = products(analog, *args, key=key, **options)
    across = min(len(layers), 3)
    figure = _figure(3.2 * across, 3.2 * -(-len(layers) // across))
    panels = figure.subplots(-(-len(layers) // across), across, squeeze=False).ravel()
    for axes, (name, layer) in zip(panels, layers.items(), strict=False):
        wanted, y = (np.asarray(of).ravel() for of in (layer.wanted, layer.y))
        some = np.linspace(0, len(wanted) - 1, min(len(wanted), _DOTS)).astype(int)
        ends = [min(wanted.min(), y.min()), max(wanted.max(), y.max())]
        axes.plot(ends, ends, color="black", lw=0.8, ls="--", label="as wanted")
        axes.plot(wanted[some], y[some], ".", color=COLOURS[0], ms=3, alpha=0.3, mew=0)
        axes.set(xlabel="wanted product", ylabel="analog product")
        axes.set_title(f"{name}\n{layer.snr:.0f} dB", fontsize="medium")
    for axes in panels[len(layers) :]:
        axes.axis("off")
    panels[0].legend(frameon=False, loc="upper left")
    return figure


def drop_map(conductance: AnyArray, wires: Wires, voltage: AnyArray | None = None) -> "Figure":
    """The share of its row's voltage that each cell of a tile lacks, wherever the wires end.

    Args:
      conductance: of the cells, siemens, ``[rows, columns]``.
      wires: of any topology that is not interleaved.
      voltage: of the rows, volts; all rows at one by default.

    Raises:
      UserError: interleaved wires, or shapes that do not fit.
    """
    if wires.is_interleaved:
        raise UserError(f"drop_map: topology = {wires.topology!r} has two cells in a place")
    rows = np.shape(conductance)[0]
    volts = np.ones(rows) if voltage is None else np.asarray(voltage, float)
    across = np.asarray(cell_voltages(conductance, jnp.asarray(volts, jnp.float32), wires))
    with np.errstate(divide="ignore", invalid="ignore"):
        lost = 100.0 * (1.0 - across / volts[:, None])
    figure = _figure(5.2, 4.2)
    axes = figure.subplots()
    image = axes.imshow(lost, cmap="viridis", aspect="auto", vmin=0.0)
    axes.set_xlabel("bit line (output), read at the bottom")
    axes.set_ylabel("word line (input), driven at the left")
    axes.set_title(
        f"{float(wires.r_row):g} and {float(wires.r_column):g} Ω a segment of word and bit line",
        fontsize="medium",
    )
    figure.colorbar(image, ax=axes, label="voltage lost across a cell (%)")
    return figure


def drift_fan(
    drift: Drift,
    programming: Programming | None = None,
    *,
    conductances: Sequence[float] = (2.5e-6, 5e-6, 10e-6, 25e-6),
    gmax: float = 25e-6,
    times: Sequence[float] | None = None,
    seed: int = 0,
) -> "Figure":
    """Conductances over time: the median and the middle 90 % of devices, of several targets.

    Args:
      drift: what time does.
      programming: the error that devices begin with; none by default.
      conductances: targets, siemens.
      gmax: siemens.
      times: seconds since programming; 1 s to a year by default.
      seed: of the devices.

    Raises:
      UserError: targets beyond ``gmax``.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    if not conductances or max(conductances) > gmax or min(conductances) < 0:
        raise UserError(f"drift_fan: conductances must be in 0 to gmax = {gmax:g} S")
    seconds = np.geomspace(1.0, TIMES["year"], 33) if times is None else np.asarray(times, float)
    key = random.stream(jax.random.key(seed))
    targets = jnp.repeat(jnp.asarray(conductances, jnp.float32)[:, None] / gmax, _DEVICES, axis=1)
    written = (programming or Exact()).program(
        random.fold_in(key, 0), targets, gmin=jnp.float32(0.0), gmax=gmax
    )
    nu = drift.exponents(random.fold_in(key, 1), targets)

    def seen(number: Any, time: Any) -> Any:
        return drift.seen(random.fold_in(random.fold_in(key, 2), number), written, nu, time)

    found = jax.vmap(seen)(jnp.arange(len(seconds)), jnp.asarray(seconds, jnp.float32))
    low, middle, high = np.quantile(np.asarray(found) * gmax / _MICRO, (0.05, 0.5, 0.95), axis=2)
    figure = _figure(6.6, 4.2)
    axes = figure.subplots()
    for number, target in sorted(enumerate(conductances), key=lambda each: -each[1]):
        colour = COLOURS[number % len(COLOURS)]
        axes.fill_between(
            seconds, low[:, number], high[:, number], color=colour, alpha=0.2, linewidth=0
        )
        axes.plot(seconds, middle[:, number], color=colour, label=f"{target / _MICRO:g} µS")
    axes.set(xscale="log", yscale="log", ylabel="conductance (µS)")
    axes.set_xlabel("time since programming (s)")
    for name in ("hour", "day", "year"):
        if seconds[0] < TIMES[name] <= seconds[-1]:
            axes.axvline(TIMES[name], color="grey", lw=0.6, ls=":")
            axes.annotate(
                f"1 {name}", (TIMES[name], 1.0), xycoords=("data", "axes fraction"), rotation=90,
                ha="right", va="top", fontsize="small", color="grey",
            )  # fmt: skip
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    figure.legend(title="programmed to", frameon=False, loc="outside right upper")
    axes.set_title("median and middle 90 % of devices", fontsize="medium")
    return figure


def programming_spread(models: Mapping[str, Programming], *, gmax: float = 25e-6) -> "Figure":
    """The standard deviation of what is programmed against its target.

    Args:
      models: by the names that the picture has for them.
      gmax: siemens.
    """
    targets = jnp.linspace(0.0, 1.0, 201)
    figure = _figure(6.6, 4.0)
    axes = figure.subplots()
    styles = ("-", "--", "-.", ":")
    for number, (name, model) in enumerate(models.items()):
        sd = np.asarray(model.sd(targets, gmax)) * gmax / _MICRO
        (line,) = axes.plot(np.asarray(targets) * gmax / _MICRO, sd, label=name)
        line.set(color=COLOURS[number % len(COLOURS)], linestyle=styles[number % len(styles)])
    axes.set(xlabel="target conductance (µS)", ylabel="standard deviation (µS)")
    axes.set_xlim(0.0, gmax / _MICRO)
    axes.set_ylim(bottom=0.0)
    figure.legend(frameon=False, loc="outside right upper")
    return figure


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")
