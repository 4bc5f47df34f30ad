"""What a person should know before reading the results of a sweep."""

from typing import Any

from memjax.pulses import clipping
from memjax.sweep.spec.sections import build
from memjax.sweep.spec.spec import Spec


def notes(spec: Spec) -> list[str]:
    """One line for each thing that could mislead.

    Args:
      spec: the sweep.
    """
    found = [
        _inert_on_off(spec),
        _one_signed(spec),
        _potentiation_only(spec),
        _clipped_trains(spec),
        _baseline(spec),
        _one_seed(spec),
    ]
    return [note for note in found if note]


def _swept(spec: Spec) -> dict[str, list[Any]]:
    return {name: values for axis in spec.axes for name, values in axis.columns.items()}


def _inert_on_off(spec: Spec) -> str:
    device, swept = spec.sections["device"], _swept(spec)
    felt = {"sigma_g", "sigma_read", "sigma_bounds"}
    if "on_off" not in swept or felt & swept.keys() or any(device[n] is not None for n in felt):
        return ""
    return (
        "on_off has no effect here: noise in proportion to the step cancels it; set "
        "device.sigma_g or device.sigma_read"
    )


def _one_signed(spec: Spec) -> str:
    """A reference at a bound: weights of one sign."""
    kinds = _swept(spec).get("kind", [spec.sections["cell"]["kind"]])
    references = _swept(spec).get("g_ref", [spec.sections["device"].get("g_ref")])
    if "reference" not in kinds or not any(g in (0, 1) for g in references):
        return ""
    return (
        "with g_ref at a bound a reference cell holds weights of one sign only; take cell.kind = "
        '"differential"'
    )


def _potentiation_only(spec: Spec) -> str:
    """Levels that are swept where depression has its own, which do not move with them."""
    swept, device = _swept(spec), spec.sections["device"]
    own = swept.get("levels_down", [device.get("levels_down")])
    together = any({"levels", "levels_down"} <= set(axis.columns) for axis in spec.axes)
    if "levels" not in swept or together or all(value is None for value in own):
        return ""
    return "levels varies potentiation only: depression keeps its own levels_down"


def _clipped_trains(spec: Spec) -> str:
    """Fewer pulses than the largest update wants, ``rate / pulse_size`` at |x d| = 1."""
    swept = _swept(spec)
    tables = {
        section: table | {name: swept[name][0] for name in table if name in swept}
        for section, table in spec.sections.items()
    }
    if build("train", tables["train"]).wants_gradients:
        return ""
    device = build("device", tables["device"] | {"levels": _most(spec, "device", "levels")})
    cell = build("cell", tables["cell"] | {"weight_range": _least(spec, "cell", "weight_range")})
    limits = {
        key: min(swept.get(key, [value]))
        for key, value in tables["pulses"].items()
        if key in ("length", "max_pulses")
    }
    scheme = build("pulses", tables["pulses"] | limits)
    wanted = float(_most(spec, "train", "learning_rate") / cell.pulse_size(device))
    return clipping(wanted, scheme)


def _baseline(spec: Spec) -> str:
    shared = [n for n in _swept(spec) if n in ("batch_size", "activation", "learning_rate")]
    if not shared:
        return ""
    tables = spec.sections["train"] | spec.sections["model"]
    fixed = ", ".join(f"{name} = {tables[name]}" for name in shared)
    return f"the float baseline does not follow the axes: it is trained at {fixed}"


def _one_seed(spec: Spec) -> str:
    if spec.seeds > 1 or not spec.axes:
        return ""
    return "with one seed, chance is counted among the parameters' effects; take seeds = 3 or more"


def _most(spec: Spec, section: str, name: str) -> Any:
    return max(_swept(spec).get(name, [spec.sections[section][name]]))


def _least(spec: Spec, section: str, name: str) -> Any:
    return min(_swept(spec).get(name, [spec.sections[section][name]]))
