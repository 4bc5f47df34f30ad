"""A small matrix and input without random numbers, so that anybody can build them."""

import numpy as np

OUTPUTS, INPUTS = np.arange(5)[:, None], np.arange(7)
W = (np.sin(1 + 2 * OUTPUTS + 3 * INPUTS) * (1 + 0.1 * OUTPUTS)).astype(np.float32)
X = np.cos(0.5 + 1.3 * INPUTS).astype(np.float32)
Y = W.astype(np.float64) @ X
