"""A function's program, run equation by equation, so that some may be computed otherwise."""

from collections.abc import Callable
from typing import Any

import jax
from jax.extend import core

Outputs = Callable[[Any, Any, list[Any]], list[Any]]
"""``outputs(jaxpr, equation, inputs)``: what an equation of a program gives."""


def run(jaxpr: Any, consts: Any, args: Any, outputs: Outputs) -> list[Any]:
    """What a program gives.

    Args:
      jaxpr: its equations.
      consts: their constants.
      args: its inputs, whatever ``outputs`` takes.
      outputs: of an equation; ``evaluated`` where JAX is to say.
    """
    values: dict[Any, Any] = dict(zip(jaxpr.constvars, consts, strict=True))
    values |= zip(jaxpr.invars, args, strict=True)

    def value(of: Any) -> Any:
        return of.val if isinstance(of, core.Literal) else values[of]

    for equation in jaxpr.eqns:
        inputs = [value(of) for of in equation.invars]
        values |= zip(equation.outvars, outputs(jaxpr, equation, inputs), strict=True)
    return [value(of) for of in jaxpr.outvars]


def evaluated(jaxpr: Any, equation: Any, inputs: list[Any]) -> list[Any]:
    """What JAX makes of an equation of a program."""
    used = {
        of: x
        for of, x in zip(equation.invars, inputs, strict=True)
        if not isinstance(of, core.Literal)
    }
    alone = jaxpr.replace(constvars=[], invars=[*used], outvars=equation.outvars, eqns=[equation])
    return jax.core.eval_jaxpr(alone, [], *used.values())
