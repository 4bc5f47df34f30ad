"""What every device obeys: the registry of models x variants x laws.

A model that is new in the registry is tested here as it is; it only needs its twin.
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.devices import MODELS
from memjax.pytree import as_arrays
from reference import devices_twin

N = 512  # devices of one population
SPREAD = {"sigma_d2d": 0.3, "sigma_up_down": 0.1, "sigma_bounds": 0.3, "stuck": 0.1}
EVERYTHING = {
    "levels": 20.0,
    "up_down": 0.2,
    "on_off": 4.0,
    "sigma_c2c": 0.3,
    "sigma_g": 0.02,
    "sigma_read": 0.02,
    **SPREAD,
}
VARIANTS = {
    "default": {},
    "two_levels": {"levels": 2.0, "sigma_c2c": 1.0},
    "tilted": {"levels": 64.0, "up_down": -0.4, "sigma_c2c": 0.3},
    "noise_of_g": {"sigma_g": 0.05, "on_off": 2.0},
    "stuck": {"stuck": 0.1},
    "spread": SPREAD,
    "everything": EVERYTHING,
}
OWN_VARIANTS = {
    "SaturatingExponential": {
        "straight": {"nl_up": 0.0, "nl_down": 0.0},
        "mirrored": {"levels": 97.0, "nl_up": 2.4, "nl_down": -4.88, "sigma_c2c": 0.3},
        "retracing": {"nl_up": 1.75, "nl_down": 1.46, **SPREAD},
        "extreme": {"levels": 2.0, "nl_up": -9.0, "nl_down": 9.0, "sigma_c2c": 1.0},
    }
}
CASES = [
    (model, variant) for model in MODELS for variant in {**VARIANTS, **OWN_VARIANTS.get(model, {})}
]

# Compiled once a set of effects.
STEP = jax.jit(lambda device, *args: device.step(*args))
FABRICATE = jax.jit(lambda device, own_stream: device.fabricate(own_stream, (N,)))
EXPERIMENT = jax.jit(lambda device, own_stream: experiment(device, own_stream))
every_case = pytest.mark.parametrize(("model", "variant"), CASES)
every_model = pytest.mark.parametrize("model", MODELS)


def make(model, variant, **changes):
    values = {**VARIANTS, **OWN_VARIANTS.get(model, {})}[variant]
    return as_arrays(MODELS[model](**{**values, **changes}))


def stream(seed):
    return random.stream(jax.random.key(seed))


@functools.cache
def population(model, variant, **changes):
    """A device, N of it and their conductances: a tenth at each bound, the rest between."""
    device = make(model, variant, **dict(changes))
    array = FABRICATE(device, stream(1))
    place = jnp.clip(1.25 * random.uniform(stream(2), (N,)) - 0.125, 0.0, 1.0)
    low, high = jnp.broadcast_to(array.g_min, (N,)), jnp.broadcast_to(array.g_max, (N,))
    return device, array, jnp.clip(low + place * (high - low), low, high)


def signed_counts(most):
    """Whole numbers from -most to most."""
    return jnp.round((2.0 * random.uniform(stream(3), (N,)) - 1.0) * most)


def normals(seed):
    return random.normal(stream(seed), (N,), exact=True)


def experiment(device, own_stream):
    """Fabricates devices and pulses them: all that a device can do, in one function."""
    array = device.fabricate(own_stream, (64,))
    g = jnp.clip(random.uniform(stream(2), (64,)), array.g_min, array.g_max)
    n = signed_counts(4)[:64]
    for step in range(2):
        g = device.step(array, g, n, normals(4 + step)[:64])
    return g


def test_every_model_has_a_twin():
    assert devices_twin.MEANS.keys() == MODELS.keys()


@every_case
def test_bounds_are_never_left(model, variant):
    device, array, g = population(model, variant)
    for n in (signed_counts(1), signed_counts(40), jnp.full((N,), 1000.0), jnp.full((N,), -1e3)):
        for noise in (normals(5), jnp.full((N,), 5.8), jnp.full((N,), -5.8)):
            after = STEP(device, array, g, n, noise)
            assert bool(jnp.all((after >= array.g_min) & (after <= array.g_max)))  # and no nan


@every_case
def test_a_step_has_the_sign_of_its_pulses(model, variant):
    device, array, g = population(model, variant)
    n, zeros = signed_counts(10), jnp.zeros(N)
    along = jnp.sign(n) * (STEP(device, array, g, n, zeros) - g)
    assert bool(jnp.all(along >= 0))
    # It moves wherever it can: within the bounds, by a pulse that the device's own gain allows.
    if variant not in ("stuck", "spread", "everything", "retracing"):
        inner = (g > array.g_min + 0.05) & (g < array.g_max - 0.05) & (n != 0)
        assert int(inner.sum()) > N // 2
        assert bool(jnp.all(along[inner] > 0))


@every_case
def test_no_pulse_is_no_change(model, variant):
    device, array, g = population(model, variant)
    np.testing.assert_array_equal(STEP(device, array, g, jnp.zeros(N), normals(6)), g)
    np.testing.assert_array_equal(device.step(array, g, jnp.zeros(N), normals(6)), g)


@every_model
@pytest.mark.parametrize("variant", ["stuck", "spread", "everything"])
def test_stuck_devices_do_not_move(model, variant):
    device, array, g = population(model, variant)
    is_stuck = np.asarray(array.g_min == array.g_max)
    assert 25 <= is_stuck.sum() <= 80  # binomial(512, 0.1): 51 +- 7, 4 standard deviations
    for n in (signed_counts(40), jnp.full((N,), 1000.0), jnp.full((N,), -1000.0)):
        after = STEP(device, array, g, n, 5.0 * normals(7))
        np.testing.assert_array_equal(after[is_stuck], g[is_stuck])
        assert bool(jnp.any(after[~is_stuck] != g[~is_stuck]))


CELLS = 131072


@every_model
@pytest.mark.parametrize("sigma_g", [None, 0.02])
def test_mean_and_sd_of_a_change(model, sigma_g):
    """Against ``response`` and ``sigma_g``'s closed form, each within 5 standard errors.

    The fast normal's excess kurtosis, -0.06, makes the sd's error sd / sqrt(2 N) but for 2 %; 16
    statistics a model: a right law fails with probability 1e-5, once, when the key is chosen.
    """
    device = make(model, "tilted", sigma_g=sigma_g, on_off=3.0)
    array = device.fabricate(stream(1), ())
    g, counts = jnp.float32(0.45), jnp.array([1.0, -1.0, 4.0, -4.0])

    @jax.jit
    def changes(own_stream):
        def cell(number):
            own = random.fold_in(own_stream, number)
            noise = random.normal(own, (4,))
            return jax.vmap(lambda n, xi: device.step(array, g, n, xi))(counts, noise) - g

        return jax.vmap(cell)(jnp.arange(CELLS))

    sample = np.asarray(changes(stream(8)), np.float64)
    assert np.all((sample + 0.45 > 0) & (sample + 0.45 < 1))  # nothing clips
    mean, sd = (np.asarray(v, np.float64) for v in device.response(array, g[None], counts))
    proportional = (0.0 if sigma_g is None else sigma_g) * (0.45 + 1 / (3.0 - 1.0))
    sd = np.sqrt(sd**2 + np.abs(counts) * proportional**2)
    np.testing.assert_array_less(abs(sample.mean(0) - mean), 5 * sd / np.sqrt(CELLS) + 1e-7)
    np.testing.assert_array_less(abs(sample.std(0) - sd), 5 * sd / np.sqrt(2 * CELLS))


@every_model
def test_sigma_c2c_is_the_sd_of_one_step_in_mean_steps(model):
    device, array, g = population(model, "tilted")
    for n in (jnp.ones(N), -jnp.ones(N)):
        mean, sd = device.response(array, g, n)
        np.testing.assert_allclose(sd, 0.3 * abs(mean), rtol=1e-6)


@pytest.mark.parametrize(("levels", "count"), [(64.0, 4), (8.0, 10), (32.0, 31)])
@every_model
def test_noise_of_a_train_is_that_of_its_pulses(model, levels, count):
    """A train at once against its pulses one by one, each with its own noise, no bound in the way.

    Both sd are of 131,072 cells, with a standard error of 0.2 %; what is of second order in
    sigma_c2c adds at most sigma^2 = 1 %.
    """
    device = make(model, "default", levels=levels, sigma_c2c=0.1)
    array = device.fabricate(stream(1), ())
    change = jax.jit(type(device).change)
    g = jnp.full((CELLS,), 0.4)
    for sign in (1.0, -1.0):
        noise = random.normal(stream(9), (CELLS,))
        at_once = change(device, array, g, jnp.full((CELLS,), sign * count), noise)
        one_by_one = jnp.zeros(CELLS)
        for k in range(count):
            noise = random.normal(stream(10 + k), (CELLS,))
            one = change(device, array, g + one_by_one, jnp.full((CELLS,), sign), noise)
            one_by_one += one
        together, apart = (float(np.asarray(c).std()) for c in (at_once, one_by_one))
        assert together == pytest.approx(apart, rel=0.02)


@every_case
def test_a_train_is_its_pulses_one_by_one(model, variant):
    """Without noise, in closed form and pulse by pulse; each pulse rounds once (6e-8)."""
    device, array, g = population(model, variant, sigma_c2c=0.0, sigma_g=None)
    zeros = jnp.zeros(N)
    for sign in (1.0, -1.0):
        one_by_one = g
        for n in range(1, 21):
            one_by_one = STEP(device, array, one_by_one, jnp.full((N,), sign), zeros)
            if n in (1, 2, 7, 20):
                at_once = STEP(device, array, g, jnp.full((N,), sign * n), zeros)
                np.testing.assert_allclose(at_once, one_by_one, rtol=2e-5, atol=2e-6)


# The twin's logarithm has no digits left at |NL| = 9 and NL = 0.
@pytest.mark.parametrize(
    ("model", "variant"), [case for case in CASES if case[1] not in ("extreme", "straight")]
)
def test_equals_its_twin_pulse_by_pulse(model, variant):
    """60 noisy pulses, up and down in runs, against the published law in float64.

    A curve that retraces is unstable: it multiplies a rounding (6e-8) by up to 1 / (1 - slope) a
    pulse, so the tolerance is 100 roundings.
    """
    device, array, g = population(model, variant)
    own = devices_twin.spread(device, np.asarray(stream(1)), (N,))
    expected = np.asarray(g, np.float64)
    noises, travelled = [normals(20 + k) for k in range(7)], 0.0
    for k in range(60):
        sign = 1.0 if (k // 5) % 2 == 0 else -1.0
        travelled -= sign * expected
        noise = noises[k % 7]
        g = STEP(device, array, g, jnp.full((N,), sign), noise)
        expected = devices_twin.pulse(device, own, expected, sign, np.asarray(noise, np.float64))
        travelled += sign * expected
    np.testing.assert_allclose(g, expected, atol=3e-5)
    assert np.median(travelled) > 0.1


@every_model
@pytest.mark.parametrize("variant", ["default", "everything"])
def test_jit_equals_eager(model, variant):
    """To 2e-6: fused, a product and a sum round once, not twice."""
    device = make(model, variant)
    np.testing.assert_allclose(
        EXPERIMENT(device, stream(1)), experiment(device, stream(1)), atol=2e-6
    )


SWEPT = {
    "levels": [2.0, 20.0, 100.0],
    "on_off": [1.5, 4.0, 100.0],
    "up_down": [-0.5, 0.0, 0.5],
    "stuck": [0.0, 0.5, 1.0],
    "nl_up": [-3.0, 0.0, 5.0],
    "nl_down": [-3.0, 0.0, 5.0],
}


@every_model
def test_every_field_sweeps_in_one_compilation(model):
    """Lanes that differ in any one field are the devices alone, all of them in one program."""
    base = make(model, "everything")
    traces = []

    @jax.jit
    def sweep(devices):
        traces.append(model)
        return jax.vmap(experiment, (0, None))(devices, stream(1))

    for field in dataclasses.fields(base):
        variants = [
            as_arrays(dataclasses.replace(base, **{field.name: value}))
            for value in SWEPT.get(field.name, [0.0, 0.1, 0.5])
        ]
        lanes = np.asarray(sweep(jax.tree.map(lambda *leaves: jnp.stack(leaves), *variants)))
        for lane, variant in zip(lanes, variants, strict=True):
            np.testing.assert_allclose(lane, EXPERIMENT(variant, stream(1)), atol=2e-6)
        different = np.ptp(lanes, axis=0).max() > 1e-3
        assert different == (field.name != "sigma_read"), field.name  # which is of reading only
    assert traces == [model]


@every_model
def test_one_field_may_be_batched_alone(model):
    """In a closure, beside unbatched ones, as a traced value that no check looks at."""
    base = make(model, "everything")
    lanes = jax.jit(
        jax.vmap(lambda levels: experiment(dataclasses.replace(base, levels=levels), stream(1)))
    )(jnp.array(SWEPT["levels"]))
    for lane, value in zip(lanes, SWEPT["levels"], strict=True):
        alone = EXPERIMENT(make(model, "everything", levels=value), stream(1))
        np.testing.assert_allclose(lane, alone, atol=2e-6)


@every_case
def test_state_is_a_fixed_point_of_types(model, variant):
    """Arrays and conductances can be carried by ``scan``: same treedef, shapes and dtypes."""
    device = make(model, variant)

    def run(own_stream):
        def body(carry, n):
            array, g = carry
            return (array, device.step(array, g, n, jnp.ones((3, 5)))), g

        array = device.fabricate(own_stream, (3, 5))
        carry = array, jnp.clip(jnp.full((3, 5), 0.5), array.g_min, array.g_max)
        after, history = jax.lax.scan(body, carry, jnp.ones((4, 3, 5)))
        return carry, after, history

    before, after, history = jax.eval_shape(run, stream(1))
    assert history.shape == (4, 3, 5)
    assert jax.tree.structure(before) == jax.tree.structure(after)
    for leaf, same in zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True):
        assert leaf.dtype == same.dtype == jnp.float32
        assert leaf.shape == same.shape
        assert leaf.shape in ((), (3, 5))


@every_model
def test_no_spread_is_zero_spread(model):
    absent = {"sigma_g": None, "sigma_read": None, **dict.fromkeys(SPREAD)}
    bare = make(model, "tilted", **absent)
    zero = make(model, "tilted", **dict.fromkeys(absent, 0.0))
    np.testing.assert_allclose(
        EXPERIMENT(zero, stream(1)), EXPERIMENT(bare, stream(1)), rtol=0, atol=1e-6
    )
    leaves = jax.tree.leaves(bare.fabricate(stream(1), (3, 5)))
    assert {leaf.shape for leaf in leaves} == {()}  # what is absent costs no memory


@every_model
def test_fabrication_is_reproducible_and_a_matter_of_the_stream(model):
    device = make(model, "everything")
    once, again, other = (FABRICATE(device, stream(seed)) for seed in (1, 1, 2))
    for a, b, c in zip(once, again, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert float(jnp.mean(a == c)) < 0.01
