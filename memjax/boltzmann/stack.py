"""A stack of restricted Boltzmann machines, each trained on what those below make of the data."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float32, Int, Key

from memjax import random
from memjax.boltzmann.drbm import DRBM
from memjax.boltzmann.machine import Machine, Parameters
from memjax.boltzmann.rbm import RBM
from memjax.boltzmann.units import Logistic
from memjax.errors import UserError
from memjax.pytree import params, static


@params
class DBN:
    """A deep belief network: RBMs one upon another, the labels beside the inputs of the last.

    Its machines are trained from the first to the last, each by ``cd_gradient`` with the ones below
    as they are. Parameters are a tuple, those of each machine. The defaults are the published
    784-500-500-2000-10.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> from memjax.boltzmann import DBN
      >>> dbn = DBN(visible=6, hidden=(5, 4, 8), classes=2)
      >>> weights = dbn.init(jax.random.key(0))
      >>> [machine["kernel"].shape for machine in weights]
      [(6, 5), (5, 4), (4, 8)]
      >>> batch, key = (jnp.ones((3, 6)), jnp.array([0, 1, 1])), jax.random.key(1)
      >>> dbn.cd_gradient(weights, batch, key, level=1)["kernel"].shape
      (5, 4)
      >>> dbn.classify(weights, batch[0]).shape
      (3,)

    Source: Hinton, Osindero & Teh, Neural Computation 18:1527 (2006).
    """

    visible: int = static(default=784, doc="visible units", at_least=1, at_most=2**20)
    hidden: tuple[int, ...] = static(
        default=(500, 500, 2000),
        doc="hidden units of each machine",
        each={"at_least": 1, "at_most": 2**20},
    )
    classes: int = static(default=10, doc="classes", at_least=2, at_most=2**20)
    expected: bool = static(
        default=False, doc="take P(h | v) in gradients in place of samples of h"
    )
    units: Logistic = Logistic()

    @property
    def machines(self) -> tuple[Machine, ...]:
        """RBMs, and a DRBM upon them."""
        if not self.hidden:
            raise UserError("DBN: hidden = () has no machine; give the hidden units of one or more")
        below = (self.visible, *self.hidden[:-1])
        options: Any = {"expected": self.expected, "units": self.units}
        rbms = [
            RBM(visible=v, hidden=h, **options)
            for v, h in zip(below[:-1], self.hidden[:-1], strict=True)
        ]
        last = DRBM(visible=below[-1], hidden=self.hidden[-1], classes=self.classes, **options)
        return (*rbms, last)

    def init(self, key: Key[Array, ""], sd: Any = None) -> tuple[Parameters, ...]:
        """Random weights of each machine.

        Args:
          key: a typed key.
          sd: as of ``Machine.init``.
        """
        keys = jax.random.split(key, len(self.hidden))
        return tuple(m.init(k, sd) for m, k in zip(self.machines, keys, strict=True))

    def inputs(
        self,
        weights: tuple[Parameters, ...],
        v: Float32[Array, "n visible"],
        level: int,
    ) -> Float32[Array, "n _"]:
        """What a machine sees of data: probabilities of the hidden units below it, layer by layer.

        Args:
          weights: of all machines.
          v: an input a row.
          level: the machine, from 0 (static).

        Raises:
          UserError: there is no such machine.
        """
        if not 0 <= level < len(self.hidden):
            raise UserError(
                f"DBN: level = {level} is none of its {len(self.hidden)} machines, from 0"
            )
        for machine, of_machine in zip(self.machines[:level], weights, strict=False):
            v = machine.hidden_probability(of_machine, v)
        return v

    def cd_gradient(
        self,
        weights: tuple[Parameters, ...],
        batch: tuple[Float32[Array, "n visible"], Int[Array, " n"]],
        key: Key[Array, ""],
        level: int,
        steps: int = 1,
        chains: int = 1,
    ) -> Parameters:
        """The gradient of one machine, of inputs that the ones below make.

        Args:
          weights: of all machines.
          batch: inputs and labels, which only the last machine sees.
          key, steps, chains: as of ``Machine.cd_gradient``.
          level: the machine, from 0 (static).
        """
        v, labels = batch
        v = self.inputs(weights, v, level)
        seen = (v, labels) if level == len(self.hidden) - 1 else v
        return self.machines[level].cd_gradient(weights[level], seen, key, steps, chains)

    def classify(
        self, weights: tuple[Parameters, ...], v: Float32[Array, "n visible"]
    ) -> Int[Array, " n"]:
        """The class of the last machine's least free energy.

        Args:
          weights: of all machines.
          v: an input a row.
        """
        level = len(self.hidden) - 1
        last = self.machines[level]
        assert isinstance(last, DRBM)
        return last.classify(weights[level], self.inputs(weights, v, level))

    def sample(
        self, weights: tuple[Parameters, ...], key: Key[Array, ""], n: int, steps: int = 100
    ) -> tuple[Float32[Array, "n visible"], Int[Array, " n"]]:
        """Inputs and labels that it dreams: chains of the last machine, then down to the first.

        Args:
          weights: of all machines.
          key: a typed key.
          n: how many (static).
          steps: of Gibbs sampling in the last machine (static).
        """
        stream, last = random.stream(key), self.machines[-1]
        width = last.groups[0].units
        u = random.uniform(random.fold_in(stream, 0), (n, width + 1))
        labels = (u[:, -1] * self.classes).astype(jnp.int32)
        start = ((u[:, :-1] < 0.5).astype(jnp.float32), labels)
        own = random.as_key(random.fold_in(stream, 1))
        v, labels = last.sample(weights[-1], start, own, steps)
        for level in reversed(range(len(self.hidden) - 1)):
            (drive,) = self.machines[level].visible_drive(weights[level], v)
            v = self.units.fire(random.fold_in(stream, 2 + level), drive).astype(jnp.float32)
        return v, labels
