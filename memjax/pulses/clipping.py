"""Updates that want more pulses than a scheme fires."""

from memjax.pulses.base import OuterProduct, Scheme

_TOLERATED = 1.5  # times the most: the quickstart's worst device asks for 1.3


class ClippedPulses(UserWarning):
    """The largest updates want more pulses than there will be."""


def clipping(wanted: float, scheme: Scheme | OuterProduct) -> str:
    """What is clipped of the largest updates, in words; empty where too little to matter.

    Args:
      wanted: pulses of an update at ``|x d| = 1``: learning rate over pulse size.
      scheme: what is to fire them.

    Example:
      >>> from memjax.pulses import Bernoulli, clipping
      >>> clipping(40.0, Bernoulli(max_pulses=31))
      ''
      >>> clipping(1e4, Bernoulli(max_pulses=31))[:69]
      'the largest updates want 10000 pulses, and Bernoulli fires 31 at most'
    """
    if wanted <= _TOLERATED * scheme.most:
        return ""
    if isinstance(scheme, OuterProduct):
        means = f"pulses of trains of {scheme.most}: their errors are clipped"
    else:
        means = f"pulses, and {type(scheme).__name__} fires {scheme.most} at most: they are clipped"
    limit = next((name for name in ("length", "max_pulses") if hasattr(scheme, name)), "most")
    return (
        f"the largest updates want {wanted:.0f} {means}, which can undo learning; raise "
        f"pulses.{limit} or weight_range, or lower learning_rate or levels"
    )
