"""What lanes that are diagnosed say of themselves."""

import numpy as np

from memjax.data import load
from memjax.experiments.update_probe import UPDATES
from memjax.sweep import Spec, run


def trained(**raw):
    raw = {"seeds": 1, "evaluate": {"diagnostics": True}, "train": {"batch_size": 50}} | raw
    raw["train"] |= {"epochs": 1}
    return run(Spec.from_dict(raw), dataset=load("digits").take(100, 50))


def test_lanes_say_what_their_algorithms_and_cells_do():
    algorithms = ["sgd", "mixed_precision", "manhattan", "rprop", "agad"]
    result = trained(axes={"algorithm": algorithms})
    assert result["follows_updates"].values.ravel().tolist() == [1, 0, 0, 0, 1]
    assert result["only_trained"].values.ravel().tolist() == [1, 1, 1, 1, 1]
    refreshed = trained(cell={"kind": "refresh_pair"})
    assert refreshed["only_trained"].item() == 0 and refreshed["follows_updates"].item() == 1


def test_updates_after_training_are_probed_and_pairs_and_responses_kept():
    """Of ideal devices with deterministic pulses, up and down are what is wanted, to rounding."""
    cells = ["reference", "differential"]
    result = trained(
        axes={"cell.kind": cells}, pulses={"scheme": "truncated"}, device={"levels": 2000}
    ).squeeze("seed")
    weights = np.array([65 * 32, 33 * 10])
    counts = result["update_pairs"].sum(("wanted", "realised"))
    np.testing.assert_array_equal(counts, [UPDATES * weights] * 2)
    np.testing.assert_array_equal(result["update_errors"].sum("error"), counts)
    error = result["update_errors"].sel(error=slice(-0.99, 0.99)).sum("error")
    assert (error > 0.97 * counts).all()  # truncated to whole pulses, but for those at a bound
    none, pairs = result["pairs"]
    assert none.isnull().all()
    np.testing.assert_array_equal(pairs.sum(("g_plus", "g_minus")), weights)
    np.testing.assert_array_equal(
        pairs.sum("g_minus") + pairs.rename(g_plus="x", g_minus="g_plus").sum("x"),
        result["conductance_after"][1].values.reshape(2, 16, 2).sum(-1),
    )
    response = result["response"].isel(kind=0) if "kind" in result.dims else result["response"][0]
    assert float(response.isel(train=0).max()) == 0 and float(response.isel(train=-1).max()) < 1e-5
    assert float(response.sel(quantile=0.5).max()) == 1
    assert float(result["response_pulses"][0]) == np.ceil(1999 / 32)


def test_diagnostics_change_no_bit_of_a_lane():
    plain = trained(axes={"levels": [8, 64]}, evaluate={})
    told = trained(axes={"levels": [8, 64]})
    for name in plain.data_vars:
        np.testing.assert_array_equal(plain[name], told[name])
    assert not {"pairs", "response", "update_pairs"} & set(plain.variables)
