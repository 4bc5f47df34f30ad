"""The Roberts cross of images by streams of switching devices, some of whose bits are wrong."""

import jax
import jax.numpy as jnp
import numpy as np

from memjax.bitstreams import Drive, SwitchingDevice, roberts_cross, roberts_cross_of_streams
from memjax.experiments import Column, Experiment, Images, Objective, Stages, part
from memjax.pytree import Leaf, param, params, static
from memjax.random import as_key, fold_in


@params
class Edges(Experiment):
    """How far an edge map is off, and how many of the true edges are among its strongest pixels."""

    device: SwitchingDevice = part(SwitchingDevice)
    pulse: Drive = part(Drive)
    data: Images = part(Images)
    encoder: str = static(
        default="shared", doc="of a difference's pixels", choices=("shared", "two_devices")
    )
    flips: Leaf = param(default=0.0, doc="bits that are wrong", at_least=0, at_most=1)
    threshold: float = static(default=0.25, doc="of an edge in the exact map", swept=False)
    lengths: tuple[int, ...] = static(default=(16, 64, 256, 1024), doc="bits", swept=False)

    def stages(self):
        """Lengths of streams."""
        return Stages("length", self.lengths, "bit", "length of a stream")

    def columns(self, data):
        """The error, and the edges found."""
        return {
            "rms_error": Column(("length",), "1", "rms error of the edge map"),
            "theory": Column(("length",), "1", "rms error of fair bits"),
            "found": Column(("length",), "1", "edges among as many strongest pixels"),
            "chance": Column(("length",), "1", "the same of a random map"),
        }

    def objective(self, data):
        """The rms error."""
        return Objective("rms_error", "lower", None, guess=0.5)

    def load(self, given=None):
        """Test images in [0, 1]."""
        images = self.data.load(given).x_test
        side = int(np.sqrt(images[0].size))
        return images.reshape(-1, side, side).astype(np.float32)

    def size(self, data):
        """Words of the longest streams."""
        return data.size * max(self.lengths) // 8

    def evaluate(self, state, key_data, stage, data, *, last):
        """An edge map at each length; each is a program of its own."""
        exact = roberts_cross(data)
        edges = exact > self.threshold
        key = as_key(fold_in(key_data, stage))

        def of_length(n):
            return lambda: roberts_cross_of_streams(
                data, n, key, self.device, self.encoder, self.flips, self.pulse
            )

        found = jax.lax.switch(stage, [of_length(n) for n in self.lengths])
        order = jnp.argsort(-found.ravel())
        rank = jnp.zeros(order.shape, jnp.int32).at[order].set(jnp.arange(order.size))
        strongest = (rank < jnp.sum(edges)).reshape(edges.shape)
        n = jnp.asarray(self.lengths, jnp.float32)[stage]
        return {
            "rms_error": jnp.sqrt(jnp.mean(jnp.square(found - exact))),
            "theory": jnp.sqrt(jnp.mean(exact * (1.0 - exact)) / n),
            "found": jnp.sum(strongest & edges) / jnp.maximum(jnp.sum(edges), 1),
            "chance": jnp.mean(edges.astype(jnp.float32)),
        }
