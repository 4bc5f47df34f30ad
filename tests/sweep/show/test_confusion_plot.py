"""The picture of which classes are taken for which."""

import numpy as np
import pytest

from memjax.data import load
from memjax.sweep import Spec, run
from memjax.sweep.show import plots
from memjax.sweep.show.confusion_plot import confusion_figure


@pytest.fixture(scope="module")
def confused():
    raw = {
        "seeds": 2,
        "axes": {"levels": [4, 64]},
        "model": {"hidden": []},
        "train": {"epochs": 2, "batch_size": 50},
        "evaluate": {"confusion": True},
    }
    return run(Spec.from_dict(raw), dataset=load("digits").take(200, 100))


def test_images_are_counted_by_their_class_and_the_answer(confused):
    counts = confused["confusion"]
    assert counts.dims[-2:] == ("label", "answer")
    y = load("digits").take(200, 100).y_test
    expected = np.bincount(y, minlength=10)
    np.testing.assert_array_equal(counts.sum("answer"), np.broadcast_to(expected, (2, 2, 10)))
    right = sum(counts.isel(label=k, answer=k) for k in range(10))
    last = confused["test_accuracy"].isel(epoch=-1)
    np.testing.assert_allclose(right / 100, last, atol=1e-6)
    assert "baseline_confusion" not in confused


def test_the_picture_shows_the_shares_of_a_class(confused, tmp_path):
    assert "confusion" in {path.stem for path in plots.draw(confused, tmp_path)}
    figure = confusion_figure(confused, {"levels": 1, "seed": 0})
    ax = figure.axes[0]
    counts = confused["confusion"].isel(levels=1, seed=0).values
    (image,) = ax.get_images()
    np.testing.assert_allclose(image.get_array(), 100 * counts / counts.sum(1, keepdims=True))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("answer of the network", "class of the image")
    assert "one lane at levels 64, seed 0" in figure.get_suptitle()
