"""A Dask cluster gives the bits of one process, and what a lost worker had begun is run again."""

import os
import signal

import pytest

from memjax.errors import UserError
from memjax.sweep import Spec, run
from memjax.sweep.engine.cluster import Cluster, connect
from memjax.sweep.run import job
from memjax.sweep.store import directory as store

AXES = {"levels": [8, 16, 32, 64], "sigma_c2c": [0, 1]}


@pytest.fixture(scope="module")
def client():
    with connect(local=2) as client:
        yield client


@pytest.fixture(scope="module")
def alone(small, tiny):
    return run(small(AXES), dataset=tiny)


def test_two_workers_give_the_bits_of_one_process(small, tiny, client, alone, tmp_path):
    told = []
    ds = run(small(AXES), tmp_path, dataset=tiny, client=client, progress=lambda *p: told.append(p))
    assert ds.drop_attrs().identical(alone.drop_attrs())
    assert told[-1] == (16.0, 16)
    assert store.load(tmp_path).drop_attrs().identical(alone.drop_attrs())


def test_a_worker_of_one_core_runs_the_program_of_many(small, tiny, client):
    """Programs for one device round otherwise: a Flax CNN's losses differed by a bit."""
    todo = job(small({"levels": [8]}), tiny)
    frame = todo.frame
    workers = Cluster(todo.spec, todo.data, client, frame.data, todo.program, is_named=False)
    assert workers.devices == 2


STUDY = """
import jax.numpy as jnp
from memjax.experiments import Column, Experiment, Objective
from memjax.pytree import param, params

@params
class Twice(Experiment):
    x: float = param(default=1.0, doc="a number")

    def columns(self, data):
        return {"y": Column(("stage",))}

    def objective(self, data):
        return Objective("y", "higher", None, 0.0)

    def evaluate(self, state, key_data, stage, data, *, last):
        return {"y": 2.0 * self.x}
"""


def test_workers_import_the_experiment_of_a_file(client, tmp_path, monkeypatch):
    (tmp_path / "my_study.py").write_text(STUDY)
    monkeypatch.chdir(tmp_path)
    raw = {"experiment": "my_study.py:Twice", "seeds": 1, "axes": {"x": [1.0, 2.0, 3.0]}}
    ds = run(Spec.from_dict(raw), client=client)
    assert ds.y.values.ravel().tolist() == [2.0, 4.0, 6.0]


def test_a_lost_worker_loses_nothing(small, tiny, client, alone):
    killed = []

    def kill(done, total):
        if not killed and done > 4:
            killed.append(min(client.run(os.getpid).values()))
            os.kill(killed[0], signal.SIGKILL)

    ds = run(small(AXES), dataset=tiny, client=client, progress=kill)
    assert killed
    assert ds.drop_attrs().identical(alone.drop_attrs())


def test_a_scheduler_that_does_not_answer_is_told(monkeypatch):
    monkeypatch.setattr("memjax.sweep.engine.cluster._SECONDS", 0.5)
    with (
        pytest.raises(UserError, match=r"tcp://127\.0\.0\.1:1: no Dask scheduler answers there"),
        connect("tcp://127.0.0.1:1"),
    ):
        pass


def test_ctrl_c_is_the_clients_alone(client):
    """A terminal sends it to the workers too, whose tracebacks nobody wants to read."""
    client.wait_for_workers(2, timeout=60)  # one was killed, and comes again
    ignored = client.run(lambda: signal.getsignal(signal.SIGINT) == signal.SIG_IGN)
    assert list(ignored.values()) == [True, True]


@pytest.mark.parametrize("address", ["", "127.0.0.1", "nowhere://x", "tcp://127.0.0.1:99999999"])
def test_an_address_that_is_none_is_told(address):
    with pytest.raises(UserError, match="is no Dask scheduler's address; write"), connect(address):
        pass
