"""The hidden layer: integer check values, the float64 twin, and its symmetry."""

import numpy as np
import pytest

from memjax.errors import UserError
from memjax.spiking import LIF, edge_kernels, hidden_layer, lif_trains
from reference import spiking_twin
from reference.mnist import first_test_image, needs_mnist

KERNELS = edge_kernels()


def dense(images, dt=0.5, scheme="exact", steps=None):
    """Spikes ``[images, steps, kernels, rows, columns]``."""
    trains = lif_trains(dt, scheme=scheme)[:steps]
    bits = np.asarray(hidden_layer(images, trains, KERNELS, dt, LIF(scheme=scheme)))
    spikes = np.unpackbits(bits, axis=0, bitorder="little")[: len(trains)].astype(bool)
    rows, columns = (extent - 2 for extent in images.shape[1:])
    return spikes.swapaxes(0, 1).reshape(len(images), len(trains), 12, rows, columns)


def counts(spikes):
    """A number a kernel."""
    return spikes.sum(axis=(0, 2, 3)).tolist()


@pytest.mark.parametrize(("dt", "scheme", "spikes"), [(0.1, "heun", 4600), (0.5, "exact", 4456)])
def test_trains_of_pixels(dt, scheme, spikes):
    trains = lif_trains(dt, scheme=scheme)
    assert trains.sum() == spikes
    np.testing.assert_array_equal(trains, spiking_twin.trains(dt, len(trains), scheme))
    some = trains[:, [1, 64, 128, 255]]
    assert some.sum(axis=0).tolist() == [2, 15, 20, 25] and not trains[:, 0].any()
    if dt == 0.1:
        assert some.argmax(axis=0).tolist() == [362, 64, 48, 39]


def test_even_images_are_silent_and_a_bright_column_is_seen():
    images = np.zeros((2, 28, 28), np.uint8)
    images[0] = 255
    images[1, :, 14] = 255
    even, column = dense(images, 0.1, "heun")
    assert not even.any()
    assert counts(column) == [624, 0, 0, 0, 494, 494, 494, 494, 0, 494, 494, 0]


@needs_mnist
def test_a_seven():
    image = first_test_image()[None]
    (fine,) = dense(image, 0.1, "heun")
    assert counts(fine) == [123, 350, 365, 270, 309, 358, 665, 677, 673, 680, 681, 803]
    assert fine.any(axis=0).sum() == 537
    assert fine.any(axis=(1, 2, 3)).argmax() == 75
    (coarse,) = dense(image)
    assert (coarse.sum(), coarse.any(axis=0).sum()) == (5623, 548)


@pytest.fixture(scope="module")
def drawn():
    return np.random.default_rng(3).integers(0, 256, (2, 9, 7)).astype(np.uint8)


def test_spikes_are_the_twins_whatever_the_number_of_steps(drawn):
    found = dense(drawn, steps=75)  # no multiple of eight
    expected = spiking_twin.hidden(drawn[1], KERNELS, 0.5, 75, "exact")
    assert expected.sum() > 20
    np.testing.assert_array_equal(found[1], expected)


def test_a_mirrored_image_swaps_mirrored_kernels(drawn):
    (one,), (other,) = dense(drawn[:1]), dense(drawn[:1].swapaxes(1, 2))
    swapped = [1, 0, 2, 3, 5, 4, 6, 7, 9, 8, 11, 10]
    assert one.any()
    np.testing.assert_array_equal(one, other[:, swapped].swapaxes(2, 3))


@pytest.mark.parametrize(
    ("kernels", "message"),
    [
        (np.zeros((2, 5, 5), np.float32), "kernels are 2 x 5 x 5; give some of 3 x 3"),
        (np.full((1, 3, 3), np.nan, np.float32), "kernels have an entry that is no finite number"),
    ],
)
def test_other_kernels_are_refused(drawn, kernels, message):
    with pytest.raises(UserError, match=message) as caught:
        hidden_layer(drawn, lif_trains(0.5), kernels, 0.5)
    assert "\n" not in str(caught.value)
