"""What the devices hold: as weights, as weights that one read sees, and in siemens."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from memjax import random
from memjax.errors import UserError
from memjax.updates.leaf_names import leaf_names
from memjax.updates.struct_of_trees import is_masked


def states_of_devices(who: str, state: Any) -> list[Any]:
    """The states that hold weights within an optimiser's state, one a group of weights.

    Args:
      who: what asks.
      state: an optimiser state.

    Raises:
      UserError: there is none.
    """
    holds_weights = lambda node: hasattr(node, "readout")  # noqa: E731
    found = [s for s in jax.tree.leaves(state, is_leaf=holds_weights) if holds_weights(s)]
    if not found:
        raise UserError(f"{who}: the state is none of devices; give tx.init's or update's")
    return found


def readout(state: Any, params: Any) -> Any:
    """The exact weights that the devices hold.

    Args:
      state: an optimiser state that holds one of devices (of a chain, say), or several, one a group
        of weights (``optax.partition``). Of an ``nnx.Optimizer``, give
        ``nnx.as_pure(optimizer.opt_state)`` and ``nnx.as_pure(nnx.state(model, nnx.Param))``.
      params: the params; they carry the weights of a reference cell.

    Returns:
      A tree like ``params``; weights that no device holds are as they are in it.

    Raises:
      UserError: the state is none of devices, or something else than the transform has moved the
        weights.

    Example:
      >>> import jax, jax.numpy as jnp, memjax
      >>> device = memjax.devices.ConstantStep()
      >>> tx = memjax.pulsed_update(device, key=jax.random.key(0), weight_range=0.5)
      >>> w = jnp.array([0.3, 0.5])
      >>> memjax.readout(tx.init(w), w).tolist()
      [0.30000001192092896, 0.5]
    """
    for devices in states_of_devices("readout", state):
        params = devices.readout(params)
    return params


def read(state: Any, params: Any, key: Key[Array, ""]) -> Any:
    """The weights as one read of their devices sees them: ``w + sd xi``.

    ``sd^2 = cell.read_variance(device, w)``: every conductance is read with a relative sd of
    ``device.sigma_read``, Gmin included, so that a small on/off ratio makes all reads noisy.
    ``xi`` is one standard normal number a weight, for a whole batch; layers that take
    ``memjax.nn.Reads`` draw one a sample. Gradients pass as if nothing had been read.

    Args:
      state: as of ``readout``.
      params: as of ``readout``.
      key: a typed key, a new one for each forward pass.

    Returns:
      A tree like ``params``; weights that no device holds are as they are in it.

    Raises:
      UserError: as of ``readout``.

    Example:
      >>> import jax, jax.numpy as jnp, memjax
      >>> device = memjax.devices.ConstantStep(on_off=2, sigma_read=0.1)
      >>> tx = memjax.updates.fire_pulses(device, key=jax.random.key(0))
      >>> w = jnp.zeros(10_000)  # g = 1/2 above Gmin = 1 in units of the range: sd = 0.15
      >>> round(float(memjax.read(tx.init(w), w, jax.random.key(1)).std()), 2)
      0.15
    """
    stream = random.stream(key)
    for devices in states_of_devices("read", state):
        held = devices.readout(params)
        errors = read_errors(stream, devices.read_variance(held))

        def seen(error: Any, weight: Any, held: Any) -> Any:
            if is_masked(error):
                return weight
            return weight + jax.lax.stop_gradient(held - weight + error)

        params = jax.tree.map(seen, errors, params, held, is_leaf=is_masked)
    return params


def read_errors(stream: random.Stream, variances: Any) -> Any:
    """The errors of one read of weights: normal, each array's drawn by its path.

    Args:
      stream: a random stream, a new one for each read.
      variances: a tree of the variance of each weight.
    """
    treedef: Any
    leaves, treedef = jax.tree.flatten(variances)
    errors = [
        jnp.sqrt(variance) * random.normal(random.fold_in(stream, name), variance.shape)
        for variance, name in zip(leaves, leaf_names(variances), strict=True)
    ]
    return treedef.unflatten(errors)


def conductances(state: Any, params: Any) -> Any:
    """The conductance of every device, in siemens.

    Args:
      state: as of ``readout``.
      params: as of ``readout``.

    Returns:
      A tree like ``params`` with a tuple of arrays in place of each array, one a device of the
      cell; of algorithms with two arrays those of C first, then those of A. ``None`` where no
      device holds the weights.

    Raises:
      UserError: as of ``readout``, or the device's ``gmax`` is not known.

    Example:
      >>> import jax, jax.numpy as jnp, memjax
      >>> device = memjax.devices.ConstantStep(gmax=100e-6, on_off=10)
      >>> tx = memjax.pulsed_update(device, key=jax.random.key(0), weight_range=0.5)
      >>> w = jnp.array([-0.5, 0.5])
      >>> (g,) = memjax.conductances(tx.init(w), w)
      >>> [round(1e6 * float(one)) for one in g]
      [10, 100]
    """
    treedef: Any = jax.tree.structure(params)
    found: list[Any] = [None] * treedef.num_leaves
    for devices in states_of_devices("conductances", state):
        own = treedef.flatten_up_to(devices.conductances(params))
        found = [old if is_masked(new) else new for new, old in zip(own, found, strict=True)]
    return treedef.unflatten(found)
