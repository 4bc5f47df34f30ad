"""The hidden layer: fixed 3 x 3 kernels, slid over spiking pixels, each place a LIF neuron."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, UInt8

from memjax.spiking.hidden_spikes import BYTE
from memjax.spiking.kernels import check_kernels, slide
from memjax.spiking.lif import LIF, LIFState
from memjax.spiking.traces import SYNAPSE, Synapse, trace_step

GAIN = 5.0
"""Weight of a kernel's unit, in nA."""


def trace_table(
    trains: Bool[np.ndarray, "steps values"], dt: float | int, synapse: Synapse = SYNAPSE
) -> Float[np.ndarray, "steps values"]:
    """The trace of each train, in float64, as float32; all pixels of a value share it.

    Args:
      trains: of the values of pixels.
      dt: the step, in ms.
      synapse: time constants of the pixels' synapses.
    """
    decays = np.exp(-dt / float(synapse.decay)), np.exp(-dt / float(synapse.rise))
    both: Any = np.zeros((2, trains.shape[1]))
    found = np.empty(trains.shape, np.float32)
    for c, spikes in zip(found, trains, strict=True):
        both, c[:] = trace_step(both, spikes, decays)
    return found


def hidden_layer(
    images: UInt8[Array | np.ndarray, "images rows columns"],
    trains: Bool[np.ndarray, "steps values"],
    kernels: Float[np.ndarray, "kernels height width"],
    dt: float | int,
    neuron: LIF | None = None,
) -> UInt8[Array, "bytes images neurons"]:
    """The spikes of every neuron of the hidden layer, eight steps a byte, the first one lowest.

    Neuron ``(kernel, row, column)`` is driven by ``5 nA sum_ij K_ij c(row + i, column + j)``, c the
    traces of the pixels' trains; neurons are numbered in this order.

    Args:
      images: pixels of 0 to 255.
      trains: of the values of pixels.
      kernels: weights of each kernel.
      dt: the step, in ms.
      neuron: of the layer.
    """
    check_kernels(np.asarray(kernels))
    weights = jnp.asarray(kernels, jnp.float32).reshape(len(kernels), 9)
    table, steps = byte_tables(trains, dt)
    return _compiled(jnp.asarray(images), table, steps, weights, dt, neuron or LIF())


def byte_tables(trains: Bool[np.ndarray, "steps values"], dt: float | int) -> tuple[Array, Array]:
    """Traces of trains, ``[bytes, 8, values]``, and which of these steps there are.

    Args:
      trains: of the values of pixels.
      dt: the step, in ms.
    """
    padded = np.zeros((-(-len(trains) // BYTE) * BYTE, trains.shape[1]), bool)
    padded[: len(trains)] = trains
    table = trace_table(padded, dt).reshape(-1, BYTE, trains.shape[1])
    return jnp.asarray(table), jnp.asarray(np.arange(len(padded)).reshape(-1, BYTE) < len(trains))


def copies_fire(
    images: UInt8[Array, "images rows columns"],
    table: Float[Array, "bytes 8 values"],
    steps: Bool[Array, "bytes 8"],
    weights: Float[Array, "kernels *copies 9"],
    dt: float | int,
    neuron: LIF,
) -> UInt8[Array, "bytes images neurons"]:
    """``hidden_layer``, each neuron with a copy of its kernel of its own if there is one.

    Args:
      images: pixels of 0 to 255.
      table, steps: of ``byte_tables``.
      weights: of each kernel, or of each neuron's, ``[kernels, rows - 2, columns - 2, 9]``.
      dt: the step, in ms.
      neuron: of the layer.
    """
    height, width = (extent - 2 for extent in images.shape[1:])
    pixels = images.astype(jnp.int32)
    shape = (len(images), len(weights), height, width)

    def currents(values: Array) -> Array:
        return GAIN * slide(weights, values[pixels])

    def byte(state: LIFState, now: tuple[Array, Array]) -> tuple[LIFState, Array]:
        found = jnp.zeros(shape, jnp.uint8)
        for bit, values in enumerate(now[0]):
            state, fires = neuron.step(state, currents(values), dt)
            fires &= now[1][bit]
            found |= fires.astype(jnp.uint8) << bit
        return state, found

    _, found = jax.lax.scan(byte, neuron.init(shape), (table, steps))
    return found.reshape(len(table), len(images), -1)


_compiled = jax.jit(copies_fire, static_argnames="dt")
