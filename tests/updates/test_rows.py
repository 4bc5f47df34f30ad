"""Which arrays are one crossbar, its tiles, and whose turn it is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import memjax
from memjax.devices import ConstantStep
from memjax.updates import TikiTakaV2
from memjax.updates.rows import crossbars, put, take, updates_of_a_pass, whose_turn


def places(tree):
    return [(place.first, place.of) for place in crossbars(tree)]


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        ({"bias": jnp.zeros(3), "kernel": jnp.zeros((4, 3))}, [(0, 5), (1, 5)]),
        ({"bias": jnp.zeros(4), "kernel": jnp.zeros((4, 3))}, [(0, 1), (0, 4)]),  # other widths
        ({"bias": jnp.zeros(8), "kernel": jnp.zeros((3, 3, 2, 8))}, [(0, 19), (1, 19)]),
        ({"a": {"w": jnp.zeros((2, 3))}, "b": {"w": jnp.zeros((5, 3))}}, [(0, 2), (0, 5)]),
        ([[jnp.zeros((2, 3)), jnp.zeros(3)], [jnp.zeros((2, 3))]], [(0, 3), (2, 3), (0, 2)]),
        ({"gain": jnp.zeros(())}, [(0, 1)]),
        (jnp.zeros((6, 2)), [(0, 6)]),
        ({}, []),
    ],
)
def test_leaves_of_one_parent_and_width_are_rows_of_one(tree, expected):
    assert places(tree) == expected


@pytest.mark.parametrize(
    ("path", "shape", "side", "rows"),
    [
        ("dense", (64, 32), 1, 64),
        ("conv", (3, 3, 8, 4), 1, 72),  # unrolled
        ("conv", (5, 5, 3, 8, 4), 1, 600),
        ("scanned", (6, 8, 8), 6, 8),
        ("scanned_heads", (24, 16, 4, 8), 24 * 16, 4),
        ("out", (4, 8, 32), 4, 8),  # heads, features, outputs
        ("query", (32, 4, 8), 1, 32),  # inputs, heads, features
        ("experts", (16, 64, 32), 16, 64),
    ],
)
def test_leading_axes_are_crossbars_but_for_a_convolutions(path, shape, side, rows):
    (place,) = crossbars({path: {"kernel": jnp.zeros(shape)}})
    assert place.shape[:2] == (side, rows) and place.of == rows
    assert np.prod(place.shape) == np.prod(shape)


def test_attention_of_flax_has_its_heads_side_by_side():
    attention = nnx.MultiHeadAttention(4, 32, rngs=nnx.Rngs(0), decode=False)
    kernels = nnx.as_pure(nnx.state(attention, nnx.Param))
    found = updates_of_a_pass(kernels, 512, 1)
    assert {found[f"{name}/kernel"] for name in ("query", "key", "value")} == {32}
    assert found["out/kernel"] == 8


def test_a_state_of_variables_has_the_places_of_its_arrays():
    state = nnx.state(nnx.Linear(4, 3, rngs=nnx.Rngs(0)), nnx.Param)
    assert places(state) == places(nnx.as_pure(state)) == [(0, 5), (1, 5)]


@pytest.mark.parametrize("shape", [(), (3,), (4, 3), (2, 2, 3), (3, 3, 2, 4), (0, 3)])
def test_rows_taken_and_put_back_are_the_same(shape):
    leaf = jnp.arange(float(np.prod(shape, dtype=int))).reshape(shape)
    (place,) = crossbars(leaf)
    turn = whose_turn(place, 512, jnp.int32(1), 0.5)
    taken = take(leaf, place, turn.row)
    assert np.array_equal(put(leaf, taken, place, turn), leaf)
    other = put(leaf, taken + 1.0, place, turn)
    reads = min(2, place.shape[1])
    assert float(jnp.sum(other - leaf)) == reads * place.shape[0] * place.shape[2]


@pytest.mark.parametrize("every", [1, 3, 0.5, 0.25, 0.01])
@pytest.mark.parametrize("tile_rows", [512, 4, 3, 1])
def test_every_row_is_read_once_a_pass(tile_rows, every):
    """A kernel of ten rows and its bias: NumPy's tiles of equal size, each with its own turn."""
    tree = {"bias": jnp.zeros(3), "kernel": jnp.zeros((10, 3))}
    tile = -(-11 // -(-11 // tile_rows))
    reads, wait = (1, every) if every >= 1 else (min(tile, round(1 / every)), 1)
    updates = -(-tile // reads) * wait
    assert set(updates_of_a_pass(tree, tile_rows, every).values()) == {updates}
    turn_of = jax.jit(whose_turn, static_argnums=(0, 1, 3))
    seen = np.zeros(11, int)
    for count in range(2 * updates):
        expected = set()
        if (count + 1) % wait == 0:
            for first in range(0, 11, tile):
                length = min(tile, 11 - first)
                each = min(reads, length)
                numbers = count // wait * each + np.arange(each)
                expected |= {int(first + n % length) for n in numbers}
        found = set()
        for place in crossbars(tree):
            turn = turn_of(place, tile_rows, jnp.int32(count), every)
            read = np.asarray(turn.row)[np.asarray(turn.is_read)] + place.first
            assert np.array_equal(seen[read], np.asarray(turn.turn)[np.asarray(turn.is_read)])
            found |= set(read.tolist())
        assert found == expected
        seen[list(found)] += 1
    assert seen.min() >= 1


def test_a_large_layer_is_written_in_all_rows_within_a_pass():
    """784 inputs: two tiles of 392 rows; four rows of each at an update."""
    device, p = ConstantStep(levels=257), {"kernel": jnp.zeros((784, 2))}
    tx = TikiTakaV2(transfer_rate=1.0, transfer_every=0.25).bare(device, key=jax.random.key(0))

    def step(carry, _):
        p, s = carry
        updates, s = tx.update(jax.tree.map(lambda w: 0.1 * jnp.ones_like(w), p), s, p)
        p = jax.tree.map(jnp.add, p, updates)
        return (p, s), jnp.mean((p["kernel"] != 0).astype(jnp.float32))

    _, share = jax.jit(lambda p: jax.lax.scan(step, (p, tx.init(p)), length=98))(p)
    assert float(share[0]) == pytest.approx(8 / 784) and float(share[-1]) == 1.0
    assert float(share[-2]) < 1


def test_a_fraction_is_one_over_a_whole_number():
    with pytest.raises(memjax.UserError, match=r"transfer_every = 0.3 must be a whole number, or"):
        TikiTakaV2(transfer_every=0.3).bare(ConstantStep(), key=jax.random.key(0))
