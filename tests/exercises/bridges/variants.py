"""Right solutions of lesson 14's exercises, each written in another way."""

import torch
from torch import nn
from torch.nn import functional as F


class LoraWithAFrozenParameter(nn.Module):
    def __init__(self, weight, rank, alpha):
        super().__init__()
        self.base = nn.Parameter(weight, requires_grad=False)
        self.lora_a = nn.Parameter(torch.empty(rank, weight.size(1)).uniform_(-0.1, 0.1))
        self.lora_b = nn.Parameter(weight.new_zeros(weight.size(0), rank))
        self.rank, self.alpha = rank, alpha

    def forward(self, x):
        change = F.linear(F.linear(x, self.lora_a), self.lora_b)
        return F.linear(x, self.base) + change * self.alpha / self.rank

    def merged(self):
        return self.base + self.alpha * torch.mm(self.lora_b, self.lora_a) / self.rank


class LoraAroundALinearLayer(nn.Module):
    def __init__(self, weight, rank, alpha):
        super().__init__()
        out, into = weight.shape
        self.linear = nn.Linear(into, out, bias=False)
        self.linear.weight.data = weight.clone()
        self.linear.weight.requires_grad = False
        self.lora_a = nn.Parameter(nn.init.kaiming_uniform_(torch.empty(rank, into)))
        self.lora_b = nn.Parameter(torch.zeros(out, rank))
        self.scale = alpha / rank

    def forward(self, x):
        return self.linear(x) + torch.einsum(
            "...i,ri,or->...o", x * self.scale, self.lora_a, self.lora_b
        )

    def merged(self):
        with torch.no_grad():
            return (
                self.linear.weight
                + torch.einsum("or,ri->oi", self.lora_b, self.lora_a) * self.scale
            )


class LoraByMerging(nn.Module):
    def __init__(self, weight, rank, alpha):
        super().__init__()
        self.weight, self.factor = weight, alpha / rank
        self.register_parameter("lora_a", nn.Parameter(torch.rand(rank, weight.shape[1]) - 0.5))
        self.register_parameter("lora_b", nn.Parameter(torch.zeros(len(weight), rank)))

    def forward(self, x):
        return x @ self.merged().transpose(0, 1)

    def merged(self):
        return torch.addmm(self.weight, self.lora_b, self.lora_a, alpha=self.factor)


VARIANTS = {
    "lora-by-hand": [LoraWithAFrozenParameter, LoraAroundALinearLayer, LoraByMerging],
}
