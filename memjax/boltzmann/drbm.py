"""The discriminative restricted Boltzmann machine, whose visible units have labels among them."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float32, Int

from memjax.boltzmann.gibbs import Group
from memjax.boltzmann.machine import Machine, Parameters, checked_inputs
from memjax.pytree import params, static


@params
class DRBM(Machine):
    """``E(v, y, h) = - v W h - y U h - b v - d y - c h``: it models inputs and labels together.

    Parameters are ``kernel`` W ``[visible, hidden]``, ``label_kernel`` U ``[classes, hidden]``,
    ``visible_bias`` b, ``label_bias`` d and ``hidden_bias`` c; visible states are pairs of inputs
    ``[n, visible]`` and integer labels ``[n]``. An input is of the class of least free energy.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> from memjax.boltzmann import DRBM
      >>> drbm = DRBM(visible=3, classes=2, hidden=4)
      >>> params = drbm.init(jax.random.key(0))
      >>> v, labels = jnp.array([[1.0, 0.0, 1.0]]), jnp.array([1])
      >>> drbm.free_energies(params, v).shape
      (1, 2)
      >>> sorted(drbm.cd_gradient(params, (v, labels), jax.random.key(1), steps=1, chains=20))
      ['hidden_bias', 'kernel', 'label_bias', 'label_kernel', 'visible_bias']

    Source: Larochelle & Bengio, ICML (2008); Ernoult, Grollier & Querlioz, Sci. Rep. 9:1851 (2019).
    """

    visible: int = static(default=784, doc="visible units", at_least=1, at_most=2**20)
    classes: int = static(default=10, doc="classes", at_least=2, at_most=2**20)

    @property
    def groups(self) -> tuple[Group, ...]:
        """Pixels, and labels, of which one is on."""
        return (
            Group("kernel", "visible_bias", self.visible, False),
            Group("label_kernel", "label_bias", self.classes, True),
        )

    def columns(
        self, visible: tuple[Float32[Array, "n visible"], Int[Array, " n"]]
    ) -> tuple[Array, ...]:
        """Inputs and labels as columns, labels one-hot."""
        v, labels = visible
        return checked_inputs(v, self.visible).T, jax.nn.one_hot(labels, self.classes, axis=0)

    def rows(
        self, columns: tuple[Array, ...]
    ) -> tuple[Float32[Array, "n visible"], Int[Array, " n"]]:
        """Inputs as rows, and labels."""
        v, y = columns
        return v.T, jnp.argmax(y, axis=0)

    def free_energies(
        self, params: Parameters, v: Float32[Array, "n visible"]
    ) -> Float32[Array, "n classes"]:
        """``F(v, y)`` of every class.

        Args:
          params: weights and biases.
          v: an input a row.
        """
        v = checked_inputs(v, self.visible)
        drive = v @ params["kernel"] + params["hidden_bias"][None, :]
        of_all = drive[:, None, :] + params["label_kernel"][None, :, :]
        pull = (v @ params["visible_bias"])[:, None] + params["label_bias"][None, :]
        return -pull - jnp.sum(jax.nn.softplus(of_all), axis=2)

    def label_probabilities(
        self, params: Parameters, v: Float32[Array, "n visible"]
    ) -> Float32[Array, "n classes"]:
        """``P(y | v) = softmax_y(-F(v, y))``.

        Args:
          params: weights and biases.
          v: an input a row.
        """
        return jax.nn.softmax(-self.free_energies(params, v), axis=1)

    def classify(self, params: Parameters, v: Float32[Array, "n visible"]) -> Int[Array, " n"]:
        """The class of the least free energy.

        Args:
          params: weights and biases.
          v: an input a row.
        """
        return jnp.argmin(self.free_energies(params, v), axis=1)
