"""memjax.pulses in NumPy: one boolean a slot, coincidences counted slot by slot."""

import numpy as np

from reference import random_twin


def unpack(words, batch, length):
    """Packed words as booleans ``[batch, length, lines]``, and the bits beyond the last slot."""
    bits = np.asarray(words)[:, None, :] >> np.arange(32, dtype=np.uint32)[None, :, None] & 1
    bits = bits.reshape(-1, bits.shape[-1]).astype(bool)
    return bits[: batch * length].reshape(batch, length, -1), bits[batch * length :]


def fires(stream, probability, length, active=None):
    """Booleans ``[batch, length, lines]``: a slot fires where its 24 bits lie below p."""
    uniform = random_twin.uniform(stream, (length, *probability.shape)).swapaxes(0, 1)
    threshold = np.floor(np.clip(probability, 0.0, 1.0) * 2.0**24) / 2.0**24
    active = np.full(len(probability), length) if active is None else np.asarray(active)
    on = np.arange(length)[None, :, None] < active[:, None, None]
    return (uniform < threshold[:, None, :]) & on


def coincidences(row_fires, row_negative, column_fires, column_negative):
    """Every slot of every sample in turn: where row and column fire, the product of the signs."""
    counts = np.zeros((row_fires.shape[-1], column_fires.shape[-1]), int)
    for sample, (rows, columns) in enumerate(zip(row_fires, column_fires, strict=True)):
        signs = np.where(row_negative[sample], -1, 1)[:, None] * np.where(
            column_negative[sample], -1, 1
        )
        for row_slot, column_slot in zip(rows, columns, strict=True):
            counts += np.outer(row_slot, column_slot) * signs
    return counts


def probabilities(x, d, rate, length, update_management, length_management):
    """Slots, and each line's probability, of one sample, in the words of Gokmen & Vlasov."""
    x_max, d_max = abs(x).max(), abs(d).max()
    k = rate * x_max * d_max
    slots = min(np.ceil(k), length) if length_management else length
    a = b = np.sqrt(rate / slots)
    if update_management:
        if k > slots:  # d is clipped, x is not
            d_max = d_max * slots / k
        a, b = a * np.sqrt(x_max / d_max), b * np.sqrt(d_max / x_max)
    return slots, np.minimum(abs(x) * b, 1.0), np.minimum(abs(d) * a, 1.0)
