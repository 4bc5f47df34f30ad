"""A specification reads back equal, and every mistake in it is told with its place and remedy."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from memjax.errors import SpecError
from memjax.sweep import Spec

QUICKSTART = Path(__file__).parents[3] / "sweeps" / "quickstart.toml"


@pytest.fixture
def read(tmp_path):
    def read(text: str | bytes, *settings: str) -> Spec:
        path = tmp_path / "my.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return Spec.from_toml(path, list(settings))

    return read


@pytest.fixture
def complaint(read, tmp_path):
    """The message that a specification gets, its directory taken away."""

    def complaint(text: str | bytes, *settings: str) -> str:
        with pytest.raises(SpecError) as caught:
            read(text, *settings)
        message = str(caught.value)
        assert "\n" not in message
        assert len(message) < 400
        return message.replace(f"{tmp_path}/", "")

    return complaint


def test_nothing_said_is_the_default(read):
    spec = read("seeds = 3")
    assert (spec.name, spec.seeds, spec.root_seed, spec.axes) == ("my", 3, 0, [])
    assert spec.sections["device"]["model"] == "ConstantStep"
    assert spec.sections["cell"] == {"kind": "reference", "weight_range": 0.5}
    assert spec == Spec.from_dict({}, "my")


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"name": "a b-1.5", "seeds": 7, "root_seed": 2**32 - 1},
        {"axes": {"levels": [8, 16], "material": {"on_off": [2, 3], "sigma_c2c": [0, 1]}}},
        {"axes": {"group": {"on_off": [2, 3]}, "levels": [8], "model": ["SoftBounds"]}},
        {"common_random_numbers": ["levels"], "axes": {"levels": {"powers_of_two": [3, 5]}}},
        {"device": {"model": "SoftBounds", "sigma_d2d": 0.1, "stuck": 0}},
        {"model": {"hidden": [8, 4], "activation": "tanh"}, "engine": {"width": 4}},
        {"model": {"hidden": []}},
        {"pulses": {"scheme": "binomial", "length": 20}, "cell": {"kind": "differential"}},
        {"evaluate": {"gaussian": [0.1, 0.2]}, "data": {"name": "mnist", "dir": 'a\\"b/é'}},
        {"axes": {"scheme": ["coincidence", "bernoulli"]}},
        {"axes": {"update_management": [True, False], "activation": ["relu", "tanh"]}},
    ],
)
def test_resolved_specification_reads_back_equal(read, raw):
    spec = Spec.from_dict(raw)
    text = spec.to_toml()
    assert read(text) == spec
    assert read(text).to_toml() == text


def test_quickstart_is_a_thousand_lanes():
    spec = Spec.from_toml(QUICKSTART)
    assert spec.name == "quickstart"
    assert np.prod([axis.size for axis in spec.axes]) * spec.seeds == 1080


def test_byte_order_mark_and_carriage_returns(read):
    assert read(b"\xef\xbb\xbfseeds = 2\r\n[axes]\r\nlevels = [8,\r\n 16]\r\n").seeds == 2


def test_numpy_and_tuples_in_a_dict():
    axes = {"levels": np.array([8, 16]), "sigma_c2c": (np.float32(0.5), 1)}
    spec = Spec.from_dict({"seeds": np.int64(2), "axes": axes})
    assert [axis.columns for axis in spec.axes] == [
        {"levels": [8.0, 16.0]},
        {"sigma_c2c": [0.5, 1.0]},
    ]


def test_odd_file_names_make_tidy_sweep_names(tmp_path):
    path = tmp_path / "a$b.toml"
    path.write_text("seeds = 1")
    assert Spec.from_toml(path).name == "a_b"


WRONG = [
    ("", "my.toml: is empty; name at least one axis or setting"),
    ("# nothing", "my.toml: is empty; name at least one axis or setting"),
    (
        "[evaluate]\ngaussian = [0.1, 0.1]",
        "my.toml:2: [evaluate] gaussian: [0.1, 0.1] must be distinct levels",
    ),
    ("seed = 3", "my.toml:1: seed: unknown key; did you mean 'seeds'?"),
    ("# x\nseeds = true", "my.toml:2: seeds: True must be a whole number"),
    ("seeds = 0", "my.toml:1: seeds: 0 must be at least 1"),
    ("seeds = 20_000_000", "my.toml:1: seeds: axes and seeds make 20000000 lanes; at most"),
    ("root_seed = -1", "my.toml:1: root_seed: -1 must be within"),
    ("name = 3", "my.toml:1: name: 3 must be a string"),
    ('name = "../x"', "my.toml:1: name: '../x' is to name a directory; leave out '.'"),
    ('name = "a\\nb"', "my.toml:1: name: 'a\\nb' is to name a directory; leave out '\\n'"),
    ("device = 3", "my.toml:1: device: 3 must be a table, written [device]"),
    ("axes = [1]", "my.toml:1: axes: [1] must be a table, written [axes]"),
    ("[device]\n\nlevls = 3", "my.toml:3: [device] levls: unknown key; did you mean 'levels'?"),
    ("[device]\nlevels = 1", "my.toml:2: [device] levels: 1 must be at least 2"),
    ("[device]\non_off = 1", "my.toml:2: [device] on_off: 1 must be more than 1"),
    ("[device]\nsigma_c2c = -0.5", "my.toml:2: [device] sigma_c2c: -0.5 must be at least 0"),
    ("device = {stuck = 2}", "my.toml:1: [device] stuck: 2 must be at most 1"),
    ("device.stuck = 2", "my.toml:1: [device] stuck: 2 must be at most 1"),
    ('[device]\nlevels = "32"', "my.toml:2: [device] levels: '32' must be a number"),
    ("[device]\nlevels = true", "my.toml:2: [device] levels: True must be a number"),
    ("[axes]\nsigma_c2c = [0.1, 0.10000000001]", "[axes] sigma_c2c: 0.1"),
    ("[axes]\nsigma_c2c = [1, 0.10000000001, 0.1]", "are one point to a float32; keep one"),
    ("[engine]\nwidth = 10000", "[engine] width: 10000 lanes side by side, of 3 in all; give 8192"),
    ('name = "   "', "name: '   ' is to name a directory; give it letters"),
    ("[device]\nlevels = inf", "must be a finite number; give a large number, such as 1e6"),
    ('[device]\nmodel = "a\\u0000.toml"', "has a NUL character; leave it out"),
    ('[axes]\nalgorithm = ["sgd", "agad"]\n[train]\nalgorithm = ["x"]', "['x'] is not known"),
    ("[axes]\nlevels = " + "[" * 3000 + "]" * 3000, "not valid TOML: nested more than 32 deep"),
    ("[axes]\nlevels = " + "[" * 50 + "]" * 50, "levels: is nested more than 32 deep"),
    ("seeds = " + "9" * 5000, "not valid TOML: a whole number of more than 64 bits"),
    ("[device]\nlevels = nan", "my.toml:2: [device] levels: nan must be a finite number"),
    ("[device]\nlevels = 1e39", "my.toml:2: [device] levels: 1e+39 is more than a float32 can"),
    (
        f"[device]\nlevels = 1{'0' * 500}",
        "my.toml:2: [device] levels: is a whole number of more than 64 bits",
    ),
    ('[device]\nmodel = "Constant"', "did you mean ConstantStep"),
    ("[device]\nmodel = 3", "my.toml:2: [device] model: 3 is not known; there are ConstantStep,"),
    ("[cell]\nweight_range = 0", "my.toml:2: [cell] weight_range: 0 must be more than 0"),
    ("[pulses]\nlength = 0", "my.toml:2: [pulses] length: 0 must be at least 1"),
    ("[pulses]\nlength = 1.5", "my.toml:2: [pulses] length: 1.5 must be a whole number"),
    ("[pulses]\nupdate_management = 1", "update_management: 1 must be a valid boolean"),
    ("[model]\nhidden = [8, 0]", "my.toml:2: [model] hidden: 0 must be at least 1"),
    (
        '[model]\nactivation = "relo"',
        "my.toml:2: [model] activation: 'relo' must be one of",
    ),
    ("[train]\nepochs = 0", "my.toml:2: [train] epochs: 0 must be at least 1"),
    ("[train]\nepochs = 2.0", "my.toml:2: [train] epochs: 2.0 must be a whole number"),
    ("[train]\nlearning_rate = inf", "learning_rate: inf must be a finite number"),
    ("[evaluate]\ngaussian = [0.1, -1]", "my.toml:2: [evaluate] gaussian: -1 must be more than 0"),
    ("[evaluate]\nsalt_and_pepper = [1.5]", "salt_and_pepper: 1.5 must be at most 1"),
    ("[engine]\nwidth = 0", "my.toml:2: [engine] width: 0 must be at least 1"),
    ("[axes]\nlevels = []", "my.toml:2: [axes] levels: the axis is empty; give it"),
    ("[axes]\nlevels = [8, 1]", "my.toml:2: [axes] levels: 1 must be at least 2"),
    ("[axes]\nlevels = [8, true]", "my.toml:2: [axes] levels: True must be a number"),
    ("[axes]\nlevels = [8, 8]", "my.toml:2: [axes] levels: 8 is there twice"),
    ("[axes]\nlevels = [1979-05-27]", "my.toml:2: [axes] levels: the value datetime.date"),
    ("[axes]\nlevls = [8]", "my.toml:2: [axes] levls: unknown key; did you mean 'levels'?"),
    ("[axes]\nlevels = {linspce = [8, 9, 2]}", "[axes] levels: is a parameter: give it a list or"),
    ("[axes]\nlearning_rate = ['1']", "my.toml:2: [axes] learning_rate: '1' must be a number"),
    (
        "[axes]\nactivation = ['gelu']",
        "my.toml:2: [axes] activation: 'gelu' must be one of",
    ),
    ("[axes]\nmodel = ['SoftBound']", "my.toml:2: [axes] model: no device is called 'SoftBound'"),
    ("[axes]\nkind = ['pair']", "my.toml:2: [axes] kind: 'pair' is not known; there are"),
    ("[axes]\nbatch_size = [1, 2.5]", "my.toml:2: [axes] batch_size: 2.5 must be a whole number"),
    ("[axes]\nhidden = [8]", "my.toml:2: [axes] hidden: cannot be swept; set it in [model]"),
    ("[axes]\nepochs = [8]", "my.toml:2: [axes] epochs: cannot be swept; set it in [train]"),
    ("[axes.m]\nlevels = [8]\non_off = [2, 3]", "my.toml:1: [axes] m: zipped parameters need"),
    ("[axes.m]\nlevels = [8]\non_off = [1]", "my.toml:3: [axes.m] on_off: 1 must be more than 1"),
    ("[axes]\nlevels = [8]\nm = {levels = [9]}", "[axes.m] levels: is varied by the axis levels"),
    (
        "[axes]\nscheme = ['coincidence', 'bernoulli']\nlength = [5]",
        "my.toml:3: [axes] length: the scheme bernoulli has no such parameter; sweep it apart",
    ),
    (
        "pulses.scheme = 'binomial'\n[axes]\nscheme = ['coincidence']\nlength = [5, 40]",
        "my.toml:4: [axes] length: with the scheme coincidence, 40 must be at most 32",
    ),
    ("common_random_numbers = ['x']", "common_random_numbers: 'x' is no axis here; there are none"),
    (
        "common_random_numbers = ['level']\naxes.levels = [8]",
        "my.toml:1: common_random_numbers: 'level' is no axis here; did you mean 'levels'?",
    ),
    ("seeds = \n", "my.toml:1: not valid TOML: Invalid value in column 9"),
    ("x = 1\nx = 2", "my.toml: not valid TOML: Cannot overwrite a value"),
    (b"\xff\xfe\x00", "my.toml: not a text file in UTF-8; give the path of a sweep's TOML file"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_mistakes_name_line_key_and_remedy(complaint, text, message):
    assert message in complaint(text)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("train.epochs=0", "--set train.epochs=0: [train] epochs: 0 must be at least 1"),
        ("train.epochs=abc", "--set train.epochs=abc: [train] epochs: 'abc' must be a whole"),
        ("train.epochs", "--set train.epochs: must be section.key=value, such as train.epochs=3"),
        ("=3", "--set =3: must be section.key=value"),
        ("train..x=3", "--set train..x=3: must be section.key=value"),
        ("train.epochs=", "--set train.epochs=: '' is not a TOML value"),
        ("axes.levels=[8", "--set axes.levels=[8: '[8' is not a TOML value"),
        ("train=3", "--set train=3: train: 3 must be a table, written [train]"),
        ("seeds.x=3", "--set seeds.x=3: seeds is a value, not a table"),
        ("tran.epochs=3", "--set tran.epochs=3: tran: unknown key; did you mean 'train'?"),
    ],
)
def test_mistakes_in_settings(complaint, setting, message):
    assert message in complaint("seeds = 2\n[train]\nbatch_size = 2", setting)


def test_mistake_in_the_file_beside_a_setting_is_the_files(complaint):
    text = "[train]\nbatch_size = 0"
    assert complaint(text, "train.epochs=2").startswith("my.toml:2: [train] batch_size")


def test_settings_replace_what_the_file_says(read):
    spec = read("[train]\nepochs = 9", "train.epochs=2", "axes.levels=[8, 16]", "data.name=mnist")
    assert spec.sections["train"]["epochs"] == 2
    assert spec.sections["data"]["name"] == "mnist"
    assert spec.axes[0].columns == {"levels": [8.0, 16.0]}


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(SpecError, match=r"none\.toml: no such file; give the path"):
        Spec.from_toml(tmp_path / "none.toml")
    with pytest.raises(SpecError, match="Is a directory; give the path"):
        Spec.from_toml(tmp_path)


def test_dict_mistakes_name_the_key():
    with pytest.raises(SpecError, match=r"^spec: \[device\] levels: 1 must be at least 2$"):
        Spec.from_dict({"device": {"levels": 1}})


def test_a_long_axis_is_checked_quickly():
    spec = Spec.from_dict({"seeds": 1, "axes": {"levels": {"linspace": [2, 100, 20_000]}}})
    assert spec.axes[0].size == 20_000


def test_a_specification_travels():
    spec = Spec.from_dict(
        {"axes": {"levels": [8, 16], "device.sigma_c2c": [0, 1]}, "seeds": 2}, "x"
    )
    again = pickle.loads(pickle.dumps(spec))
    assert again == spec and again.first() == spec.first()
