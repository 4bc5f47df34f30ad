"""Training in place through an array: NeuroSim's step by NumPy, and ideal arrays change nothing."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memjax import random
from memjax.cells import DifferentialPair, ReferenceCell, VectorCell
from memjax.crossbar import InSituArray
from memjax.devices import ConstantStep, SaturatingExponential
from memjax.errors import UserError
from memjax.experiments import Classifier, Labelled, Perceptron, Samples, Training
from memjax.experiments.classifier import _ORDER
from memjax.pulses import Bernoulli, Coincidence, Deterministic
from memjax.pytree import as_arrays
from memjax.sweep import Spec
from memjax.sweep.run import notes
from memjax.updates import PulsedSGD, TikiTaka

WORDS = jnp.array([1, 2], jnp.uint32)
RNG = np.random.default_rng(0)
TRAIN = Samples(
    jnp.asarray(RNG.random((24, 9)) < 0.4, jnp.float32), jnp.asarray(np.arange(24) % 3, jnp.int32)
)
DATA = Labelled(TRAIN, TRAIN, None, "some", 3)


@jax.jit
def epoch_of(lane, data):
    state = lane.init(WORDS, data)
    after, report = lane.advance(state, WORDS, jnp.int32(0), data)
    report |= lane.evaluate(after, WORDS, jnp.int32(0), data, last=False)
    return state.params, after.params, report


def kernels(params) -> list[np.ndarray]:
    return [np.asarray(layer["kernel"], float) for layer in params]


NEUROSIM = Classifier(
    device=SaturatingExponential(
        levels=97.0,
        levels_down=60.0,
        nl_up=2.4,
        nl_down=-4.88,
        on_off=12.5,
        gmax=50e-6,
        sigma_c2c=0.0,
        c2c="pulse",
    ),
    cell=ReferenceCell(weight_range=0.5),
    pulses=Deterministic(max_pulses=128),
    algorithm=PulsedSGD(steps="own"),
    train=Training(
        loss="squared_error", learning_rate=0.9, output_learning_rate=0.6, epoch_samples=40
    ),
    model=Perceptron(hidden=(5,), bias=False, init_range=0.5, init_levels=7),
    array=InSituArray(
        dac="unsigned",
        dac_bits=1,
        dac_rounding="half_up",
        subtract="digital",
        adc="plain",
        adc_bits=6,
        adc_rounding="floor",
        adc_share=0.92,
        backward="read",
        r_access=5e3,
    ),
)


class Twin:
    """NeuroSim's sample by sample: weights of (-1, 1), each with a conductance in siemens."""

    def __init__(self, weights: list[np.ndarray]):
        self.g = [(w + 1) / 2 for w in weights]  # of the range

    def read(self, g):
        siemens = 50e-6 * (1 / 12.5 + g * (1 - 1 / 12.5))
        return 1 / (1 / siemens + 5e3)

    def forward(self, x, g):
        rows, top = len(x), 2**6 - 1
        span = 50e-6 * (1 - 1 / 12.5)
        digit = lambda siemens: np.floor(x @ siemens / (rows * span) * top + 1e-9)  # noqa: E731
        total = digit(self.read(g)) - digit(self.read(np.full(g.shape, 0.5)))
        return 1 / (1 + np.exp(-total / top * rows))

    def step(self, x, label):
        a1 = self.forward(x, self.g[0])
        a2 = self.forward((a1 >= 0.5).astype(float), self.g[1])
        s2 = -2 * a2 * (1 - a2) * (np.eye(3)[label] - a2)
        low, span = 50e-6 / 12.5, 50e-6 * (1 - 1 / 12.5)
        w2 = np.clip((self.read(self.g[1]) - low) / span * 2 - 1, -1, 1)
        s1 = a1 * (1 - a1) * (w2 @ s2)
        self.write(0, -0.9 * np.outer(x, s1))  # their rates are .9 and 1.2
        self.write(1, -1.2 * np.outer(a1, s2))

    def write(self, layer, change):
        levels = np.where(change > 0, 97, 60)
        n = np.floor(np.abs(change) / 2 * levels + 0.5)
        a_up, a_down = 0.499181, 0.200303  # of the labels 2.4 and 4.88
        g, top = self.g[layer], 1 / (1 - np.exp(-1 / a_up))
        bottom = 1 - 1 / (1 - np.exp(-1 / a_down))
        up = top - (top - g) * np.exp(-n / (a_up * 97))
        down = bottom + (g - bottom) * np.exp(-n / (a_down * 60))
        self.g[layer] = np.clip(np.where(change > 0, up, down), 0, 1)


def test_an_epoch_is_neurosims_step_by_step():
    lane = as_arrays(NEUROSIM)
    before, after, report = epoch_of(lane, DATA)
    twin = Twin([2 * w for w in kernels(before)])
    values = set(np.concatenate([w.ravel() for w in kernels(before)]).round(4).tolist())
    assert len(values) == 7 and min(values) == -0.5 and max(values) == 0.5
    own = random.fold_in(random.fold_in(random.fold_in(WORDS, _ORDER), 0), 0)
    order = np.asarray(lane._order(own, 24))
    assert order.shape == (40,) and len(set(order.tolist())) < 24  # with replacement
    for number in order:
        twin.step(np.asarray(TRAIN.x[number], float), int(TRAIN.y[number]))
    for found, g, start in zip(kernels(after), twin.g, kernels(before), strict=True):
        assert np.abs(found - start).max() > 0.05
        np.testing.assert_allclose(found, g - 0.5, atol=1e-4)
    answers = []
    for x in np.asarray(TRAIN.x, float):
        a1 = twin.forward(x, twin.g[0])
        answers.append(np.argmax(twin.forward((a1 >= 0.5).astype(float), twin.g[1])))
    assert float(report["test_accuracy"]) == pytest.approx(np.mean(answers == np.asarray(TRAIN.y)))


PLAIN = Classifier(
    device=ConstantStep(levels=200.0, sigma_c2c=0.3, gmax=1e-4),
    cell=ReferenceCell(weight_range=1.0),
    pulses=Bernoulli(),
    model=Perceptron(hidden=(5, 4)),
    train=Training(learning_rate=0.3, batch_size=2),
)


@pytest.mark.parametrize("cell", [ReferenceCell(weight_range=1.0), DifferentialPair()])
def test_an_ideal_array_changes_nothing_forwards_or_backwards(cell):
    plain = dataclasses.replace(PLAIN, cell=cell)
    ideal = InSituArray(tile_rows=4, tile_columns=2, subtract="digital", backward="array")
    (_, expected, told), (_, found, same) = (
        epoch_of(as_arrays(dataclasses.replace(plain, array=array)), DATA)
        for array in (InSituArray(), ideal)
    )
    assert float(told["train_loss"]) == pytest.approx(float(same["train_loss"]), rel=1e-3)
    for one, other in zip(jax.tree.leaves(expected), jax.tree.leaves(found), strict=True):
        # Sums in another order; a rounding may send a pulse the other way.
        assert np.median(np.abs(np.asarray(one) - np.asarray(other))) < 1e-5


def test_trains_meet_on_the_array_and_its_noise_is_drawn_anew():
    noisy = dataclasses.replace(
        PLAIN, pulses=Coincidence(), array=InSituArray(adc_bits=8.0, out_noise=0.1)
    )
    before, after, report = epoch_of(as_arrays(noisy), DATA)
    quiet = dataclasses.replace(noisy, array=InSituArray(adc_bits=8.0, out_noise=0.0))
    assert np.isfinite(float(report["train_loss"]))
    assert any((b != a).any() for b, a in zip(kernels(before), kernels(after), strict=True))
    _, other, _ = epoch_of(as_arrays(quiet), DATA)
    assert (kernels(after)[0] != kernels(other)[0]).any()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cell": VectorCell()}, "VectorCell has no columns; take a reference cell or a pair"),
        ({"device": ConstantStep()}, "r_access needs device.gmax, in siemens"),
        ({"device": ConstantStep(gmax=1.0, sigma_read=0.1)}, "give the noise of reads as array.w"),
        ({"array": InSituArray(adc_bits=8, adc_range="calibrated")}, "needs data of each layer"),
        ({"array": InSituArray(adc_bits=8, backward="array")}, "give input_scale = 'abs_max'"),
        (
            {"pulses": Coincidence(), "algorithm": PulsedSGD(steps="own")}
            | {"device": SaturatingExponential(levels_down=40.0, gmax=1.0)},
            "coincidences have the mean step",
        ),
        (
            {
                "algorithm": TikiTaka(fast_rate=0.1),
                "train": Training(output_learning_rate=0.1),
            },
            "fast_rate is the rate of all layers",
        ),
        ({"algorithm": TikiTaka(gamma=0.5)}, "gamma makes a weight of two arrays"),
    ],
)
def test_what_cannot_be_trained_in_place_is_one_line(changes, said):
    lane = dataclasses.replace(PLAIN, array=InSituArray(r_access=1e3))
    with pytest.raises(UserError, match=said) as told:
        dataclasses.replace(lane, **changes).check()
    assert "\n" not in str(told.value)


def test_an_epoch_has_a_batch():
    train = Training(epoch_samples=3, batch_size=4)
    said = r"^train.epoch_samples = 3 are less than one batch of 4; give more, or lower train.batch"
    with pytest.raises(UserError, match=said):
        dataclasses.replace(PLAIN, train=train).check_data(DATA)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"array": {"levels": 8}}, r"\[array\] levels: unknown key"),
        ({"array": {"adc_bits": 0}}, r"\[array\] adc_bits: 0 must be at least 1"),
        (
            {"train": {"steps": "own"}, "pulses": {"scheme": "bernoulli"}},
            "steps = 'own' needs a device with levels_down",
        ),
    ],
)
def test_a_wrong_specification_is_one_line(raw, said):
    with pytest.raises(UserError, match=said):
        spec = Spec.from_dict({"axes": {"on_off": [2.0, 5.0]}} | raw)
        spec.first().check()


def test_what_an_array_says_to_no_effect_is_noted_unless_an_axis_brings_it_in():
    raw = {"axes": {"adc_bits": [4, 8]}, "array": {"adc_share": 0.5, "cycles": 3}}
    found = [note for note in notes(Spec.from_dict(raw)) if note.startswith("array")]
    assert found == ["array.cycles = 3 has no effect: inputs come at once (slice_bits)"]
