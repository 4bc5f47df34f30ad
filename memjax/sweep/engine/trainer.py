"""The engine: a task's lanes in chunks over all devices, one compilation for each static group.

A chunk is ``width`` lanes a device, trained side by side by ``vmap``, the devices side by side by
``shard_map``. Memory is bounded by the chunk whatever the number of lanes. Lanes that pad the last
chunk are copies, and thrown away.
"""

import contextlib
import dataclasses
import functools
import itertools
import os
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Array

from memjax.data import Dataset
from memjax.errors import UserError
from memjax.experiments import (
    LaneState,
    Program,
    Samples,
    Variant,
    accuracy,
    diagnose,
    init_lane,
    train_epoch,
)
from memjax.experiments.corruption import corrupted_sets
from memjax.pytree import as_arrays, batched
from memjax.sweep.engine.checkpoint import NoCheckpoint
from memjax.sweep.spec import grid as lane_table
from memjax.sweep.spec.sections import build
from memjax.sweep.spec.spec import Spec, section_of, static_parameters
from memjax.sweep.store.journal import Columns
from memjax.sweep.store.label import NOT_FINITE, TRAINED

_CPU_WEIGHTS = 75_000
_GPU_WEIGHTS = 100_000_000
_TASK = 2e9  # weights times samples that lanes of a task train: a second or so of two CPU cores
_MOST_CHUNKS = 64
_OUT_OF_MEMORY = ("RESOURCE_EXHAUSTED", "Out of memory")


def use_all_cores() -> None:
    """Makes every CPU core a JAX device; does nothing once JAX has started.

    ``run`` calls it; a notebook that computes something before its first sweep calls it first.
    """
    if jax.config.jax_num_cpu_devices < 0:  # type: ignore[attr-defined]  # missing from the stubs
        with contextlib.suppress(RuntimeError):
            jax.config.update("jax_num_cpu_devices", _cores())


def _cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS and Windows
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def lane_width(program: Program) -> int:
    """Lanes a device trains side by side: as many as keep its caches busy and no more."""
    weights = sum((rows + 1) * columns for rows, columns in itertools.pairwise(program.sizes))
    budget = _CPU_WEIGHTS if jax.default_backend() == "cpu" else _GPU_WEIGHTS
    return int(2 ** np.clip(np.round(np.log2(budget / weights)), 0, 13))


def chunks_of_a_task(spec: Spec, dataset: Dataset, chunk: int, workers: int) -> int:
    """Chunks of lanes that are shared out and kept at once: so many that this costs little.

    Args:
      spec: the sweep.
      dataset: its data set.
      chunk: lanes that a worker trains side by side.
      workers: how many there are; each is to have some tasks, so that they end together.
    """
    sizes = (dataset.n_features, *spec.sections["model"]["hidden"], dataset.n_classes)
    weights = sum((rows + 1) * columns for rows, columns in itertools.pairwise(sizes))
    work = chunk * weights * len(dataset.x_train) * spec.sections["train"]["epochs"]
    shared = lane_table.count(spec) // (4 * workers * chunk)
    return int(np.clip(min(_TASK // work, shared), 1, _MOST_CHUNKS))


def program_and_variant(
    spec: Spec, dataset: Dataset, values: dict[str, list[Any]], *, baseline: bool = False
) -> tuple[Program, Variant]:
    """The compiled part of lanes that share their static values, and their swept part.

    Args:
      spec: the sweep.
      dataset: fixes the first and the last layer.
      values: every swept parameter's value, lane by lane; static ones are equal in all lanes.
      baseline: the floating-point network instead.
    """
    tables = {section: dict(table) for section, table in spec.sections.items()}
    static = set(static_parameters(spec))
    static |= {
        p for p, column in values.items() if column[0] is None or isinstance(column[0], list)
    }
    for parameter, column in values.items():
        tables[_home(parameter, tables)][parameter] = column[0]
    train, model = tables["train"], tables["model"]
    pulses = None if baseline else build("pulses", tables["pulses"])
    sizes = (dataset.n_features, *model["hidden"], dataset.n_classes)
    program = Program(
        sizes=sizes,
        activation=model["activation"],
        batch_size=train["batch_size"],
        pulses=pulses,
        diagnostics=tables["evaluate"]["diagnostics"] and not baseline,
    )
    rate = train["learning_rate"]
    if baseline and train["baseline_learning_rate"] is not None:
        rate = train["baseline_learning_rate"]
    variant = Variant(
        device=build("device", tables["device"]),
        cell=build("cell", tables["cell"]),
        algorithm=build("train", train),
        learning_rate=rate,
        learning_rate_decay=train["learning_rate_decay"],
    )
    for parameter in values.keys() - static:
        part = _home(parameter, tables)
        if part == "train" and not hasattr(variant, parameter):
            part = "algorithm"
        if part != "train" and not hasattr(getattr(variant, part), parameter):
            continue  # another device's or algorithm's, on an axis of them
        change: dict[str, Any] = {parameter: np.asarray(values[parameter], np.float32)}
        if part != "train":
            change = {part: dataclasses.replace(getattr(variant, part), **change)}
        variant = dataclasses.replace(variant, **change)
    return program, variant


def _home(parameter: str, tables: dict[str, dict[str, Any]]) -> str:
    """The section of a swept parameter; a device's table is none that an axis of its own varies."""
    return section_of(parameter, tables) or "device"


def memory() -> int | None:
    """Bytes that programs may use on a device; None where it does not say, as CPUs do not."""
    return (jax.local_devices()[0].memory_stats() or {}).get("bytes_limit")


class TooWide(Exception):
    """Lanes side by side need more memory than a device has; ``width`` of them would not."""

    def __init__(self, width: int):
        super().__init__(width)
        self.width = width


class Runner:
    """A compiled group: a program, on a mesh of devices, at a width."""

    def __init__(self, program: Program, width: int):
        """Compiles nothing yet; the first chunk does.

        Args:
          program: the compiled part.
          width: lanes a device.
        """
        self.width, self.chunk = width, width * len(jax.local_devices())
        self.init, self.epoch, self.accuracy, diagnose = _compiled(program, _mesh())
        self.diagnose = diagnose if program.diagnostics else None
        self.limit = memory()

    def run(
        self,
        variant: Variant,
        words: np.ndarray,
        samples: tuple[Samples, Samples],
        epochs: int,
        corrupted: list[Samples],
        report: Callable[[float], None],
        keep: Callable[[int], NoCheckpoint] = lambda start: NoCheckpoint(),
    ) -> Columns:
        """Trains every lane, chunk by chunk.

        Args:
          variant: swept parameters, scalars or one value a lane.
          words: root random words, ``[lanes, 2]``.
          samples: training and test set, on all devices.
          epochs: passes over the training set.
          corrupted: corrupted test sets.
          report: told the number of lanes that each epoch of a chunk is worth.
          keep: where the chunk that starts at a lane keeps its state between epochs.

        Returns:
          ``test_accuracy`` and ``train_loss`` ``[lanes, epochs]``, NaN once a lane is not finite;
          ``status`` ``[lanes]``; ``corrupted_accuracy`` ``[lanes, corruptions]``, and with
          diagnostics every field of ``Diagnosis``, after the last epoch.

        Raises:
          TooWide: XLA says that a chunk does not fit.
        """
        total = words.shape[0]
        variant = batched(variant, total)
        chunks = []
        for start in range(0, total, self.chunk):
            lanes = np.arange(start, min(start + self.chunk, total))
            padded = np.pad(lanes, (0, self.chunk - len(lanes)), mode="edge")
            chunk = as_arrays(jax.tree.map(lambda leaf, p=padded: leaf[p], variant))
            columns = self._chunk(
                chunk,
                jnp.asarray(words[padded]),
                samples,
                epochs,
                corrupted,
                functools.partial(report, len(lanes) / epochs),
                keep(start),
            )
            chunks.append({name: column[: len(lanes)] for name, column in columns.items()})
        return {name: np.concatenate([c[name] for c in chunks]) for name in chunks[0]}

    def _chunk(
        self,
        variant: Variant,
        words: Array,
        samples: tuple[Samples, Samples],
        epochs: int,
        corrupted: list[Samples],
        report: Callable[[], None],
        keep: NoCheckpoint,
    ) -> Columns:
        """Trains one chunk from its beginning, or from what was kept of it."""
        state: LaneState = self.init(variant, words)
        self._measure(variant, state, samples[0])
        columns: Columns = {}
        for name in ("test_accuracy", "train_loss"):
            columns[name] = np.full((len(words), epochs), np.nan, np.float32)
        if self.diagnose:
            columns["conductance_before"] = np.asarray(self.diagnose(variant, state).conductance)
        state, columns, done = keep.restore(state, columns)
        for _ in range(done):
            report()
        for epoch in range(done, epochs):
            state, loss = self.epoch(variant, state, samples[0])
            columns["train_loss"][:, epoch] = np.asarray(loss)
            columns["test_accuracy"][:, epoch] = self.accuracy(variant, state, samples[1])
            report()
            keep.save(state, columns, epoch + 1, epochs)
        columns["status"] = np.where(np.asarray(state.finite), TRAINED, NOT_FINITE).astype(np.int8)
        if corrupted:
            right = [np.asarray(self.accuracy(variant, state, test)) for test in corrupted]
            columns["corrupted_accuracy"] = np.stack(right, axis=1)
        if self.diagnose:
            found = jax.tree.map(np.asarray, self.diagnose(variant, state))._asdict()
            columns |= {"conductance_after": found.pop("conductance"), **found}
        return columns

    def _measure(self, variant: Variant, state: LaneState, samples: Samples) -> None:
        """Compiles an epoch, of which XLA then knows what it takes of a device's memory."""
        limit, self.limit = self.limit, None  # all chunks are alike
        if limit is None:
            return
        needs = self.epoch.lower(variant, state, samples).compile().memory_analysis()
        if needs is None:
            return
        taken = needs.argument_size_in_bytes + needs.output_size_in_bytes
        taken += needs.temp_size_in_bytes - needs.alias_size_in_bytes
        if taken > limit:
            shared = sum(leaf.nbytes for leaf in samples)
            fits = self.width * (limit - shared) / (taken - shared)
            raise TooWide(2 ** int(np.log2(fits)) if fits >= 1 else 0)


def _mesh() -> Mesh:
    return Mesh(jax.local_devices(), "lanes")


@functools.cache
def _compiled(program: Program, mesh: Mesh) -> tuple[Any, ...]:
    """The programs of a group, each ``vmap`` over lanes inside ``shard_map`` over devices."""
    lane, everywhere = P("lanes"), P()

    def over_lanes(function: Any, in_specs: tuple[P, ...], donate: tuple[int, ...] = ()) -> Any:
        axes = tuple(0 if spec == lane else None for spec in in_specs)
        mapped = jax.vmap(functools.partial(function, program), in_axes=axes)
        sharded = jax.shard_map(
            mapped, mesh=mesh, in_specs=in_specs, out_specs=lane, check_vma=False
        )
        return jax.jit(sharded, donate_argnums=donate, compiler_options=_compiler_options())

    return (
        over_lanes(init_lane, (lane, lane)),
        over_lanes(train_epoch, (lane, lane, everywhere), donate=(1,)),
        over_lanes(accuracy, (lane, lane, everywhere)),
        over_lanes(diagnose, (lane, lane)),
    )


def _compiler_options() -> dict[str, Any]:
    """XLA prefers 256-bit vectors on CPUs that have 512; the updates are faster with 512."""
    return {"xla_cpu_prefer_vector_width": 512} if jax.default_backend() == "cpu" else {}


def on_all_devices(x: np.ndarray, y: np.ndarray) -> Samples:
    """A flat data set, replicated."""
    everywhere = NamedSharding(_mesh(), P())
    return Samples(jax.device_put(x, everywhere), jax.device_put(y, everywhere))


class Trainer:
    """Trains any lanes of a sweep on this process's devices.

    Attributes:
      width: lanes a device; fewer for good when so many do not fit into its memory.
    """

    def __init__(self, spec: Spec, dataset: Dataset, width: int | None = None):
        """Puts the data on the devices.

        Args:
          spec: the sweep.
          dataset: flat.
          width: lanes a device; without one the specification's, or what suits the machine.
        """
        self.spec, self.dataset = spec, dataset
        self.samples = (
            on_all_devices(dataset.x_train, dataset.y_train),
            on_all_devices(dataset.x_test, dataset.y_test),
        )
        self.corrupted = [on_all_devices(x, dataset.y_test) for x in corrupted_sets(spec, dataset)]
        self.baseline, self._baseline_variant = program_and_variant(
            spec, dataset, {}, baseline=True
        )
        self.width = width or spec.sections["engine"]["width"] or lane_width(self.baseline)

    def lanes(
        self,
        numbers: np.ndarray,
        report: Callable[[float], None] = lambda lanes: None,
        keep: Callable[[int], NoCheckpoint] = lambda start: NoCheckpoint(),
    ) -> Columns:
        """Trains lanes of one static group.

        Args:
          numbers: of the lanes.
          report: told how many lanes more are done.
          keep: as of ``Runner.run``.

        Raises:
          UserError: not even one lane fits into memory.
        """
        values = lane_table.parameter_values(self.spec, numbers)
        program, variant = program_and_variant(self.spec, self.dataset, values)
        words = lane_table.lane_words(self.spec, numbers)
        return self._run(program, variant, words, report, keep)

    def baseline_lanes(
        self, seeds: np.ndarray, report: Callable[[float], None] = lambda lanes: None
    ) -> Columns:
        """Trains the floating-point network, once a seed."""
        words = lane_table.baseline_words(self.spec)[seeds]
        return self._run(self.baseline, self._baseline_variant, words, report)

    def _run(
        self, program: Program, variant: Variant, words: np.ndarray, report: Any, *keep: Any
    ) -> Columns:
        epochs = self.spec.sections["train"]["epochs"]
        told = 0.0

        def tell(lanes: float) -> None:
            nonlocal told
            told += lanes
            report(lanes)

        while True:
            try:
                runner = Runner(program, self.width)
                return runner.run(variant, words, self.samples, epochs, self.corrupted, tell, *keep)
            except TooWide as error:
                narrower = error.width
            except jax.errors.JaxRuntimeError as error:
                if not any(sign in str(error) for sign in _OUT_OF_MEMORY):
                    raise
                narrower = self.width // 2
            if narrower == 0:
                raise UserError(
                    f"{self.spec.name}: not even one lane fits into memory; lower "
                    "train.batch_size or model.hidden"
                )
            self.width = narrower
            report(-told)
            told = 0.0
