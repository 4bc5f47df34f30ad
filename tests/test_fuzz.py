"""Whatever a file holds, it is read or refused in one line: no other error, of any kind.

Files are made from good ones by putting values of other kinds in the place of some of theirs, the
same at every run.
"""

import copy
import json
import math
import tomllib

import jaxtyping
import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memjax.devices import catalogue
from memjax.errors import UserError
from memjax.sweep import Spec
from memjax.sweep.analysis.compare import compare
from memjax.sweep.analysis.explain import explain
from memjax.sweep.analysis.sensitivity import sobol_indices
from memjax.sweep.show.report import html
from memjax.sweep.show.tables import summary
from memjax.sweep.status import status
from memjax.sweep.store import directory as store
from memjax.sweep.store import facts
from memjax.sweep.store.journal import DiskJournal
from reference.sweeps import synthetic

CHECKS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
few = settings(
    max_examples=40, derandomize=True, deadline=None, database=None, suppress_health_check=CHECKS
)

numbers = st.sampled_from(
    [0, -1, 1, 3, 2**31, 2**63, 10**40, 10**400, True, 0.5, -0.0, 1e39, 1e308]
)
odd = st.sampled_from([math.inf, -math.inf, math.nan])
texts = st.sampled_from(
    ["", " ", "a\0b", "../x.toml", "none.toml", "$", "sgd", "SoftBounds", "é" * 300]
)
plain = st.one_of(numbers, odd, texts, st.text(max_size=5))
values = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=6,
)


@pytest.fixture(autouse=True, scope="module")
def as_users_have_it():
    """Without the checks of annotations, which would refuse before the package does."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def places(tree, path=()):
    """The paths to all values of nested tables and lists."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


@st.composite
def spoilt(draw, good):
    """A good tree with one or two values that are others, gone, or of another name."""
    tree = copy.deepcopy(good)
    for _ in range(draw(st.integers(1, 2))):
        *path, last = draw(st.sampled_from(list(places(tree))))
        place = tree
        for key in path:
            place = place[key]
        how = draw(st.integers(0, 5))
        if how == 0:
            del place[last]
        elif how == 1 and isinstance(place, dict):
            place[draw(st.text(min_size=1, max_size=4))] = place.pop(last)
        else:
            place[last] = draw(values)
        if not tree:
            return copy.deepcopy(good)
    return tree


def in_one_line(read):
    """What it returns; nothing where it refuses."""
    try:
        return read()
    except UserError as error:
        assert str(error).strip() and len(str(error).splitlines()) == 1
        return None


SPEC = {
    "name": "mine",
    "seeds": 2,
    "root_seed": 1,
    "common_random_numbers": ["levels"],
    "axes": {
        "levels": {"linspace": [2, 8, 3]},
        "sigma_c2c": [0, 1.5],
        "pair": {"on_off": [2, 10], "weight_range": [1.0, 0.5]},
        "algorithm": ["sgd", "manhattan"],
    },
    "model": {"hidden": [4]},
    "device": {"model": "SoftBounds", "up_down": 0.1},
    "train": {"epochs": 1, "learning_rate": 0.1, "algorithm": "sgd"},
    "engine": {"width": 2},
    "data": {"name": "digits", "train_size": 40},
}
DEVICE = {
    "device": {"model": "JumpTable", "sigma_c2c": 0.2, "levels": 8, "c2c": "step", "d2d": "normal"},
    "fit": {"data": "x"},
}


def test_the_good_files_are_good(tmp_path):
    assert Spec.from_dict(SPEC).seeds == 2
    (tmp_path / "d.toml").write_text(tomli_w.dumps(DEVICE))
    assert float(catalogue.load(tmp_path / "d.toml").levels) == 8


@few
@given(raw=spoilt(SPEC))
def test_specifications(raw, tmp_path):
    path = tmp_path / "spec.toml"
    path.write_text(tomli_w.dumps(raw), encoding="utf-8")
    spec = in_one_line(lambda: Spec.from_toml(path))
    if spec is not None:
        assert Spec.from_dict(tomllib.loads(spec.to_toml())) == spec


@few
@given(raw=spoilt(DEVICE))
def test_device_files(raw, tmp_path):
    path = tmp_path / "device.toml"
    path.write_text(tomli_w.dumps(raw), encoding="utf-8")
    in_one_line(lambda: catalogue.load(path))


@few
@given(raw=st.binary(max_size=40), head=st.sampled_from([b"", b"[axes]\nlevels = ", b"[device]\n"]))
def test_files_of_any_bytes(raw, head, tmp_path):
    path = tmp_path / "any.toml"
    path.write_bytes(head + raw)
    in_one_line(lambda: Spec.from_toml(path))
    in_one_line(lambda: catalogue.load(path))


HEADER = {"data": "0", "frame": "f", "stages": [1, 2], "width": 2, "spec": ""}
LINES = [
    {"format": 2, **HEADER},
    {"begun": 1.0, "lanes": 4, "known": 0},
    {"kind": "lanes", "keys": [1, 2], "error": "no luck"},
    {"kind": "lanes", "keys": [3], "file": "x.npz", "digest": "0", "at": 2.0, "versions": "1"},
]


@few
@given(lines=spoilt(LINES))
def test_journals(lines, tmp_path):
    (tmp_path / "unfinished").mkdir(exist_ok=True)
    path = tmp_path / "unfinished" / "journal.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    in_one_line(lambda: status(tmp_path))
    journal = in_one_line(lambda: DiskJournal(tmp_path / "unfinished", HEADER))
    if journal is not None:
        assert list(journal.entries()) == []
        journal.close()


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Results without checksums, whose metadata anybody may have edited."""
    place = tmp_path_factory.mktemp("results")
    ds = synthetic({"levels": [4, 8], "sigma_c2c": [0.0, 1.0]}, seeds=2, epochs=2)
    store.save(place, ds.assign_attrs(spec="seeds = 2\n", notes=["one"], errors=[], seconds=1.0))
    (place / "results.zarr" / ".checksums.json").unlink()
    return place, json.loads((place / "results.zarr" / "zarr.json").read_text())


@pytest.mark.filterwarnings("ignore::memjax.sweep.store.directory.Unchecked")
@settings(few, max_examples=25)
@given(data=st.data())
def test_metadata_of_results(data, results):
    place, good = results
    read_by_all(place, good, data.draw(spoilt(good["attributes"])))


@pytest.mark.filterwarnings("ignore::memjax.sweep.store.directory.Unchecked")
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 0, -0.0])
def test_numbers_of_results(value, results):
    place, good = results
    checks = (facts._is_number, facts._is_count)
    names = [name for name, (check, _) in facts._FACTS.items() if check in checks]
    assert {"guess", "seconds"} <= set(names)
    for name in names:
        read_by_all(place, good, good["attributes"] | {name: value})
    read_by_all(place, good, good["attributes"] | {"bounds": [value, 1.0]})
    read_by_all(place, good, good["attributes"] | {"bounds": [0.0, value]})


def read_by_all(place, good, attributes):
    """Whatever opens results of these attributes."""
    path = place / "results.zarr" / "zarr.json"
    path.write_text(json.dumps(good | {"attributes": attributes}))
    ds = in_one_line(lambda: store.load(place))
    if ds is not None:
        in_one_line(lambda: summary(ds))
        in_one_line(lambda: explain(ds))
        in_one_line(lambda: sobol_indices(ds, resamples=2))
        in_one_line(lambda: html(ds))
        in_one_line(lambda: compare(ds, ds))
