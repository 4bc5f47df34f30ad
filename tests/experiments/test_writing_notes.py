"""A training that is too short for every row to be written is told."""

from flax import linen

from memjax.experiments import Flax
from memjax.sweep import Spec
from memjax.sweep.run import notes


def told_of(raw, **options):
    spec = Spec.from_dict({"seeds": 1, **raw}, **options)
    return " ".join(notes(spec, spec.first().load()))


def test_a_perceptron():
    train = {"epochs": 1, "batch_size": 32, "algorithm": "agad"}
    told = told_of({"train": train})
    assert "AGAD first writes the last row of 0/bias at update 715, and a training has 44" in told
    train["transfer_every"] = 0.02
    assert "first writes" not in told_of({"train": train})
    assert "first writes" not in told_of({"train": {"epochs": 1, "batch_size": 32}})


def test_a_model_of_ones_own():
    def perceptron():
        return linen.Sequential([lambda x: x.reshape(len(x), -1), linen.Dense(10)])

    train = {"epochs": 1, "batch_size": 64, "algorithm": "tiki_taka_v2"}
    train["float_optimizer"] = {"name": "sgd"}
    told = told_of({"train": train}, experiment=Flax(call=perceptron))
    assert "TikiTakaV2 first writes the last row of layers_1/kernel at update 64, and a" in told
