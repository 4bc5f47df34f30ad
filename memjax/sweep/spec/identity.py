"""Is this the same lane? One answer, for whoever keeps lanes: its key.

A lane's key is a digest of its own configuration, its seed and its random words; the *frame* is
all else that its numbers depend on, and equal for all lanes of a sweep. Where frames are equal,
lanes of equal keys are the same lane, whatever sweep, axis or number they have there.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

import jax
import numpy as np
from jaxtyping import UInt32, UInt64

from memjax.experiments import Experiment, own_code
from memjax.sweep.spec import grid
from memjax.sweep.spec.schema import ENGINE
from memjax.sweep.spec.spec import Spec

_BASELINE = 2**32 - 1
_APART = (ENGINE.section, "data")  # how lanes are run; what is loaded has a digest of its own


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
    for row, own in enumerate(_configurations(spec, lanes)):
        hashed = _named({k: v for k, v in own.items() if k not in shared}, own)
        hashed.append(f"seed={lanes[row] % spec.seeds}")
        ids[row] = np.frombuffer(_digest(";".join(hashed)), "<u4")
    return _fold(spec.root_seed, ids)


def baseline_key_data(spec: Spec) -> UInt32[np.ndarray, "seeds 2"]:
    """The root random words of the reference, one pair a seed."""
    ids = np.stack([np.full(spec.seeds, _BASELINE), np.arange(spec.seeds)], axis=1)
    return _fold(spec.root_seed, ids.astype(np.uint32))


def lane_keys(spec: Spec, lanes: np.ndarray) -> UInt64[np.ndarray, " lanes"]:
    """Each lane's key: of all that its sections say, but for how many stages there are."""
    words = lane_key_data(spec, lanes)
    rows = zip(_configurations(spec, lanes, every=True), lanes, words, strict=True)
    texts = (
        f"{_named(own, own)};seed={lane % spec.seeds};{pair.tobytes().hex()}"
        for own, lane, pair in rows
    )
    return np.array([_number(text) for text in texts], np.uint64)


def baseline_keys(spec: Spec) -> UInt64[np.ndarray, " seeds"]:
    """The keys of the reference's lanes."""
    reference = spec.built().reference()
    own = [
        (part.section, repr(getattr(reference, part.field) if part.field else ""))
        for part in spec.schema.parts
        if reference is not None and part.section not in _APART
    ]
    return np.array([_number(f"baseline;{own};{seed}") for seed in range(spec.seeds)], np.uint64)


def frame_digest(spec: Spec, data: str, program: str) -> str:
    """What lanes depend on besides their own configuration.

    Args:
      spec: the sweep: its experiment, its root seed, and the width that it asks for.
      data: the digest of the data.
      program: of the user's own code (``program_digest``).
    """
    name, width = PurePath(spec.experiment).name, spec.sections[ENGINE.section]["width"]
    return _digest(repr((name, spec.root_seed, width, data, program))).hex()


def program_digest(experiment: Experiment, data: Any) -> str:
    """A fingerprint of the user's own code: of its source, and of the program traced from it.

    Nothing for an experiment that is memjax's all through: the results tell its version.
    """
    sources = experiment.sources()
    if not sources:
        return ""
    found = hashlib.blake2b(digest_size=8)
    for text in (*sources, *_programs(experiment, data)):
        found.update(re.sub(r" at 0x[0-9a-f]+", "", text).encode())
    return found.hexdigest()


def _programs(experiment: Experiment, data: Any) -> Iterator[str]:
    """What a lane's functions are traced to."""
    words = jax.ShapeDtypeStruct((2,), np.uint32)
    stage = jax.ShapeDtypeStruct((), np.int32)
    shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(np.shape(x), np.asarray(x).dtype), data)
    experiment = jax.tree.map(lambda x: np.asarray(x, np.float32), experiment)
    init = jax.make_jaxpr(lambda e, k, d: e.init(k, d), return_shape=True)
    program, state = init(experiment, words, shapes)
    yield str(program)
    yield str(
        jax.make_jaxpr(lambda e, s, k, n, d: e.advance(s, k, n, d))(
            experiment, state, words, stage, shapes
        )
    )
    yield str(
        jax.make_jaxpr(lambda e, s, k, n, d: e.evaluate(s, k, n, d, last=True))(
            experiment, state, words, stage, shapes
        )
    )


def _configurations(
    spec: Spec, lanes: np.ndarray, *, every: bool = False
) -> Iterator[dict[tuple[str, str], Any]]:
    """The parameters of each lane that are not at their defaults.

    Args:
      spec: the sweep.
      lanes: their numbers.
      every: also those that no axis may vary.
    """
    values = grid.parameter_values(spec, lanes)
    homes = {name: spec.parameter(name) for name in values}
    for row in range(len(lanes)):
        own = {homes[name]: column[row] for name, column in values.items()}
        yield non_default(spec, own, every=every)


def non_default(
    spec: Spec, swept: dict[tuple[str, str], Any], *, every: bool = False
) -> dict[tuple[str, str], Any]:
    """The parameters of one lane that could be an axis and are not at their defaults.

    Args:
      spec: the sweep.
      swept: the lane's own values by section and key.
      every: also those that no axis may vary, but for the number of stages.
    """
    found = {}
    for section, fixed in spec.sections.items():
        if section in _APART:
            continue
        table = {key: swept.get((section, key), value) for key, value in fixed.items()}
        chooser = spec.schema.choosers.get(section)
        choice = table.get(chooser.selector) if chooser else None
        defaults = spec.schema.defaults(section, choice)
        for key in table if spec.schema.is_open(section) else defaults:
            default = defaults.get(key)
            value = table.get(key, default)
            counts = every and not spec.schema.adds_stages(section, key)
            if value != default and (counts or spec.schema.may_be_axis(section, table, key)):
                found[section, key] = value
    return found


def _named(values: dict[tuple[str, str], Any], own: dict[tuple[str, str], Any]) -> list[str]:
    """``key=value``, with its section where the lane has another of that key; files by name."""
    keys = [key for _, key in own]
    named = {
        key if keys.count(key) == 1 else f"{section}.{key}": value
        for (section, key), value in values.items()
    }
    return [f"{name}={own_code.without_folder(value)!r}" for name, value in sorted(named.items())]


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
