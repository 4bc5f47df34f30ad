"""Cuts as other simulators make them, and what is padded."""

import jax.numpy as jnp
import numpy as np
import pytest

from memjax.crossbar.tiling import Tiles, join, join_matrix, sizes, split, split_matrix


@pytest.mark.parametrize(
    ("size", "limit", "cut", "parts"),
    [
        (7, 3, "equal", (2, 2, 3)),
        (10, 4, "equal", (3, 3, 4)),
        (10, 3, "equal", (2, 2, 2, 4)),  # 2.5 to even
        (7, 3, "full", (3, 3, 1)),
        (8, 6, "full", (4, 4)),  # their number divides it
        (8, 6, "always_full", (6, 2)),
        (10, 4, "even", (4, 3, 3)),
        (10, 4, "full", (4, 4, 2)),
        (10, None, "full", (10,)),
        (10, 10, "equal", (10,)),
        (3, 1, "even", (1, 1, 1)),
    ],
)
def test_cuts_are_those_of_other_simulators(size, limit, cut, parts):
    assert sizes(size, limit, cut) == parts


@pytest.mark.parametrize("parts", [(7,), (4, 3), (2, 2, 3), (3, 2, 2)])
def test_join_undoes_split(parts):
    x = np.arange(1.0, 15.0, dtype=np.float32).reshape(2, 7)
    tiles = split(jnp.asarray(x), parts)
    assert tiles.shape == (2, len(parts), max(parts))
    assert float(tiles.sum()) == x.sum()  # padding is 0
    np.testing.assert_array_equal(join(tiles, parts), x)


def test_a_matrix_comes_back_from_its_tiles():
    W = jnp.arange(1.0, 36.0).reshape(5, 7)
    tiles = Tiles((3, 2, 2), (1, 4))
    cells = split_matrix(W, tiles)
    assert cells.shape == (3, 2, 3, 4)
    np.testing.assert_array_equal(cells[1, 1, :2], W[1:, 3:5].T)
    np.testing.assert_array_equal(join_matrix(cells, tiles), W)
