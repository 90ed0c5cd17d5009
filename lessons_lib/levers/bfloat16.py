"""AdamW over float32 weights for a model that computes with bfloat16 copies of its matrices.

Under autocast alone each step casts every weight to bfloat16, and every gradient back to float32.
Here the copies stay from step to step. The optimizer goes through the weights block by block: while
a block is in the processor's cache, it casts the gradient, scales it, updates the weights, and
refreshes the copy. The weights themselves stay in float32, for many updates are too small for
bfloat16's 8 significant bits.

Source: Micikevicius et al. 2018, "Mixed Precision Training" (master weights).
"""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

BLOCK = 2**20  # numbers: with gradient and both moments 16 MB, which a processor's cache holds


class Matrix(NamedTuple):
    """A weight that several modules may share, and the copy that they compute with."""

    weight: nn.Parameter  # float32
    copy: nn.Parameter  # bfloat16, of the same shape; its gradient is in bfloat16, too
    owners: list[nn.Module]  # whose ``weight`` it is


class Bfloat16AdamW(torch.optim.AdamW):
    """Fused AdamW with working copies in bfloat16 of the ``weight`` of each of ``modules``.

    These weights are float32, on the CPU, and are multiplied by, as ``nn.Linear`` does. Everything
    else, norms and biases, is computed and updated as by AdamW. The optimizer's state is AdamW's,
    so that a checkpoint made with one can be resumed with the other.
    """

    def __init__(self, groups: Iterable[Any], modules: Iterable[nn.Module], lr: float):
        super().__init__(groups, lr=lr, fused=True)
        owners: dict[nn.Parameter, list[nn.Module]] = {}
        for module in modules:
            owners.setdefault(module.weight, []).append(module)
        self._matrices = [
            Matrix(weight, nn.Parameter(weight.detach().bfloat16(), weight.requires_grad), sharing)
            for weight, sharing in owners.items()
        ]
        self._versions = [weight._version for weight, _, _ in self._matrices]
        self._block = torch.empty(BLOCK)

    @contextlib.contextmanager
    def working_copies(self) -> Iterator[None]:
        """While this holds, the model computes with the copies, and with autocast in bfloat16."""
        self._refresh()
        for _, copy, owners in self._matrices:
            for module in owners:
                module.weight = copy
        try:
            with torch.autocast("cpu", torch.bfloat16):
                yield
        finally:
            for weight, _, owners in self._matrices:
                for module in owners:
                    module.weight = weight

    def gradient_norm(self) -> Tensor:
        """The norm of all gradients together, 0-dimensional.

        A norm in bfloat16 is rounded to 8 bits, so matrices have one taken of each row: that is
        closer to the truth, and faster than one of the whole.
        """
        matrices = [copy.grad for _, copy, _ in self._matrices if copy.grad is not None]
        rows = [torch.linalg.vector_norm(gradient, dim=1).float() for gradient in matrices]
        weights = [weight for group in self.param_groups for weight in group["params"]]
        return nn.utils.get_total_norm(rows + [w.grad for w in weights if w.grad is not None])

    def zero_grad(self, set_to_none: bool = True) -> None:
        super().zero_grad(set_to_none)
        for _, copy, _ in self._matrices:
            copy.grad = None

    @torch.no_grad()
    def step(self, scale: float = 1.0) -> None:
        """Update all weights with their gradients times ``scale``."""
        groups = {weight: group for group in self.param_groups for weight in group["params"]}
        for index, (weight, copy, _) in enumerate(self._matrices):
            if copy.grad is None:
                continue
            self._update(groups[weight], weight, copy, scale)
            self._versions[index] = weight._version
        if scale != 1:
            for group in self.param_groups:
                for weight in group["params"]:
                    if weight.grad is not None:
                        weight.grad *= scale
        super().step()

    def _update(self, group: dict, weight: nn.Parameter, copy: nn.Parameter, scale: float) -> None:
        """AdamW on one matrix, a block at a time; the blocks count as one step."""
        state = self.state[weight]
        if not state:  # as AdamW makes it
            state["step"] = torch.zeros(())
            state["exp_avg"] = torch.zeros_like(weight)
            state["exp_avg_sq"] = torch.zeros_like(weight)
        step = state["step"].clone()
        tensors = weight, copy, copy.grad.contiguous(), state["exp_avg"], state["exp_avg_sq"]
        for parts in zip(*(tensor.view(-1).split(BLOCK) for tensor in tensors), strict=True):
            own, working, gradient, mean, square = parts  # (up to BLOCK,) each
            whole = self._block[: len(gradient)].copy_(gradient)
            if scale != 1:
                whole *= scale
            adamw(
                [own],
                [whole],
                [mean],
                [square],
                [],
                [state["step"].copy_(step)],
                fused=True,
                amsgrad=False,
                beta1=group["betas"][0],
                beta2=group["betas"][1],
                lr=group["lr"],
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                maximize=False,
            )
            working.copy_(own)

    def _refresh(self) -> None:
        """Copy the weights that somebody else has changed: a checkpoint, a callback."""
        for index, (weight, copy, _) in enumerate(self._matrices):
            if weight._version != self._versions[index]:
                copy.data.copy_(weight.detach())
                self._versions[index] = weight._version
