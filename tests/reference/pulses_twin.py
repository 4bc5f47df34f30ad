"""memjax.pulses in NumPy: one boolean a slot, coincidences counted slot by slot."""

import numpy as np

from reference import random_twin


def layout(batch, length):
    """Words, and slots a word: as few words of 32 as hold the slots, evenly filled."""
    words = int(np.ceil(batch * length / 32))
    return words, int(np.ceil(batch * length / words))


def unpack(words, batch, length):
    """Packed words as booleans ``[batch, length, lines]``, and the bits beyond the last slot."""
    per_word = layout(batch, length)[1]
    bits = np.asarray(words)[:, None, :] >> np.arange(32, dtype=np.uint32)[None, :, None] & 1
    used = bits[:, :per_word].reshape(-1, bits.shape[-1]).astype(bool)
    beyond = np.concatenate([used[batch * length :].ravel(), bits[:, per_word:].ravel() > 0])
    return used[: batch * length].reshape(batch, length, -1), beyond


def fires(stream, probability, length, active=None):
    """Booleans ``[batch, length, lines]``: a slot fires where its 24 bits lie below p."""
    batch, lines = probability.shape
    words, per_word = layout(batch, length)
    uniform = random_twin.uniform(stream, (words, per_word, lines))
    uniform = uniform.reshape(-1, lines)[: batch * length].reshape(batch, length, lines)
    on = np.arange(length)[None, :, None] < (
        np.full(batch, length) if active is None else np.asarray(active)
    ).reshape(-1, 1, 1)
    threshold = np.floor(np.clip(probability, 0.0, 1.0) * 2.0**24) / 2.0**24
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
