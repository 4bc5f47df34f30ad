"""Numbers know no pictures and no specification; pictures and words know numbers only."""

import ast
from pathlib import Path

import pytest

SWEEP = Path(__file__).parents[3] / "memjax" / "sweep"
MAY = {"analysis": {"analysis"}, "show": {"analysis", "show"}}
DRAW = {"matplotlib", "plotly", "rich"}


def imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names}
    return names | {str(n.module) for n in nodes if isinstance(n, ast.ImportFrom)}


@pytest.mark.parametrize("room", MAY)
def test_a_room_imports_only_what_it_may(room):
    for path in (SWEEP / room).glob("*.py"):
        for name in imported(path):
            if name.startswith("memjax.sweep"):
                assert name.split(".")[2] in MAY[room], path
            assert not name.startswith("memjax.experiments"), path
            assert room == "show" or name.split(".")[0] not in DRAW, path
