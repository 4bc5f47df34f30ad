"""Arithmetic on bitstreams of switching devices: how far it is off, by their length."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from memjax import random
from memjax.bitstreams import Drive, SwitchingDevice, emitter, encoders, expected, joint, tally
from memjax.bitstreams.bitstream import WORD
from memjax.bitstreams.correlation import scc_of_counts
from memjax.bitstreams.emitter import Emitter, Reading
from memjax.bitstreams.memory import Memory
from memjax.bitstreams.tally import DIVIDE, FUSE, OPERATIONS, Tally
from memjax.errors import UserError
from memjax.experiments import bitstreams_notes
from memjax.experiments.base import Column, Experiment, Objective, Report, Stages
from memjax.experiments.sections import part
from memjax.pytree import Leaf, param, params, static

_PAIRS, _SELECT = range(2)


class Streams(NamedTuple):
    """A lane's devices, what they carry, and what has been counted.

    Attributes:
      pairs, select: devices of x and y, and of the select stream of a multiplexer.
      carried, carried_select: what they remember.
      tally: the counts.
    """

    pairs: tuple[Emitter, ...]
    select: tuple[Emitter, ...]
    carried: tuple[Memory, ...]
    carried_select: tuple[Memory, ...]
    tally: Tally


@params
class Bitstreams(Experiment):
    """The error of a gate, or a divider, whose inputs are streams of switching devices.

    A lane has many pairs of streams, each of devices of its own, and is evaluated at each length.
    What comes out is compared with what the gate makes of ideal devices behind the same encoder:
    ``x y`` of an AND and independent streams, ``|x - y|`` of an XOR and shared ones.

    Example:
      >>> from memjax.experiments.bitstreams import Bitstreams
      >>> from memjax.sweep import Spec, run
      >>> raw = {"seeds": 1, "axes": {"sigma_v0_d2d": [0, 0.05]}, "study": {"lengths": [16, 256]}}
      >>> print(run(Spec.from_dict(raw, experiment=Bitstreams)).rms_error.values.squeeze().round(2))
      [[0.09 0.02]
       [0.2  0.18]]
    """

    device: SwitchingDevice = part(SwitchingDevice)
    pulse: Drive = part(Drive)
    p: Leaf = param(default=0.6, doc="probability of x", at_least=0, at_most=1)
    q: Leaf = param(default=0.3, doc="probability of y", at_least=0, at_most=1)
    select: Leaf = param(
        default=0.5, doc="probability of a multiplexer's select stream", at_least=0, at_most=1
    )
    gate: str = static(default="and", doc="what is done with x and y", choices=OPERATIONS)
    encoder: str = static(
        default="two_devices", doc="how they are read", choices=tuple(encoders.ENCODERS)
    )
    later: int = static(
        default=1, doc="bits by which a delayed stream is", at_least=1, less_than=WORD
    )
    lengths: tuple[int, ...] = static(
        default=tuple(2**k for k in range(4, 13)),
        doc="bits of a stream",
        each={"at_least": 1, "at_most": 2**24},
        adds_stages=True,
    )
    repetitions: int = static(
        default=2000, doc="pairs of streams of a lane", at_least=2, at_most=10**6
    )

    def check(self) -> None:
        """Lengths must rise."""
        if not self.lengths or any(
            a >= b for a, b in zip(self.lengths, self.lengths[1:], strict=False)
        ):
            raise UserError(f"study: lengths = {list(self.lengths)} must be numbers that rise")

    def stages(self) -> Stages:
        """Lengths of streams."""
        return Stages("length", self.lengths, "bit", "length of a stream")

    def columns(self, data: Any) -> dict[str, Column]:
        """Errors, and correlations of streams with each other and themselves."""
        del data
        told = {
            "rms_error": "rms error",
            "theory": "rms error of fair bits",
            "bias": "mean error",
            "scc": "mean correlation (SCC) of x and y",
            "autocorrelation": "correlation of x with its next bit",
        }
        return {name: Column(("length",), "1", words) for name, words in told.items()}

    def objective(self, data: Any) -> Objective:
        """The rms error; 1/2 is what an output that is always wrong by half has."""
        del data
        return Objective("rms_error", "lower", None, guess=0.5)

    def notes(self, axes: Sequence[Mapping[str, list[Any]]], data: Any = None) -> list[str]:
        """Options without effect."""
        del data
        return bitstreams_notes.notes(self, axes)

    def init(self, key_data: Array, data: Any) -> Streams:
        """Devices, under their pulses."""
        del data
        shape, how = (self.repetitions,), encoders.get(self.encoder)
        p, q = (jnp.asarray(each, jnp.float32) for each in (self.p, self.q))
        stream = random.fold_in(key_data, _PAIRS)
        pairs = encoders.emitters(how, self.device, stream, p, q, shape, self.pulse)
        carried = encoders.before(self.device, pairs, stream, self._reading)
        select: tuple[Emitter, ...] = ()
        carried_select: tuple[Memory, ...] = ()
        if self.gate == "mux":
            own, s = random.fold_in(key_data, _SELECT), jnp.asarray(self.select, jnp.float32)
            select = (emitter.emitter(self.device, own, (s,), (s,), shape, self.pulse),)
            if self.device.remembers:
                carried_select = (emitter.before(self.device, select[0], own, Reading()),)
        return Streams(pairs, select, carried, carried_select, tally.nothing(shape))

    def advance(
        self, state: Streams, key_data: Array, stage: Array, data: Any
    ) -> tuple[Streams, Report]:
        """The bits up to a length, counted."""
        del data
        ends = jnp.asarray((0, *self.lengths), jnp.int32)
        low, high = ends[stage], ends[stage + 1]

        def word(number: Array, state: Streams) -> Streams:
            within = jnp.maximum(low - number * WORD, 0), jnp.minimum(high - number * WORD, WORD)
            state, words = self._words(state, key_data, number, within)
            found = tally.counted(state.tally, self.gate, words, number, low, high)
            return state._replace(tally=found)

        words = low // WORD, (high + WORD - 1) // WORD
        return jax.lax.fori_loop(*words, word, state), {}

    def evaluate(
        self, state: Streams, key_data: Array, stage: Array, data: Any, *, last: bool
    ) -> Report:
        """The errors at a length."""
        del key_data, data, last
        n, found = jnp.asarray(self.lengths, jnp.float32)[stage], state.tally
        wanted, passed = self._wanted()
        error = found.out.astype(jnp.float32) / n - wanted
        variance = wanted * (1.0 - wanted) / n * (2.0 - passed) / passed  # outputs repeat
        ones = found.x.astype(jnp.float32) / n
        successive = found.successive.astype(jnp.float32) / jnp.maximum(n - 1.0, 1.0)
        spread = jnp.mean(ones * (1.0 - ones))
        return {
            "rms_error": jnp.sqrt(jnp.mean(jnp.square(error))),
            "theory": jnp.sqrt(variance),
            "bias": jnp.mean(error),
            "scc": jnp.mean(scc_of_counts(found.both, found.x, found.y, n)),
            "autocorrelation": jnp.where(
                spread > 0,
                jnp.mean(successive - jnp.square(ones)) / jnp.where(spread > 0, spread, 1.0),
                0.0,
            ),
        }

    @property
    def _reading(self) -> Reading:
        return encoders.get(self.encoder).reading(self.later)

    def _wanted(self) -> tuple[Array, Array]:
        """The chance of a one of ideal devices behind this encoder, and that a bit is a new one."""
        correlation = encoders.get(self.encoder).correlation
        both, _, _, neither = joint(self.p, self.q, correlation)
        if self.gate not in (DIVIDE, FUSE):
            one = expected(self.gate, self.p, self.q, correlation, self.select)
            return one, jnp.ones_like(one)
        passed = both + neither if self.gate == FUSE else jnp.asarray(self.q, jnp.float32)
        return both / passed, passed

    def _words(
        self, state: Streams, key_data: Array, number: Array, within: tuple[Array, Array]
    ) -> tuple[Streams, tuple[Array, Array, Array]]:
        """The next word of x, y and the select stream."""
        own = random.fold_in(key_data, _PAIRS)
        carried, (x, y) = encoders.word(
            encoders.get(self.encoder),
            self.device,
            state.pairs,
            state.carried,
            own,
            number,
            *within,
            self._reading,
        )
        state = state._replace(carried=carried)
        if not state.select:
            return state, (x, y, jnp.zeros_like(x))
        own = random.fold_in(key_data, _SELECT)
        if not state.carried_select:
            (select,) = emitter.word(state.select[0], own, number, Reading())
            return state, (x, y, select)
        memory, (select,) = emitter.bits(
            self.device,
            state.select[0],
            state.carried_select[0],
            own,
            number + 1,
            *within,
            Reading(),
        )
        return state._replace(carried_select=(memory,)), (x, y, select)
