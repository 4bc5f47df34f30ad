"""A small convolutional network with batch norm, as somebody might have it: no line is memjax's."""

from flax import nnx


class CNN(nnx.Module):
    """Two convolutions, the first one normalised, and a classifier."""

    def __init__(self, width: int = 4, *, rngs: nnx.Rngs):
        self.first = nnx.Conv(1, width, (3, 3), use_bias=False, rngs=rngs)
        self.norm = nnx.BatchNorm(width, rngs=rngs)
        self.second = nnx.Conv(width, 2 * width, (3, 3), rngs=rngs)
        self.out = nnx.Linear(8 * width, 10, rngs=rngs)

    def __call__(self, x):
        """Scores of images [batch, 8, 8, 1]."""
        x = nnx.max_pool(nnx.relu(self.norm(self.first(x))), (2, 2), strides=(2, 2))
        x = nnx.max_pool(nnx.relu(self.second(x)), (2, 2), strides=(2, 2))
        return self.out(x.reshape(len(x), -1))
