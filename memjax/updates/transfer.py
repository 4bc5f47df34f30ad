"""Two arrays a weight: a fast one takes all pulses, and its rows are moved to a slow one in turn.

Tiki-Taka and its descendants share this: the fast array A gets pulsed SGD; every so often one of
its rows is read, and a rule makes of it pulses for the slow array C, which is the weight.
"""

import dataclasses
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Int32, Key

from memjax import random
from memjax.cells import Cell, ReferenceCell, VectorCell
from memjax.devices import Device
from memjax.errors import UserError
from memjax.pulses import Bernoulli, Counts, Scheme
from memjax.pytree import Leaf, as_arrays, param, params, static
from memjax.updates.base import Algorithm
from memjax.updates.buffer import MOST
from memjax.updates.checks import check_device
from memjax.updates.fast_array import (
    ERASES,
    are_counts,
    as_numbered,
    at_rate,
    beside_updates,
    inverse,
    largest_gradients,
    rate_now,
    running_mean,
    symmetry_points,
)
from memjax.updates.fire_pulses import PulsedUpdateState, fire_pulses
from memjax.updates.leaf_names import leaf_names
from memjax.updates.pulsed_update import draw_and_fire
from memjax.updates.rows import (
    Rows,
    Turn,
    crossbars,
    largest_of_crossbars,
    put,
    take,
    updates_of_a_pass,
    whose_turn,
)
from memjax.updates.struct_of_trees import is_masked, stack, unstack
from memjax.updates.write_rows import write_rows


class TransferState(NamedTuple):
    """Everything that varies.

    Attributes:
      count: updates done.
      key: stream of the reads' noise, the choppers and the rule's randomness.
      rule: the rule's parameters.
      fast: the devices of A.
      a: the weights that A holds.
      slow: the devices of C.
      c: the weights that C holds, where they are not the params themselves (gamma).
      memory: what the rule remembers of each weight, a struct of trees congruent with the params.
      chopper: the sign of each row of A, a tree of ``[crossbars, rows]``.
      symmetry: the symmetry points of A, from which its reads count (zero_shift).
      largest: the running mean of the largest gradient of each array's crossbar (auto_scale).
    """

    count: Int32[Array, ""]  # type: ignore[assignment]
    key: random.Stream
    rule: "Transfer"
    fast: PulsedUpdateState
    a: Any
    slow: PulsedUpdateState
    c: Any
    memory: Any
    chopper: Any
    symmetry: Any = None
    largest: Any = None

    def readout(self, params: Any) -> Any:
        """The weights ``gamma A + C``."""
        if self.c is None:
            return self.slow.readout(params)
        a, c = self.fast.readout(self.a), self.slow.readout(self.c)
        both = self.rule.mixed(a, c, self.symmetry)
        return jax.tree.map(lambda w, p: p if is_masked(w) else w, both, params, is_leaf=is_masked)

    def read_variance(self, params: Any) -> Any:
        """The variance of one read of each weight: that of C, and gamma squared times that of A."""
        if self.c is None:
            return self.slow.read_variance(params)
        gamma: Any = self.rule.gamma
        a, c = self.fast.read_variance(self.a), self.slow.read_variance(self.c)
        return jax.tree.map(lambda a, c: gamma**2 * a + c, a, c)

    def conductances(self, params: Any) -> Any:
        """Those of C, in siemens, and then those of A: a tuple in place of an array."""
        treedef: Any = jax.tree.structure(self.a)
        slow = treedef.flatten_up_to(self.slow.conductances(params if self.c is None else self.c))
        fast = treedef.flatten_up_to(self.fast.conductances(self.a))
        return treedef.unflatten([c + a for c, a in zip(slow, fast, strict=True)])


class Read(NamedTuple):
    """A read of rows of A, as a rule sees it.

    Attributes:
      value: the rows' weights, ``[crossbars, rows, columns]``, with the noise of the read.
      chop: the signs of the rows' choppers, 1 or -1, ``[crossbars, rows, 1]``.
      turn: how often each row was read before, ``[crossbars, rows, 1]``.
      flips: whether its chopper flips after this read, ``[crossbars, rows, 1]``.
      size: what one pulse changes C by.
      stream: random stream of this read.
    """

    value: Array
    chop: Array
    turn: Array
    flips: Array
    size: Array
    stream: random.Stream


@params
class Transfer(Algorithm):
    """Parameters of every algorithm with a fast and a slow array.

    The network sees ``W = gamma A + C``, or C alone without gamma. Each tile of a crossbar has one
    of its rows read at every ``transfer_every``-th update, one after the other; or several at every
    update, where that is a fraction: 0.25 reads four. An update is a batch's; for a read every n-th
    sample of batches of B give n / B. What is a crossbar: ``memjax.updates.rows``.
    """

    transfer_rate: Leaf = param(
        default=0.1, doc="what a read of A moves to C", unit="fraction of A", at_least=0
    )
    gamma: Leaf | None = param(
        default=None, doc="share of A in the weight that the network sees", at_least=0
    )
    sigma_transfer: Leaf | None = param(
        default=None, doc="sd of a read of A", unit="weight units", at_least=0
    )
    transfer_every: int | float = static(
        default=1, doc="updates between two reads, or 1 / rows read at one", more_than=0
    )
    tile_rows: int = static(default=512, doc="most rows of a tile of a crossbar", at_least=1)
    transfer_pulses: int = static(
        default=MOST, doc="most pulses that a weight of C gets of a read; papers have 1", at_least=1
    )
    fast_rate: Leaf | None = param(
        default=None,
        doc="learning rate of A, whatever the schedule, which then scales transfer_rate",
        more_than=0,
    )
    auto_scale: bool = static(
        default=False,
        doc="divide A's gradients by their running maximum: with fast_rate 1 it fills a train",
    )
    with_reset: Leaf | None = param(
        default=None,
        doc="probability that a row of A is pulsed back to where it reads 0 after its read",
        at_least=0,
        at_most=1,
    )
    zero_shift: int = static(
        default=0,
        doc="pairs of pulses that find A's symmetry points, from which reads then count",
        at_least=0,
        at_most=1_000_000,
    )

    chops: ClassVar[bool] = False
    """Whether the rows of A have choppers."""

    def last_to_be_written(self, params: Any) -> tuple[str, int]:
        """After a pass over the rows of a tile, and as many more as the rule only listens to."""
        one = updates_of_a_pass(params, self.tile_rows, self.transfer_every)
        slowest = max(one, key=lambda path: one[path], default="")
        return slowest, one.get(slowest, 1) * (1 + self._passes_unwritten())

    def _passes_unwritten(self) -> int:
        """Passes of which nothing is written yet."""
        return 0

    def remember(self, shape: tuple[int, ...]) -> Any:
        """What the rule remembers of an array of weights: a NamedTuple of arrays of ``shape``."""
        raise NotImplementedError(f"{type(self).__name__} must define remember")

    def on_read(self, memory: Any, read: Read) -> tuple[Any, Array]:
        """What a read of a row means.

        Args:
          memory: what the rule remembers of the row.
          read: the read.

        Returns:
          What it remembers afterwards, and the signed whole pulses for the row of C.
        """
        raise NotImplementedError(f"{type(self).__name__} must define on_read")

    def mixed(self, a: Any, c: Any, symmetry: Any) -> Any:
        """The weights ``gamma A + C``, A from its symmetry points where these are known."""
        gamma: Any = self.gamma
        if symmetry is not None:
            a = jax.tree.map(jnp.subtract, a, symmetry)
        return jax.tree.map(lambda a, c: gamma * a + c, a, c)

    def constant_rate(self, learning_rate: Any) -> Any:
        """That of A: ``fast_rate``, where there is one."""
        if self.auto_scale:
            return None
        return learning_rate if self.fast_rate is None else self.fast_rate

    def rates(self, learning_rate: Any, state: Any, most: float | int) -> Any:
        """The rate of A: with ``auto_scale`` that of each array, ``fast_rate most pulse size`` over
        the running mean of its crossbar's largest gradient."""
        if not self.auto_scale:
            return self.constant_rate(learning_rate)
        share: Any = self.fast_rate
        top = most * share * state.fast.cell.pulse_size(state.fast.device)
        return jax.tree.map(lambda mean: top * inverse(mean), state.largest)

    def rate_options(self, learning_rate: optax.ScalarOrSchedule) -> dict[str, Any]:
        """The rate of the chain before, which ``fast_rate`` takes the place of."""
        return {} if self.fast_rate is None else {"learning_rate": learning_rate}

    def flips(self, stream: random.Stream, turn: Array) -> Array:
        """Whether the choppers of rows flip after their reads of number ``turn``."""
        del stream
        return jnp.zeros(turn.shape, bool)

    def check(self, device: Device, cell: Cell) -> None:
        """A must hold weights of both signs; rows, pulsed at fixed intervals, take no turns."""
        name = type(self).__name__
        super().check(device, cell)
        times = max(self.transfer_every, 1 / self.transfer_every)
        if abs(times - round(times)) > 1e-6 * times:
            raise UserError(
                f"{name}: transfer_every = {self.transfer_every:g} must be a whole number, or one "
                "over a whole number of rows that are read at each update"
            )
        if self.auto_scale and self.fast_rate is None:
            raise UserError(f"{name}: auto_scale = True scales fast_rate; give one, such as 1.0")
        if self.with_reset is not None and not cell.is_static(device):
            raise UserError(
                f"{name}: with_reset fires pulses beside those of updates, in which devices would "
                "decay, diffuse or be refreshed once more; leave it out, or take devices and a "
                "cell that stay as they are"
            )
        if self.zero_shift and cell.refreshes:
            raise UserError(
                f"{name}: zero_shift has no meaning in a {type(cell).__name__}, each of whose "
                "devices is only potentiated; leave it out"
            )
        _check_two_signed(name, device, cell)
        if isinstance(cell, VectorCell) and cell.rule == "in_turn" and cell.devices > 1:
            raise UserError(
                f"{name}: it pulses a row of C at fixed intervals, and a VectorCell whose devices "
                "take turns by the count of updates may always pulse the same one; take rule = "
                '"at_random" or "all"'
            )

    def build(
        self,
        device: Device,
        *,
        key: Key[Array, ""],
        pulses: Scheme | None = None,
        slow_device: Device | None = None,
        learning_rate: optax.ScalarOrSchedule | None = None,
        **options: Any,
    ) -> optax.GradientTransformationExtraArgs:
        """Pulsed SGD on A, and C by the rule.

        Args:
          device, key, pulses, options: as of ``Algorithm.build``.
          slow_device: makes C of another device than A.
          learning_rate: what the chain before has scaled gradients by; for ``fast_rate`` alone,
            which needs it.

        Raises:
          UserError: a ``fast_rate`` without the ``learning_rate`` whose place it takes.
        """
        if self.fast_rate is not None and learning_rate is None:
            raise UserError(
                f"{type(self).__name__}: fast_rate takes the place of the learning rate that the "
                "chain before applies; give it too, transform(..., learning_rate=0.1), or take the "
                "recipe"
            )
        c_device = device if slow_device is None else slow_device
        check_device(f"{type(self).__name__}, slow_device", c_device)
        keys = jax.random.split(key, 3)
        fast = draw_and_fire(device, key=keys[0], pulses=pulses, **options)
        slow = fire_pulses(c_device, key=keys[1], **options)
        most = (Bernoulli() if pulses is None else pulses).most
        rate = 1.0 if learning_rate is None else learning_rate
        return _transfer(as_arrays(self), fast, slow, keys[2], rate, most)


def _transfer(
    rule: Transfer,
    fast: Any,
    slow: Any,
    key: Key[Array, ""],
    learning_rate: optax.ScalarOrSchedule,
    most: float | int,
) -> optax.GradientTransformationExtraArgs:
    def init(params: Any) -> TransferState:
        zeros = jax.tree.map(lambda w: jnp.zeros(jnp.shape(w), jnp.float32), params)
        of_a, of_c = fast.init(zeros), slow.init(params)
        a, symmetry = of_a.readout(zeros), None
        if rule.zero_shift:
            of_a, a = symmetry_points(fast, of_a, a, rule.zero_shift)
            symmetry = a
        largest = jax.tree.map(lambda _: jnp.zeros(()), zeros) if rule.auto_scale else None
        exact = jax.tree.map(lambda w: jnp.asarray(w, jnp.float32), params)
        c = of_c.readout(exact) if rule.gamma is not None else None
        remembered = [rule.remember(jnp.shape(w)) for w in jax.tree.leaves(zeros)]
        treedef: Any = jax.tree.structure(zeros)
        memory = stack(remembered, treedef, jax.tree.structure(rule.remember(())))
        signs = [jnp.ones(place.shape[:2], jnp.float32) for place in crossbars(zeros)]
        chopper = treedef.unflatten(signs) if rule.chops else None
        count = jnp.zeros((), jnp.int32)
        state = TransferState(
            count=count,
            key=random.stream(key),
            rule=rule,
            fast=of_a,
            a=a,
            slow=of_c,
            c=c,
            memory=memory,
            chopper=chopper,
            symmetry=symmetry,
            largest=largest,
        )
        return jax.tree.map(jnp.copy, state)

    def update(
        updates: Any,
        state: TransferState,
        params: Any = None,
        *,
        largest: Any = None,
        **extra_args: Any,
    ) -> tuple[Any, TransferState]:
        del extra_args
        if params is None:
            raise UserError("transfer: update needs params; call update(grads, state, params)")
        rule, stream = state.rule, random.fold_in(state.key, state.count)
        wanted = updates
        if rule.fast_rate is not None:
            rate = rate_now(learning_rate, state.count)
            if rule.auto_scale:
                if largest is None:
                    largest = largest_of_crossbars(largest_gradients(wanted, rate), params)
                state = state._replace(largest=jax.tree.map(running_mean, state.largest, largest))
            wanted = at_rate(wanted, rule.rates(rate, state, most), rate)
            rule = dataclasses.replace(rule, transfer_rate=rule.transfer_rate * rate)
        if rule.chops:
            wanted = jax.tree.map(_chop, wanted, state.chopper, is_leaf=are_counts)
        change, of_a = fast.update(wanted, state.fast, state.a)
        a = jax.tree.map(jnp.add, state.a, change)
        c = params if state.c is None else state.c
        size = state.slow.cell.pulse_size(state.slow.device)

        treedef: Any
        weights, treedef = jax.tree.flatten(c)
        structure = jax.tree.structure(rule.remember(()))
        memories = unstack(state.memory, treedef, structure)
        choppers = treedef.flatten_up_to(state.chopper) if rule.chops else []
        places, names = crossbars(c), leaf_names(c)
        turns = [whose_turn(p, rule.tile_rows, state.count, rule.transfer_every) for p in places]
        symmetry = [] if state.symmetry is None else treedef.flatten_up_to(state.symmetry)
        counts, values = [], []
        for i, (place, turn, name, of_leaf) in enumerate(
            zip(places, turns, names, treedef.flatten_up_to(a), strict=True)
        ):
            own = random.fold_in(stream, name)
            value = take(of_leaf, place, turn.row)
            value = value + _read_noise(rule, state.fast, value, random.fold_in(own, 0))
            if symmetry:
                value = value - take(symmetry[i], place, turn.row)
            reads = jnp.broadcast_to(turn.turn[None, :, None], (*value.shape[:2], 1))
            sign = (
                choppers[i][:, turn.row, None] if rule.chops else jnp.ones((1, 1, 1), jnp.float32)
            )
            flips = turn.is_read[None, :, None] & rule.flips(random.fold_in(own, 1), reads)
            read = Read(value, sign, reads, flips, size, random.fold_in(own, 2))
            before = jax.tree.map(lambda m, p=place, t=turn: take(m, p, t.row), memories[i])
            after, n = rule.on_read(before, read)
            memories[i] = jax.tree.map(
                lambda m, new, p=place, t=turn: put(m, new, p, t), memories[i], after
            )
            if rule.chops:
                of_signs = Rows(0, place.of, (*place.shape[:2], 1))
                choppers[i] = put(choppers[i], jnp.where(flips, -sign, sign), of_signs, turn)
            counts.append(Counts(jnp.where(turn.is_read[None, :, None], n, 0.0)))
            values.append(value)

        if rule.with_reset is not None:
            erased = [
                _erasing(rule, value, turn, of_a, random.fold_in(random.fold_in(stream, name), 3))
                for value, turn, name in zip(values, turns, names, strict=True)
            ]
            held = treedef.flatten_up_to(a)
            own = beside_updates(of_a, ERASES, state.count)
            after, a = write_rows(fast, own, held, treedef, places, turns, erased)
            of_a = as_numbered(after, of_a)

        of_c, c_new = write_rows(slow, state.slow, weights, treedef, places, turns, counts)
        state = state._replace(
            count=optax.safe_increment(state.count),
            fast=of_a,
            a=a,
            slow=of_c,
            c=None if state.c is None else c_new,
            memory=stack(memories, treedef, structure),
            chopper=treedef.unflatten(choppers) if rule.chops else None,
        )
        new = c_new if state.c is None else rule.mixed(a, c_new, state.symmetry)
        change = jax.tree.map(lambda w, new: new - w, params, new)
        return change, state

    return optax.GradientTransformationExtraArgs(init, update)


def _erasing(
    rule: Transfer, value: Array, turn: Turn, of_a: PulsedUpdateState, stream: random.Stream
) -> Counts:
    """The pulses that lead rows of A back to 0, by what was read: whole ones, to the nearest."""
    probability: Any = rule.with_reset
    n = -jnp.round(value / of_a.cell.pulse_size(of_a.device))
    is_reset = random.uniform(stream, (*value.shape[:2], 1)) < probability
    return Counts(jnp.where(turn.is_read[None, :, None] & is_reset, n, 0.0), jnp.float32(0.0))


def _chop(wanted: Any, signs: Array) -> Any:
    """Every row of a wanted change, or of counts, times its chopper's sign."""
    if isinstance(wanted, Counts):
        return wanted._replace(n=_chop(wanted.n, signs))
    columns = wanted.size // max(signs.size, 1)
    rows = jnp.reshape(wanted, (*signs.shape, columns)) * signs.astype(wanted.dtype)[:, :, None]
    return jnp.reshape(rows, jnp.shape(wanted))


def _read_noise(rule: Transfer, fast: PulsedUpdateState, value: Array, stream: Any) -> Any:
    """The error of reading rows of A: the devices' own, and the reading circuit's."""
    if rule.sigma_transfer is None and fast.device.sigma_read is None:
        return 0.0
    variance = jnp.zeros_like(value) if rule.sigma_transfer is None else rule.sigma_transfer**2
    if fast.device.sigma_read is not None:
        variance = variance + fast.cell.read_variance(fast.device, value)
    return jnp.sqrt(variance) * random.normal(stream, value.shape)


def _check_two_signed(algorithm: str, device: Device, cell: Cell) -> None:
    """A must hold weights of both signs."""
    known = not isinstance(device.g_ref, jax.core.Tracer)
    at_bound = known and bool(np.any(np.isin(np.asarray(device.g_ref), (0, 1))))
    if at_bound and isinstance(cell, ReferenceCell | VectorCell):
        raise UserError(
            f"{algorithm}: its fast array needs weights of both signs, and a {type(cell).__name__} "
            f"of {type(device).__name__} with g_ref = {device.g_ref} has one; take "
            "RefreshPair() or DifferentialPair(), or another g_ref"
        )
