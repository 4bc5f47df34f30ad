"""One lane: an epoch visits all, a float lane is plain SGD, a pulsed one holds to its devices."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from memjax.cells import ReferenceCell
from memjax.devices import ConstantStep
from memjax.errors import UserError
from memjax.experiments import Classifier, Labelled, Perceptron, Samples, Training
from memjax.experiments.perceptron import apply_network, cross_entropy, plain_dense
from memjax.pulses import Bernoulli, Coincidence
from memjax.pytree import as_arrays
from memjax.updates import TikiTakaV2

WORDS = jnp.array([1, 2], jnp.uint32)
RNG = np.random.default_rng(0)
TRAIN = Samples(
    jnp.asarray(RNG.random((30, 6)), jnp.float32), jnp.asarray(np.arange(30) % 3, jnp.int32)
)


def labelled(train: Samples, n_classes: int = 3) -> Labelled:
    return Labelled(train, train, None, "some", n_classes)


DATA = labelled(TRAIN)
COINCIDENCE = Coincidence()


@jax.jit
def init(classifier, data):
    return classifier.init(WORDS, data)


@jax.jit
def advance(classifier, state, stage, data):
    return classifier.advance(state, WORDS, stage, data)


@jax.jit
def accuracy(classifier, state, data, epoch=0):
    report = classifier.evaluate(state, WORDS, jnp.int32(epoch), data, last=False)
    return report["test_accuracy"]


def epoch_of(classifier, state, data=DATA, epoch: int = 0):
    return advance(classifier, state, jnp.int32(epoch), data)


def classifier_of(
    hidden: tuple[int, ...] = (),
    learning_rate: float = 0.1,
    decay: float = 1.0,
    batch_size: int = 1,
    pulses=COINCIDENCE,
    **device,
) -> Classifier:
    cell = ReferenceCell(weight_range=device.pop("weight_range", 0.5))
    rates = {"learning_rate": learning_rate, "learning_rate_decay": decay}
    return as_arrays(
        Classifier(
            device=ConstantStep(**device),
            cell=cell,
            pulses=pulses,
            train=Training(batch_size=batch_size, **rates),
            model=Perceptron(hidden=hidden),
        )
    )


def visits(batch_size: int, epochs: int = 1, decay: float = 1.0) -> np.ndarray:
    """How much each of 10 one-hot samples moved its own weights in each epoch, over the rate."""
    samples = Samples(jnp.eye(10, dtype=jnp.float32), jnp.zeros(10, jnp.int32))
    data = labelled(samples, 2)
    plain = classifier_of((), 1e-3, decay, batch_size, None)
    state = init(plain, data)
    moved = []
    for epoch in range(epochs):
        before = state.params[0]["kernel"]
        state, _ = epoch_of(plain, state, data, epoch)
        p = jax.nn.softmax(before + state.params[0]["bias"][None, :], axis=1)
        change = (state.params[0]["kernel"] - before)[:, 0] / 1e-3 * batch_size
        moved.append(np.asarray(change / (1.0 - p[:, 0])))
    return np.array(moved)


def test_a_batch_has_a_sample():
    with pytest.raises(UserError, match=r"^Training: batch_size = 0 must be at least 1$"):
        Training(batch_size=0)


def test_an_epoch_visits_every_sample_once():
    np.testing.assert_allclose(visits(1), np.ones((1, 10)), rtol=0.02)
    np.testing.assert_allclose(visits(5), np.ones((1, 10)), rtol=0.02)


def test_a_partial_batch_is_left_out_and_another_one_each_epoch():
    moved = visits(3, epochs=6)
    assert (np.sum(moved > 0.5, axis=1) == 9).all()
    assert len(set(np.argmin(moved, axis=1).tolist())) > 1


def test_the_learning_rate_decays_by_its_factor_an_epoch():
    first, second, third = visits(1, epochs=3, decay=0.5).mean(axis=1)
    assert second / first == pytest.approx(0.5, rel=0.02)
    assert third / first == pytest.approx(0.25, rel=0.02)


def test_a_float_lane_is_a_plain_loop_over_optax_sgd():
    # One batch an epoch, so that the order of the samples is only one of rounding.
    plain = classifier_of((5,), 0.5, 0.9, 30, None)
    state = init(plain, DATA)
    weights = state.params
    losses = []
    for epoch in range(5):
        optimizer = optax.sgd(0.5 * 0.9**epoch)

        def loss_of(weights):
            logits = apply_network(weights, TRAIN.x, plain_dense, "sigmoid")
            return cross_entropy(logits, TRAIN.y)

        loss, grads = jax.value_and_grad(loss_of)(weights)
        updates, _ = optimizer.update(grads, optimizer.init(weights))
        weights = optax.apply_updates(weights, updates)
        losses.append(float(loss))
        state, report = epoch_of(plain, state, epoch=epoch)
        assert float(report["train_loss"]) == pytest.approx(losses[-1], rel=1e-6)
    for found, expected in zip(
        jax.tree.leaves(state.params), jax.tree.leaves(weights), strict=True
    ):
        np.testing.assert_allclose(found, expected, atol=1e-6)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("pulses", [None, COINCIDENCE])
def test_the_last_layer_may_have_a_rate_of_its_own(pulses):
    lane = classifier_of((5,), pulses=pulses)
    lane = dataclasses.replace(lane, train=Training(output_learning_rate=0.0))
    before = init(lane, DATA)
    after, _ = epoch_of(lane, before)
    first, last = (
        np.abs(new["kernel"] - old["kernel"]).max()
        for old, new in zip(before.params, after.params, strict=True)
    )
    assert first > 0 and last == 0


def test_a_fine_device_without_noise_is_nearly_a_float_lane():
    fine = {"levels": 20_001, "weight_range": 1.0}  # a pulse is 1e-4
    ends = []
    for pulses in (None, Bernoulli(max_pulses=1000)):
        lane = classifier_of((5,), 0.01, pulses=pulses, **fine)
        ends.append(epoch_of(lane, init(lane, DATA))[0].params)
    for pulsed, plain in zip(*map(jax.tree.leaves, ends), strict=True):
        # 30 roundings of at most half a pulse's standard deviation each, 5 sigma
        np.testing.assert_allclose(pulsed, plain, atol=5 * 0.5e-4 * np.sqrt(30))


def test_weights_stay_on_the_devices_grid_and_within_their_range():
    lane = classifier_of((5,), 1.0, levels=5, weight_range=0.25)  # a pulse is 1/8
    start = init(lane, DATA)
    end, report = epoch_of(lane, start)
    for before, after in zip(*(jax.tree.leaves(s.params) for s in (start, end)), strict=True):
        assert np.abs(after).max() <= 0.25
        inner = np.abs(after) < 0.25  # what was clipped has left the grid
        if (np.abs(before) == 0).all():
            steps = np.asarray(after)[inner] * 8
            np.testing.assert_allclose(steps, steps.round(), atol=1e-5)
    assert bool(report["finite"])


def test_epochs_draw_pulses_of_their_own_and_words_reproduce_them():
    lane = classifier_of()
    state = init(lane, DATA)
    once, again = (epoch_of(lane, state)[0].params for _ in range(2))
    other = epoch_of(lane, state, epoch=1)[0].params
    kernels = [np.asarray(params[0]["kernel"]) for params in (once, again, other)]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert (kernels[0] != kernels[2]).any()


def test_no_read_noise_and_read_noise_of_zero_are_the_same():
    ends = []
    for sigma_read in (None, 0.0):
        lane = classifier_of(sigma_read=sigma_read)
        ends.append(epoch_of(lane, init(lane, DATA))[0].params)
    np.testing.assert_allclose(ends[0][0]["kernel"], ends[1][0]["kernel"], atol=1e-6)


def test_read_noise_disturbs_the_test_too():
    quiet, noisy = classifier_of(), classifier_of(sigma_read=100.0)
    state = init(quiet, DATA)
    right = float(accuracy(quiet, state, DATA))
    assert right == float(accuracy(quiet, state, DATA))
    assert any(right != float(accuracy(noisy, state, DATA, epoch)) for epoch in range(3))


def test_accuracy_is_the_fraction_of_right_answers():
    x = jnp.eye(3, dtype=jnp.float32)[jnp.array([0, 1, 2, 0])]
    data = labelled(Samples(x, jnp.array([0, 1, 2, 1], jnp.int32)))
    plain = classifier_of(pulses=None)
    state = init(plain, data)
    state = state._replace(params=[{"kernel": jnp.eye(3), "bias": jnp.zeros(3)}])
    assert float(accuracy(plain, state, data)) == 0.75


def test_a_lane_that_is_not_finite_says_so():
    plain = classifier_of(pulses=None)
    bad = labelled(TRAIN._replace(x=TRAIN.x.at[3, 2].set(jnp.inf)))
    state, report = epoch_of(plain, init(plain, bad), bad)
    assert not bool(report["finite"])
    assert not bool(epoch_of(plain, state)[1]["finite"])


def test_a_single_layer_is_a_network():
    plain = classifier_of(pulses=None, learning_rate=0.5)
    assert [layer["kernel"].shape for layer in init(plain, DATA).params] == [(6, 3)]


def test_the_reference_is_the_network_in_floating_point():
    lane = classifier_of((5,), learning_rate=0.1)
    reference = lane.reference()
    assert reference.pulses is None and reference.model == lane.model
    train = dataclasses.replace(lane.train, baseline_learning_rate=0.3)
    own = dataclasses.replace(lane, train=train).reference()
    assert float(own.train.learning_rate) == np.float32(0.3)


@pytest.mark.parametrize("pulses", [COINCIDENCE, Bernoulli()])
def test_the_learning_rate_of_an_auto_scaled_transfer_is_that_of_the_transfer(pulses):
    """Powers of two: a rate of 1/4 that moves 1/2 is one of 1/2 that moves 1/4."""

    def trained(learning_rate, transfer_rate, **more):
        rule = TikiTakaV2(transfer_rate=transfer_rate, fast_rate=0.5, **more)
        lane = dataclasses.replace(
            classifier_of((4,), learning_rate, pulses=pulses, levels=1025), algorithm=rule
        )
        return epoch_of(lane, init(lane, DATA))[0]

    one, other = (trained(*rates, auto_scale=True) for rates in ((0.25, 0.5), (0.5, 0.25)))
    assert jax.tree.all(jax.tree.map(np.array_equal, one.params, other.params))
    largest = one.opt_state[1].largest
    assert all(float(mean) > 0 for mean in jax.tree.leaves(largest))
    assert np.any(one.opt_state[1].a[0]["kernel"])
    fixed = trained(0.25, 0.5)
    assert fixed.opt_state[1].largest is None
    assert np.any(fixed.opt_state[1].a[0]["kernel"] != one.opt_state[1].a[0]["kernel"])
