"""A device's TOML file: there and back; what is wrong with it, in one line with the place."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from memjax.devices import MODELS, PRESETS, ConstantStep, catalogue, files, get, load, save
from memjax.errors import UserError

TABLES = {
    "PiecewiseStep": {"up_nodes": [2.0, 1.5, 0.3], "down_nodes": [0.4, 1.8]},
    "JumpTable": {
        "up_quantiles": [[-0.25, 1.0, 2.0], [0.0, 0.5, 0.7], [0.1, 0.2, 0.3]],
        "down_quantiles": [[-2.0, 0.0], [-1.5, -0.5]],
    },
}


def same(a, b):
    """Equal to the 7 digits that a file has, absent where it is absent."""
    assert type(a) is type(b)
    for field in dataclasses.fields(a):
        x, y = getattr(a, field.name), getattr(b, field.name)
        if x is None or isinstance(x, str):
            assert x == y, field.name
        else:
            np.testing.assert_allclose(y, x, rtol=5e-7, err_msg=field.name)


@pytest.mark.parametrize("name", [*PRESETS, *MODELS])
def test_there_and_back(name, tmp_path):
    path = tmp_path / "device.toml"
    device = get(name, **TABLES.get(name, {}))
    save(path, device)
    same(device, load(path))
    text = path.read_text()
    save(path, load(path))
    assert path.read_text() == text  # and over the old one
    assert [p.name for p in tmp_path.iterdir()] == ["device.toml"]
    same(get(str(path), levels=7), dataclasses.replace(device, levels=7))


def test_numbers_are_those_of_a_float32():
    """Arrays of JAX and NumPy are numbers too."""
    table = catalogue.as_table(ConstantStep(levels=jnp.float32(9), g_ref=np.float64(1 / 3)))
    assert table == {
        "model": "ConstantStep",
        "levels": 9.0,
        "on_off": 10.0,
        "g_ref": pytest.approx(1 / 3, rel=2e-7),
        "up_down": 0.0,
        "polarity": "both",
        "sigma_c2c": 0.0,
        "c2c": "step",
        "d2d": "normal",
        "weight_span": 2.0,
        "programming": "exact",
    }


def test_other_tables_are_kept_and_passed_over(tmp_path):
    path = tmp_path / "a.toml"
    save(path, ConstantStep(), fit={"rmse": 0.5})
    assert "[fit]\nrmse = 0.5\n" in path.read_text()
    same(load(path), ConstantStep())


def test_a_preset_may_be_the_model_and_case_does_not_matter(tmp_path):
    path = tmp_path / "A.TOML"
    path.write_text('[device]\nmodel = "ag:a-si"\nsigma_c2c = 0.01\n')
    assert get(str(path)) == get("Ag:a-Si", sigma_c2c=0.01)


BAD = [
    ("levels = 3\n", ": device: there is no table [device]; `memjax fit --out` writes one"),
    ('device = "x"\n', ":1: device: there is no table [device]; `memjax fit --out` writes one"),
    (
        "[device]\nlevels = 3\n",
        ':1: [device] model: must name a model, such as model = "SoftBounds"',
    ),
    (
        "\n[device]\nmodel = 3\n",
        ':3: [device] model: must name a model, such as model = "SoftBounds"',
    ),
    (
        '[device]\nmodel = "SoftBound"\n',
        ":2: [device] model: no device is called 'SoftBound'; "
        "did you mean SoftBounds or SoftBoundsReference?",
    ),
    (
        '[device]\nmodel = "SoftBounds"\n\nlevel = 3\n',
        ":4: [device] level: SoftBounds has no parameter 'level'; did you mean levels?",
    ),
    (
        '[device]\nlevels = 1\nmodel = "SoftBounds"\n',
        ":2: [device] levels: SoftBounds: levels = 1 must be at least 2",
    ),
    (
        '[device]\nmodel = "SoftBounds"\nsigma_c2c = nan\n',
        ":3: [device] sigma_c2c: SoftBounds: sigma_c2c = nan must be finite",
    ),
    (
        '[device]\nmodel = "SoftBounds"\nstuck = true\n',
        ":3: [device] stuck: SoftBounds: stuck = True must be a number",
    ),
    (
        '[device]\nmodel = "SoftBounds"\nc2c = "x"\n',
        ":3: [device] c2c: SoftBounds: c2c = 'x' must be one of step, additive, pulse, write, "
        "change, change_g, change_inverse_g",
    ),
    (
        '[device]\nmodel = "PiecewiseStep"\nup_nodes = [1.0]\n',
        ":3: [device] up_nodes: PiecewiseStep: up_nodes has shape (1,); "
        "give at least 2 entries a dimension",
    ),
    (
        '[device]\nmodel = "JumpTable"\nup_quantiles = [[1.0, 2.0], [1.0]]\n',
        ":3: [device] up_quantiles: JumpTable: up_quantiles must be rows of equally many numbers",
    ),
    ("[device\n", ":1: not valid TOML: Expected ']' at the end of a table declaration in column 8"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_what_is_wrong_is_one_line_with_its_place(text, message, tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(UserError) as error:
        load(path)
    assert str(error.value) == f"{path}{message}"


def test_a_file_that_cannot_be_read(tmp_path):
    remedy = "give the path of a device's TOML file"
    (tmp_path / "bytes.toml").write_bytes(b"\x80\x04\x95")  # a pickle's first bytes
    for path, what in (
        (tmp_path / "none.toml", "no such file"),
        (tmp_path, "cannot be read: Is a directory"),
        (tmp_path / "bytes.toml", "not a text file in UTF-8"),
    ):
        with pytest.raises(UserError) as error:
            load(path)
        assert str(error.value) == f"{path}: {what}; {remedy}"


def test_a_file_that_cannot_be_written(tmp_path):
    for path, why in (
        (tmp_path / "none" / "a.toml", "No such file or directory"),
        (tmp_path, "Is a directory"),
    ):
        with pytest.raises(UserError) as error:
            save(path, ConstantStep())
        assert str(error.value) == f"{path}: cannot be written: {why}; give another path"
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_half_written(tmp_path, monkeypatch):
    path = tmp_path / "a.toml"
    save(path, ConstantStep())
    before = path.read_text()

    def breaks(tables, file):
        file.write(b"[dev")
        raise KeyboardInterrupt

    monkeypatch.setattr(files.tomli_w, "dump", breaks)
    with pytest.raises(KeyboardInterrupt):
        save(path, ConstantStep(levels=5))
    assert path.read_text() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.toml"]
