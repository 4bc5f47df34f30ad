"""Every test runs with memjax's annotations checked, strict promotion and two CPU devices."""

import os

import jaxlib

# Compiling is most of what the tests take: what they compare is compiled alike. Before JAX starts.
if jaxlib.__version__.startswith("0.10."):  # an XLA without the flag would not start
    os.environ["XLA_FLAGS"] = (
        os.environ.get("XLA_FLAGS", "") + " --xla_cpu_use_fusion_emitters=false"
    )

import jax
from jaxtyping import install_import_hook

# Before anything imports memjax: whatever the hook has not seen goes unchecked.
install_import_hook("memjax", "beartype.beartype")

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_num_cpu_devices", 2)

from reference.sweeps import corrupt, device, fail, make, small, study, tiny  # noqa: E402

__all__ = ["corrupt", "device", "fail", "make", "small", "study", "tiny"]  # fixtures of every room
