"""Anybody's Flax model in a sweep: it trains, devices are read, a mistake is a line."""

import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
from flax import linen
from typer.testing import CliRunner

from memjax.cli import app
from memjax.data import Dataset
from memjax.errors import UserError
from memjax.experiments import EXPERIMENTS, Flax
from memjax.pytree import as_arrays
from memjax.sweep import Spec, run
from memjax.sweep.engine.trainer import Trainer
from memjax.sweep.run import job, notes
from memjax.sweep.spec import grid
from memjax.updates import readout
from reference import own_models

MODELS = Path(own_models.__file__)
KEY = jnp.array([1, 2], jnp.uint32)


@pytest.fixture(autouse=True)
def as_jax_comes():
    """Promotion as a user has it: Flax's and Optax's own code needs it."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def spec_of(name: str = "Convolutional", axes: dict | None = None, /, **tables) -> Spec:
    """A sweep of one of ``reference/own_models.py``, chunks of 2 lanes a device."""
    raw = {
        "seeds": 1,
        "axes": axes or {},
        "cell": {"weight_range": 1.5},
        "engine": {"width": 2},
        **tables,
    }
    raw["model"] = {"flax": f"{MODELS}:{name}"} | tables.get("model", {})
    raw["train"] = {"epochs": 2, "batch_size": 6, "learning_rate": 0.3} | tables.get("train", {})
    return Spec.from_dict(raw)


def columns(spec: Spec, tiny: Dataset) -> dict[str, np.ndarray]:
    """What all lanes report, with no reference beside them."""
    trainer = Trainer(spec, spec.built().load(tiny))
    return trainer.lanes(np.arange(grid.count(spec)))


@pytest.mark.parametrize(
    ("model", "rate"),
    [
        ("Convolutional", 0.3),
        ("Recurrent", 1.0),
        ("Attentive", 0.5),
        ("LinenConvolutional", 0.3),
        ("LinenRecurrent", 1.0),
        ("LinenAttentive", 0.5),
    ],
)
def test_a_model_trains_and_a_lane_alone_is_the_lane_in_a_sweep(model, rate, tiny):
    tables = {
        "device": {"sigma_read": 0.02, "levels": 256},
        "train": {"epochs": 6, "learning_rate": rate},
    }
    swept = columns(spec_of(model, {"levels": [8, 256]}, **tables), tiny)
    alone = columns(spec_of(model, **tables), tiny)
    for name in ("train_loss", "test_accuracy", "status"):
        np.testing.assert_array_equal(alone[name][0], swept[name][1])
    few, many = swept["train_loss"]
    assert many[-1] < many[0] - 0.02 and few[0] != many[0]
    assert not swept["status"].any()


def test_reading_is_what_on_off_and_sigma_read_act_through(tiny):
    shared = {"common_random_numbers": ["on_off"]}
    axes = {"on_off": [2, 50]}
    exact = columns(spec_of("Counting", axes, **shared), tiny)
    for column in exact.values():
        np.testing.assert_array_equal(*column)
    noisy = columns(spec_of("Counting", axes, device={"sigma_read": 0.2}, **shared), tiny)
    low, high = noisy["train_loss"][:, -1]
    assert low > 1.05 * high > 1.05 * exact["train_loss"][0, -1]
    assert noisy["test_accuracy"][0, -1] < noisy["test_accuracy"][1, -1]


def test_without_sigma_read_nothing_is_drawn(tiny):
    built, read = (
        spec_of("Counting", device={"model": "ConstantStep", **more}).built()
        for more in ({}, {"sigma_read": 0.1})
    )
    data = built.load(tiny)

    def operations(experiment: Flax) -> str:
        state = jax.eval_shape(experiment.init, KEY, data)
        return str(
            jax.make_jaxpr(lambda s: experiment.evaluate(s, KEY, jnp.int32(0), data, last=True))(
                state
            )
        )

    assert "population_count" in operations(read) and "population_count" not in operations(built)


def test_weights_are_what_the_devices_hold_and_others_are_not_pulsed(tiny):
    experiment = as_arrays(spec_of(device={"levels": 9, "sigma_d2d": 0.1}).built())
    data = experiment.load(tiny)
    first = jax.jit(experiment.init)(KEY, data)
    state, _ = jax.jit(experiment.advance)(first, KEY, jnp.int32(0), data)
    assert sorted(state.on_devices) == ["conv/kernel", "out/kernel"]
    assert sorted(state.in_float) == ["conv/bias", "norm/bias", "norm/scale", "out/bias"]
    held = readout(state.devices, state.on_devices)
    for name, weight in state.on_devices.items():
        np.testing.assert_array_equal(weight, held[name])
        assert not np.array_equal(weight, first.on_devices[name])
    assert all(np.any(w != first.in_float[n]) for n, w in state.in_float.items() if "norm" in n)
    assert np.any(state.others["norm/mean"] != 0)


def test_it_is_in_training_mode_in_training_only(tiny):
    """A call of the test leaves nothing behind; one of training counts."""
    experiment = as_arrays(spec_of("Counting").built())
    data = experiment.load(tiny)
    state = jax.jit(experiment.init)(KEY, data)
    assert state.others["calls"] == 0
    state, _ = jax.jit(experiment.advance)(state, KEY, jnp.int32(0), data)
    assert state.others["calls"] == 42 // 6
    dropping = as_arrays(spec_of("Convolutional").built())
    state = jax.jit(dropping.init)(KEY, data)
    at = [
        jax.jit(lambda s, stage: dropping.evaluate(s, KEY, stage, data, last=True))(state, stage)
        for stage in (jnp.int32(0), jnp.int32(1))
    ]
    assert at[0] == at[1], "no dropout, no batch statistics in the test"


def test_the_reference_is_the_model_in_floating_point(tiny):
    train = {"learning_rate": 0.1, "baseline_learning_rate": 0.3}
    results = run(spec_of("Counting", train=train), dataset=tiny)
    experiment = spec_of("Counting", train={"learning_rate": 0.3}).built()
    plain = as_arrays(dataclasses.replace(experiment, pulses=None))
    assert plain.reference() == plain
    assert np.isfinite(results.baseline_train_loss.values).all()
    assert float(results.baseline_train_loss[0, -1]) < float(results.train_loss[0, -1])


def test_patterns_say_what_is_on_devices(tiny):
    results = run(spec_of("Counting", model={"memristive": ["out/*"]}), dataset=tiny)
    assert results.memristive == ["out/bias", "out/kernel"]


def test_a_test_set_is_looked_at_in_pieces(tiny, monkeypatch):
    """5 of 18 at once: 3 whole pieces and a rest; or 6 of 18; the metrics see all of them."""
    from memjax.experiments import flax

    experiment = as_arrays(spec_of("Counting").built())
    data = experiment.load(tiny)
    state = jax.jit(experiment.init)(KEY, data)
    found = []
    for size in (256, 6, 17):
        monkeypatch.setattr(flax, "_AT_ONCE", size)
        outputs = jax.jit(lambda x: experiment._outputs(state, KEY, x))(data.test.x)
        found.append(np.asarray(outputs))
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=1e-6)


def test_a_loss_and_metrics_of_ones_own_and_the_objective(tiny):
    own = {
        "train": {"loss": f"{MODELS}:squared"},
        "evaluate": {"metrics": f"{MODELS}:errors", "guess": 0.67},
    }
    results = run(spec_of("Counting", **own), dataset=tiny)
    assert {"test_error", "test_confidence", "baseline_error"} <= set(results)
    assert results.objective == "test_error" and results.better == "lower"
    assert "bounds" not in results.attrs and results.guess == 0.67
    objects = Flax(call=own_models.Counting, loss=own_models.squared, metrics=own_models.errors)
    raw = {
        "seeds": 1,
        "cell": {"weight_range": 1.5},
        "engine": {"width": 2},
        "train": {"epochs": 2, "batch_size": 6, "learning_rate": 0.3},
        "evaluate": {"guess": 0.67},
    }
    same = run(Spec.from_dict(raw, experiment=objects), dataset=tiny)
    np.testing.assert_array_equal(same.test_error, results.test_error)
    data = objects.load(tiny)
    higher = dataclasses.replace(
        objects, evaluation=type(objects.evaluation)(better="higher", guess=0.0)
    )
    assert higher.objective(data).better == "higher"


def test_arguments_are_axes_that_grow_and_a_function_may_make_the_model(tiny, tmp_path):
    def network(depth, units):
        layers = [linen.Dense(8), linen.relu] if depth == "deep" else []
        return linen.Sequential([lambda x: x.reshape(len(x), -1), *layers, linen.Dense(units[0])])

    def results(depths, out):
        raw = {
            "seeds": 1,
            "engine": {"width": 1},
            "axes": {"model": {"depth": depths}},
            "model": {"arguments": {"depth": "deep", "units": [3]}},
            "train": {"epochs": 1, "batch_size": 6},
        }
        return run(raw, out, experiment=Flax(call=network), dataset=tiny)

    shallow = results(["shallow"], tmp_path)
    found = results(["deep", "shallow"], tmp_path)
    xr.testing.assert_identical(shallow.drop_attrs(), found.isel(depth=[1]).drop_attrs())
    assert found.depth.values.tolist() == ["deep", "shallow"]
    assert float(found.train_loss[0, 0, 0]) != float(found.train_loss[1, 0, 0])
    assert "the float baseline does not follow the axes: it is trained at depth = deep" in "".join(
        found.notes
    )


def test_grey_images_get_a_channel(tiny):
    assert Flax().load(tiny).train.x.shape == (42, 4, 4, 1)
    assert Flax().load(tiny.flat()).train.x.shape == (42, 16)


def test_what_misleads_is_noted(tiny):
    spec = spec_of(
        "Counting",
        {"train.float_optimizer.learning_rate": [0.1, 0.2]},
        cell={"weight_range": 0.1},
        device={"sigma_read": 0.0},
        model={"memristive": ["*", "*kernel"]},
    )
    found = notes(spec, spec.built().load(tiny))
    for start in (
        "cell.weight_range = 0.1 clips 81 % of the initial weights of out/kernel",
        "device.sigma_read = 0 is no read noise",
        "the pattern '*kernel' of model.memristive has no effect",
        "train.float_optimizer.learning_rate has no effect",
    ):
        assert any(note.startswith(start) for note in found), (start, found)
    fine = spec_of("Counting", cell={"weight_range": 2.0})
    assert notes(fine, fine.built().load(tiny)) == []


WRONG = """
from flax import nnx
import jax.numpy as jnp
import memjax


class Model(nnx.Module):
    def __init__(self, width=2, *, rngs):
        self.out = nnx.Linear(16, 3, rngs=rngs)

    def __call__(self, x):
        return self.out(x.reshape(len(x), -1))


class Unbuilt(Model):
    def __init__(self, rngs):
        self.out = nnx.Linear("a", 3, rngs=rngs)


class Misshapen(Model):
    def __call__(self, x):
        return self.out(x)


class Few(Model):
    def __init__(self, rngs):
        self.out = nnx.Linear(16, 2, rngs=rngs)


class Half(Model):
    def __init__(self, rngs):
        self.out = nnx.Linear(16, 3, param_dtype=jnp.bfloat16, rngs=rngs)


class Flat(Model):
    def __init__(self, rngs):
        self.out = nnx.BatchNorm(16, rngs=rngs)


class Pulsed(Model):
    def __init__(self, rngs):
        device = memjax.devices.ConstantStep()
        self.out = memjax.nn.PulsedLinear(16, 3, device=device, learning_rate=0.1, rngs=rngs)


def no_model():
    return 3


def vector(outputs, y):
    return outputs.mean(axis=1)


def nothing(outputs, y):
    pass


def raises(outputs, y):
    raise RuntimeError("out of luck")


def arrays(outputs, y):
    return {"error": outputs}


def error(outputs, y):
    return {"error": outputs.mean()}
"""


def line(text: str) -> int:
    """The number of the line of ``WRONG`` that begins so."""
    return 1 + next(n for n, own in enumerate(WRONG.splitlines()) if own.strip().startswith(text))


@pytest.mark.parametrize(
    ("tables", "what"),
    [
        ({"model": "nope.py:Model"}, "nope.py: cannot be read"),
        ({"model": "wrong.py"}, "must name something in a Python file"),
        ({"model": "wrong.py:Modl"}, "wrong.py: has no 'Modl'; did you mean 'Model'?"),
        ({"model": "syntax.py:Model"}, "syntax.py:1: "),
        ({"model": "fails.py:Model"}, "fails.py:2: ZeroDivisionError: "),
        ({"model": "wrong.py:Unbuilt"}, ("wrong.py", 'self.out = nnx.Linear("a"', "TypeError: ")),
        ({"model": "wrong.py:Misshapen"}, ("wrong.py", "return self.out(x)", "TypeError: ")),
        ({"model": "wrong.py:no_model"}, ("wrong.py", "def no_model", "no_model: makes a int")),
        ({"model": "wrong.py:Few"}, ("wrong.py", "class Few", "Few: gives float32[6, 2] for 6")),
        ({"model": "wrong.py:Half"}, "memristive weight out/kernel is bfloat16"),
        ({"model": "wrong.py:Flat"}, "no weight has rank 2; name some of out/bias, out/scale"),
        ({"model": "wrong.py:Pulsed"}, ("wrong.py", "class Pulsed", "Pulsed: out is a PulsedL")),
        (
            {"arguments": {"widht": 3}},
            ("wrong.py", "class Model", "Model: takes no argument 'widht'; did you mean 'width'?"),
        ),
        ({"memristive": ["*", "conv*"]}, "'conv*' matches no weight; there are out/bias, out/ker"),
        ({"loss": "vector"}, ("wrong.py", "def vector", "vector: gives float32[6]; return one")),
        ({"loss": "nothing"}, ("wrong.py", "def nothing", "nothing: gives nothing; return one")),
        ({"loss": "raises"}, ("wrong.py", "raise Runtime", "RuntimeError: out of luck")),
        ({"metrics": "nothing"}, ("wrong.py", "def nothing", "nothing: gives nothing; return a")),
        ({"metrics": "vector"}, ("wrong.py", "def vector", "vector: gives float32[18]; return a")),
        ({"metrics": "arrays"}, ("wrong.py", "def arrays", "arrays: error is float32[18, 3]; ret")),
        ({"metrics": "raises"}, ("wrong.py", "raise Runtime", "RuntimeError: out of luck")),
        ({"metrics": "error"}, "give evaluate.guess, what chance gets of error"),
        ({"better": "up"}, "must be one of by_name, higher, lower"),
        ({"scheme": "coincidence"}, "needs layers that count trains"),
        ({"batch_size": 100}, "42 training samples are less than one batch of 100"),
        ({"model": None}, 'flax is missing; name your model, flax = "my_cnn.py:CNN"'),
        ({"axes": {"learning_rate": [1, 2]}}, "may be train.learning_rate or train.float_opt"),
    ],
    ids=str,
)
def test_a_mistake_is_one_line_that_names_the_place(tables, what, tmp_path, tiny):
    for name, text in {"wrong": WRONG, "syntax": "x = (", "fails": "\n1 / 0\n"}.items():
        (tmp_path / f"{name}.py").write_text(text)
    raw = {
        "experiment": "flax",
        "axes": tables.get("axes", {}),
        "model": {
            "flax": tables.get("model", "wrong.py:Model"),
            "memristive": tables.get("memristive", []),
            "arguments": tables.get("arguments", {}),
        },
        "train": {"batch_size": tables.get("batch_size", 6)},
        "evaluate": {"better": tables.get("better", "by_name")},
        "pulses": {"scheme": tables.get("scheme", "bernoulli")},
    }
    if raw["model"]["flax"] is None:
        del raw["model"]["flax"]
    if "loss" in tables:
        raw["train"]["loss"] = f"wrong.py:{tables['loss']}"
    if "metrics" in tables:
        raw["evaluate"]["metrics"] = f"wrong.py:{tables['metrics']}"
    with pytest.raises(UserError) as caught:
        job(Spec.from_dict(raw, folder=tmp_path), tiny)
    message = str(caught.value)
    assert "\n" not in message
    if isinstance(what, tuple):
        file, text, said = what
        what = f"{tmp_path / file}:{line(text)}: {said}"
    assert what in message


@pytest.mark.parametrize(
    ("tables", "key"),
    [
        ({"model": {"flax": "nope.py:Model"}}, "[model] flax"),
        ({"model": {"flax": "wrong.py:no_model"}}, "[model] flax"),
        ({"train": {"loss": "nope.py:loss"}}, "[train] loss"),
        ({"train": {"loss": "wrong.py:lost"}}, "[train] loss"),
        ({"evaluate": {"metrics": "wrong.py:lost"}}, "[evaluate] metrics"),
    ],
    ids=str,
)
def test_a_mistake_in_a_file_names_the_key_that_names_the_file(tables, key, tmp_path):
    (tmp_path / "wrong.py").write_text(WRONG)
    tables = {"experiment": "flax", "model": {"flax": "wrong.py:Model"}, **tables}
    with pytest.raises(UserError) as caught:
        Spec.from_dict(tables, folder=tmp_path)
    assert str(caught.value).startswith(f"spec: {key}: {tmp_path}")


MODULE = """
from pathlib import Path

from flax import nnx

with Path(__file__).with_suffix(".imported").open("a") as log:
    log.write("!")


class Model(nnx.Module):
    def __init__(self, rngs):
        self.out = nnx.Linear(64, 10, rngs=rngs)

    def __call__(self, x):
        return self.out(x.reshape(len(x), -1))
"""


def test_only_a_sweep_runs_the_users_code_and_other_code_is_refused(tmp_path):
    module, spec, out = tmp_path / "model.py", tmp_path / "spec.toml", tmp_path / "out"
    module.write_text(MODULE)
    spec.write_text(
        'seeds = 1\n[axes]\nlevels = [8, 16]\n[model]\nflax = "model.py:Model"\n'
        "[data]\ntrain_size = 64\ntest_size = 20\n[train]\nepochs = 1\n[engine]\nwidth = 1\n"
    )
    command, runner = ["sweep", str(spec), "--out", str(out)], CliRunner()
    done = runner.invoke(app, command)
    assert done.exit_code == 0, done.output
    log = module.with_suffix(".imported")
    assert log.read_text() == "!", "imported once"
    log.unlink()
    for other in ("status", "plot", "report"):
        done = runner.invoke(app, [other, str(out)])
        assert done.exit_code == 0, done.output
    assert not log.exists()
    module.write_text(MODULE.replace("self.out(x", "2 * self.out(x"))
    refused = runner.invoke(app, command)
    assert isinstance(refused.exception, UserError)
    assert "holds the results of other source code" in str(refused.exception)
    module.write_text(MODULE)
    again = runner.invoke(app, command)
    assert again.exit_code == 0, again.output


def test_a_sweep_keeps_the_code_that_it_began_with(tmp_path, tiny):
    """An edit between two static groups changes nothing in the second."""
    module = tmp_path / "edited.py"
    text = MODELS.read_text()

    def results(edit: bool):
        module.write_text(text)

        def progress(done, total):
            if edit and 0 < done < total:
                module.write_text(text.replace("class Counting", "class Renamed"))

        spec = Spec.from_dict(
            {
                "seeds": 1,
                "axes": {"batch_size": [6, 7]},
                "model": {"flax": f"{module}:Counting"},
                "train": {"epochs": 1},
                "engine": {"width": 1},
            }
        )
        return run(spec, dataset=tiny, progress=progress).train_loss.values

    np.testing.assert_array_equal(results(edit=True), results(edit=False))


def test_code_of_other_globals_is_compiled_anew(tiny):
    """A notebook's cell that is run again makes no new class."""
    scale = [1.0]

    class Model(linen.Module):
        @linen.compact
        def __call__(self, x):
            return scale[0] * linen.Dense(3)(x.reshape(len(x), -1))

    def loss() -> float:
        raw = {"seeds": 1, "train": {"epochs": 1, "batch_size": 6}, "engine": {"width": 1}}
        spec = Spec.from_dict(raw, experiment=Flax(call=Model))
        return run(spec, dataset=tiny).train_loss.item()

    first = loss()
    scale[0] = 0.0
    assert loss() == pytest.approx(np.log(3)) != first


def test_it_is_known_by_its_name():
    assert EXPERIMENTS["flax"] is Flax


@pytest.mark.parametrize(
    "raw",
    [
        {"experiment": "flax", "model": "my_cnn.py:CNN"},
        {"model": {"flax": "my_cnn.py:CNN", "arguments": 3}},
        {"model": {"flax": "my_cnn.py:CNN"}, "train": {"float_optimizer": 3}},
    ],
)
def test_a_section_that_is_no_table_is_told(raw):
    with pytest.raises(UserError, match="must be a table"):
        Spec.from_dict(raw)
