"""Pictures of a machine: what its hidden units look at, what it makes of images."""

import math
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jaxtyping import Array, Float, Key

from memjax.boltzmann.machine import Parameters
from memjax.boltzmann.rbm import RBM
from memjax.errors import UserError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def receptive_fields(
    params: Parameters, shape: tuple[int, int] | None = None, units: int = 36
) -> "Figure":
    """The weights of some hidden units, each as an image: those with the largest weights.

    Args:
      params: of a machine whose visible units are pixels.
      shape: of an image; square by default.
      units: how many hidden units, at most.

    Raises:
      UserError: pixels that are not of that shape.
    """
    kernel = np.asarray(params["kernel"])
    height, width = _shape("receptive_fields", kernel.shape[0], shape)
    largest = np.argsort(-np.linalg.norm(kernel, axis=0))[:units]
    limit = float(np.quantile(np.abs(kernel[:, largest]), 0.995)) or 1.0
    figure, panels = _panels(len(largest), math.ceil(math.sqrt(len(largest))), colour_bar=True)
    for axes, unit in zip(panels, largest, strict=False):
        image = kernel[:, unit].reshape(height, width)
        shown = axes.imshow(image, cmap="PuOr_r", vmin=-limit, vmax=limit)
    figure.colorbar(shown, ax=list(panels), label="weight", shrink=0.6, extend="both")
    figure.suptitle(f"Receptive fields of {len(largest)} of {kernel.shape[1]} hidden units")
    return figure


def reconstructions(
    machine: RBM,
    params: Parameters,
    images: Float[Array | np.ndarray, "n visible"],
    key: Key[Array, ""],
    steps: int = 1,
    shape: tuple[int, int] | None = None,
) -> "Figure":
    """Images, and what a machine makes of each: the probability of each pixel in the last step.

    Args:
      machine: an RBM.
      params: its weights and biases.
      images: an image a row.
      key: a typed key.
      steps: of Gibbs sampling.
      shape: of an image; square by default.

    Raises:
      UserError: pixels that are not of that shape, or less than one step.
    """
    v = jax.numpy.asarray(images, jax.numpy.float32)
    height, width = _shape("reconstructions", v.shape[1], shape)
    before = machine.sample(params, v, key, steps - 1) if steps > 1 else v
    hidden = machine.hidden_probability(params, before)
    (drive,) = machine.visible_drive(params, hidden)
    after = machine.units.probability(drive)
    figure, panels = _panels(2 * len(v), len(v))
    for axes, image in zip(panels, [*np.asarray(v), *np.asarray(after)], strict=False):
        axes.imshow(image.reshape(height, width), cmap="gray_r", vmin=0, vmax=1)
    said = f"P(pixel) after {steps} step" + ("s" if steps > 1 else "")
    for row, text in enumerate(("image", said)):
        panels[row * len(v)].set_ylabel(text, rotation=0, ha="right", va="center")
    return figure


def _shape(who: str, pixels: int, shape: tuple[int, int] | None) -> tuple[int, int]:
    side = math.isqrt(pixels)
    shape = (side, side) if shape is None else shape
    if shape[0] * shape[1] != pixels:
        raise UserError(
            f"{who}: {pixels} pixels are no image of {shape}; give shape = (rows, columns)"
        )
    return shape


def _panels(number: int, across: int, *, colour_bar: bool = False) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    down = -(-number // across)
    figure = Figure(figsize=(across + 1.2 * colour_bar + 0.4, down + 0.3), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for axes in panels:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_color("0.8")
    for axes in panels[number:]:
        axes.axis("off")
    return figure, panels
