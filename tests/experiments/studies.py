"""Experiments of every kind, each as small as somebody would write it."""

import jax
import jax.numpy as jnp
import numpy as np

from memjax import random
from memjax.devices import MODELS, Device
from memjax.experiments import (
    Column,
    Coordinate,
    Experiment,
    Objective,
    Open,
    Stages,
    choice,
    part,
)
from memjax.pytree import Leaf, param, params, static


@params
class Times:
    """When arrays are read."""

    at: tuple[float, ...] = static(
        default=(1.0, 60.0, 3600.0), doc="times since programming", swept=False, adds_stages=True
    )


@params
class Retention(Experiment):
    """Inference over time: a product of programmed weights that drift, no training."""

    device: Device = choice("model", "ConstantStep", MODELS)
    read: Times = part(Times)
    drift: Leaf = param(default=0.05, doc="drift exponent", at_least=0)

    def stages(self):
        return Stages("time_s", self.read.at, "s", "time since programming")

    def columns(self, data):
        return {
            "snr": Column(("time_s",), "dB", "signal to noise of the product"),
            "programmed": Column(("row", "column"), "1", "programmed weights"),
        }

    def coords(self, data):
        return {"row": Coordinate(range(4)), "column": Coordinate(range(3))}

    def objective(self, data):
        return Objective("snr", "higher", None, guess=0.0)

    def init(self, key_data, data):
        stream = random.fold_in(key_data, 0)
        target = jnp.linspace(0.1, 0.9, 12).reshape(4, 3)
        noise = self.device.sigma_c2c * random.normal(stream, (4, 3)) / self.device.levels
        return {"target": target, "g": target + noise}

    def evaluate(self, state, key_data, stage, data, *, last):
        g = state["g"] * jnp.asarray(self.read.at)[stage] ** -self.drift
        error = jnp.sum((g - state["target"]) ** 2) + 1e-6
        found = {"snr": 10 * jnp.log10(jnp.sum(state["target"] ** 2) / error)}
        return found | ({"programmed": state["g"]} if last else {})


@params
class Sampling(Experiment):
    """An estimate of a probability from ever longer streams: an error, lower is better."""

    p: Leaf = param(default=0.3, doc="probability", at_least=0, at_most=1)
    spread: Leaf = param(default=0.0, doc="device-to-device sd of the probability", at_least=0)
    blocks: int = static(default=3, doc="number of lengths", at_least=1, swept=False)

    def stages(self):
        return Stages("length", tuple(64.0 * 2**k for k in range(self.blocks)), "bits")

    def columns(self, data):
        return {"rms_error": Column(("length",), "1", "rms error of the estimate")}

    def objective(self, data):
        return Objective("rms_error", "lower", None, guess=1.0)

    def init(self, key_data, data):
        off = self.spread * random.normal(random.fold_in(key_data, 0), (16,))
        return {"p": self.p + off, "ones": jnp.zeros(16), "bits": jnp.float32(0.0)}

    def advance(self, state, key_data, stage, data):
        stream = random.fold_in(random.fold_in(key_data, 1), stage)
        fired = random.uniform(stream, (256, 16)) < state["p"][None, :]
        new = {
            "ones": state["ones"] + fired.astype(jnp.float32).sum(0),
            "bits": state["bits"] + 256.0,
        }
        return state | new, {"finite": jnp.all(jnp.isfinite(state["p"]))}

    def evaluate(self, state, key_data, stage, data, *, last):
        return {"rms_error": jnp.sqrt(jnp.mean((state["ones"] / state["bits"] - self.p) ** 2))}


@params
class ReadOnce(Experiment):
    """No training and a single stage: what one read of a device is worth."""

    device: Device = choice("model", "ConstantStep", MODELS)
    options: Open = part(Open)

    def columns(self, data):
        return {"error": Column(("stage",), "S", "error of a read")}

    def objective(self, data):
        return Objective("error", "lower", (0.0, 1.0), guess=0.5)

    def evaluate(self, state, key_data, stage, data, *, last):
        times = dict(self.options.entries).get("repeats", 1)
        noise = random.normal(random.fold_in(key_data, 0), (times,))
        return {"error": jnp.abs(jnp.mean(noise)) * self.device.sigma_c2c / self.device.levels}


@params
class Regression(Experiment):
    """A linear fit by gradient descent with a baseline: data of the experiment's own."""

    rate: Leaf = param(default=0.1, doc="step of gradient descent", at_least=0)
    noise: Leaf = param(default=0.0, doc="sd of a step's error", at_least=0)
    epochs: int = static(default=3, doc="epochs", at_least=1, swept=False, adds_stages=True)

    def load(self, given=None):
        line = np.linspace(-1, 1, 32, dtype=np.float32)
        x = np.stack([line, line**2, line**3], axis=1)
        return {"x": x, "y": x @ np.float32([1.0, -0.5, 0.25])}

    def stages(self):
        return Stages("epoch", tuple(range(1, self.epochs + 1)))

    def columns(self, data):
        return {"loss": Column(("epoch",), "V^2", "squared error")}

    def objective(self, data):
        return Objective("loss", "lower", None, guess=1.0)

    def reference(self):
        return Regression(rate=self.rate, epochs=self.epochs)

    def init(self, key_data, data):
        return jnp.zeros(3)

    def advance(self, state, key_data, stage, data):
        slope = jax.grad(lambda w: jnp.mean((data["x"] @ w - data["y"]) ** 2))(state)
        stream = random.fold_in(key_data, stage)
        return state - self.rate * slope + self.noise * random.normal(stream, (3,)), {}

    def evaluate(self, state, key_data, stage, data, *, last):
        return {"loss": jnp.mean((data["x"] @ state - data["y"]) ** 2)}


STUDIES = {
    "retention": (Retention, {"sigma_c2c": [0.1, 1.0], "drift": [0.01, 0.1]}),
    "sampling": (Sampling, {"spread": [0.0, 0.1, 0.3], "p": [0.2, 0.5]}),
    "read_once": (ReadOnce, {"sigma_c2c": [0.1, 1.0], "options": {"repeats": [1, 4]}}),
    "regression": (Regression, {"noise": [0.0, 0.1, 0.3], "rate": [0.1, 0.3]}),
}
"""Each with the axes of a sweep of it."""
