"""The log-likelihood of ramps at a point of the search, and its derivatives."""

import dataclasses
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from memjax.devices.base import Device
from memjax.devices.stepped import of_single_pulses
from memjax.fitting.likelihood import Predictions, log_likelihood, predict
from memjax.fitting.problem import Problem, device_of, from_line
from memjax.fitting.quick import quick_options

WORST = -1e15
"""The log-likelihood of parameters that make no sense."""


@functools.lru_cache(maxsize=64)
def _compiled(
    model: type[Device], fixed: tuple, numbers: tuple[str, ...], names: tuple[str, ...]
) -> Any:
    """The ramps' predictions in units of the window, and derivatives of errors and variances.

    Numbers that are given, such as the window's and whether noise is ``additive``, are arguments:
    another table, or the other convention, compiles nothing.
    """
    shape = Problem(model, fixed, names, *(np.zeros(0),) * 3, data=(np.zeros(0),) * 3)

    def filtered(values: Any, given: Any, y: Any, pulses: Any, sign: Any) -> Any:
        named = dict(zip(numbers, given, strict=True))
        additive = named.pop("additive", None)
        problem = shape._replace(fixed=(*fixed, *named.items()))
        device, noise, low, high = device_of(problem, values)
        scale = high - low
        noise = noise._replace(read=noise.read / scale)
        x = (y - low) / scale
        ramp = functools.partial(predict, device, noise, additive=additive)
        now = jax.vmap(ramp)(x, pulses, sign)
        seen = jnp.isfinite(y[:, 1:])
        error, variance = now.error * scale, jnp.where(seen, now.variance * scale**2, 1.0)
        now = now._replace(error=error, variance=variance)
        return (error, variance), (now, jax.vmap(log_likelihood)(now, y))

    def derived(values: Any, *data: Any) -> Any:
        def along(tangent: Any) -> Any:
            _, slopes, rest = jax.jvp(
                lambda values: filtered(values, *data), (values,), (tangent,), has_aux=True
            )
            return slopes, rest

        return jax.vmap(along, out_axes=(0, None))(jnp.eye(len(names)))

    return jax.jit(derived, compiler_options=quick_options())


@functools.cache
def _statics(model: type[Device]) -> frozenset[str]:
    """The fields that are compiled in."""
    fields = dataclasses.fields(model)
    return frozenset(field.name for field in fields if field.metadata.get("static"))


class Filtered(NamedTuple):
    """What the filter says of parameters: of every reading, in units of the window."""

    now: Predictions
    each: np.ndarray  # log-likelihood [ramp, reading]
    d_error: np.ndarray  # derivatives [parameter, ramp, reading]
    d_variance: np.ndarray


def filtered(problem: Problem, values: np.ndarray) -> Filtered:
    """Filters all ramps in double precision.

    Args:
      problem: with the ramps.
      values: of the parameters.
    """
    with (
        jax.enable_x64(True),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
    ):
        single = problem.data[1].max() <= 1
        model = of_single_pulses(problem.model) if single else problem.model  # type: ignore[arg-type]
        statics = _statics(problem.model)  # type: ignore[arg-type]
        given = dict(problem.fixed)
        if given.get("c2c") in ("step", "additive") and "sigma_g" not in given:
            given |= {"c2c": "step", "additive": float(given["c2c"] == "additive")}
        numbers = {name: value for name, value in given.items() if isinstance(value, float)}
        traced = {name: value for name, value in numbers.items() if name not in statics}
        fixed = tuple((name, value) for name, value in given.items() if name not in traced)
        function = _compiled(model, fixed, tuple(traced), problem.names)  # type: ignore[arg-type]
        arguments = map(jnp.asarray, (values, np.array([*traced.values()], float), *problem.data))
        (d_error, d_variance), (now, each) = jax.tree.map(np.asarray, function(*arguments))
    return Filtered(now, each, d_error, d_variance)


class Scores(NamedTuple):
    """A point on the line: the log-likelihood, and what of it changes with the free parameters."""

    value: float
    ramps: np.ndarray  # derivatives of each ramp's log-likelihood [ramp, parameter]
    d_error: np.ndarray  # of the errors, in sds [parameter, reading]
    d_variance: np.ndarray  # of the variances, in themselves

    @property
    def slope(self) -> np.ndarray:
        """The gradient."""
        return self.ramps.sum(axis=0)

    def information(self) -> np.ndarray:
        """Fisher's information: minus the Hessian that is expected.

        Source: Harvey (1989; see ``likelihood``), section 3.4.5.
        """
        matrix = self.d_error @ self.d_error.T + 0.5 * self.d_variance @ self.d_variance.T
        return matrix + 1e-6 * np.eye(len(matrix))


def score(problem: Problem, u: np.ndarray, free: np.ndarray, held: Any = 0.0) -> Scores:
    """The likelihood of a point on the line; ``held`` are the values of what is not free.

    Args:
      problem: what is asked.
      u: the point.
      free: which parameters are on the line.
      held: values of the others.
    """
    values, slopes = from_line(problem, u)
    said = filtered(problem, np.where(free, values, held))
    sd, chain = np.sqrt(said.now.variance), slopes[free][:, None, None]
    d_error, d_variance = chain * said.d_error[free] / sd, chain * said.d_variance[free] / sd**2
    off = said.now.error / sd
    ramps = np.einsum("prt,rt->rp", d_error, -off)
    ramps += np.einsum("prt,rt->rp", d_variance, 0.5 * (off**2 - 1.0))
    value, n = float(np.sum(said.each)), len(d_error)
    size = np.vdot(d_error, d_error) + np.vdot(d_variance, d_variance)
    if not (np.isfinite(value) and np.isfinite(size) and np.isfinite(ramps).all()):
        nothing = np.zeros((n, 1))
        return Scores(WORST, np.zeros_like(ramps), nothing, nothing)
    return Scores(max(value, WORST), ramps, d_error.reshape(n, -1), d_variance.reshape(n, -1))
