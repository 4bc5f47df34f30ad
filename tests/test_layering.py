"""A room imports only from rooms above it, lazy and type-checking imports included."""

import ast
from pathlib import Path

import memjax

ROOT = Path(memjax.__file__).parent
ROOMS = (
    "errors words palette compilation renamed",
    "origin outputs limits fusion programs random pytree",
    "data",
    "devices",
    "fitting pulses",
    "cells",
    "updates",
    "nn",
    "crossbar",
    "spiking",
    "boltzmann",
    "bitstreams",
    "experiments",
    "sweep.spec",
    "sweep.store",
    "sweep.engine",
    "sweep.run sweep.status sweep.analysis",
    "sweep.show",
    "sweep.search",
    "sweep",
    "bench",
    "cli",
)
"""From the ground up; rooms of a line know nothing of one another."""

LEVEL = {room: level for level, line in enumerate(ROOMS) for room in line.split()}


def room_of(module: str) -> str | None:
    """``memjax.sweep.spec.grid`` is of the room ``sweep.spec``."""
    name = module.removeprefix("memjax").removeprefix(".")
    while name and name not in LEVEL:
        name = name.rpartition(".")[0]
    return name or None


def imports(path: Path) -> set[str]:
    """Modules of the package that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.startswith("memjax.")}


def modules() -> dict[str, Path]:
    found = {}
    for path in ROOT.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(("memjax", *(p for p in parts if p != "__init__")))] = path
    return found


def test_rooms_import_only_from_above():
    wrong = []
    for module, path in modules().items():
        own = room_of(module)
        if own is None:  # the package itself, and __main__
            continue
        for name in imports(path):
            other = room_of(name)
            if other is not None and other != own and LEVEL[other] >= LEVEL[own]:
                wrong.append(f"{module} imports {name}")
    assert not wrong, "\n".join(sorted(wrong))


def test_every_module_has_its_room():
    assert {m for m in modules() if room_of(m) is None} <= {"memjax", "memjax.__main__"}


def test_no_file_is_in_a_circle():
    files = modules()
    arrows = {
        module: {
            target
            for name in imports(path)
            for target in (name, name.rpartition(".")[0])
            if target in files and target != module and files[target].name != "__init__.py"
        }
        for module, path in files.items()
    }
    left = dict(arrows)
    while True:
        asked = set().union(*left.values())
        ends = [m for m, to in left.items() if not to & left.keys() or m not in asked]
        for module in ends:
            del left[module]
        if not ends:
            break
    assert not left, "\n".join(f"{m} -> {sorted(to & left.keys())}" for m, to in left.items())


def test_flax_is_imported_where_a_model_is_and_not_to_start_with():
    """It takes a second, which commands that need none of it would wait for."""
    eager = set()
    for name, path in modules().items():
        for node in ast.parse(path.read_text()).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(part.partition(".")[0] == "flax" for part in names):
                eager.add(name.removeprefix("memjax."))
    assert eager == {"nn.linen", "nn.pulsed_linear", "experiments.flax_model"}
