"""Pictures show what they are given."""

import numpy as np

from memjax.bitstreams import Bitstream, pictures


def test_bars_are_the_ones_and_values_stand_beside():
    axes = pictures.bars({"x": Bitstream.of("0110"), "y": Bitstream.of("0001")}).axes[0]
    places = [(patch.get_x(), round(patch.get_y() + 0.4)) for patch in axes.patches]
    assert places == [(1, 0), (2, 0), (3, 1)]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["x", "y"]


def test_errors_stand_beside_the_theory_on_logarithmic_axes():
    figure = pictures.error_against_length([16, 64], {"and": [0.1, 0.05]}, np.array([0.1, 0.05]))
    (axes,) = figure.axes
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert axes.lines[0].get_ydata().tolist() == axes.lines[1].get_ydata().tolist()
    own = pictures.error_against_length([16, 64], {"and": [0.1, 0.05]}, {"and": [0.2, 0.1]})
    assert own.axes[0].lines[1].get_ydata().tolist() == [0.2, 0.1]


def test_the_map_of_scc_is_odd_in_each_probability():
    (axes, _) = pictures.scc_map(8, points=3).axes
    means = np.asarray(axes.collections[0].get_array())
    np.testing.assert_allclose(means, -means[::-1], atol=1e-9)
    assert means[0, 0] < -0.05


def test_edge_maps_share_a_scale():
    image = np.eye(3)
    figure = pictures.edge_maps({"a": image, "b": 0.5 * image})
    assert [ax.images[0].get_clim() for ax in figure.axes[:2]] == [(0.0, 1.0)] * 2
