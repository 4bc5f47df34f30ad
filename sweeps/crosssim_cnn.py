"""The convolutional network of CrossSim's tutorial on MNIST: 7,018 parameters."""

from flax import nnx


class CNN(nnx.Module):
    """Two strided convolutions and a classifier."""

    def __init__(self, *, rngs: nnx.Rngs):
        self.first = nnx.Conv(1, 8, (3, 3), strides=2, padding="VALID", rngs=rngs)
        self.second = nnx.Conv(8, 16, (3, 3), strides=2, padding="VALID", rngs=rngs)
        self.out = nnx.Linear(6 * 6 * 16, 10, rngs=rngs)

    def __call__(self, x):
        """Scores of images [batch, 28, 28, 1]."""
        x = nnx.relu(self.first(x))
        x = nnx.relu(self.second(x))
        return self.out(x.reshape(len(x), -1))
