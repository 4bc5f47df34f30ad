"""A perceptron for MNIST, as somebody might have it: no line is memjax's."""

import itertools

from flax import nnx


class Perceptron(nnx.Module):
    """784-256-128-10, of which the first layer fills large tiles: 235,146 parameters."""

    def __init__(self, *, rngs: nnx.Rngs):
        sizes = (784, 256, 128, 10)
        self.layers = nnx.List(nnx.Linear(m, n, rngs=rngs) for m, n in itertools.pairwise(sizes))

    def __call__(self, x):
        """Scores of images [batch, 28, 28, 1]."""
        x = x.reshape(len(x), -1)
        for layer in self.layers[:-1]:
            x = nnx.relu(layer(x))
        return self.layers[-1](x)
