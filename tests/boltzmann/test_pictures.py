"""Pictures of a machine: what they show, and shapes that do not fit."""

import io

import jax
import numpy as np
import pytest

from memjax.boltzmann import RBM, receptive_fields, reconstructions
from memjax.errors import UserError

RBM_16 = RBM(visible=16, hidden=5)


def test_they_draw_the_weights_and_the_images():
    params = RBM_16.init(jax.random.key(0))
    figure = receptive_fields(params, units=4)
    drawn = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    kernel = np.asarray(params["kernel"])
    strongest = kernel[:, np.argmax(np.linalg.norm(kernel, axis=0))].reshape(4, 4)
    assert len(drawn) == 4 and np.array_equal(drawn[0], strongest)
    x = np.eye(3, 16, dtype=np.float32)
    pair = reconstructions(RBM_16, params, x, jax.random.key(1), steps=2, shape=(2, 8))
    images = [axes.images[0].get_array() for axes in pair.axes]
    assert len(images) == 6 and np.array_equal(images[1], x[1].reshape(2, 8))
    assert all(((image >= 0) & (image <= 1)).all() for image in images)
    for made in (figure, pair):
        made.savefig(io.BytesIO())


def test_a_shape_that_does_not_fit_is_told():
    with pytest.raises(UserError, match=r"16 pixels are no image of \(3, 5\)"):
        receptive_fields(RBM_16.init(jax.random.key(0)), (3, 5))
