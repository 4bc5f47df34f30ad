"""A restricted Boltzmann machine: groups of visible units, a layer of hidden ones."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float32, Key

from memjax import random
from memjax.boltzmann.gibbs import Gibbs, Group
from memjax.boltzmann.phases import Phase, Phases, bias_gradient, kernel_gradients
from memjax.boltzmann.units import Logistic
from memjax.boltzmann.weights import Weights, halves, transposed_halves
from memjax.errors import UserError
from memjax.pytree import check_number, params, static

Parameters = dict[str, Array]
"""Weights and biases by name: a kernel ``[visible, hidden]`` and a bias for each group of visible
units, and ``hidden_bias``."""

_AFTER, _PIECES = 4, 5  # streams beside those of Gibbs
_STATES = 512  # that contrastive divergence works on at once


@params
class Machine:
    """What RBMs of any kind of visible units do; pure functions of ``Parameters``.

    ``E(v, h) = - sum over groups (v W h + b v) - c h``, all units 0 or 1. A gradient is that of
    ``-ln P``, to be descended.

    Attributes:
      hidden: hidden units.
      expected: whether gradients take ``P(h | v)`` in place of samples of h.
      products: how chains multiply by weights (``memjax.boltzmann.weights``).
      units: what makes hidden and visible units random (labels are drawn by an exact softmax).
    """

    hidden: int = static(default=300, doc="hidden units", at_least=1, at_most=2**20)
    expected: bool = static(
        default=False, doc="take P(h | v) in gradients in place of samples of h"
    )
    products: str = static(
        default="float32",
        doc="weights in products: as they are, or as two 16-bit halves, good to 2**-16 of each",
        choices=("float32", "halves"),
    )
    units: Logistic = Logistic()

    @property
    def groups(self) -> tuple[Group, ...]:
        """The kinds of visible units."""
        raise NotImplementedError(f"{type(self).__name__} must define groups")

    def columns(self, visible: Any) -> tuple[Float32[Array, "_ states"], ...]:
        """Visible states as the user has them, a column each, of every group.

        Args:
          visible: a state a row.
        """
        raise NotImplementedError(f"{type(self).__name__} must define columns")

    def rows(self, columns: tuple[Array, ...]) -> Any:
        """The way back.

        Args:
          columns: what ``columns`` returns.
        """
        raise NotImplementedError(f"{type(self).__name__} must define rows")

    def init(self, key: Key[Array, ""], sd: Any = None) -> Parameters:
        """Random weights and biases of 0.

        Args:
          key: a typed key.
          sd: of normal weights; without it they are uniform within ``sqrt(1 / largest layer)``.
        """
        stream = random.stream(key)
        limit = math.sqrt(1.0 / max(self.hidden, *(group.units for group in self.groups)))
        found: Parameters = {"hidden_bias": jnp.zeros(self.hidden)}
        for number, group in enumerate(self.groups):
            own, shape = random.fold_in(stream, number), (group.units, self.hidden)
            uniform = limit * (2.0 * random.uniform(own, shape) - 1.0)
            found[group.kernel] = uniform if sd is None else sd * random.normal(own, shape)
            found[group.bias] = jnp.zeros(group.units)
        return found

    def hidden_probability(self, params: Parameters, visible: Any) -> Float32[Array, "n hidden"]:
        """``P(h = 1 | visible)``.

        Args:
          params: weights and biases.
          visible: a state a row.
        """
        return self.units.probability(
            self._gibbs(params, is_exact=True).up(self.columns(visible))
        ).T

    def visible_drive(
        self, params: Parameters, hidden: Float32[Array, "n hidden"]
    ) -> tuple[Float32[Array, "n _"], ...]:
        """``W h + b`` of each group: logits of its units given hidden ones.

        Args:
          params: weights and biases.
          hidden: a state a row.
        """
        return tuple(drive.T for drive in self._gibbs(params, is_exact=True).down(hidden.T))

    def free_energy(self, params: Parameters, visible: Any) -> Float32[Array, " n"]:
        """``F = -ln sum_h e^-E = - sum over groups b v - sum_j softplus((sum W^T v + c)_j)``.

        Args:
          params: weights and biases.
          visible: a state a row.
        """
        columns = self.columns(visible)
        drive = self._gibbs(params, is_exact=True).up(columns)
        pulls = [params[g.bias] @ v for g, v in zip(self.groups, columns, strict=True)]
        return -sum(pulls) - jnp.sum(jax.nn.softplus(drive), axis=0)

    def sample(self, params: Parameters, visible: Any, key: Key[Array, ""], steps: int = 1) -> Any:
        """Visible states after some steps of Gibbs sampling, each hidden units, then visible ones.

        Args:
          params: weights and biases.
          visible: where chains start, a row each.
          key: a typed key.
          steps: how many (static).

        Raises:
          UserError: less than one step.
        """
        check_number("sample: steps", steps, whole=True, at_least=1)
        stream, columns = random.stream(key), self.columns(visible)
        gibbs = self._gibbs(params)
        found = gibbs.dream(stream, gibbs.start(stream, gibbs.up(columns)), steps)
        return self.rows(tuple(v.astype(jnp.float32) for v in found))

    def cd_gradient(
        self,
        params: Parameters,
        batch: Any,
        key: Key[Array, ""],
        steps: int = 1,
        chains: int = 1,
    ) -> Parameters:
        """Contrastive divergence: ``-<v h>_data + <v h>_model``, chains from the data themselves.

        Each of the ``chains`` of a sample has binary data of its own: values between 0 and 1 are
        probabilities, drawn anew. Hidden units are drawn twice at the data, once for the
        statistics and once for the chain, which goes on for ``steps`` steps.

        Args:
          params: weights and biases.
          batch: a sample a row.
          key: a typed key, a new one for each update.
          steps: of Gibbs sampling, the k of CD-k (static).
          chains: for each sample (static).

        Returns:
          A gradient to descend, a tree like ``params``: ``memjax.pulsed_update`` takes it as any.

        Raises:
          UserError: less than one step or chain, or an empty batch.

        Source: Hinton, Neural Computation 14:1771 (2002); chains in parallel and two draws of h:
        Ernoult, Grollier & Querlioz, Sci. Rep. 9:1851 (2019).
        """
        return self.contrast(params, batch, random.stream(key), steps, chains)[0]

    def pcd_gradient(
        self,
        params: Parameters,
        batch: Any,
        chains: Float32[Array, "chains hidden"],
        key: Key[Array, ""],
        steps: int = 1,
    ) -> tuple[Parameters, Float32[Array, "chains hidden"]]:
        """Persistent contrastive divergence: chains go on from where the last update left them.

        Args:
          params: weights and biases.
          batch: a sample a row.
          chains: hidden units of each chain, a whole multiple of the samples; ``init_chains``.
          key: a typed key, a new one for each update.
          steps: of Gibbs sampling (static).

        Returns:
          A gradient as of ``cd_gradient``, and the chains.

        Raises:
          UserError: chains that are no multiple of the samples.

        Source: Tieleman, ICML (2008).
        """
        each, rest = divmod(chains.shape[0], len(jax.tree.leaves(batch)[0]))
        if rest or not each:
            raise UserError(
                f"pcd_gradient: {chains.shape[0]} chains are no whole multiple of the samples of "
                "the batch; make them by init_chains(key, samples)"
            )
        stream = random.stream(key)
        phases, hidden = self.persistent_phases(params, batch, chains.T, stream, steps, each)
        return self.gradient(phases), hidden.T

    def init_chains(self, key: Key[Array, ""], chains: int) -> Float32[Array, "chains hidden"]:
        """Hidden units of chains that nothing has moved yet: each on with probability 1/2.

        Args:
          key: a typed key.
          chains: how many (static).
        """
        u = random.uniform(random.stream(key), (chains, self.hidden))
        return (u < 0.5).astype(jnp.float32)

    def contrast(
        self, params: Parameters, batch: Any, stream: random.Stream, steps: int, chains: int
    ) -> tuple[Parameters, Float32[Array, ""]]:
        """The gradient of ``cd_gradient``, and the share of units that chains end otherwise.

        Many chains are worked on some at a time, so that their states stay in a cache.

        Args:
          params, batch, steps, chains: as of ``cd_gradient``.
          stream: random stream of this update.
        """
        check_number("cd_gradient: steps", steps, whole=True, at_least=1)
        check_number("cd_gradient: chains", chains, whole=True, at_least=1)
        gibbs, pieces = self._gibbs(params), _pieces(chains, len(jax.tree.leaves(batch)[0]))

        def of_piece(number: Any) -> tuple[Parameters, Array]:
            own = stream if pieces == 1 else random.fold_in(stream, _PIECES + number)
            phases = self._phases(gibbs, batch, own, steps, chains // pieces)
            return self.gradient(phases), phases.difference()

        def add(number: Any, total: Any) -> Any:
            return jax.tree.map(jnp.add, total, of_piece(number))

        if pieces == 1:
            return of_piece(0)
        nothing = jax.tree.map(lambda of: jnp.zeros(of.shape), jax.eval_shape(of_piece, 0))
        total = jax.lax.fori_loop(0, pieces, add, nothing)
        return jax.tree.map(lambda of: of / pieces, total)

    def phases(
        self, params: Parameters, batch: Any, stream: random.Stream, steps: int, chains: int
    ) -> Phases:
        """The states that ``cd_gradient`` compares.

        Args:
          params, batch, steps, chains: as of ``cd_gradient``.
          stream: random stream of this update.
        """
        return self._phases(self._gibbs(params), batch, stream, steps, chains)

    def persistent_phases(
        self,
        params: Parameters,
        batch: Any,
        chains: Float32[Array, "hidden chains"],
        stream: random.Stream,
        steps: int,
        each: int,
    ) -> tuple[Phases, Float32[Array, "hidden chains"]]:
        """The states that ``pcd_gradient`` compares, and the chains afterwards, a column each.

        Args:
          params, batch, chains, steps: as of ``pcd_gradient``; chains are columns.
          stream: random stream of this update.
          each: chains of a sample (static).
        """
        check_number("pcd_gradient: steps", steps, whole=True, at_least=1)
        gibbs = self._gibbs(params)
        data, _ = gibbs.data(self.columns(batch), stream, each)
        visible = gibbs.dream(stream, chains, steps)
        hidden, drive = gibbs.last(visible, stream)
        after = gibbs.fire(random.fold_in(stream, _AFTER), drive) if self.expected else hidden
        return Phases(data, Phase(visible, hidden)), after.astype(jnp.float32)

    def gradient(self, phases: Phases) -> Parameters:
        """The gradient that states make.

        Args:
          phases: what ``phases`` returned.
        """
        kernels = kernel_gradients(phases, is_binary=not self.expected)
        found = {"hidden_bias": bias_gradient(phases.data.hidden, phases.model.hidden)}
        for number, group in enumerate(self.groups):
            found[group.kernel] = kernels[number]
            of_both = (phase.visible[number] for phase in phases)
            found[group.bias] = bias_gradient(*of_both)
        return found

    def _phases(
        self, gibbs: Gibbs, batch: Any, stream: random.Stream, steps: int, chains: int
    ) -> Phases:
        data, drive = gibbs.data(self.columns(batch), stream, chains)
        visible = gibbs.dream(stream, gibbs.start(stream, drive), steps)
        return Phases(data, Phase(visible, gibbs.last(visible, stream)[0]))

    def _gibbs(self, params: Parameters, *, is_exact: bool = False) -> Gibbs:
        """What draws states: by exact products, or as ``products`` says."""
        kernels = tuple(params[group.kernel] for group in self.groups)
        biases = tuple(params[group.bias] for group in self.groups)
        up, down = tuple(w.T for w in kernels), kernels
        if self.products == "halves" and not is_exact:
            up, down = (tuple(map(of, kernels)) for of in (transposed_halves, halves))
        weights = Weights(up, down, biases, params["hidden_bias"])
        return Gibbs(self.groups, weights, self.units, self.expected)


def checked_inputs(v: Any, units: int) -> Array:
    """Inputs, a row a sample.

    Args:
      v: what the user gave.
      units: visible units.

    Raises:
      UserError: other shapes, or no sample.
    """
    v = jnp.asarray(v)
    if v.ndim != 2 or v.shape[1] != units:
        raise UserError(
            f"inputs of shape {v.shape} have {v.shape[-1] if v.ndim else 1} values a sample, and "
            f"there are {units} visible units; give [samples, {units}]"
        )
    if not len(v):
        raise UserError("there is no sample in the inputs; give one or more rows")
    return v


def _pieces(chains: int, samples: int) -> int:
    """The fewest equal pieces of chains whose states are worked on at once."""
    fits = (n for n in range(1, chains) if chains % n == 0 and chains // n * samples <= _STATES)
    return next(fits, chains)
