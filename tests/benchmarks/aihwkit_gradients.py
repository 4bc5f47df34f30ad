"""Which gradients aihwkit's autograd gives a layer's inputs, beside those of its weights.

    python tests/benchmarks/aihwkit_gradients.py          (in an environment that has aihwkit)

One layer of 16 inputs and 10 outputs with ``is_perfect`` products, batch 1, 600 samples whose
outputs reach some 40; each derives one output. Prints, for several ``out_bound``, how many
gradients differ from the row of the weights, and the outputs from which on they do.
"""

import torch
from aihwkit.nn import AnalogLinear
from aihwkit.simulator.configs import SingleRPUConfig
from aihwkit.simulator.configs.devices import ConstantStepDevice
from aihwkit.simulator.configs.utils import IOParameters


def main() -> None:
    """Prints a line for each bound."""
    for bound in (5.0, 12.0, 100.0):
        torch.manual_seed(1)
        config = SingleRPUConfig(device=ConstantStepDevice())
        config.forward = IOParameters(is_perfect=True, out_bound=bound)
        config.backward = IOParameters(is_perfect=True)
        layer = AnalogLinear(16, 10, bias=False, rpu_config=config)
        weights = layer.get_weights()[0].clone()
        wrong, right, clipped = [], [], 0.0
        for sample in range(600):
            x = (60.0 * torch.rand(1, 16) * torch.rand(1)).requires_grad_()
            y = layer(x)
            clipped = max(clipped, float((y - x @ weights.T).detach().abs().max()))
            place = sample % 10
            y[0, place].backward()
            off = (x.grad[0] - weights[place]).abs().max()
            is_wrong = bool(off > 1e-4 * weights[place].abs().max())
            (wrong if is_wrong else right).append(abs(float(y[0, place].detach())))
        print(
            f"out_bound {bound:g}: {len(wrong)} of 600 wrong, |output| from "
            f"{min(wrong, default=float('nan')):.2f} on; right up to {max(right):.2f}; the forward "
            f"pass clips by {clipped:g}"
        )


if __name__ == "__main__":
    main()
