"""What a picture shows are the spikes and potentials that there are."""

import jax.numpy as jnp
import numpy as np

from memjax.spiking import activity, compete, desired


def test_activity_draws_every_spike():
    rng = np.random.default_rng(0)
    hidden = rng.random((200, 48)) < 0.05
    drive = jnp.asarray(hidden, jnp.float32) @ jnp.asarray(rng.normal(3, 3, (48, 3)), jnp.float32)
    response = compete(drive, 0.5)
    wanted = desired(jnp.array([1]), 3, dt=0.5)[0]
    figure = activity(hidden, response, wanted, dt=0.5, output=1)
    raster, trains, membrane = figure.axes
    assert sum(len(line.get_xdata()) for line in raster.lines) == hidden.sum()
    bars = {lines.get_label(): len(lines.get_segments()) for lines in trains.collections}
    assert bars == {"desired": int(wanted.sum()), "observed": int(response.spikes.sum())}
    assert membrane.get_xlabel() == "time (ms)" and "(mV)" in membrane.get_ylabel()
    assert len(membrane.lines[0].get_xdata()) == 200
    assert raster.get_title().startswith(f"{hidden.sum():,} spikes of 48 of 48")
