"""The restricted Boltzmann machine of binary visible units."""

from jaxtyping import Array, Float32

from memjax.boltzmann.gibbs import Group
from memjax.boltzmann.machine import Machine, checked_inputs
from memjax.pytree import params, static


@params
class RBM(Machine):
    """``E(v, h) = - v W h - b v - c h``: a generative model of binary vectors.

    Parameters are ``kernel`` W ``[visible, hidden]``, ``visible_bias`` b and ``hidden_bias`` c;
    visible states are rows, ``[n, visible]``.

    Example:
      >>> import jax, jax.numpy as jnp
      >>> from memjax.boltzmann import RBM
      >>> rbm = RBM(visible=3, hidden=2)
      >>> params = rbm.init(jax.random.key(0))
      >>> v = jnp.array([[1.0, 0.0, 1.0]])
      >>> rbm.sample(params, v, jax.random.key(1), steps=5).shape
      (1, 3)
      >>> rbm.cd_gradient(params, v, jax.random.key(2))["kernel"].shape
      (3, 2)

    Source: Smolensky (1986); Hinton, Neural Computation 14:1771 (2002).
    """

    visible: int = static(default=784, doc="visible units", at_least=1, at_most=2**20)

    @property
    def groups(self) -> tuple[Group, ...]:
        """Pixels."""
        return (Group("kernel", "visible_bias", self.visible, False),)

    def columns(self, visible: Float32[Array, "n visible"]) -> tuple[Array, ...]:
        """The transpose of ``[n, visible]``."""
        return (checked_inputs(visible, self.visible).T,)

    def rows(self, columns: tuple[Array, ...]) -> Float32[Array, "n visible"]:
        """The transpose of ``[visible, n]``."""
        return columns[0].T
