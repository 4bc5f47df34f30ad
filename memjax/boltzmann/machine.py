"""A restricted Boltzmann machine: groups of visible units, a layer of hidden ones."""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float32, Key

from memjax import random
from memjax.boltzmann.phases import Phase, Phases, bias_gradient, kernel_gradients
from memjax.boltzmann.units import Logistic
from memjax.boltzmann.weights import Weights, halves, product, transposed_halves
from memjax.errors import UserError
from memjax.pulses import OuterProduct
from memjax.pytree import check_number, params, static

Parameters = dict[str, Array]
"""Weights and biases by name: a kernel ``[visible, hidden]`` and a bias for each group of visible
units, and ``hidden_bias``."""

_BINARISE, _DATA, _START, _DREAM, _LAST, _PIECES = range(6)
_STATES = 512  # that contrastive divergence works on at once


class Group(NamedTuple):
    """Visible units of a kind.

    Attributes:
      kernel, bias: the names of their parameters.
      units: how many.
      one_hot: whether one of them is on, and no other.
    """

    kernel: str
    bias: str
    units: int
    one_hot: bool


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
        return self.units.probability(self._up(self._plain(params), self.columns(visible))).T

    def visible_drive(
        self, params: Parameters, hidden: Float32[Array, "n hidden"]
    ) -> tuple[Float32[Array, "n _"], ...]:
        """``W h + b`` of each group: logits of its units given hidden ones.

        Args:
          params: weights and biases.
          hidden: a state a row.
        """
        return tuple(drive.T for drive in self._down(self._plain(params), hidden.T))

    def free_energy(self, params: Parameters, visible: Any) -> Float32[Array, " n"]:
        """``F = -ln sum_h e^-E = - sum over groups b v - sum_j softplus((sum W^T v + c)_j)``.

        Args:
          params: weights and biases.
          visible: a state a row.
        """
        columns = self.columns(visible)
        drive = self._up(self._plain(params), columns)
        pulls = [params[g.bias] @ v for g, v in zip(self.groups, columns, strict=True)]
        return -sum(pulls) - jnp.sum(softplus(drive), axis=0)

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
        weights = self._weights(params)
        hidden = self._fire(random.fold_in(stream, _START), self._up(weights, columns))
        found = self._dream(random.fold_in(stream, _DREAM), weights, hidden, steps)
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
        weights, pieces = self._weights(params), _pieces(chains, len(jax.tree.leaves(batch)[0]))

        def of_piece(number: Any) -> tuple[Parameters, Array]:
            own = stream if pieces == 1 else random.fold_in(stream, _PIECES + number)
            phases = self._phases(weights, batch, own, steps, chains // pieces)
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
        return self._phases(self._weights(params), batch, stream, steps, chains)

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
        weights = self._weights(params)
        data, _ = self._data(weights, batch, stream, each)
        visible = self._dream(random.fold_in(stream, _DREAM), weights, chains, steps)
        hidden, drive = self._last(weights, visible, stream)
        after = self._fire(random.fold_in(stream, _LAST), drive) if self.expected else hidden
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

    def counts(
        self, phases: Phases, stream: random.Stream, pulses: OuterProduct, rate: Any
    ) -> Parameters:
        """Pulses down by trains on rows and columns, whose coincidences make the outer products.

        Each state is a sample of its own: the visible units and a 1 drive rows, the hidden units
        drive columns, with a minus where the state is the machine's. Biases of visible units are
        another column, driven by the 1.

        Args:
          phases: what ``phases`` returned.
          stream: random stream of this update.
          pulses: the trains (static).
          rate: pulses for a unit of gradient: learning rate over pulse size.

        Returns:
          A tree like ``params``, to be descended as ``memjax.coincidence_sgd`` descends.
        """
        data, model = phases
        sign = jnp.repeat(jnp.array([1.0, -1.0]), data.hidden.shape[1])[:, None]
        visible = [
            jnp.concatenate(both, 1).T for both in zip(data.visible, model.visible, strict=True)
        ]
        hidden = jnp.concatenate([data.hidden, model.hidden], 1).T * sign
        rate = jnp.asarray(rate / data.hidden.shape[1], jnp.float32)
        rows = (*visible, jnp.ones_like(sign))
        *kernels, hidden_bias = pulses.count(random.fold_in(stream, 0), rows, hidden, rate)
        biases = pulses.count(random.fold_in(stream, 1), tuple(visible), sign, rate)
        found = {"hidden_bias": -hidden_bias[0]}
        for group, kernel, bias in zip(self.groups, kernels, biases, strict=True):
            found |= {group.kernel: -kernel, group.bias: -bias[:, 0]}
        return found

    def _phases(
        self, weights: Weights, batch: Any, stream: random.Stream, steps: int, chains: int
    ) -> Phases:
        data, drive = self._data(weights, batch, stream, chains)
        start = self._fire(random.fold_in(stream, _START), drive)
        visible = self._dream(random.fold_in(stream, _DREAM), weights, start, steps)
        hidden, _ = self._last(weights, visible, stream)
        return Phases(data, Phase(visible, hidden))

    def _data(
        self, weights: Weights, batch: Any, stream: random.Stream, chains: int
    ) -> tuple[Phase, Array]:
        """Binary data of every chain with their hidden units, and what drives those."""
        own = random.fold_in(stream, _BINARISE)
        visible = []
        for number, (group, v) in enumerate(zip(self.groups, self.columns(batch), strict=True)):
            v = jnp.tile(v, (1, chains))
            if not group.one_hot:
                v = random.uniform(random.fold_in(own, number), v.shape) < v
            visible.append(v.astype(self._number))
        drive = self._up(weights, tuple(visible))
        seen = self._seen(random.fold_in(stream, _DATA), drive)
        return Phase(tuple(visible), seen), drive

    def _dream(
        self, stream: random.Stream, weights: Weights, hidden: Array, steps: int
    ) -> tuple[Array, ...]:
        """Visible units after some steps from hidden ones."""

        def visible_of(number: Any, hidden: Array) -> tuple[Array, ...]:
            own = random.fold_in(stream, 2 * number)
            return self._fire_visible(own, self._down(weights, hidden))

        def step(number: Any, hidden: Array) -> Array:
            drive = self._up(weights, visible_of(number, hidden))
            return self._fire(random.fold_in(stream, 2 * number + 1), drive)

        if steps > 1:
            hidden = jax.lax.fori_loop(0, steps - 1, step, hidden.astype(self._number))
        return visible_of(steps - 1, hidden)

    def _last(
        self, weights: Weights, visible: tuple[Array, ...], stream: random.Stream
    ) -> tuple[Array, Array]:
        """The hidden units that end a chain, as gradients see them, and what drives them."""
        drive = self._up(weights, visible)
        return self._seen(random.fold_in(stream, _LAST), drive), drive

    def _seen(self, stream: random.Stream, drive: Array) -> Array:
        return self.units.probability(drive) if self.expected else self._fire(stream, drive)

    def _fire(self, stream: random.Stream, drive: Array) -> Array:
        return self.units.fire(stream, drive).astype(self._number)

    def _fire_visible(self, stream: random.Stream, drives: tuple[Array, ...]) -> tuple[Array, ...]:
        found = []
        for number, (group, drive) in enumerate(zip(self.groups, drives, strict=True)):
            own = random.fold_in(stream, number)
            if group.one_hot:  # the largest of logits with Gumbel's noise
                u = random.uniform(own, drive.shape)
                chosen = jnp.argmax(drive - jnp.log(-jnp.log(u)), axis=0)
                found.append(jax.nn.one_hot(chosen, group.units, axis=0, dtype=self._number))
            else:
                found.append(self._fire(own, drive))
        return tuple(found)

    @property
    def _number(self) -> Any:
        """The numbers of states that are 0 or 1."""
        return jnp.bfloat16 if self.products == "halves" else jnp.float32

    def _weights(self, params: Parameters) -> Weights:
        """As chains multiply by them."""
        if self.products == "float32":
            return self._plain(params)
        kernels = [params[group.kernel] for group in self.groups]
        return self._plain(params)._replace(
            up=tuple(map(transposed_halves, kernels)), down=tuple(map(halves, kernels))
        )

    def _plain(self, params: Parameters) -> Weights:
        kernels = tuple(params[group.kernel] for group in self.groups)
        biases = tuple(params[group.bias] for group in self.groups)
        return Weights(tuple(w.T for w in kernels), kernels, biases, params["hidden_bias"])

    def _up(self, weights: Weights, visible: tuple[Array, ...]) -> Array:
        """``sum over groups W^T v + c``, ``[hidden, states]``."""
        drives = [product(w, v) for w, v in zip(weights.up, visible, strict=True)]
        return sum(drives[1:], drives[0]) + weights.up_bias[:, None]

    def _down(self, weights: Weights, hidden: Array) -> tuple[Array, ...]:
        """``W h + b`` of each group, ``[units, states]``."""
        pairs = zip(weights.down, weights.down_bias, strict=True)
        return tuple(product(w, hidden) + b[:, None] for w, b in pairs)


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


def softplus(x: Array) -> Array:
    """``ln(1 + e^x)``, also where ``e^x`` is beyond a float.

    Args:
      x: any numbers.
    """
    return jnp.maximum(x, 0.0) + jnp.log1p(jnp.exp(-jnp.abs(x)))
