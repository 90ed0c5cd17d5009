"""Exercise: a linear layer that learns in two thin matrices while its own weight is frozen."""

from random import Random
from typing import Any

import torch
from torch import Tensor, nn

from lessons_lib.exercises import Exercise, WrongAnswer


class LoRALayer(nn.Module):
    """A linear layer with a frozen weight, and two thin matrices that learn what to add to it.

    weight is (out, in). Make lora_a, (rank, in), at random and lora_b, (out, rank), of zeros.
    """

    def __init__(self, weight: Tensor, rank: int, alpha: float):
        super().__init__()
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:  # (…, in) → (…, out)
        raise NotImplementedError

    def merged(self) -> Tensor:
        """The weight, (out, in), of one plain linear layer that computes the same."""
        raise NotImplementedError


class Answer(nn.Module):
    def __init__(self, weight: Tensor, rank: int, alpha: float):
        super().__init__()
        self.register_buffer("weight", weight)
        self.scale = alpha / rank
        self.lora_a = nn.Parameter(torch.randn(rank, weight.shape[1]))
        self.lora_b = nn.Parameter(torch.zeros(weight.shape[0], rank))

    def forward(self, x: Tensor) -> Tensor:
        narrow = x @ self.lora_a.T  # (…, rank)
        return x @ self.weight.T + self.scale * (narrow @ self.lora_b.T)

    def merged(self) -> Tensor:
        return self.weight + self.scale * (self.lora_b @ self.lora_a)


class BAtRandom(Answer):
    def __init__(self, weight: Tensor, rank: int, alpha: float):
        super().__init__(weight, rank, alpha)
        nn.init.normal_(self.lora_b)


class BothZero(Answer):
    def __init__(self, weight: Tensor, rank: int, alpha: float):
        super().__init__(weight, rank, alpha)
        nn.init.zeros_(self.lora_a)


class ZeroInTheOther(BothZero):
    def __init__(self, weight: Tensor, rank: int, alpha: float):
        super().__init__(weight, rank, alpha)
        nn.init.normal_(self.lora_b)


class Swapped(Answer):
    def __init__(self, weight: Tensor, rank: int, alpha: float):
        super().__init__(weight, rank, alpha)
        self.lora_a = nn.Parameter(torch.randn(weight.shape[0], rank))
        self.lora_b = nn.Parameter(torch.zeros(rank, weight.shape[1]))


class PlainTensors(Answer):
    def __init__(self, weight: Tensor, rank: int, alpha: float):
        super().__init__(weight, rank, alpha)
        del self.lora_a, self.lora_b
        self.lora_a = torch.randn(rank, weight.shape[1])
        self.lora_b = torch.zeros(weight.shape[0], rank)


class TensorsWithGradients(PlainTensors):
    def __init__(self, weight: Tensor, rank: int, alpha: float):
        super().__init__(weight, rank, alpha)
        self.lora_a.requires_grad_()
        self.lora_b.requires_grad_()


class WeightTrained(Answer):
    def __init__(self, weight: Tensor, rank: int, alpha: float):
        super().__init__(weight, rank, alpha)
        del self.weight
        self.weight = nn.Parameter(weight)


class NotScaled(Answer):
    def __init__(self, weight: Tensor, rank: int, alpha: float):
        super().__init__(weight, rank, alpha)
        self.scale = 1.0


class NotDividedByRank(Answer):
    def __init__(self, weight: Tensor, rank: int, alpha: float):
        super().__init__(weight, rank, alpha)
        self.scale = alpha


class MergedUnscaled(Answer):
    def merged(self) -> Tensor:
        return self.weight + self.lora_b @ self.lora_a


class MergedInPlace(Answer):
    def merged(self) -> Tensor:
        self.weight += self.scale * (self.lora_b @ self.lora_a).detach()
        return self.weight.clone()


class NothingLearns(Answer):
    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            weight = self.merged()
        return x @ weight.T


class FrozenWeightLost(Answer):
    def forward(self, x: Tensor) -> Tensor:
        return self.scale * (x @ self.lora_a.T @ self.lora_b.T)


PARTS = (
    "the names of what is trained",
    "the shapes of lora_a and lora_b",
    "whether lora_a starts with other numbers than 0, and lora_b with zeros alone",
    "the output at the start, for three rows",
    "the output with numbers in both matrices",
    "the gradients of both after that",
    "the merged weight",
    "the output after merging",
)


def observed(layer: nn.Module, arguments: tuple) -> tuple[Any, ...]:
    """What a layer is at the start, and what it does with numbers in both matrices; see PARTS.

    What random numbers decide is told as a yes or no.
    """
    weight, rank, _ = arguments
    rows, columns = weight.shape
    trained = sorted(name for name, each in layer.named_parameters() if each.requires_grad)
    shapes = [list(layer.lora_a.shape), list(layer.lora_b.shape)]
    begin = [bool(layer.lora_a.any()), not layer.lora_b.any()]
    if shapes != [[rank, columns], [rows, rank]]:
        return trained, shapes, begin, None, None, None, None, None
    x = torch.arange(3.0 * columns).reshape(1, 3, columns) - columns
    start = layer(x)
    # Of random numbers in both only that it is not the frozen layer's can be compared.
    start = start if torch.allclose(start, x @ weight.T) or begin[1] else None
    with torch.no_grad():
        layer.lora_a.copy_(torch.arange(rank * columns).reshape(rank, columns) % 3 - 1)
        layer.lora_b.copy_(torch.arange(rows * rank).reshape(rows, rank) % 5 - 1)
    output = layer(x)
    if output.requires_grad:
        (output * torch.arange(rows)).sum().backward()
    gradients = [layer.lora_a.grad, layer.lora_b.grad]
    told = [None if each is None else each.tolist() for each in gradients]
    return trained, shapes, begin, start, output, told, layer.merged(), layer(x)


def cases() -> list[tuple]:
    return [
        (torch.tensor([[1.0, 0.0, 2.0], [0.0, 1.0, -1.0]]), 2, 8),
        (torch.tensor([[2.0, 1.0], [0.0, -1.0], [1.0, 1.0], [3.0, 0.0]]), 2, 1),
        (torch.eye(3), 3, 6),
    ]


def draw(source: Random) -> tuple:
    """A weight of whole numbers, and an alpha by which nothing has to be rounded."""
    rows, columns = source.sample(range(2, 7), 2)
    values = [[float(source.randint(-3, 3)) for _ in range(columns)] for _ in range(rows)]
    rank = source.choice((2, 3, 4))
    return torch.tensor(values), rank, rank * source.choice((0.5, 2, 4))


LORA_BY_HAND = Exercise(
    name="lora-by-hand",
    title="LoRA in twenty lines",
    lesson="14",
    minutes=20,
    difficulty=3,
    statement="""
Training changes each weight matrix a little. LoRA assumes that this change is simple enough to be
the product of two thin matrices, and trains those instead: beside a frozen `weight`, (out, in),
stand `lora_a`, (rank, in), and `lora_b`, (out, rank). The layer computes what the weight makes of
`x`, plus `alpha / rank` times what `lora_b @ lora_a` makes of it. The factor keeps the size of the
change when you try another rank.

Write `LoRALayer`. At the start `lora_a` is random and `lora_b` is zero, so that the model is at
first the one you loaded; both are parameters, and the weight is not trained. `merged()` returns the
one weight of a plain linear layer that does the same, and leaves the layer as it is. There is no
bias. On paper first: how many numbers are trained where out = in = 576 and the rank is 16, and how
many without LoRA?
""",
    attempt=LoRALayer,
    answer=Answer,
    hints=(
        "What should not be trained need not be a parameter: keep the weight as a buffer, which "
        "`.to(device)` moves and `state_dict()` holds; they do not know a plain attribute. Then "
        "follow the shapes: x is (…, in), and the product must come out as (…, out).",
        "`x @ self.lora_a.T` is (…, rank), and that times `self.lora_b.T` is (…, out). The factor "
        "`alpha / rank` belongs to the product, in `forward` and in `merged`.",
        '`self.register_buffer("weight", weight)`; `nn.Parameter(torch.randn(rank, '
        "weight.shape[1]))` and `nn.Parameter(torch.zeros(weight.shape[0], rank))`; forward "
        "returns `x @ self.weight.T + self.scale * (x @ self.lora_a.T @ self.lora_b.T)`, merged "
        "`self.weight + self.scale * (self.lora_b @ self.lora_a)`.",
    ),
    wrong_answers=(
        WrongAnswer(
            BAtRandom,
            "lora_b starts at random like lora_a",
            "Their product is then noise that is added to every layer, before anything is "
            "learned. With zeros in lora_b the model starts as it was.",
        ),
        WrongAnswer(
            BothZero,
            "both matrices start at zero",
            "The gradient of each is made with the other, so both are zero, and stay so for ever. "
            "One of the two has to start at random.",
        ),
        WrongAnswer(
            ZeroInTheOther,
            "lora_a is the one that starts at zero, and lora_b the random one",
            "The product is zero that way, too, and it would learn; but the method, and everybody "
            "who loads your adapter, has it the other way round.",
        ),
        WrongAnswer(
            Swapped,
            "the two matrices have each other's shapes",
            "lora_a comes first and makes x narrow: (rank, in). lora_b makes it wide again: "
            "(out, rank).",
        ),
        WrongAnswer(
            PlainTensors,
            "lora_a and lora_b are no parameters",
            "`parameters()` does not name them, so no optimizer ever sees them and they never "
            "change. Wrap both in nn.Parameter.",
        ),
        WrongAnswer(
            TensorsWithGradients,
            "lora_a and lora_b are tensors that have a gradient but are no parameters",
            "Gradients reach them, but `parameters()`, `state_dict()` and `.to(device)` do not: "
            "no optimizer gets them, and no file. Wrap both in nn.Parameter.",
        ),
        WrongAnswer(
            WeightTrained,
            "the weight is a parameter that is trained, too",
            "Then nothing is saved: its gradient and both of AdamW's averages take the memory "
            "that LoRA is there to spare. Keep it as a buffer, or with requires_grad=False.",
        ),
        WrongAnswer(
            NotScaled,
            "alpha / rank is left out",
            "The product counts `alpha / rank` times, in forward and in merged.",
        ),
        WrongAnswer(
            NotDividedByRank,
            "the product is multiplied by alpha alone",
            "A higher rank adds up more products, so the change would grow with it. Divide by the "
            "rank.",
        ),
        WrongAnswer(
            MergedUnscaled,
            "merged leaves alpha / rank out, though forward has it",
            "A model that was good in training gets worse the moment it is merged, and no loss "
            "shows it. Both must add the same.",
        ),
        WrongAnswer(
            MergedInPlace,
            "merged adds to the layer's own weight",
            "forward then adds the product a second time, and each further call of merged once "
            "more. Return a new tensor.",
        ),
        WrongAnswer(
            NothingLearns,
            "forward multiplies by a merged weight that was made without gradients",
            "The numbers are right, and no gradient reaches lora_a and lora_b: nothing is ever "
            "learned. Compute the product of the two with gradients.",
        ),
        WrongAnswer(
            FrozenWeightLost,
            "forward returns what the two matrices make, without the frozen weight",
            "They learn a change. What the weight makes of x has to be added.",
        ),
    ),
    cases=cases,
    draw=draw,
    parts=PARTS,
    imports="import torch\nfrom torch import Tensor, nn\n\n",
    library_name="`LoRALinear` in `lessons_lib.bridges`",
    observed=observed,
)
