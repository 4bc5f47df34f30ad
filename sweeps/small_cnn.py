"""A small CNN of studies on arrays, and weights of PyTorch for it.

    python sweeps/small_cnn.py THEIRS.npz net.npz
    memjax sweep sweeps/memtorch_surface.toml --data-dir DIR --set model.weights=net.npz

THEIRS.npz holds two 3 x 3 convolutions and a classifier in PyTorch's layouts, ``0_weight 0_bias
2_weight 2_bias 5_weight 5_bias``; net.npz has them by their paths in the model, in Flax's layouts.
Without ``model.weights`` the model is trained first.
"""

import sys

import numpy as np
from flax import nnx


class CNN(nnx.Module):
    """Two strided convolutions and a classifier: 7,018 parameters, of CrossSim's tutorial.

    The classifier sees channels before places, as PyTorch's does.
    """

    def __init__(self, *, rngs: nnx.Rngs):
        self.first = nnx.Conv(1, 8, (3, 3), strides=2, padding="VALID", rngs=rngs)
        self.second = nnx.Conv(8, 16, (3, 3), strides=2, padding="VALID", rngs=rngs)
        self.out = nnx.Linear(6 * 6 * 16, 10, rngs=rngs)

    def __call__(self, x):
        """Scores of images [batch, 28, 28, 1]."""
        x = nnx.relu(self.second(nnx.relu(self.first(x))))
        return self.out(self.flat(x))

    def flat(self, x):
        """Features of each image in a row."""
        return x.transpose(0, 3, 1, 2).reshape(len(x), -1)


class ChannelsLast(CNN):
    """The same, its classifier in Flax's order."""

    def flat(self, x):
        """Places before channels."""
        return x.reshape(len(x), -1)


def main(theirs: str, ours: str) -> None:
    """Writes PyTorch's weights as the model's."""
    with np.load(theirs) as arrays:
        found = {}
        for name, number, axes in (("first", 0, (2, 3, 1, 0)), ("second", 2, (2, 3, 1, 0)),
                                   ("out", 5, (1, 0))):  # fmt: skip
            found[f"{name}/kernel"] = arrays[f"{number}_weight"].transpose(axes)
            found[f"{name}/bias"] = arrays[f"{number}_bias"]
    np.savez(ours, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
