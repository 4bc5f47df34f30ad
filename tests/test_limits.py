"""A limit of the address space under which JAX would die is told before it starts."""

import sys
from pathlib import Path

import pytest

from memjax import cli, limits
from memjax.errors import UserError
from memjax.limits import check_address_space

resource = pytest.importorskip("resource")


@pytest.mark.parametrize(
    ("limit", "command"), [(2**30, "status"), (2_000_000_000, "sweep"), (2_000_000_000, "plot")]
)
def test_too_little_is_one_line_before_any_work(limit, command, monkeypatch, capsys):
    monkeypatch.setattr(resource, "getrlimit", lambda what: (limit, limit))
    monkeypatch.setattr(sys, "argv", ["memjax", command, "nowhere"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    told = capsys.readouterr().err
    assert stopped.value.code == 2 and told.count("\n") == 1
    assert f"allows {limit / 1e9:.1f} GB of address space, and JAX needs" in told


@pytest.mark.parametrize("limit", [resource.RLIM_INFINITY, 2**40])
def test_enough_is_not_told(limit, monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda what: (limit, limit))
    check_address_space()


@pytest.mark.parametrize(
    ("limit", "command"), [(1_800_000_000, "explain"), (700_000_000, "devices")]
)
def test_commands_that_compile_nothing_need_less(limit, command, monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda what: (limit, limit))
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    check_address_space(command)
    with pytest.raises(UserError, match=r"JAX needs 2\.3 GB"):
        check_address_space()


def test_a_core_more_needs_more(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda what: (3 * 10**9, 3 * 10**9))
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    check_address_space()
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    with pytest.raises(UserError, match=r"JAX needs 5\.4 GB"):
        check_address_space()


def test_half_of_the_mappings_is_near_their_limit(monkeypatch):
    files = {"/proc/sys/vm/max_map_count": "10\n", "/proc/self/maps": "one\n" * 5}
    monkeypatch.setattr(limits.Path, "read_text", lambda self: files[str(self)])
    monkeypatch.setattr(limits.Path, "read_bytes", lambda self: files[str(self)].encode())
    assert not limits.is_near_most_mappings()
    files["/proc/self/maps"] += "one more\n"
    assert limits.is_near_most_mappings()
    del files["/proc/sys/vm/max_map_count"]
    monkeypatch.undo()
    monkeypatch.setattr(limits, "Path", lambda name: Path("nowhere") / name.lstrip("/"))
    assert not limits.is_near_most_mappings(), "no Linux"
