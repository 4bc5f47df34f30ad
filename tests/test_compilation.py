"""Where compiled programs are kept, and that nothing is where nobody wants it."""

import subprocess
import sys

import jax
import pytest

from memjax.compilation import VARIABLE, directory, keep_compilations

SCRIPT = """
import jax, os, sys
from memjax.compilation import keep_compilations
keep_compilations()
print(jax.config.jax_compilation_cache_dir)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
events = []
jax.monitoring.register_event_listener(lambda event, **facts: events.append(event))
jax.jit(lambda x: x * 3 + 1)(2.0).block_until_ready()
print(events.count("/jax/compilation_cache/cache_hits"))
"""


def run(environment: dict, monkeypatch) -> list[str]:
    for name in ("JAX_COMPILATION_CACHE_DIR", VARIABLE):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.split()


def test_a_second_process_finds_what_the_first_has_compiled(tmp_path, monkeypatch):
    first, second = (run({VARIABLE: str(tmp_path)}, monkeypatch) for _ in range(2))
    assert first[0] == second[0] and first[0].startswith(str(tmp_path / "jaxlib-"))
    assert int(first[1]) == 0 < int(second[1])


@pytest.mark.parametrize(
    ("environment", "kept"),
    [({VARIABLE: ""}, "None"), ({"JAX_COMPILATION_CACHE_DIR": "/tmp/x", VARIABLE: "/y"}, "/tmp/x")],
)
def test_the_users_word_counts(environment, kept, monkeypatch):
    assert run(environment, monkeypatch)[0] == kept


def test_a_directory_that_cannot_be_made_keeps_nothing(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    assert run({VARIABLE: str(tmp_path / "file")}, monkeypatch)[0] == "None"


def test_the_directory_is_of_jaxlib_and_processor(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    found = directory()
    assert found is not None and found.parent == tmp_path
    before = jax.config.jax_compilation_cache_dir
    keep_compilations()  # the tests have one of their own
    assert jax.config.jax_compilation_cache_dir == before
