"""Every test runs with memjax's annotations checked, strict promotion and two CPU devices."""

import gc
import os
import tempfile
from pathlib import Path

import jaxlib

# Compiling is most of what the tests take: what they compare is compiled alike, and by the least
# work; what trains for long, or has recorded bits, is marked optimized. Before JAX starts.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
if jaxlib.__version__.startswith("0.10."):  # an XLA without the flag would not start
    os.environ["XLA_FLAGS"] = (
        os.environ.get("XLA_FLAGS", "") + " --xla_cpu_use_fusion_emitters=false"
    )

# What one process has compiled the others need not, nor the next run: workers, subprocesses and
# notebooks inherit this.
os.environ.setdefault(
    "JAX_COMPILATION_CACHE_DIR", str(Path(tempfile.gettempdir()) / "memjax-tests")
)
os.environ.setdefault(
    "HYPOTHESIS_STORAGE_DIRECTORY", str(Path(tempfile.gettempdir()) / "memjax-hypothesis")
)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

import jax
import pytest
from jaxtyping import install_import_hook

# Before anything imports memjax: whatever the hook has not seen goes unchecked.
install_import_hook("memjax", "beartype.beartype")

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_num_cpu_devices", 2)

from reference.sweeps import corrupt, device, fail, make, small, study, tiny  # noqa: E402

__all__ = ["corrupt", "device", "fail", "make", "small", "study", "tiny"]  # fixtures of every room


@pytest.fixture(autouse=True, scope="module")
def compiles_as_marked(request):
    """``pytestmark = pytest.mark.optimized``: by all of XLA's optimisations, as for users."""
    if request.node.get_closest_marker("optimized") is None:
        yield
        return
    before = jax.config.read("jax_disable_most_optimizations")
    jax.clear_caches()
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", before)
    jax.clear_caches()


def pytest_collection_finish():
    """Spares the collector what lives as long as the tests, and a search at every few objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def pytest_collection_modifyitems(items):
    """Marks what ``durations.txt`` lists as slow: ``pytest -m "not slow"`` while you work.

    Files that take longest come first, so that the workers end together.
    """
    lines = Path(__file__).with_name("durations.txt").read_text().splitlines()[1:]
    seconds = {name: float(number) for number, _, name in (line.partition(" ") for line in lines)}
    files: dict[str, float] = {}
    for name, number in seconds.items():
        file = name.partition("::")[0]
        files[file] = files.get(file, 0.0) + number
    items.sort(key=lambda item: -files.get(item.nodeid.partition("::")[0], 0.0))
    for item in items:
        if item.nodeid in seconds:
            item.add_marker(pytest.mark.slow)
