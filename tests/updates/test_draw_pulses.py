"""Two links, one update: wanted changes become counts, and counts are fired."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import memjax
from memjax.cells import CELLS
from memjax.devices import ConstantStep
from memjax.pulses import Bernoulli, Binomial, Counts, Delivered, Deterministic
from memjax.updates import (
    ALGORITHMS,
    TikiTaka,
    delivered_counts,
    draw_pulses,
    fire_pulses,
    pulsed_update,
)
from memjax.updates.pulsed_update import draw_and_fire
from reference.trees import bits, distance

KEY = jax.random.key(0)
DEVICE = ConstantStep(levels=41, sigma_c2c=0.3, sigma_d2d=0.2)
WANTED = {"a": jnp.linspace(-0.1, 0.1, 12).reshape(4, 3), "b": jnp.full(3, -0.06)}
COUNTS = {"a": Counts(jnp.round(30 * WANTED["a"])), "b": Counts(jnp.full(3, -2.0))}


def run(tx, updates, steps=3):
    """Params and state after some updates by one compiled program."""
    p = {"a": jnp.zeros((4, 3)), "b": jnp.full(3, 0.1)}

    def step(carry, _):
        p, s = carry
        changes, s = tx.update(updates, s, p)
        return (optax.apply_updates(p, changes), s), None

    return jax.jit(lambda: jax.lax.scan(step, (p, tx.init(p)), length=steps)[0])()


@pytest.mark.parametrize("scheme", [Bernoulli(), Binomial()])
@pytest.mark.parametrize("cell", ["reference", "differential"])
def test_the_chain_of_both_links_is_pulsed_update_bit_for_bit(scheme, cell):
    made = CELLS[cell]()
    draw = draw_pulses(scheme, made.pulse_size(DEVICE), key=KEY)
    chain = optax.chain(draw, fire_pulses(DEVICE, key=KEY, cell=made))
    whole = draw_and_fire(DEVICE, key=KEY, cell=made, pulses=scheme)
    (p, s), (q, t) = run(chain, WANTED), run(whole, WANTED)
    assert bits(p) == bits(q) and bits(s[1]) == bits(t)
    assert int(s[0].count) == int(t.count) == 3
    watched = pulsed_update(DEVICE, key=KEY, cell=made, pulses=scheme, memristive="*")
    assert distance(run(watched, WANTED)[0], p) <= 1e-7


def test_the_type_of_an_update_says_what_it_is():
    """Counts are fired as they are by whatever draws, leaf by leaf; an array is a wanted change."""
    fired = run(fire_pulses(DEVICE, key=KEY), COUNTS)
    whole = draw_and_fire(DEVICE, key=KEY)
    assert bits(run(whole, COUNTS)) == bits(fired)
    drawn = run(whole, WANTED)[0]
    mixed = run(whole, {"a": COUNTS["a"], "b": WANTED["b"]})[0]
    assert bits(mixed["a"]) == bits(fired[0]["a"]) and bits(mixed["b"]) == bits(drawn["b"])
    assert bits(drawn["b"]) != bits(fired[0]["b"])


def test_what_layers_deliver_is_marked_and_turned_downhill():
    delivered = {name: -counts.n for name, counts in COUNTS.items()}
    fired = run(fire_pulses(DEVICE, key=KEY), COUNTS)[0]
    for last in (
        optax.chain(delivered_counts(), pulsed_update(DEVICE, key=KEY, memristive="*")),
        memjax.coincidence_sgd(DEVICE, key=KEY),
    ):
        assert distance(run(last, delivered)[0], fired) <= 1e-7  # the watch rounds otherwise


def test_delivered_warns_and_does_the_same():
    with pytest.warns(DeprecationWarning, match="Delivered is deprecated"):
        tx = pulsed_update(DEVICE, key=KEY, pulses=Delivered(), memristive="*")
    plain = {name: counts.n for name, counts in COUNTS.items()}
    p, _ = run(tx, plain)
    assert distance(p, run(fire_pulses(DEVICE, key=KEY), COUNTS)[0]) <= 1e-7


def test_a_fast_array_takes_counts_too():
    twin = TikiTaka().transform(ConstantStep(levels=41), key=KEY, memristive="*")
    tx = optax.chain(delivered_counts(), twin)
    delivered = {"a": jnp.full((4, 3), -2.0), "b": jnp.full(3, 1.0)}
    _, s = run(tx, delivered, steps=1)
    np.testing.assert_allclose(s[1].inner_state.a["a"], 2 / 40, atol=1e-6)
    np.testing.assert_allclose(s[1].inner_state.a["b"], -1 / 40, atol=1e-6)


def test_diagnostics_count_what_was_clipped():
    wanted = {"a": jnp.full((4, 3), 5.5 / 40), "b": jnp.full(3, -1.25 / 40)}
    device, pulses = ConstantStep(levels=41), Deterministic(max_pulses=3)
    tx = pulsed_update(device, key=KEY, pulses=pulses, memristive="*", diagnostics=True)
    stats = run(tx, wanted, steps=2)[1].inner_state.stats
    assert float(stats.pulses["a"]) == 2 * 12 * 3 and float(stats.pulses["b"]) == 2 * 3
    np.testing.assert_allclose(stats.clipped["a"], 2 * 12 * 2.5, rtol=1e-5)
    assert float(stats.clipped["b"]) == 0
    stats = run(fire_pulses(device, key=KEY, diagnostics=True), COUNTS)[1].stats
    assert np.isnan(stats.clipped["a"]) and float(stats.pulses["b"]) == 3 * 6


def test_mistakes_are_said_in_one_line():
    p = jnp.zeros(2)
    for tx in (draw_pulses(Bernoulli(), 0.1, key=KEY), fire_pulses(DEVICE, key=KEY)):
        with pytest.raises(memjax.UserError, match="update needs params"):
            tx.update(p, tx.init(p))
    with pytest.raises(memjax.UserError, match=r"no memjax.pulses.Counts; chain draw_pulses"):
        tx.update(p, tx.init(p), p)


@pytest.mark.parametrize("name", [n for n in ALGORITHMS if ALGORITHMS[n].wants_gradients])
def test_what_makes_pulses_of_gradients_takes_no_counts(name):
    tx = ALGORITHMS[name]().transform(ConstantStep(), key=KEY)
    p = jnp.zeros(2)
    with pytest.raises(memjax.UserError, match="makes pulses of gradients itself; give no Counts"):
        tx.update(Counts(p), tx.init(p), p)
