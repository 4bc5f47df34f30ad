"""The engine: lanes in chunks over all devices, one compilation for each static group.

A chunk is ``width`` lanes a device, trained side by side by ``vmap``, the devices side by side by
``shard_map``. Memory is bounded by the chunk whatever the number of lanes. Lanes that pad the last
chunk are copies, and thrown away.
"""

import contextlib
import dataclasses
import functools
import itertools
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from memjax.data import Dataset
from memjax.pytree import as_arrays, batched
from memjax.sweep import lanes as lane_table
from memjax.sweep.corruption import corrupted_sets
from memjax.sweep.sections import build
from memjax.sweep.spec import Spec, section_of, static_parameters
from memjax.training import (
    Diagnosis,
    LaneState,
    Program,
    Samples,
    Variant,
    accuracy,
    diagnose,
    init_lane,
    train_epoch,
)

_CPU_WEIGHTS = 75_000
_GPU_WEIGHTS = 100_000_000

Progress = Callable[[float, int], None]
"""``progress(lanes done, lanes in all)``; a lane counts by its epochs."""


class Outcome(NamedTuple):
    """What a set of lanes reports, lane by lane.

    Attributes:
      test_accuracy: ``[lanes, epochs]``, NaN once a lane is not finite.
      train_loss: ``[lanes, epochs]``.
      corrupted_accuracy: ``[lanes, corruptions]``, after the last epoch.
      finite: ``[lanes]``.
      diagnosis: with diagnostics, a ``Diagnosis`` of ``[lanes, ...]`` after the last epoch.
      conductance_before: with diagnostics, the devices by their conductance before training.
    """

    test_accuracy: np.ndarray
    train_loss: np.ndarray
    corrupted_accuracy: np.ndarray
    finite: np.ndarray
    diagnosis: Diagnosis | None = None
    conductance_before: np.ndarray | None = None


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


class Runner:
    """A compiled group: a program, on a mesh of devices, at a width."""

    def __init__(self, program: Program, width: int):
        """Compiles nothing yet; the first chunk does.

        Args:
          program: the compiled part.
          width: lanes a device.
        """
        self.chunk = width * len(jax.local_devices())
        self.init, self.epoch, self.accuracy, diagnose = _compiled(program, _mesh())
        self.diagnose = diagnose if program.diagnostics else None

    def run(
        self,
        variant: Variant,
        words: np.ndarray,
        samples: tuple[Samples, Samples],
        epochs: int,
        corrupted: list[Samples],
        report: Callable[[float], None],
    ) -> Outcome:
        """Trains every lane, chunk by chunk.

        Args:
          variant: swept parameters, scalars or one value a lane.
          words: root random words, ``[lanes, 2]``.
          samples: training and test set, on all devices.
          epochs: passes over the training set.
          corrupted: corrupted test sets.
          report: told the number of lanes that each epoch of a chunk is worth.
        """
        total = words.shape[0]
        outcome = Outcome(
            np.empty((total, epochs), np.float32),
            np.empty((total, epochs), np.float32),
            np.empty((total, len(corrupted)), np.float32),
            np.empty(total, bool),
        )
        diagnoses, before = [], []
        variant = batched(variant, total)
        for start in range(0, total, self.chunk):
            lanes = np.arange(start, min(start + self.chunk, total))
            padded = np.pad(lanes, (0, self.chunk - len(lanes)), mode="edge")
            chunk = as_arrays(jax.tree.map(lambda leaf, p=padded: leaf[p], variant))
            state: LaneState = self.init(chunk, jnp.asarray(words[padded]))
            if self.diagnose:
                before.append(self.diagnose(chunk, state).conductance)
            for epoch in range(epochs):
                state, loss = self.epoch(chunk, state, samples[0])
                right = self.accuracy(chunk, state, samples[1])
                outcome.train_loss[lanes, epoch] = np.asarray(loss)[: len(lanes)]
                outcome.test_accuracy[lanes, epoch] = np.asarray(right)[: len(lanes)]
                report(len(lanes) / epochs)
            for column, test in enumerate(corrupted):
                right = self.accuracy(chunk, state, test)
                outcome.corrupted_accuracy[lanes, column] = np.asarray(right)[: len(lanes)]
            outcome.finite[lanes] = np.asarray(state.finite)[: len(lanes)]
            if self.diagnose:
                diagnoses.append(self.diagnose(chunk, state))
        if self.diagnose:
            joined = jax.tree.map(lambda *c: np.concatenate(c)[:total], *diagnoses)
            return outcome._replace(
                diagnosis=joined, conductance_before=np.concatenate(before)[:total]
            )
        return outcome


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


def train_all(
    spec: Spec, dataset: Dataset, progress: Progress | None = None
) -> tuple[Outcome, Outcome, dict[str, Any]]:
    """Trains every lane of a sweep and its float baseline.

    Args:
      spec: the sweep.
      dataset: flat.
      progress: told how many lanes are done.

    Returns:
      The lanes' outcome in the order of their numbers, the baseline's by seed, and what was
      measured on the way (seconds, lanes a second, width, devices).
    """
    total = int(np.prod(lane_table.shape(spec))) + spec.seeds
    done = 0.0

    def report(lanes: float) -> None:
        nonlocal done
        done += lanes
        if progress is not None:
            progress(done, total)

    started = time.perf_counter()
    samples = (
        on_all_devices(dataset.x_train, dataset.y_train),
        on_all_devices(dataset.x_test, dataset.y_test),
    )
    corrupted = [on_all_devices(x, dataset.y_test) for x in corrupted_sets(spec, dataset)]
    epochs = spec.sections["train"]["epochs"]
    float_program, float_variant = program_and_variant(spec, dataset, {}, baseline=True)
    width = spec.sections["engine"]["width"] or lane_width(float_program)  # all have its sizes
    parts, numbers = [], []
    for lanes in lane_table.static_groups(spec).values():
        values = lane_table.parameter_values(spec, lanes)
        program, variant = program_and_variant(spec, dataset, values)
        words = lane_table.lane_words(spec, lanes)
        runner = Runner(program, width)
        parts.append(runner.run(variant, words, samples, epochs, corrupted, report))
        numbers.append(lanes)
    order = np.argsort(np.concatenate(numbers))
    outcome = jax.tree.map(lambda *columns: np.concatenate(columns)[order], *parts)
    baseline = Runner(float_program, width).run(
        float_variant, lane_table.baseline_words(spec), samples, epochs, corrupted, report
    )
    seconds = time.perf_counter() - started
    facts = {
        "seconds": round(seconds, 2),
        "lanes_per_second": round((total - spec.seeds) / seconds, 3),
        "width": width,
        "devices": f"{len(jax.local_devices())} x {jax.local_devices()[0].device_kind}",
    }
    return outcome, baseline, facts
