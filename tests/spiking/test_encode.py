"""Hidden spikes that are kept: the same from memory and from disk, and only what was asked for."""

import importlib
import json

import jax.numpy as jnp
import numpy as np
import pytest

from memjax.errors import UserError
from memjax.spiking import edge_kernels, encode, inverse_norms, lif_trains

TRAINS, KERNELS = lif_trains(0.5), edge_kernels()


@pytest.fixture(scope="module")
def images():
    x = np.random.default_rng(0).random((3, 9, 8), np.float32)
    x[1] = 1.0  # silent
    return x


def test_kept_spikes_are_those_of_memory(images, tmp_path):
    told = []
    kept = encode(
        images, TRAINS, KERNELS, 0.5, directory=tmp_path, tell=lambda *now: told.append(now)
    )
    plain, again = (
        encode(images, TRAINS, KERNELS, 0.5, directory=place) for place in (None, tmp_path)
    )
    assert told == [(3, 3)] and isinstance(again.bits, np.memmap)
    for name in ("rows", "bits", "offsets", "inverse_norms"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(plain, name))
        np.testing.assert_array_equal(getattr(again, name), getattr(plain, name))
    assert (again.neurons, again.steps, again.most) == (12 * 7 * 6, 200, plain.most)
    assert len(plain) == 3 and plain.dense(0).any() and not plain.dense(1).any()
    rows, bits, count = plain.image(1)
    assert np.all(np.asarray(rows) == plain.neurons) and not np.any(bits) and count == 0
    norms = inverse_norms(jnp.asarray(plain.dense(2), jnp.float32), 0.5)
    np.testing.assert_allclose(plain.inverse_norms[2], norms, rtol=1e-6)


def test_another_argument_is_another_folder(images, tmp_path):
    encode(images, TRAINS, KERNELS, 0.5, directory=tmp_path)
    encode(images, TRAINS, KERNELS[::-1], 0.5, directory=tmp_path)
    encode(images, TRAINS, KERNELS, 0.5, tau=2.0, directory=tmp_path)
    assert sum(path.is_dir() for path in tmp_path.iterdir()) == 3


@pytest.fixture
def folder(images, tmp_path):
    encode(images, TRAINS, KERNELS, 0.5, directory=tmp_path)
    (found,) = (path for path in tmp_path.iterdir() if path.is_dir())
    return found


def change(folder, **entries):
    about = folder / "about.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | entries))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda place: change(place, version=0), "kept by version 0 of hidden spikes, not 1"),
        (lambda place: change(place, key="00"), "of other images, kernels, trains or steps"),
        (lambda place: (place / "about.json").unlink(), "about.json is missing or damaged"),
        (lambda place: (place / "bits").unlink(), "bits: is missing or damaged; remove"),
        (lambda place: (place / "rows").write_bytes(b"00"), "rows: is missing or damaged; remove"),
    ],
)
def test_what_is_not_as_it_was_kept_is_told(images, folder, harm, message):
    harm(folder)
    with pytest.raises(UserError, match=message) as caught:
        encode(images, TRAINS, KERNELS, 0.5, directory=folder.parent)
    assert "\n" not in str(caught.value)


def test_what_was_interrupted_is_made_again(images, tmp_path, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    module = importlib.import_module("memjax.spiking.encode")
    monkeypatch.setattr(module, "_norms", interrupted)
    with pytest.raises(KeyboardInterrupt):
        encode(images, TRAINS, KERNELS, 0.5, directory=tmp_path)
    monkeypatch.undo()
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]
    assert len(encode(images, TRAINS, KERNELS, 0.5, directory=tmp_path)) == 3


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((2, 784), np.float32), "images are 784; 3 x 3 kernels need grey images"),
        (np.zeros((2, 28, 28, 3), np.float32), "images are 28 x 28 x 3; 3 x 3 kernels need grey"),
        (np.zeros((2, 2, 8), np.float32), "images are 2 x 8; 3 x 3 kernels need"),
        (np.full((2, 8, 8), 255.0, np.float32), r"pixels outside \[0, 1\]; scale them"),
        (np.zeros((1, 100, 100), np.float32), "are 115248 neurons; 65535 at most"),
    ],
)
def test_other_images_are_refused(x, message):
    with pytest.raises(UserError, match=message) as caught:
        encode(x, TRAINS, KERNELS, 0.5)
    assert "\n" not in str(caught.value)
