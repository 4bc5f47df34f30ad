"""Small models as people write them, NNX and Linen, for 4 x 4 images in three classes."""

import jax.numpy as jnp
from flax import linen, nnx


class Convolutional(nnx.Module):
    def __init__(self, width: int = 2, *, rngs: nnx.Rngs):
        self.conv = nnx.Conv(1, width, (3, 3), rngs=rngs)
        self.norm = nnx.BatchNorm(width, rngs=rngs)
        self.drop = nnx.Dropout(0.2, rngs=rngs)
        self.out = nnx.Linear(16 * width, 3, rngs=rngs)

    def __call__(self, x):
        x = nnx.relu(self.norm(self.conv(x))).reshape(len(x), -1)
        return self.out(self.drop(x))


class Recurrent(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.rnn = nnx.RNN(nnx.OptimizedLSTMCell(4, 5, rngs=rngs))
        self.out = nnx.Linear(5, 3, rngs=rngs)

    def __call__(self, x):
        return self.out(self.rnn(x[..., 0])[:, -1])


class Attentive(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.norm = nnx.LayerNorm(4, rngs=rngs)
        self.attention = nnx.MultiHeadAttention(
            2, 4, dropout_rate=0.1, decode=False, keep_rngs=False, rngs=rngs
        )
        self.out = nnx.Linear(4, 3, rngs=rngs)

    def __call__(self, x, *, rngs):
        x = x[..., 0]
        return self.out((x + self.attention(self.norm(x), rngs=rngs)).mean(axis=1))


class LinenConvolutional(linen.Module):
    width: int = 2

    @linen.compact
    def __call__(self, x, train: bool):
        x = linen.Conv(self.width, (3, 3))(x)
        x = linen.relu(linen.BatchNorm(use_running_average=not train)(x)).reshape(len(x), -1)
        x = linen.Dropout(0.2)(x, deterministic=not train)
        return linen.Dense(3)(x)


class LinenRecurrent(linen.Module):
    @linen.compact
    def __call__(self, x):
        return linen.Dense(3)(linen.RNN(linen.GRUCell(5))(x[..., 0])[:, -1])


class LinenAttentive(linen.Module):
    @linen.compact
    def __call__(self, x, deterministic):
        x = x[..., 0]
        y = linen.LayerNorm()(x)
        y = linen.MultiHeadDotProductAttention(2, dropout_rate=0.1)(y, deterministic=deterministic)
        return linen.Dense(3)((x + y).mean(axis=1))


class Counting(nnx.Module):
    """Tells how often it was called, in training and in all."""

    def __init__(self, rngs: nnx.Rngs):
        self.out = nnx.Linear(16, 3, rngs=rngs)
        self.calls = nnx.BatchStat(jnp.zeros(()))

    def __call__(self, x):
        self.calls[...] += 1.0
        return self.out(x.reshape(len(x), -1)) + self.calls[...]


def squared(outputs, y):
    return jnp.mean((outputs - jnp.eye(3)[y]) ** 2)


def errors(outputs, y):
    wrong = jnp.mean((jnp.argmax(outputs, axis=1) != y).astype(jnp.float32))
    return {"error": wrong, "confidence": jnp.mean(jnp.max(outputs, axis=1))}
