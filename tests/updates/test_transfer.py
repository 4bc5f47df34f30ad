"""Two arrays: what is read when, what is written, against a NumPy twin of all three buffers."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import memjax
from memjax.cells import DifferentialPair, RefreshPair
from memjax.devices import ConstantStep, SoftBounds
from memjax.pulses import Counts, Deterministic
from memjax.updates import AGAD, ChoppedTikiTaka, TikiTaka, TikiTakaV2, readout

KEY = jax.random.key(0)
STEP = 2.0**-8
IDEAL = ConstantStep(levels=257)
"""Steps that are powers of two: in float32 every sum below is exact."""
COUNTS = np.random.default_rng(0).integers(-3, 4, (80, 5, 3)).astype(np.float32)
"""Pulses for a crossbar of five rows: a bias, which comes first, and a kernel of four."""


def tree(rows):
    return {"bias": jnp.asarray(rows[0]), "kernel": jnp.asarray(rows[1:])}


def counts_of(rows):
    return jax.tree.map(Counts, tree(rows))


def rows(tree):
    return np.concatenate([np.asarray(tree["bias"])[None], np.asarray(tree["kernel"])])


def run(rule, counts=COUNTS, device=IDEAL, **options):
    """Weights and states after each update."""
    tx = rule.bare(device, key=KEY, **options)

    def step(carry, n):
        p, s = carry
        updates, s = tx.update(counts_of(n), s, p)
        return 2 * ((optax.apply_updates(p, updates), s),)

    def steps(counts):
        p = tree(jnp.zeros((5, 3)))
        return jax.lax.scan(step, (p, tx.init(p)), counts)[1]

    seen = jax.device_get(jax.jit(steps)(counts))
    return [jax.tree.map(lambda leaf, t=t: leaf[t], seen) for t in range(len(counts))]


def twin(rule, counts=COUNTS):
    """The same in NumPy, row by row, for ideal devices and choppers that flip surely or never."""
    a, c, h, mu, past = (np.zeros((5, 3)) for _ in range(5))
    chop, reads = np.ones(5), np.zeros(5, int)
    is_agad = isinstance(rule, AGAD)
    for t, n in enumerate(counts):
        a += STEP * chop[:, None] * n
        if (t + 1) % rule.transfer_every:
            continue
        k = t // rule.transfer_every % 5
        reads[k] += 1
        if is_agad:
            period = int(rule.chop_every)
            if reads[k] > period:
                h[k] += rule.transfer_rate * chop[k] * (a[k] - past[k])
            first = (reads[k] - 1) % period == 0
            mu[k] = a[k] if first else mu[k] + rule.tail_weight / period * (a[k] - mu[k])
            flips = reads[k] % period == 0
        else:
            h[k] += rule.transfer_rate * chop[k] * a[k]
            flips = getattr(rule, "flip_probability", 0) == 1
        fired = np.clip(np.trunc(h[k] / STEP), -31, 31)
        h[k] -= fired * STEP
        c[k] += fired * STEP
        if flips:
            chop[k], past[k] = -chop[k], mu[k]
    return a, c, h


RULES = [
    TikiTakaV2(transfer_rate=0.25),
    TikiTakaV2(transfer_rate=0.5, transfer_every=3),
    ChoppedTikiTaka(transfer_rate=0.25, flip_probability=1.0),
    AGAD(transfer_rate=0.25, chop_every=4.0, tail_weight=2.0),
]


@pytest.mark.parametrize("rule", RULES)
def test_it_is_its_twin_to_the_last_bit(rule):
    p, s = run(rule)[-1]
    a, c, h = twin(rule)
    assert np.array_equal(rows(s.a), a)
    assert np.array_equal(rows(p), c) and np.any(c)
    assert np.array_equal(rows(s.memory.h), h)


def test_each_row_of_a_crossbar_is_read_once_a_cycle_and_no_other_moves():
    """At every second update, bias first: the fast array is written once, then only read."""
    counts = np.zeros_like(COUNTS[:20])
    counts[0] = 1.0
    seen = run(TikiTakaV2(transfer_rate=0.25, transfer_every=2), counts)
    buffers = [np.zeros((5, 3)), *(rows(s.memory.h) + rows(p) for p, s in seen)]
    moved = [np.flatnonzero(np.any(x != y, axis=1)) for x, y in itertools.pairwise(buffers)]
    assert [list(m) for m in moved] == [[i // 2 % 5] if i % 2 else [] for i in range(20)]


def test_a_weight_with_gamma_is_the_sum_of_both_arrays():
    rule = TikiTakaV2(transfer_rate=0.25, gamma=0.5)
    p, s = run(rule)[-1]
    a, c, _ = twin(rule)
    assert np.array_equal(rows(p), 0.5 * a + c)
    assert np.array_equal(rows(readout(s, p)), rows(p))
    masked = {"mine": p, "other": jnp.ones(2)}
    own = rule.bare(IDEAL, key=KEY)
    tx = optax.masked(own, {"mine": True, "other": False})
    held = readout(jax.jit(tx.init)(masked), masked)
    assert np.array_equal(rows(held["mine"]), rows(p)) and np.array_equal(held["other"], [1.0, 1.0])


@pytest.mark.parametrize("cell", [None, DifferentialPair()])
def test_an_ageing_slow_array_is_updated_whole_and_else_the_same(cell):
    """A lifetime of 1e9 updates makes no difference but the path: all of C, not a row of it."""
    fast, slow = SoftBounds(levels=65), SoftBounds(levels=65, lifetime=1e9)
    rule = TikiTakaV2(transfer_rate=0.5)
    by_row = run(rule, COUNTS[:40], fast, cell=cell)[-1][0]
    whole = run(rule, COUNTS[:40], fast, cell=cell, slow_device=slow)[-1][0]
    assert np.any(rows(by_row)) and np.allclose(rows(by_row), rows(whole), atol=1e-6)


def test_an_ageing_slow_array_forgets_in_all_rows():
    slow = ConstantStep(levels=257, lifetime=20.0)
    counts = np.concatenate([COUNTS[:10], np.zeros_like(COUNTS[:60])])
    rule = TikiTakaV2(transfer_rate=0.0)
    tx = rule.bare(IDEAL, key=KEY, slow_device=slow)
    p = tree(np.full((5, 3), 0.25, np.float32))
    s, update = jax.jit(tx.init)(p), jax.jit(tx.update)
    for n in counts[:20]:
        updates, s = update(counts_of(n), s, p)
        p = optax.apply_updates(p, updates)
    assert np.allclose(rows(p), 0.25 * (1 - 1 / 20) ** 20, rtol=1e-5)


def test_refresh_pairs_are_refreshed_by_the_count_of_updates_in_all_rows():
    """Both arrays; on ideal devices a refresh re-programmes the difference exactly."""
    rule = TikiTakaV2(transfer_rate=0.25)
    seen = run(rule, COUNTS[:30], cell=RefreshPair(weight_range=1.0, refresh_every=10))
    p, s = seen[-1]  # update 30 has refreshed
    a, c, h = twin(rule, COUNTS[:30])
    assert np.allclose(rows(s.a), a, atol=1e-6) and np.allclose(rows(p), c, atol=1e-6)
    assert np.allclose(rows(s.memory.h), h, atol=1e-6)
    for state in (s.fast, s.slow):
        plus, minus = (rows(g) for g in state.cells.conductances)
        assert np.all(np.minimum(plus, minus) == 0), "one of each pair is at Gmin"


def test_the_noise_of_a_read_is_that_of_the_circuit_and_of_the_devices():
    """Variances add: 0.1^2 and, at g = 1/2 of devices of on/off 2, (1 x 0.2 x 1.5)^2."""
    device = ConstantStep(levels=257, on_off=2.0, sigma_read=0.2)
    rule = TikiTakaV2(transfer_rate=1.0, sigma_transfer=0.1)
    tx = rule.bare(device, key=KEY)
    p = jnp.zeros((1, 20_000))
    updates, s = jax.jit(lambda p: tx.update(jnp.zeros_like(p), tx.init(p), p))(p)
    read = np.asarray(s.memory.h + updates)
    few = np.abs(read) < 31 * STEP  # nothing is lost: the rest waits in H
    assert few.all() or np.asarray(s.memory.h).any()
    assert abs(read.std() / np.sqrt(0.1**2 + 0.3**2) - 1) < 5 / np.sqrt(2 * 20_000)
    assert abs(read.mean()) < 5 * 0.3162 / np.sqrt(20_000)


def test_tiki_taka_writes_what_it_reads_on_average():
    """``E[dC] = transfer_rate A[k]`` over 20,000 weights, within 5 standard errors."""
    tx = TikiTaka(transfer_rate=0.3).bare(IDEAL, key=KEY)
    p = jnp.zeros((1, 20_000))
    updates, s = jax.jit(lambda p: tx.update(Counts(jnp.full_like(p, 5.0)), tx.init(p), p))(p)
    n = np.asarray(updates) / STEP
    assert set(np.unique(n)) == {1.0, 2.0}  # 1.5 pulses, by stochastic rounding
    assert abs(n.mean() - 1.5) < 5 * 0.5 / np.sqrt(20_000)
    assert np.array_equal(np.unique(np.asarray(s.a)), [5 * STEP])


def test_a_buffer_may_forget_what_is_not_written_or_keep_a_share_of_what_is():
    """By hand, in steps: 2.5 fills two pulses, of which one may be written; 0.5 fills none."""
    h = jnp.array([2.5, 0.5, -3.25]) * STEP

    def left(**options):
        kept, n = TikiTakaV2(transfer_pulses=1, **options).drain(h, jnp.float32(STEP))
        assert n.tolist() == [1.0, 0.0, -1.0]
        return (kept / STEP).tolist()

    assert left() == [1.5, 0.5, -2.25]
    assert left(buffer_momentum=0.25) == [1.75, 0.5, -2.5]
    assert left(forget=True) == [0.0, 0.5, 0.0]
    assert left(forget=True, buffer_momentum=0.25) == [0.25, 0.5, -0.25]


GRADIENTS = COUNTS[:40] / 64


def trained(rule, rates, gradients=GRADIENTS, **options):
    """Weights and state after a training, and the pulses of A by update."""
    tx = optax.chain(
        optax.sgd(lambda n: jnp.asarray(rates)[n]),
        rule.bare(IDEAL, key=KEY, pulses=Deterministic(), **options),
    )

    def step(carry, now):
        p, s = carry
        updates, s = tx.update(tree(now), s, p)
        return (optax.apply_updates(p, updates), s), s[1].a

    def steps(gradients):
        p = tree(jnp.zeros((5, 3)))
        return jax.lax.scan(step, (p, tx.init(p)), gradients)

    (p, s), a = jax.device_get(jax.jit(steps)(jnp.asarray(gradients)))
    return p, s[1], a


def test_a_fast_rate_is_that_of_the_fast_array_and_the_schedule_that_of_the_transfer():
    """Powers of two: rate 1/4 and transfer 1/8 x 1/2 are a fast rate of 1/4 and 1/8 at rate 1/2."""
    fixed = np.full(40, 0.5, np.float32)
    known = {"learning_rate": lambda n: jnp.asarray(fixed)[n]}
    p, s, a = trained(TikiTakaV2(transfer_rate=0.125, fast_rate=0.25), fixed, **known)
    q, t, b = trained(TikiTakaV2(transfer_rate=0.0625), np.full(40, 0.25, np.float32))
    assert np.array_equal(rows(p), rows(q)) and np.any(rows(p))
    assert np.array_equal(rows(s.memory.h), rows(t.memory.h))
    assert np.array_equal(a["kernel"], b["kernel"])
    halves = np.where(np.arange(40) < 20, 0.5, 0.25).astype(np.float32)
    slower = {"learning_rate": lambda n: jnp.asarray(halves)[n]}
    _, _, c = trained(TikiTakaV2(transfer_rate=0.125, fast_rate=0.25), halves, **slower)
    assert np.array_equal(a["kernel"], c["kernel"]), "a schedule does not act on A"
    none = np.where(np.arange(40) < 20, 0.5, 0.0).astype(np.float32)
    stopped = {"learning_rate": lambda n: jnp.asarray(none)[n]}
    *_, d = trained(TikiTakaV2(transfer_rate=0.125, fast_rate=0.25), none, **stopped)
    assert np.array_equal(d["kernel"][20:], np.repeat(d["kernel"][19:20], 20, axis=0))


@pytest.mark.filterwarnings("ignore::memjax.pulses.ClippedPulses")
def test_recipes_give_the_schedule_to_the_transfer():
    tx = memjax.tiki_taka_v2(
        optax.exponential_decay(0.5, 1, 0.5), IDEAL, key=KEY, fast_rate=0.25, pulses=Deterministic()
    )
    w = jnp.zeros((2, 2))
    update = jax.jit(tx.update)
    s = tx.init(w)
    seen = []
    for _ in range(3):
        updates, s = update(jnp.full_like(w, -0.125), s, w)
        w = optax.apply_updates(w, updates)
        seen.append(float(s[1].inner_state.a[0, 0]) / STEP)
    assert seen == [8.0, 16.0, 24.0]


@pytest.mark.parametrize("scale", [1.0, 8.0])
def test_an_auto_scaled_rate_fills_the_longest_train_by_the_largest_gradient(scale):
    """``fast_rate most`` pulses for gradients as large as the running mean, of any unit."""
    rule = TikiTakaV2(fast_rate=0.5, auto_scale=True)
    gradients = np.zeros((3, 5, 3), np.float32)
    gradients[:, 2:, :] = -np.array([1.0, 1.0, 2.0])[:, None, None] * scale
    rates = np.full(3, 0.5, np.float32)
    _, s, a = trained(rule, rates, gradients, learning_rate=0.5)
    most = Deterministic().most
    pulses = np.diff(a["kernel"][:, -1, 0], prepend=0.0) / STEP
    assert np.array_equal(pulses[:2], np.round([0.5 * most] * 2))
    mean = float(s.largest["kernel"]) / scale
    assert np.isclose(mean, 0.99 + 0.01 * 2.0) and abs(pulses[2] - most / mean) <= 0.5
    assert not np.any(a["bias"]), "an array without gradients wants none"
    assert float(s.largest["bias"]) == float(s.largest["kernel"]), "rows of one crossbar"


def test_a_row_of_the_fast_array_may_be_erased_after_its_read():
    """Five rows in turn: after the read of a row it is 0, and the others are not."""
    seen = run(TikiTakaV2(transfer_rate=0.25, with_reset=1.0), COUNTS[:12])
    plain = run(TikiTakaV2(transfer_rate=0.25), COUNTS[:12])
    for t, (_, s) in enumerate(seen):
        assert not np.any(rows(s.a)[t % 5])
    first = [rows(s.a) for _, s in (seen[0], plain[0])]
    assert np.array_equal(first[0][1:], first[1][1:]) and np.any(first[1][0])
    never = run(TikiTakaV2(transfer_rate=0.25, with_reset=0.0), COUNTS[:12])
    assert np.array_equal(rows(never[-1][1].a), rows(plain[-1][1].a))


@pytest.mark.parametrize("gamma", [None, 0.5])
def test_reads_count_from_symmetry_points_that_alternating_pulses_find(gamma):
    """Of steps up in proportion to 1 - g, down to 0.8 g: g = 1 / 1.8, so w = g - 1/2 = 0.0556."""
    device = SoftBounds(levels=65, up_down=0.2)
    p = tree(np.full((5, 3), 0.125, np.float32))
    nothing = jax.tree.map(jnp.zeros_like, p)

    def after_a_pass(rule):
        tx = rule.bare(device, key=KEY, diagnostics=True)
        s = jax.jit(tx.init)(p)
        begins, now = s, p
        update = jax.jit(tx.update)
        for _ in range(10):
            updates, s = update(nothing, s, now)
            now = optax.apply_updates(now, updates)
        return begins, now

    begins, now = after_a_pass(TikiTakaV2(transfer_rate=0.5, gamma=gamma, zero_shift=400))
    assert np.allclose(rows(begins.a), 1 / 1.8 - 0.5, atol=0.5 / 64)
    assert np.array_equal(rows(readout(begins, p)), rows(p)) and np.array_equal(rows(now), rows(p))
    assert not np.any(jax.tree.leaves(begins.fast.stats.pulses)), "these pulses are not counted"
    assert int(begins.fast.count) == 0


def test_an_auto_scaled_rate_needs_one():
    with pytest.raises(memjax.UserError, match="auto_scale = True scales fast_rate; give one"):
        TikiTakaV2(auto_scale=True).bare(IDEAL, key=KEY)


def test_update_needs_params_and_says_so():
    tx = TikiTaka().bare(IDEAL, key=KEY)
    p = jnp.zeros((2, 2))
    with pytest.raises(memjax.UserError, match=r"call update\(grads, state, params\)"):
        tx.update(p, tx.init(p))
