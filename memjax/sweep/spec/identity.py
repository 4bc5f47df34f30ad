"""Is this the same lane? One answer, for whoever keeps lanes: its key.

A lane's key is a digest of its own configuration, its seed and its random words; the *frame* is
all else that its numbers depend on, and equal for all lanes of a sweep. Where frames are equal,
lanes of equal keys are the same lane, whatever sweep, axis or number they have there.
"""

import dataclasses
import hashlib
import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal
from jaxtyping import UInt32, UInt64

from memjax.experiments import Experiment, Images, own_code
from memjax.experiments.sections import Part
from memjax.sweep.spec import grid
from memjax.sweep.spec.schema import ENGINE
from memjax.sweep.spec.spec import Spec

_BASELINE = 2**32 - 1


def lane_key_data(spec: Spec, lanes: np.ndarray) -> UInt32[np.ndarray, "lanes 2"]:
    """Each lane's root random words, a function of its own configuration and seed alone.

    The configuration is every parameter that could be an axis, that the lane's own choices (of a
    device, say) have, and that is not at its default, whether swept or fixed. Adding points, other
    lanes and the order of axes change nothing, and a lane run alone with its values in the tables
    is the same lane. Axes in ``common_random_numbers`` are left out, so that lanes which differ
    only in them share their randomness.
    """
    shared = {
        spec.parameter(p)
        for axis in spec.axes
        if axis.name in spec.common_random_numbers
        for p in axis.columns
    }
    ids = np.empty((len(lanes), 2), np.uint32)
    for row, (own, taken) in enumerate(_configurations(spec, lanes)):
        hashed = _named({k: v for k, v in own.items() if k not in shared}, taken)
        hashed.append(f"seed={lanes[row] % spec.seeds}")
        ids[row] = np.frombuffer(_digest(";".join(hashed)), "<u4")
    return _fold(spec.root_seed, ids)


def baseline_key_data(spec: Spec) -> UInt32[np.ndarray, "seeds 2"]:
    """The root random words of the reference, one pair a seed."""
    ids = np.stack([np.full(spec.seeds, _BASELINE), np.arange(spec.seeds)], axis=1)
    return _fold(spec.root_seed, ids.astype(np.uint32))


def lane_keys(spec: Spec, lanes: np.ndarray, program: str = "") -> UInt64[np.ndarray, " lanes"]:
    """Each lane's key: of all that its sections say, but for how many stages there are.

    Args:
      spec: the sweep.
      lanes: their numbers.
      program: of the user's own code as they run it (``program_digest``).
    """
    words = lane_key_data(spec, lanes)
    rows = zip(_configurations(spec, lanes, every=True), lanes, words, strict=True)
    texts = (
        f"{_named(own, None)};seed={lane % spec.seeds};{pair.tobytes().hex()}{program}"
        for (own, _), lane, pair in rows
    )
    return np.array([_number(text) for text in texts], np.uint64)


def baseline_keys(spec: Spec, program: str = "") -> UInt64[np.ndarray, " seeds"]:
    """The keys of the reference's lanes; see ``lane_keys``."""
    reference = spec.built().reference()
    own = [
        (part.section, _told(reference, part.field))
        for part in spec.schema.parts
        if reference is not None and not _is_apart(part)
    ]
    texts = (f"baseline;{own};{seed}{program}" for seed in range(spec.seeds))
    return np.array([_number(text) for text in texts], np.uint64)


def frame_digest(spec: Spec, data: str, source: str) -> str:
    """What lanes depend on besides their own configuration.

    Args:
      spec: the sweep: its experiment, its root seed, and the width that it asks for.
      data: the digest of the data.
      source: of the user's own code (``source_digest``).
    """
    name, width = PurePath(spec.experiment).name, spec.sections[ENGINE.section]["width"]
    return _digest(repr((name, spec.root_seed, width, data, source))).hex()


def source_digest(experiment: Experiment) -> str:
    """A fingerprint of the user's own code as it is written.

    Nothing for an experiment that is memjax's all through: the results tell its version.
    """
    sources = experiment.sources()
    return _digest(repr(sources)).hex() if sources else ""


def program_digest(experiment: Experiment, data: Any) -> str:
    """A fingerprint of the user's own code as it is written, and as lanes run it once traced."""
    source = source_digest(experiment)
    if not source:
        return ""
    found = hashlib.blake2b(source.encode(), digest_size=8)
    for program in _programs(experiment, data):
        found.update(re.sub(r" at 0x[0-9a-f]+", "", str(program)).encode())
        for constant in _constants(program):
            found.update(np.asarray(constant).tobytes())
    return found.hexdigest()


def _programs(experiment: Experiment, data: Any) -> Iterator[ClosedJaxpr]:
    """What a lane's functions are traced to."""
    words = jax.ShapeDtypeStruct((2,), np.uint32)
    stage = jax.ShapeDtypeStruct((), np.int32)
    shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(np.shape(x), np.asarray(x).dtype), data)
    experiment = jax.tree.map(lambda x: np.asarray(x, np.float32), experiment)
    init = jax.make_jaxpr(lambda e, k, d: e.init(k, d), return_shape=True)
    program, state = init(experiment, words, shapes)
    yield program
    yield jax.make_jaxpr(lambda e, s, k, n, d: e.advance(s, k, n, d))(
        experiment, state, words, stage, shapes
    )
    yield jax.make_jaxpr(lambda e, s, k, n, d: e.evaluate(s, k, n, d, last=True))(
        experiment, state, words, stage, shapes
    )


def _constants(program: Any) -> Iterator[Any]:
    """The arrays in a program, which its text does not show."""
    if isinstance(program, ClosedJaxpr):
        yield from program.consts
        program = program.jaxpr
    for equation in program.eqns:
        yield from (v.val for v in equation.invars if isinstance(v, Literal))
        inner = jax.tree.leaves(
            list(equation.params.values()), is_leaf=lambda x: isinstance(x, ClosedJaxpr | Jaxpr)
        )
        for one in inner:
            if isinstance(one, ClosedJaxpr | Jaxpr):
                yield from _constants(one)


Configuration = dict[tuple[str, str], Any]
"""Parameters by section and key."""


def _configurations(
    spec: Spec, lanes: np.ndarray, *, every: bool = False
) -> Iterator[tuple[Configuration, list[str]]]:
    """The parameters of each lane that are not at their defaults; the keys of all that it has.

    Args:
      spec: the sweep.
      lanes: their numbers.
      every: also those that no axis may vary.
    """
    values = grid.parameter_values(spec, lanes)
    homes = {name: spec.parameter(name) for name in values}
    apart = {part.section for part in spec.schema.parts if _is_apart(part)}
    facts: dict[Any, list[tuple[str, Any, bool, bool]]] = {}  # the same for most lanes
    for row in range(len(lanes)):
        own = {homes[name]: column[row] for name, column in values.items()}
        yield _configuration(spec, own, apart, facts, every=every)


def _configuration(
    spec: Spec, swept: Configuration, apart: set[str], facts: dict[Any, Any], *, every: bool
) -> tuple[Configuration, list[str]]:
    found: Configuration = {}
    keys = []
    for section, fixed in spec.sections.items():
        if section in apart:
            continue
        table = {key: swept.get((section, key), value) for key, value in fixed.items()}
        chooser = spec.schema.choosers.get(section)
        choice = table.get(chooser.selector) if chooser else None
        if (section, choice) not in facts:
            facts[section, choice] = _facts(spec, section, choice)
        for key, default, may_be_axis, adds_stages in facts[section, choice]:
            value = table.get(key, default)
            is_axis = may_be_axis and key in table and not isinstance(value, list | dict)
            counts = every and not adds_stages
            if is_axis:
                keys.append(key)
            if value != default and (counts or is_axis):
                found[section, key] = value
    return found, keys


def _facts(spec: Spec, section: str, choice: Any) -> list[tuple[str, Any, bool, bool]]:
    """Of each key: its default, whether an axis may vary it, whether it only adds stages."""
    schema, defaults = spec.schema, spec.schema.defaults(section, choice)
    keys = spec.sections[section] if schema.is_open(section) else defaults
    return [
        (
            key,
            defaults.get(key),
            schema.may_be_axis(section, {key: 0}, key),
            schema.adds_stages(section, key),
        )
        for key in keys
    ]


def _is_apart(part: Part) -> bool:
    """How lanes are run is none of what they are; what is loaded has a digest of its own."""
    return part.section == ENGINE.section or part.kind is Images


def _named(values: Configuration, keys: list[str] | None) -> list[str]:
    """``section.key=value``; files by name.

    Args:
      values: by section and key.
      keys: of all parameters of the lane: the section is left out where the key is unique.
    """
    named = {
        key if keys is not None and keys.count(key) == 1 else f"{section}.{key}": value
        for (section, key), value in values.items()
    }
    return [f"{name}={own_code.without_folder(value)!r}" for name, value in sorted(named.items())]


def _told(reference: Experiment, field: str) -> str:
    """All that a part of the reference says; without a field, its own numbers."""
    if field:
        return repr(getattr(reference, field))
    own = [f for f in dataclasses.fields(reference) if not {"part", "hidden"} & f.metadata.keys()]
    return repr([(f.name, getattr(reference, f.name)) for f in own])


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=8).digest()


def _number(text: str) -> int:
    return int.from_bytes(_digest(text), "little")


def _fold(root_seed: int, ids: np.ndarray) -> np.ndarray:
    root = jax.random.key(root_seed, impl="threefry2x32")
    return np.asarray(jax.random.key_data(_fold_all(root, ids)))


@jax.jit
def _fold_all(root: jax.Array, ids: jax.Array) -> jax.Array:
    def fold(pair: jax.Array) -> jax.Array:
        return jax.random.fold_in(jax.random.fold_in(root, pair[0]), pair[1])

    return jax.vmap(fold)(ids)
