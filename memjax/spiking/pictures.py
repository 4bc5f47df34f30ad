"""Pictures of an image in a spiking network: who fires when, and whether that is wanted."""

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Array, Bool, Float

from memjax.palette import COLOURS
from memjax.spiking.compete import Response
from memjax.spiking.lif import LIF

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def activity(
    hidden: Bool[np.ndarray, "steps neurons"],
    response: Response,
    wanted: Float[Array | np.ndarray, "steps outputs"],
    *,
    dt: float | int,
    output: int,
    kernels: int = 12,
    neuron: LIF | None = None,
) -> "Figure":
    """The raster of the hidden layer, desired against observed output spikes, and a membrane.

    Args:
      hidden: spikes of the hidden layer (``HiddenSpikes.dense``).
      response: of the outputs (``compete``).
      wanted: the desired trains (``desired``).
      dt: the step, in ms.
      output: whose membrane is drawn.
      kernels: of the hidden layer, whose neurons they part into maps of one size.
      neuron: of the outputs.
    """
    from matplotlib.figure import Figure

    neuron = LIF() if neuron is None else neuron
    figure = Figure(figsize=(7.0, 7.5), layout="constrained")
    raster, trains, membrane = figure.subplots(
        3, 1, sharex=True, gridspec_kw={"height_ratios": [3, 2, 1.6]}
    )
    _raster(raster, np.asarray(hidden), kernels, dt)
    fires = np.asarray(response.spikes)
    _trains(trains, fires, np.asarray(wanted), dt)
    potential = np.asarray(neuron.potential(response.u))[:, output]
    _membrane(membrane, potential, fires[:, output], float(np.asarray(neuron.threshold)), dt)
    membrane.set(xlabel="time (ms)", ylabel=f"potential of\noutput {output} (mV)")
    membrane.set_xlim(0.0, len(hidden) * dt)
    return figure


def _raster(axes: Any, hidden: np.ndarray, kernels: int, dt: float | int) -> None:
    """A dot a spike, maps of kernels one above the other."""
    step, number = np.nonzero(hidden)
    of_map = hidden.shape[1] / kernels
    for kernel in range(kernels):
        own = number // of_map == kernel
        colour = COLOURS[kernel % 2]
        axes.plot(step[own] * dt, number[own] / of_map + 1, ".", color=colour, ms=2.0, mew=0)
    axes.set(ylabel="map of kernel", ylim=(1, kernels + 1))
    axes.set_yticks(np.arange(kernels) + 1.5, [str(kernel + 1) for kernel in range(kernels)])
    axes.set_title(
        f"{len(step):,} spikes of {int(hidden.any(axis=0).sum())} of {hidden.shape[1]:,} hidden "
        "neurons",
        fontsize="medium",
    )


def _trains(axes: Any, fires: np.ndarray, wanted: np.ndarray, dt: float | int) -> None:
    """What is observed below what is desired, an output a row."""
    for train, colour, below, above, name in (
        (wanted > 0, COLOURS[1], 0.02, 0.4, "desired"),
        (fires, COLOURS[0], -0.4, -0.02, "observed"),
    ):
        step, output = np.nonzero(train)
        axes.vlines(step * dt, output + below, output + above, color=colour, lw=1.4, label=name)
    outputs = fires.shape[1]
    axes.set(ylabel="output", ylim=(-0.6, outputs - 0.4), yticks=range(outputs))
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)


def _membrane(
    axes: Any, potential: np.ndarray, fires: np.ndarray, threshold: float, dt: float | int
) -> None:
    """The potential, and a tick at the threshold where the output fires."""
    time = np.arange(len(potential)) * dt
    axes.plot(time, potential, color=COLOURS[0], lw=1.0)
    axes.plot(time[fires], np.full(fires.sum(), threshold), "|", color=COLOURS[3], ms=8)
    axes.axhline(threshold, color="black", lw=0.8, ls="--")
