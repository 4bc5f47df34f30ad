"""Lanes of one static group, chunk by chunk: one compilation, over all devices.

A chunk is ``width`` lanes a device, run side by side by ``vmap``, the devices side by side by
``shard_map``. Memory is bounded by the chunk whatever the number of lanes. Lanes that pad the last
chunk are copies, and thrown away.
"""

import contextlib
import functools
import os
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from memjax import limits
from memjax.experiments import Column, Experiment, Stages
from memjax.experiments.base import FINITE
from memjax.pytree import as_arrays, batched
from memjax.sweep.engine.checkpoint import NoCheckpoint
from memjax.sweep.store.columns import NOT_FINITE, TRAINED, Columns

_CPU_SIZE = 75_000
_GPU_SIZE = 100_000_000


def use_all_cores() -> None:
    """Makes every CPU core a JAX device; does nothing once JAX has started.

    There are two at least: a program for one device is another to XLA, which may round otherwise,
    and lanes are to have the same bits whatever the number of cores.

    ``run`` calls it; a notebook that computes something before its first sweep calls it first.
    """
    if jax.config.jax_num_cpu_devices < 0:  # type: ignore[attr-defined]  # missing from the stubs
        with contextlib.suppress(RuntimeError):
            jax.config.update("jax_num_cpu_devices", max(2, _cores()))


def _cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS and Windows
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def lane_width(size: int) -> int:
    """Lanes a device runs side by side: as many as keep its caches busy and no more.

    Args:
      size: numbers that a lane works on at once, ``Experiment.size``.
    """
    budget = _CPU_SIZE if jax.default_backend() == "cpu" else _GPU_SIZE
    return int(2 ** np.clip(np.round(np.log2(budget / size)), 0, 13))


def memory() -> int | None:
    """Bytes that programs may use on a device; None where it does not say, as CPUs do not."""
    return (jax.local_devices()[0].memory_stats() or {}).get("bytes_limit")


class TooWide(Exception):
    """Lanes side by side need more memory than a device has; ``width`` of them would not."""

    def __init__(self, width: int):
        super().__init__(width)
        self.width = width


def replicated(data: Any) -> Any:
    """The same data on every device."""
    everywhere = NamedSharding(_mesh(), P())
    return jax.tree.map(lambda leaf: jax.device_put(leaf, everywhere), data)


class Runner:
    """Runs lanes at a width."""

    def __init__(self, stages: Stages, columns: dict[str, Column], width: int, program: str = ""):
        """Compiles nothing yet; the first chunk does.

        Args:
          stages: of the lanes.
          columns: what they report.
          width: lanes a device.
          program: digest of the user's own code: other code is compiled anew, whatever its names.
        """
        self.stages, self.columns = stages, columns
        self.width, self.chunk = width, width * len(jax.local_devices())
        self.init, self.advance, self.evaluate, self.evaluate_last = _compiled(_mesh(), program)
        at_the_end = any(stages.dim not in column.dims for column in columns.values())
        if not at_the_end:
            self.evaluate_last = self.evaluate
        self.limit = memory()

    def run(
        self,
        experiment: Experiment,
        key_data: np.ndarray,
        data: Any,
        objective: str,
        report: Callable[[float], None] = lambda lanes: None,
        keep: Callable[[int], NoCheckpoint] = lambda start: NoCheckpoint(),
    ) -> Columns:
        """Runs every lane, chunk by chunk.

        Args:
          experiment: its leaves are scalars, or one value a lane.
          key_data: root random words, ``[lanes, 2]``.
          data: what lanes share, on all devices.
          objective: the column that says whether a lane is sane, where nothing else does.
          report: told the number of lanes that each stage of a chunk is worth.
          keep: where the chunk that starts at a lane keeps its state between stages.

        Returns:
          Every column ``[lanes, ...]``, with the stages second where it has them, and ``status``.

        Raises:
          TooWide: XLA says that a chunk does not fit.
        """
        total = key_data.shape[0]
        experiment = batched(experiment, total)
        if limits.is_near_most_mappings():
            for program in {self.init, self.advance, self.evaluate, self.evaluate_last}:
                program.clear_cache()
        chunks = []
        for start in range(0, total, self.chunk):
            lanes = np.arange(start, min(start + self.chunk, total))
            padded = np.pad(lanes, (0, self.chunk - len(lanes)), mode="edge")
            chunk = as_arrays(jax.tree.map(lambda leaf, p=padded: leaf[p], experiment))
            worth = functools.partial(report, len(lanes) / len(self.stages.values))
            words = jnp.asarray(key_data[padded])
            columns = self._chunk(chunk, words, data, objective, worth, keep(start))
            chunks.append({name: column[: len(lanes)] for name, column in columns.items()})
        return {name: np.concatenate([c[name] for c in chunks]) for name in chunks[0]}

    def _chunk(
        self,
        experiment: Experiment,
        words: jax.Array,
        data: Any,
        objective: str,
        report: Callable[[], None],
        keep: NoCheckpoint,
    ) -> Columns:
        """Runs one chunk from its beginning, or from what was kept of it."""
        stages = len(self.stages.values)
        state = self.init(experiment, words, data)
        self._measure(experiment, state, words, data)
        state, kept, done = keep.restore(state)
        finite = kept.pop(FINITE, np.ones(len(words), bool))
        columns = {n: _with_stages(c, done, stages) for n, c in kept.items() if self._is_staged(n)}
        for _ in range(done):
            report()
        for stage in range(done, stages):
            now = np.int32(stage)
            state, of_the_way = self.advance(experiment, state, words, now, data)
            evaluate = self.evaluate_last if stage == stages - 1 else self.evaluate
            found = evaluate(experiment, state, words, now, data)
            sane = [np.asarray(r.pop(FINITE)) for r in (of_the_way, found) if FINITE in r]
            sane = sane or [np.isfinite(np.asarray((of_the_way | found)[objective]))]
            finite = np.logical_and.reduce([finite, *sane])
            for name, value in of_the_way.items():
                self._put(columns, name, stage, np.asarray(value))
            for name, value in found.items():
                self._put(columns, name, stage, _where(finite, np.asarray(value)))
            report()
            keep.save(state, columns | {FINITE: finite}, stage + 1, stages)
        columns["status"] = np.where(finite, TRAINED, NOT_FINITE).astype(np.int8)
        return columns

    def _is_staged(self, name: str) -> bool:
        return self.stages.dim in self.columns[name].dims

    def _put(self, columns: Columns, name: str, stage: int, value: np.ndarray) -> None:
        if not self._is_staged(name):
            columns[name] = value
            return
        if name not in columns:
            columns[name] = _with_stages(value[:, None], 0, len(self.stages.values))
        columns[name][:, stage] = value

    def _measure(self, experiment: Experiment, state: Any, words: jax.Array, data: Any) -> None:
        """Compiles a stage, of which XLA then knows what it takes of a device's memory."""
        limit, self.limit = self.limit, None  # all chunks are alike
        if limit is None:
            return
        lowered = self.advance.lower(experiment, state, words, np.int32(0), data)
        needs = lowered.compile().memory_analysis()
        if needs is None:
            return
        taken = needs.argument_size_in_bytes + needs.output_size_in_bytes
        taken += needs.temp_size_in_bytes - needs.alias_size_in_bytes
        if taken > limit:
            shared = sum(leaf.nbytes for leaf in jax.tree.leaves(data))
            fits = self.width * (limit - shared) / (taken - shared)
            raise TooWide(2 ** int(np.log2(fits)) if fits >= 1 else 0)


def _where(finite: np.ndarray, value: np.ndarray) -> np.ndarray:
    """What sane lanes report; NaN of the others, where there is such a number."""
    if value.dtype.kind != "f":
        return value
    return np.where(finite.reshape(-1, *[1] * (value.ndim - 1)), value, np.nan).astype(value.dtype)


def _with_stages(column: np.ndarray, done: int, stages: int) -> np.ndarray:
    """A column of so many stages, those done first."""
    nothing = np.nan if column.dtype.kind == "f" else 0
    found = np.full((len(column), stages, *column.shape[2:]), nothing, column.dtype)
    found[:, :done] = column[:, :done]
    return found


def _mesh() -> Mesh:
    return Mesh(jax.local_devices(), "lanes")


@functools.lru_cache(maxsize=16)
def _compiled(mesh: Mesh, program: str) -> tuple[Any, ...]:
    """The programs of a lane, each ``vmap`` over lanes inside ``shard_map`` over devices.

    JAX compiles one of each for every treedef of the experiment.
    """
    del program
    lane, everywhere = P("lanes"), P()

    def over_lanes(function: Any, in_specs: tuple[P, ...], donate: tuple[int, ...] = ()) -> Any:
        axes = tuple(0 if spec == lane else None for spec in in_specs)
        mapped = jax.vmap(function, in_axes=axes)
        sharded = jax.shard_map(
            mapped, mesh=mesh, in_specs=in_specs, out_specs=lane, check_vma=False
        )
        return jax.jit(sharded, donate_argnums=donate, compiler_options=_compiler_options())

    def init(experiment: Experiment, *args: Any) -> Any:
        return experiment.init(*args)

    def advance(experiment: Experiment, *args: Any) -> Any:
        return experiment.advance(*args)

    def evaluate(last: bool, experiment: Experiment, *args: Any) -> Any:
        return experiment.evaluate(*args, last=last)

    of_a_state = (lane, lane, lane, everywhere, everywhere)
    return (
        over_lanes(init, (lane, lane, everywhere)),
        over_lanes(advance, of_a_state, donate=(1,)),
        over_lanes(functools.partial(evaluate, False), of_a_state),
        over_lanes(functools.partial(evaluate, True), of_a_state),
    )


def _compiler_options() -> dict[str, Any]:
    """XLA prefers 256-bit vectors on CPUs that have 512; the updates are faster with 512."""
    return {"xla_cpu_prefer_vector_width": 512} if jax.default_backend() == "cpu" else {}
