"""Muon: gradient descent in which a matrix's step is equally long in all its directions.

A matrix's momentum is replaced by the nearest orthogonal matrix, found by a few steps of a
Newton-Schulz iteration. It learns a small model from about half the tokens that AdamW needs.
``torch.optim.Muon`` does the same in bfloat16 only, which is 40 times slower on a processor
without bfloat16 instructions.

Source: Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks".
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the odd polynomial that drives singular values to 1


def orthogonalized(matrix: Tensor, steps: int = 5) -> Tensor:
    """Roughly the nearest (semi-)orthogonal matrix, with singular values between 0.7 and 1.2.

    (rows, columns) to (rows, columns).
    """
    wide = matrix.shape[0] <= matrix.shape[1]
    x = matrix if wide else matrix.T  # the short side first
    x = x / (x.norm() + 1e-7)
    # x ← (a + b·xxᵀ + c·(xxᵀ)²) x, five times. The factors are polynomials of one small matrix,
    # xxᵀ, and commute, so they are multiplied with each other first: half the work.
    gram = x @ x.T  # (short, short)
    product = factor = _polynomial(gram)
    for _ in range(steps - 1):
        gram = factor @ gram @ factor
        factor = _polynomial(gram)
        product = factor @ product
    x = product @ x  # (short, long)
    return x if wide else x.T


def _polynomial(gram: Tensor) -> Tensor:
    """a + b·gram + c·gram²; (short, short) to (short, short)."""
    a, b, c = COEFFICIENTS
    result = torch.addmm(gram, gram, gram, beta=b, alpha=c)
    result.diagonal().add_(a)
    return result


class Muon(torch.optim.Optimizer):
    """The optimizer for the matrices between embedding and head; AdamW takes everything else."""

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
    ):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """Take a step along the orthogonalized Nesterov momentum of each matrix."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["momentum"] = torch.zeros_like(parameter)
                average = state["momentum"].lerp_(parameter.grad, 1 - group["momentum"])
                update = orthogonalized(parameter.grad.lerp(average, group["momentum"]))
                rows, columns = parameter.shape
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(update, alpha=-group["lr"] * max(1, rows / columns) ** 0.5)
