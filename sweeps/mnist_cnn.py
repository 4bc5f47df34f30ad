"""A convolutional network for MNIST, as somebody might have it: no line is memjax's."""

from flax import nnx


class CNN(nnx.Module):
    """Two strided convolutions, the first one normalised, and a classifier: 11,450 parameters."""

    def __init__(self, *, rngs: nnx.Rngs):
        self.first = nnx.Conv(1, 8, (5, 5), strides=2, use_bias=False, rngs=rngs)
        self.norm = nnx.BatchNorm(8, rngs=rngs)
        self.second = nnx.Conv(8, 16, (5, 5), strides=2, rngs=rngs)
        self.out = nnx.Linear(7 * 7 * 16, 10, rngs=rngs)

    def __call__(self, x):
        """Scores of images [batch, 28, 28, 1]."""
        x = nnx.relu(self.norm(self.first(x)))
        x = nnx.relu(self.second(x))
        return self.out(x.reshape(len(x), -1))
