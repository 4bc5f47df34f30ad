"""A small network whose multipliers are AND gates on streams of switching devices."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from memjax.bitstreams import Drive, SwitchingDevice, effective_probability
from memjax.bitstreams.bernoulli import bernoulli
from memjax.bitstreams.drive import pulses_as_known
from memjax.errors import UserError
from memjax.experiments import Column, Experiment, Images, Objective, Stages, part
from memjax.pytree import param, params, static
from memjax.random import fold_in


@params
class Network(Experiment):
    """Test accuracy of a network trained in floating point, by the length of its streams.

    Inputs, hidden activations and magnitudes of weights are unipolar streams, the latter over the
    largest of their layer; a weight's sign says whether its counter counts up or down. Each
    input and each weight has a device of its own, for all images. Sums and rectification are
    digital, and biases too.
    """

    device: SwitchingDevice = part(SwitchingDevice)
    pulse: Drive = part(Drive)
    data: Images = part(Images)
    hidden: int = static(default=32, doc="hidden units", at_least=1, swept=False)
    epochs: int = static(default=5, doc="of training", at_least=1, swept=False)
    learning_rate: float = param(default=3e-3, doc="of Adam", more_than=0, swept=False)
    lengths: tuple[int, ...] = static(
        default=(32, 64, 128, 256, 512, 1024), doc="bits, multiples of 32", swept=False
    )

    def check(self):
        """Only devices without memory."""
        if self.device.remembers:
            raise UserError("device: rho and reset_failure are not simulated here; leave them out")
        if any(n % 32 for n in self.lengths) or list(self.lengths) != sorted(set(self.lengths)):
            raise UserError(f"study: lengths = {list(self.lengths)} must rise by multiples of 32")

    def stages(self):
        """Lengths of streams."""
        return Stages("length", self.lengths, "bit", "length of a stream")

    def columns(self, data):
        """The accuracy, and that in floating point."""
        return {
            "test_accuracy": Column(("length",), "1", "test accuracy"),
            "float_accuracy": Column((), "1", "test accuracy in floating point"),
        }

    def objective(self, data):
        """The accuracy."""
        return Objective("test_accuracy", "higher", (0.0, 1.0), 0.1)

    def load(self, given=None):
        """Test images, labels and a trained network; the largest activation is that of training."""
        found = self.data.load(given)
        x, test = (each.reshape(len(each), -1) for each in (found.x_train, found.x_test))
        net = _trained(x, found.y_train, self.hidden, self.epochs, float(self.learning_rate))
        most = max(float(np.max(x @ net["w"] + net["b"])), 1e-6)
        return {"x": test, "y": found.y_test, **net, "most": np.float32(most)}

    def size(self, data):
        """Bits of a step."""
        return data["x"].size

    def init(self, key_data, data):
        """Probabilities of all streams, and the hidden units' counts."""
        n_in, hidden = data["w"].shape
        of_weights, of_out = (
            self._chances(fold_in(key_data, k), jnp.abs(w) / _largest(w), w.shape)
            for k, w in ((1, data["w"]), (2, data["v"]))
        )
        inputs = self._chances(fold_in(key_data, 0), jnp.asarray(data["x"]), (n_in,))
        return inputs, of_weights, of_out, jnp.zeros((len(data["x"]), hidden), jnp.float32)

    def advance(self, state, key_data, stage, data):
        """The first layer's counts up to a length."""
        inputs, of_weights, of_out, sums = state
        ends = jnp.asarray((0, *self.lengths), jnp.int32)
        signs = jnp.sign(jnp.asarray(data["w"]))
        own = fold_in(key_data, 3)

        def word(number, sums):
            at = fold_in(own, number)
            return sums + _products(at, inputs, of_weights, signs)

        sums = jax.lax.fori_loop(ends[stage] // 32, ends[stage + 1] // 32, word, sums)
        return (inputs, of_weights, of_out, sums), {}

    def evaluate(self, state, key_data, stage, data, *, last):
        """The second layer, from hidden streams of the same length."""
        _, _, of_out, sums = state
        n = jnp.asarray(self.lengths, jnp.float32)[stage]
        hidden = jax.nn.relu(sums / n * _largest(data["w"]) + data["b"][None])
        share = jnp.minimum(hidden / data["most"], 1.0)
        own = fold_in(fold_in(key_data, 4), stage)
        chances = self._chances(fold_in(key_data, 5), share, share.shape[1:])
        signs = jnp.sign(jnp.asarray(data["v"]))
        words = jnp.asarray(self.lengths, jnp.int32)[stage] // 32
        scores = jax.lax.fori_loop(
            jnp.int32(0),
            words,
            lambda number, sums: sums + _products(fold_in(own, number), chances, of_out, signs),
            jnp.zeros((len(share), of_out.shape[1]), jnp.float32),
        )
        scores = scores / n * _largest(data["v"]) * data["most"] + data["c"][None]
        report = {"test_accuracy": _accuracy(scores, data["y"])}
        if last:
            exact = jax.nn.relu(data["x"] @ data["w"] + data["b"][None]) @ data["v"]
            report["float_accuracy"] = _accuracy(exact + data["c"][None], data["y"])
        return report

    def _chances(self, stream, p, shape):
        """Probabilities of the bits of streams whose devices are an array of this shape."""
        switches = self.device.fabricate(stream, shape)
        switches = jax.tree.map(lambda each: jnp.broadcast_to(each, p.shape), switches)
        given = pulses_as_known(self.device, p, self.pulse, switches)
        return effective_probability(self.device, switches, given)


def _products(stream, x, w, signs):
    """What counters count of 32 bits: AND of every input's stream with every weight's.

    Counted by matrix products of bits, which are the same numbers.
    """
    of_x = bernoulli(fold_in(stream, 0), x, x.shape)
    of_w = bernoulli(fold_in(stream, 1), w, w.shape)

    def bit(place, sums):
        shift = place.astype(jnp.uint32)
        one = jnp.uint32(1)
        now_x, now_w = (((each >> shift) & one).astype(jnp.float32) for each in (of_x, of_w))
        return sums + now_x @ (now_w * signs)

    nothing = jnp.zeros((len(x), w.shape[1]), jnp.float32)
    return jax.lax.fori_loop(jnp.int32(0), jnp.int32(32), bit, nothing)


def _largest(w):
    return jnp.max(jnp.abs(w))


def _accuracy(scores, labels):
    return jnp.mean((jnp.argmax(scores, axis=1) == labels).astype(jnp.float32))


def _trained(x, y, hidden, epochs, rate, batch=100):
    """Weights ``w``, ``v`` and biases ``b``, ``c`` after Adam, always from the same key."""
    keys = jax.random.split(jax.random.key(0), 3)
    shapes = {"w": (x.shape[1], hidden), "v": (hidden, int(y.max()) + 1)}
    net = {
        name: jax.random.normal(key, shape) * jnp.sqrt(2.0 / shape[0])
        for key, (name, shape) in zip(keys, shapes.items(), strict=False)
    }
    net |= {"b": jnp.zeros(hidden), "c": jnp.zeros(shapes["v"][1])}
    tx = optax.adam(rate)

    def loss(net, x, y):
        out = jax.nn.relu(x @ net["w"] + net["b"][None]) @ net["v"] + net["c"][None]
        return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(out, y))

    @jax.jit
    def epoch(net, state, order):
        def step(carried, chosen):
            net, state = carried
            grads = jax.grad(loss)(net, xs[chosen], ys[chosen])
            updates, state = tx.update(grads, state)
            return (optax.apply_updates(net, updates), state), None

        return jax.lax.scan(step, (net, state), order)[0]

    xs, ys, state = jnp.asarray(x), jnp.asarray(y), tx.init(net)
    for number in range(epochs):
        order = jax.random.permutation(jax.random.fold_in(keys[2], number), len(x))
        order = order[: len(x) // batch * batch].reshape(-1, batch)
        net, state = epoch(net, state, order)
    return {name: np.asarray(each) for name, each in net.items()}
