"""Every test runs with memjax's annotations checked, strict promotion and two CPU devices."""

import jax
from jaxtyping import install_import_hook

# Before anything imports memjax: whatever the hook has not seen goes unchecked.
install_import_hook("memjax", "beartype.beartype")

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_num_cpu_devices", 2)
