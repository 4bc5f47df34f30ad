"""What every device obeys: the registry of models x variants x laws.

A model that is new in the registry is tested here as it is; it only needs its twin. Where a law is
not a model's, ``NOT_ITS_LAW`` says so and why.
"""

import dataclasses
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.devices import MODELS, c2c, population
from memjax.devices.base import Device
from memjax.devices.contraction import ContractionDevice
from memjax.devices.stepped import SteppedDevice, of_single_pulses
from memjax.pytree import as_arrays
from reference import devices_twin, pulsed
from reference.families import FAMILIES, FAST, fabricate

N = 512  # devices of one population
SPREAD = {"sigma_d2d": 0.3, "sigma_up_down": 0.1, "sigma_bounds": 0.3, "stuck": 0.1}
NOISE = {"sigma_g": 0.02, "sigma_read": 0.02, **SPREAD}
QUIET = dict.fromkeys(NOISE, 0.0)  # there, but doing nothing: the compilation of EVERYTHING
EVERYTHING = {"levels": 20.0, "up_down": 0.2, "on_off": 4.0, "sigma_c2c": 0.3, **NOISE}
VARIANTS = {
    "default": {},
    "two_levels": {**QUIET, "levels": 2.0, "sigma_c2c": 1.0},
    "tilted": {**QUIET, "levels": 64.0, "up_down": -0.4, "sigma_c2c": 0.3},
    "noise_of_g": {**QUIET, "sigma_g": 0.05, "on_off": 2.0},
    "stuck": {**QUIET, "stuck": 0.1},
    "spread": {**QUIET, **SPREAD},
    "everything": EVERYTHING,
    "other": {
        **EVERYTHING,
        "g_ref": 0.4,
        "c2c": "additive",
        "d2d": "lognormal",
        "sigma_lower_bound": 0.2,
    },
}
RERAM = {
    "amplitude_up": -1.18445,
    "amplitude_down": -0.081404,
    "gamma_up": 5.0,
    "gamma_down": 5.0,
    "slope": -0.5,
    "offset": -0.5,
}
ONSET = {
    "slope_up": 1.0,
    "slope_down": -0.5,
    "onset_up": 0.8,
    "onset_down": 0.5,
    "memory_up": 3.0,
    "memory_down": 5.0,
}
NODES = {"up_nodes": [2.0, 1.5, 0.3, 0.2], "down_nodes": [0.4, 1.0, 1.8]}
JUMPS = {
    "up_quantiles": [
        [0.2, 0.5, 1.0, 1.2, 6.0],
        [-0.3, 0.1, 0.6, 0.7, 2.0],
        [0.0, 0.1, 0.2, 0.3, 0.4],
    ],
    "down_quantiles": [[-0.5, -0.2, 0.1], [-4.0, -1.0, -0.5]],
}
# Parameters of the model's own, strong; "other" has its own spreads besides.
OWN_VARIANTS = {
    "LinearStep": {
        "steep": {"gamma_up": 1.0, "gamma_down": 0.3, **QUIET, **SPREAD},
        "straight": {"gamma_up": 0.0, "gamma_down": 0.0},
        "other": {"gamma_up": 0.5, "gamma_down": 0.3, "sigma_gamma": 0.3},
    },
    "ExponentialStep": {
        "steep": RERAM,
        "other": {**RERAM, "c2c": "step", "noise_offset": 0.01, "noise_slope": 0.1},
    },
    "SoftBoundsReference": {
        "other": {"reference": 0.1, "sigma_reference": 0.1, "at_symmetry_point": "yes"}
    },
    "PowerStep": {
        "steep": {"gamma": 3.0},
        "straight": {"gamma": 0.0},
        "other": {"gamma": 1.5, "sigma_gamma": 0.3},
    },
    "PiecewiseStep": {"other": NODES},
    "SaturatingExponential": {
        "straight": {"nl_up": 0.0, "nl_down": 0.0},
        "mirrored": {"levels": 97.0, "nl_up": 2.4, "nl_down": -4.88, "sigma_c2c": 0.3},
        "retracing": {"nl_up": 1.75, "nl_down": 1.46, **QUIET, **SPREAD},
        "extreme": {"levels": 2.0, "nl_up": -9.0, "nl_down": 9.0, "sigma_c2c": 1.0},
        "other": {"nl_up": 2.4, "nl_down": -4.88, "levels_down": 30.0, "sigma_nl": 0.3},
    },
    "SymmetricStep": {"steep": {"alpha": 6.0}, "straight": {"alpha": 0.0}},
    "AsymmetricStep": {
        "steep": {"alpha_up": 6.0, "alpha_down": 3.0},
        "straight": {"alpha_up": 0.0, "alpha_down": 0.0},
    },
    "Ernoult": {"steep": {"beta": 8.0}, "straight": {"beta": 0.005}},
    "PhaseChange": {
        "other": {"c2c": "step", "gmax": 20e-6, "memory_pulses": 5.0, "sigma_reset": 0.2}
    },
    "OnsetStep": {"steep": ONSET, "other": ONSET},
    "JumpTable": {"other": JUMPS, "tables": {**JUMPS, "sigma_c2c": 1.0}},
}
for model in MODELS:  # all of a structure but for "other" and a family's "default": few compile
    own = {name: {**QUIET, **its} for name, its in OWN_VARIANTS.get(model, {}).items()}
    other = VARIANTS["other"] | OWN_VARIANTS.get(model, {}).get("other", {})
    default = {"default": {} if model in FAMILIES else QUIET}
    OWN_VARIANTS[model] = {**VARIANTS, **default, **own, "other": other}

NOT_ITS_LAW = {
    "a train has its sign": {  # a single pulse has
        "PhaseChange": "once its memory has faded, SET settles at -b / a = 10.5 uS from above too",
        "LinearStep": "its line goes on where it has reached 0, as aihwkit's does: own bounds may",
        "JumpTable": "of several rows the mean may have any sign",
    },
    "sigma_c2c is in mean steps": {
        "PhaseChange": "sigma_c2c is in units of the published sd, which no step bounds",
        "JumpTable": "sigma_c2c is in units of the measured sd",
    },
    "a bound at the reference does not vary": {
        "SoftBoundsReference": "its bounds move with its own reference"
    },
    "what is absent costs no memory": dict.fromkeys(
        ("PhaseChange", "OnsetStep"), "its memory is a number a device"
    ),
    "the field moves g": {
        "sigma_read": "is of reading",
        "weight_span": "is of the edge of the package, as is gmax unless the model is in siemens",
        "gmax": "the same",
        **dict.fromkeys(("voltage_up", "voltage_down", "width_up", "width_down"), "of energy"),
    },
    "the twin has digits": {
        "extreme": "its logarithm has none left at |NL| = 9",
        "straight": "nor at no curvature; Ernoult's and CrossSim's 1 / (e^x - 1) neither",
    },
}
OF_SIEMENS = ("PhaseChange",)

every_model = pytest.mark.parametrize("model", MODELS)
every_family = pytest.mark.parametrize("model", FAMILIES)  # of code that models share


def models_of(law):
    return pytest.mark.parametrize("model", [m for m in MODELS if m not in NOT_ITS_LAW[law]])


STEP = jax.jit(jax.vmap(pulsed.advance, (0, 0, 0, None, None)), compiler_options=FAST)
RESPONSE = jax.jit(lambda device, *args: device.response(*args), compiler_options=FAST)


def make(model, variant, **changes):
    return as_arrays(MODELS[model](**{**OWN_VARIANTS[model][variant], **changes}))


def stream(seed):
    return random.stream(jax.random.key(seed))


@functools.cache
def place():
    """Where between their bounds devices are: a tenth at each bound, the rest between."""
    with jax.ensure_compile_time_eval():
        return np.clip(1.25 * np.asarray(random.uniform(stream(2), (N,))) - 0.125, 0.0, 1.0)


@functools.cache
def made(model, variant, **changes):
    """A device, N of it and their conductances."""
    device = make(model, variant, **changes)
    array = fabricate(device, stream(1), (N,))
    low, high = np.asarray(array.g_min), np.asarray(array.g_max)
    return device, array, np.clip(low + place() * (high - low), low, high)


class Group(NamedTuple):
    """Variants of one structure side by side, which share a compilation: leaves [variant, ...]."""

    names: tuple[str, ...]
    device: Any
    array: Any
    g: np.ndarray

    def each(self):
        """Name, device, array and conductances of each variant."""
        for k, name in enumerate(self.names):
            yield name, *(jax.tree.map(lambda leaf: leaf[k], part) for part in self[1:])  # noqa: B023


@functools.cache
def groups(model, *variants, **changes):
    """A model's variants (all, if none is named) in groups, N devices of each."""
    alike = {}
    for variant in variants or OWN_VARIANTS[model]:
        parts = made(model, variant, **changes)
        leaves, structure = jax.tree.flatten(parts)
        key = structure, tuple(np.shape(leaf) for leaf in leaves)
        alike.setdefault(key, {})[variant] = parts
    return [
        Group(tuple(some), *jax.tree.map(lambda *leaves: np.stack(leaves), *some.values()))
        for some in alike.values()
    ]


def after(group, n, noise):
    """The devices of a group after n pulses, and their conductances."""
    n, noise = (
        np.asarray(numbers, np.float32) for numbers in (n, noise)
    )  # a weak type compiles anew
    array, g = STEP(group.device, group.array, group.g, n, noise)
    return array, np.asarray(g)


def within(g, array):
    """Whether no conductance, nan included, is beyond its bounds."""
    low, high = (np.asarray(bound).reshape(len(g), -1) for bound in (array.g_min, array.g_max))
    return bool(np.all((g >= low) & (g <= high)))


def many(model):
    """More pulses than a closed form's exponential can take; of pulse by pulse, as many as move."""
    return jnp.full((N,), 100.0 if issubclass(MODELS[model], SteppedDevice) else 1000.0)


@functools.cache
def signed_counts(most):
    """Whole numbers from -most to most."""
    with jax.ensure_compile_time_eval():  # whoever asks first, be it under jit
        return jnp.round((2.0 * random.uniform(stream(3), (N,)) - 1.0) * most)


@functools.cache
def normals(seed):
    with jax.ensure_compile_time_eval():
        return random.normal(stream(seed), (N,), exact=True)


def test_every_model_has_a_twin():
    assert devices_twin.MEANS.keys() == MODELS.keys()


@every_model
def test_bounds_are_never_left(model):
    for group in groups(model):
        for n in (signed_counts(1), signed_counts(40), many(model), -many(model)):
            for noise in (normals(5), jnp.full((N,), 5.8), jnp.full((N,), -5.8)):
                assert within(after(group, n, noise)[1], group.array), group.names


@every_model
@pytest.mark.parametrize("g_ref", [0.0, 1.0])
def test_a_reference_at_a_bound_leaves_one_sided_devices(model, g_ref):
    """A bound that is the reference does not vary; everything else stays finite."""
    (group,) = groups(model, "other", g_ref=g_ref)
    low, high = np.broadcast_arrays(group.array.g_min, group.array.g_max)
    if model not in NOT_ITS_LAW["a bound at the reference does not vary"]:
        assert np.all((low if g_ref == 0 else high)[low != high] == g_ref)
    for n in (signed_counts(4), many(model), -many(model)):
        assert within(after(group, n, normals(5))[1], group.array)


@every_model
def test_a_step_has_the_sign_of_its_pulses(model):
    n = signed_counts(1 if model in NOT_ITS_LAW["a train has its sign"] else 10)
    for group in groups(model, sigma_c2c=0.0):
        moved = after(group, n, jnp.zeros(N))[1] - group.g
        for (name, _, array, g), change in zip(group.each(), moved, strict=True):
            along = np.sign(n) * change
            if model == "LinearStep":  # up to where its line is 0
                along = np.where((g <= array.top) & (g >= array.bottom), along, 0.0)
            assert np.all(along >= 0), name
            # It moves wherever it can: within the bounds, by a pulse that its own gain allows.
            if not any(OWN_VARIANTS[model][name].get(spread) for spread in SPREAD):
                inner = (g > array.g_min + 0.05) & (g < array.g_max - 0.05) & (n != 0)
                assert inner.sum() > N // 4
                assert np.all(along[inner] > 0), name


@every_family
def test_the_form_for_single_pulses_is_the_response_to_them(model):
    """Of those models that have one: fits of ramps read pulse by pulse use it."""
    device, array, g = made(model, "everything")
    n = jnp.sign(signed_counts(3))
    single = jax.jit(of_single_pulses(type(device)).response, compiler_options=FAST)
    both = single(device, array, g, n), RESPONSE(device, array, g, n)
    for one, any_train in zip(*both, strict=True):
        np.testing.assert_allclose(one, any_train, atol=2e-6)


@every_model
def test_no_pulse_is_no_change(model):
    for group in groups(model):
        kept, g = after(group, jnp.zeros(N), normals(6))
        np.testing.assert_array_equal(g, group.g)
        for a, b in zip(jax.tree.leaves(kept), jax.tree.leaves(group.array), strict=True):
            np.testing.assert_array_equal(a, b)


@every_model
def test_stuck_devices_do_not_move(model):
    for group in groups(model):
        moved = [
            after(group, n, 5.0 * normals(7))[1] != group.g
            for n in (signed_counts(40), many(model), -many(model))
        ]
        for k, (name, _, array, _) in enumerate(group.each()):
            if not OWN_VARIANTS[model][name].get("stuck"):
                continue
            is_stuck = array.g_min == array.g_max
            assert 25 <= is_stuck.sum() <= 80  # binomial(512, 0.1): 51 +- 7, 4 standard deviations
            for which in moved:
                assert not np.any(which[k][is_stuck]), name
                assert np.any(which[k][~is_stuck]), name


CELLS = 65536


@functools.partial(jax.jit, static_argnums=3)
def trains(device, array, counts, purpose):
    """Changes of CELLS devices at g = 0.45 by each of the counts, at once."""
    noise = random.normal(stream(purpose), (CELLS, len(counts)))
    g = jnp.full(noise.shape, 0.45)
    array = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, g.shape), array)
    n = jnp.broadcast_to(jnp.array(counts), g.shape)
    return device.advance(array, g, n, lambda purpose: noise)[1]


@every_family
def test_mean_and_sd_of_a_change(model):
    """Against ``response`` and ``sigma_g``'s closed form, each within 5 standard errors.

    The fast normal's excess kurtosis, -0.06, makes the sd's error sd / sqrt(2 N) but for 2 %, and
    that of a jump less still; 16 statistics a model: a right law fails with probability 1e-5, once,
    when the key is chosen.
    """
    counts = (1.0, -1.0, 4.0, -4.0)
    for sigma_g in (0.0, 0.02):
        device = make(model, "tilted", sigma_g=sigma_g, on_off=3.0)
        array = fabricate(device, stream(1), (1, 4))
        sample = np.asarray(trains(device, array, counts, 8), np.float64)
        g, n = jnp.full((1, 4), 0.45), jnp.array([counts])
        mean, sd = (np.asarray(v, np.float64)[0] for v in RESPONSE(device, array, g, n))
        proportional = sigma_g * (0.45 + 1 / (3.0 - 1.0))
        sd = np.sqrt(sd**2 + np.abs(counts) * proportional**2)
        np.testing.assert_array_less(abs(sample.mean(0) - mean), 5 * sd / np.sqrt(CELLS) + 1e-7)
        np.testing.assert_array_less(abs(sample.std(0) - sd), 5 * sd / np.sqrt(2 * CELLS))


@models_of("sigma_c2c is in mean steps")
def test_sigma_c2c_is_the_sd_of_one_step_in_mean_steps(model):
    device, array, g = made(model, "tilted")
    for n in (jnp.ones(N), -jnp.ones(N)):
        mean, sd = RESPONSE(device, array, g, n)
        np.testing.assert_allclose(sd, 0.3 * abs(mean), rtol=2e-3, atol=3e-8)


@every_family
def test_every_convention_gives_its_published_sd(model):
    """The table of ``memjax.devices.c2c``, in closed form; ``step`` is the model's own."""
    device, array, g = made(model, "tilted", on_off=3.0)
    n = jnp.where(signed_counts(3) == 0, -2.0, signed_counts(3)).at[:9].set(0.0)

    @functools.partial(jax.jit, compiler_options=FAST)
    def every(device, array, g, n):
        at_zero, _ = device.response(array, jnp.full_like(g, 1.0) * device.g_ref, jnp.sign(n))
        own = {name: dataclasses.replace(device, c2c=name) for name in c2c.CONVENTIONS}
        found = {name: d.mean_and_sd(array, g, n) for name, d in own.items()}
        return at_zero, *device.response(array, g, n), found

    at_zero, mean, own, found = jax.tree.map(
        lambda leaf: np.asarray(leaf, float), every(device, array, g, n)
    )
    n, seen = np.asarray(n, float), np.asarray(g, float) + 0.5
    expected = {
        "step": own,
        "pulse": 0.3 * np.sqrt(abs(n)),
        "write": 0.3 * (n != 0),
        "change": 0.3 * np.sqrt(abs(mean)),
        "change_g": 0.3 * np.sqrt(abs(mean)) * seen,
        "change_inverse_g": 0.3 * np.sqrt(abs(mean)) / seen,
        "additive": 0.3 * abs(at_zero) * np.sqrt(abs(n)),
    }
    assert expected.keys() == found.keys()
    one = abs(n) <= 1  # a train's additive noise may contract: tests of ContractionDevice
    for name, (moved, sd) in found.items():
        np.testing.assert_array_equal(moved, mean)
        where = one if name == "additive" and issubclass(MODELS[model], ContractionDevice) else ...
        np.testing.assert_allclose(sd[where], expected[name][where], rtol=1e-5, atol=1e-8)
        assert np.ptp(sd) > 0.001


@jax.jit
def at_once_and_one_by_one(device, array, g, sign, count):
    """The change of a train of ``count`` pulses, and of as many each with its own noise."""
    g, n = jnp.full((CELLS,), g), jnp.full((CELLS,), sign)

    def noise(k):
        return lambda purpose: random.normal(random.fold_in(stream(10), k), (CELLS,))

    def one(k, carry):
        array, now = carry
        array, change = device.advance(array, now, n, noise(k))
        return array, now + change

    _, together = device.advance(array, g, n * count, noise(1000))
    return together, jax.lax.fori_loop(0, count, one, (array, g))[1] - g


@every_model
def test_noise_of_a_train_is_that_of_its_pulses(model):
    """A train at once against its pulses one by one, each with its own noise, no bound in the way.

    Both sd are of 65,536 cells, with a standard error of 0.3 %; what is of second order in
    sigma_c2c adds at most sigma^2 = 1 %.
    """
    for levels, count in ((64.0, 4), (8.0, 5), (32.0, 15)):
        device = make(model, "default", levels=levels, sigma_c2c=0.1)
        array = fabricate(device, stream(1), (CELLS,))
        for sign, start in ((1.0, 0.2), (-1.0, 0.8)):
            g = start if model != "PhaseChange" else 0.05
            both = at_once_and_one_by_one(device, array, g, sign, count)
            together, apart = (np.asarray(change, float).std() for change in both)
            assert together == pytest.approx(apart, rel=0.02)


@every_model
def test_a_train_is_its_pulses_one_by_one(model):
    """Without noise, in closed form and pulse by pulse; each pulse rounds once (6e-8)."""
    zeros, ones = jnp.zeros(N), jnp.ones(N)
    for group in groups(model, sigma_c2c=0.0):
        for sign in (1.0, -1.0):
            now = group
            for n in range(1, 21):
                array, g = after(now, sign * ones, zeros)
                now = now._replace(array=array, g=g)
                if n in (1, 2, 7, 20):
                    left, at_once = after(group, sign * n * ones, zeros)
                    np.testing.assert_allclose(at_once, now.g, rtol=2e-5, atol=2e-6)
                    for a, b in zip(jax.tree.leaves(left), jax.tree.leaves(array), strict=True):
                        np.testing.assert_allclose(a, b, rtol=1e-5)


@every_model
def test_equals_its_twin_pulse_by_pulse(model):
    """60 noisy pulses, up and down in runs, against the published law in float64.

    A curve that retraces is unstable: it multiplies a rounding (6e-8) by up to 1 / (1 - slope) a
    pulse, so the tolerance is 100 roundings.
    """
    signs = [1.0 if (k // 5) % 2 == 0 else -1.0 for k in range(60)]
    noises = [normals(20 + k % 7) for k in range(60)]
    for group in groups(model):
        now = group
        for sign, noise in zip(signs, noises, strict=True):
            array, g = after(now, jnp.full((N,), sign), noise)
            now = now._replace(array=array, g=g)
        for (name, device, _, start), found in zip(group.each(), now.g, strict=True):
            if name in NOT_ITS_LAW["the twin has digits"]:
                continue
            own = devices_twin.spread(device, np.asarray(stream(1)), (N,))
            expected, travelled = np.asarray(start, np.float64), 0.0
            for sign, noise in zip(signs, noises, strict=True):
                travelled -= sign * expected
                noise = np.asarray(noise, np.float64)
                expected = devices_twin.pulse(device, own, expected, sign, noise)
                travelled += sign * expected
            np.testing.assert_allclose(found, expected, atol=3e-5, err_msg=name)
            assert np.median(travelled) > 0.1, name


# --- whole lives: what a device is besides its answer to pulses --------------------------------

PARTS = {
    "sigma_ramp": 0.3,
    "sigma_write": 0.5,
    "lifetime": 20.0,
    "sigma_lifetime": 0.3,
    "diffusion": 0.01,
}
NO_PARTS = {**dict.fromkeys(PARTS, 0.0), "lifetime": 3e38}
LIFE = 6


def life(device, own_stream, counts):
    """Fabricates devices and updates them: all that one can do; what is seen, what is hidden."""
    size = counts.shape[1:]
    array, g = device.init(own_stream, 1.2 * random.uniform(stream(2), size) - 0.1)

    def update(carry, at):
        step, n = at
        own = random.fold_in(own_stream, 100 + step)

        def noise(purpose):
            return random.normal(random.fold_in(own, purpose), size, exact=True)

        array, g = carry
        array, change = device.advance(array, g, n, noise)
        g = jnp.clip(g + change, array.g_min, array.g_max)
        return (array, g), (g, getattr(array, "hidden", None))

    _, (shown, hidden) = jax.lax.scan(update, (array, g), (jnp.arange(len(counts)), counts))
    return g, shown, hidden, getattr(array, "array", array)


LIVE = jax.jit(life, compiler_options=FAST)


def zeros_of(model):
    """Every part, spread and noise, of size zero: there, and so all in one compilation."""
    optional = [f.name for f in dataclasses.fields(MODELS[model]) if f.default is None]
    sigmas = [name for name in optional if name.startswith("sigma_")]
    return {**dict.fromkeys([*sigmas, "stuck"], 0.0), **NO_PARTS}


def alive(model, **changes):
    """With every part there; those not asked for do nothing."""
    return make(model, "everything", **{**zeros_of(model), **VARIANTS["tilted"], **changes})


def with_parts(model):
    """With every part, spread and noise, each of some size."""
    sizes = {**zeros_of(model), **EVERYTHING, "sigma_lower_bound": 0.2, **PARTS}
    return make(model, "everything", **sizes)


def pulses(rows=LIFE):
    """-1, 0 and 1 for N devices, in rows."""
    return jnp.stack([jnp.roll(signed_counts(1), 7 * k) for k in range(rows)])


@every_family
def test_an_absent_part_is_one_of_size_zero(model):
    """Of parts, spreads and noise."""
    bare = make(model, "default", levels=64.0, up_down=-0.4, sigma_c2c=0.3)
    zero = as_arrays(dataclasses.replace(bare, **zeros_of(model)))
    _, seen, *_ = LIVE(zero, stream(1), pulses())
    np.testing.assert_allclose(seen, LIVE(bare, stream(1), pulses())[1], rtol=0, atol=1e-6)
    if model not in NOT_ITS_LAW["what is absent costs no memory"]:
        leaves = jax.tree.leaves(jax.eval_shape(lambda: bare.fabricate(stream(1), (3, 5))))
        assert {leaf.shape for leaf in leaves} == {()}


@every_family
def test_write_noise_shows_something_else_than_what_pulses_move(model):
    """What is hidden is the device without it, bit for bit; what is shown is sd away from it.

    A device that is not pulsed goes on showing what it showed. The sd is of at least 1,500 writes:
    5 standard errors are 9 %.
    """
    n = pulses()
    device = alive(model, sigma_write=0.5)
    first, shown, hidden, _ = LIVE(device, stream(1), n)
    _, without, *_ = LIVE(alive(model), stream(1), n)
    np.testing.assert_array_equal(hidden, without)
    fired = np.asarray(n != 0)
    sd = np.asarray(shown - hidden, float)[fired].std()
    assert fired.sum() > 1500
    assert sd == pytest.approx(0.5 * float(device.nominal_step), rel=0.09)
    before = np.concatenate([first[None], shown[:-1]])
    np.testing.assert_array_equal(np.asarray(shown)[~fired], before[~fired])


@every_family
def test_a_lifetime_is_a_geometric_decay(model):
    """Without pulses: g_ref + (g - g_ref) (1 - 1 / lifetime)^t, each by its own lifetime."""
    n = jnp.zeros((LIFE, N))
    first, seen, *_ = LIVE(alive(model, lifetime=5.0), stream(1), n)
    powers = 0.8 ** np.arange(1, LIFE + 1)[:, None]
    np.testing.assert_allclose(seen, 0.5 + (np.asarray(first) - 0.5) * powers, atol=1e-6)
    _, seen, *_ = LIVE(alive(model, lifetime=5.0, sigma_lifetime=0.3), stream(1), n)
    own = np.maximum(5 + 1.5 * devices_twin.normal(np.asarray(stream(1)), 6, (N,)), 1)
    powers = (1 - 1 / own) ** np.arange(1, LIFE + 1)[:, None]
    expected = 0.5 + (np.asarray(first) - 0.5) * powers
    np.testing.assert_allclose(seen, expected, atol=2e-6)


@every_family
def test_diffusion_is_a_random_walk(model):
    """Variance diffusion^2 t while bounds are far; 512 devices: 5 standard errors are 31 %."""
    first, seen, *_ = LIVE(alive(model, diffusion=0.01), stream(1), jnp.zeros((LIFE, N)))
    inner = np.asarray((first > 0.2) & (first < 0.8))
    walk = (np.asarray(seen, float) - np.asarray(first))[:, inner]
    steps = np.diff(np.concatenate([np.zeros((1, inner.sum())), walk]), axis=0)
    assert steps.std() == pytest.approx(0.01, rel=5 / np.sqrt(2 * steps.size))
    variances = walk.var(1) / (1e-4 * np.arange(1, LIFE + 1))
    np.testing.assert_allclose(variances, 1.0, atol=5 * np.sqrt(2 / inner.sum()))


@every_family
def test_lives_equal_those_of_the_twin(model):
    """All parts at once, in rows of pulses up, none and down."""
    device = with_parts(model)
    signs = (1.0, 1.0, 0.0, -1.0, 0.0, 1.0)
    n = jnp.broadcast_to(jnp.array(signs)[:, None], (LIFE, N))
    first, seen, hidden, _ = LIVE(device, stream(1), n)
    words = np.asarray(stream(1))
    own, g = devices_twin.spread(device, words, (N,)), np.asarray(first, float)
    devices_twin.keep(device, own, words, g)
    for k, sign in enumerate(signs):
        at = devices_twin.random_twin.fold_in(words, 100 + k)
        noises = [devices_twin.normal(at, purpose, (N,)) for purpose in range(4)]
        g = devices_twin.advance(device, own, g, sign, noises)
        np.testing.assert_allclose(seen[k], g, atol=3e-5)
        np.testing.assert_allclose(hidden[k], own.hidden, atol=3e-5)


@every_family
def test_no_part_moves_a_stuck_device(model):
    first, seen, *_, array = LIVE(with_parts(model), stream(1), 5.0 * pulses())
    is_stuck = np.asarray(array.g_min == array.g_max)
    assert is_stuck.sum() >= 25
    for g in np.asarray(seen):
        np.testing.assert_array_equal(g[is_stuck], first[is_stuck])
        assert np.all(g[~is_stuck] != first[~is_stuck])


# --- sweeps --------------------------------------------------------------------------------------


def full(model, **changes):
    """A device that has every parameter, none of them absent."""
    base = make(model, "other", **PARTS, gmax=1e-5, up_down=-0.2)
    absent = {f.name: 0.2 for f in dataclasses.fields(base) if getattr(base, f.name) is None}
    return as_arrays(dataclasses.replace(base, **{**absent, **changes}))


def swept(base, field):
    """Half, once and twice its value, within its bounds."""
    held, bounds = np.asarray(getattr(base, field.name)), field.metadata["bounds"]
    low, high = bounds.get("at_least", -np.inf), bounds.get("at_most", np.inf)
    return [np.clip((held + (held == 0)) * factor, low, high) for factor in (0.5, 1.0, 2.0)]


WHOLE = ("SoftBounds", "PhaseChange")


def experiment(device, own_stream):
    return life(device, own_stream, pulses(3)[:, :64])[1]


def a_train(device, own_stream):
    """What a model's own parameters bear on: fabricated devices, and what pulses do to them."""
    array = device.fabricate(own_stream, (64,))
    g = jnp.linspace(0.02, 0.98, 64)
    return jnp.stack(
        [pulsed.pulsed(device, array, g, n * jnp.ones(64), normals(5)[:64]) for n in (2, -2)]
    )


ALONE = {run: jax.jit(run, compiler_options=FAST) for run in (experiment, a_train)}


@every_family
def test_jit_equals_eager(model):
    """To 2e-6: fused, a product and a sum round once, not twice."""
    (group,) = groups(model, "other")
    n, noise = signed_counts(3), normals(5)
    _, (fused,) = after(group, n, noise)
    device, array, g = made(model, "other")
    eager = pulsed.pulsed(device, array, jnp.asarray(g), n, noise)
    np.testing.assert_allclose(eager, fused, atol=2e-6)


@every_model
def test_every_field_sweeps_in_one_compilation(model):
    """Lanes that differ in any one field are the devices alone, all of them in one program.

    In whole lives of two models, in trains of the other families', and of the other models their
    own fields, on devices without spread: what is left out is code of the families' models.
    """
    own = {f.name for f in dataclasses.fields(MODELS[model])}
    own -= {f.name for f in dataclasses.fields(Device)}
    if model in WHOLE:
        base, run, names = full(model), experiment, None
    elif model in FAMILIES:
        base, run, names = full(model), a_train, NOISE.keys() | own | {"levels", "up_down", "g_ref"}
    else:
        given = {k: v for k, v in OWN_VARIANTS[model]["other"].items() if k in own}
        base, run, names = (
            as_arrays(MODELS[model](levels=20.0, sigma_c2c=0.3, **given)),
            a_train,
            own,
        )
    traces = []

    @functools.partial(jax.jit, compiler_options=FAST)
    def sweep(devices):
        traces.append(model)
        return jax.vmap(run, (0, None))(devices, stream(1))

    for field in dataclasses.fields(base):
        if field.metadata.get("static") or (names is not None and field.name not in names):
            continue  # what is static is a program a value, by definition
        variants = [
            as_arrays(dataclasses.replace(base, **{field.name: v})) for v in swept(base, field)
        ]
        lanes = np.asarray(sweep(jax.tree.map(lambda *leaves: jnp.stack(leaves), *variants)))
        for lane, variant in zip(lanes, variants, strict=True):
            np.testing.assert_allclose(lane, ALONE[run](variant, stream(1)), atol=2e-6)
        still = field.name in NOT_ITS_LAW["the field moves g"]
        still &= not (field.name == "gmax" and model in OF_SIEMENS)
        assert (np.ptp(lanes, axis=0).max() > 1e-3) != still, field.name
    assert set(traces) <= {model} and len(traces) <= 1


@pytest.mark.parametrize("model", WHOLE)
def test_one_field_may_be_batched_alone(model):
    """In a closure, beside unbatched ones, as a traced value that no check looks at."""
    base, levels = full(model), [2.0, 20.0, 100.0]

    @functools.partial(jax.jit, compiler_options=FAST)
    @jax.vmap
    def lanes(levels):
        return experiment(dataclasses.replace(base, levels=levels), stream(1))

    for lane, value in zip(lanes(jnp.array(levels)), levels, strict=True):
        alone = ALONE[experiment](full(model, levels=value), stream(1))
        np.testing.assert_allclose(lane, alone, atol=2e-6)


@every_model
def test_state_is_a_fixed_point_of_types(model):
    """Arrays and conductances can be carried by ``scan``: same treedef, shapes and dtypes."""
    one_part = {"sigma_write": 0.5} if model < "M" else {"lifetime": 9.0}
    for variant, parts in (("default", {}), ("default", one_part), ("other", PARTS)):
        device = make(model, variant, **parts)

        def run(own_stream, device=device):
            def body(carry, n):
                array, g = carry
                array, change = device.advance(array, g, n, lambda purpose: jnp.ones((3, 5)))
                return (array, jnp.clip(g + change, array.g_min, array.g_max)), g

            carry = device.init(own_stream, jnp.full((3, 5), 0.5))
            return carry, *jax.lax.scan(body, carry, jnp.ones((4, 3, 5)))

        before, after, history = jax.eval_shape(run, stream(1))
        assert history.shape == (4, 3, 5)
        assert jax.tree.structure(before) == jax.tree.structure(after)
        for leaf, same in zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True):
            assert leaf.dtype == same.dtype == jnp.float32
            assert leaf.shape == same.shape
            assert leaf.shape in ((), (3, 5))


@every_model
def test_fabrication_is_reproducible_and_a_matter_of_the_stream(model):
    """Leaves that vary over devices vary over streams; a tenth is stuck and without laws."""
    device = make(model, "other")
    once, again, other = (fabricate(device, stream(seed), (N,)) for seed in (1, 1, 2))
    varying = 0
    for a, b, c in zip(once, again, other, strict=True):
        np.testing.assert_array_equal(a, b)
        if len(np.unique(a)) > N // 2:
            varying += 1
            assert float(jnp.mean(a == c)) < 0.05
    assert varying >= 3


def test_what_is_named_exists():
    """The tables of exceptions name models, variants and fields that there are."""
    fields = {f.name for m in MODELS.values() for f in dataclasses.fields(m)}
    variants = {variant for own in OWN_VARIANTS.values() for variant in own}
    known = MODELS.keys() | fields | variants
    assert {name for table in NOT_ITS_LAW.values() for name in table} <= known
    assert population.LAWS == ("normal", "lognormal")
