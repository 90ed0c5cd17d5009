"""Exercise: gradients that are too long, made shorter. Lesson 09."""

from random import Random

import torch
from torch import Tensor, nn

from lessons_lib.exercises import Exercise, WrongAnswer


def clip_gradients(gradients: list[Tensor], limit: float) -> list[Tensor]:
    """The gradients, scaled by one factor so that their common norm is limit at most.

    gradients holds one tensor for each parameter; their common norm is that of all their numbers
    in one row. Where it is not above limit, they stay as they are.
    """
    raise NotImplementedError


def answer(gradients: list[Tensor], limit: float) -> list[Tensor]:
    squares = torch.stack([gradient.square().sum() for gradient in gradients])
    norm = squares.sum().sqrt().item()
    scale = limit / max(norm, limit)
    return [gradient * scale for gradient in gradients]


def library(gradients: list[Tensor], limit: float) -> list[Tensor]:
    parameters = [nn.Parameter(torch.zeros_like(gradient)) for gradient in gradients]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient.clone()
    nn.utils.clip_grad_norm_(parameters, limit)
    return [parameter.grad for parameter in parameters]


def scaled_by(gradients: list[Tensor], limit: float, norm: Tensor) -> list[Tensor]:
    """All scaled by one factor, where this norm is above the limit."""
    scale = limit / max(norm.item(), limit)
    return [gradient * scale for gradient in gradients]


def each_by_itself(gradients: list[Tensor], limit: float) -> list[Tensor]:
    return [scaled_by([each], limit, each.norm())[0] for each in gradients]


def always_to_the_limit(gradients: list[Tensor], limit: float) -> list[Tensor]:
    norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    return [gradient * limit / norm for gradient in gradients]


def values_cut_off(gradients: list[Tensor], limit: float) -> list[Tensor]:
    return [gradient.clamp(-limit, limit) for gradient in gradients]


def norms_added(gradients: list[Tensor], limit: float) -> list[Tensor]:
    return scaled_by(gradients, limit, torch.stack([each.norm() for each in gradients]).sum())


def without_the_root(gradients: list[Tensor], limit: float) -> list[Tensor]:
    return scaled_by(gradients, limit, sum(each.square().sum() for each in gradients))


def longest_alone(gradients: list[Tensor], limit: float) -> list[Tensor]:
    return scaled_by(gradients, limit, torch.stack([each.norm() for each in gradients]).max())


def largest_number(gradients: list[Tensor], limit: float) -> list[Tensor]:
    return scaled_by(gradients, limit, torch.stack([each.abs().max() for each in gradients]).max())


def to_norm_one(gradients: list[Tensor], limit: float) -> list[Tensor]:
    norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    return [gradient / norm if norm > limit else gradient for gradient in gradients]


def observed(result: list[Tensor], arguments: tuple) -> list[list]:
    """The gradients as lists, without the digits that only rounding makes."""
    return [
        [round(value, 4) for value in torch.as_tensor(each).flatten().tolist()] for each in result
    ]


def cases() -> list[tuple]:
    return [
        ([torch.tensor([3.0, 0.0]), torch.tensor([[0.0], [4.0]])], 2.5),  # of norm 5
        ([torch.tensor([0.3]), torch.tensor([0.4, 0.0])], 1.0),  # of norm 0.5
        ([torch.tensor([0.6]), torch.tensor([0.0, 0.8])], 1.2),  # of norm 1, and of norms 1.4
        ([torch.tensor([2.0, -2.0]), torch.tensor([1.0])], 1.5),  # of norm 3
    ]


def draw(source: Random) -> tuple:
    """Gradients whose norm is a whole number, and a limit below or above it.

    The factor is 1/2, 1/4 or none, so that nothing has to be rounded.
    """
    *values, norm = source.choice(((2, 3, 6, 7), (1, 4, 8, 9), (4, 4, 7, 9), (2, 6, 9, 11)))
    values = [float(source.choice((-value, value))) for value in values]
    source.shuffle(values)
    gradients = [torch.tensor(values[:1]), torch.tensor([values[1:]])]
    return gradients, norm * source.choice((0.25, 0.5, 2.0))


CLIP_GRADIENTS = Exercise(
    name="clip-gradients",
    title="Shorten what is too long",
    lesson="09",
    minutes=10,
    difficulty=2,
    statement="""
One odd batch can have gradients ten times as long as its neighbours', and one step along them can
undo many. So before each move the loop looks at how long the gradient is: all parameters'
gradients together, taken as one long row of numbers. If that row's norm (the root of the sum of
its squares) is above a limit, all of it is made shorter by one factor; the direction stays.

Write `clip_gradients`, and leave its arguments as they are. On paper first: the gradients (3, 0)
and (0, 4), and the limit 2.5.
""",
    attempt=clip_gradients,
    answer=answer,
    hints=(
        "How long is (3, 0, 0, 4)? Its direction stays if every number is multiplied by the same "
        "factor. What is that factor, and when is it 1?",
        "Add up `gradient.square().sum()` over all gradients and take one root at the end. Below "
        "the limit nothing changes.",
        "`norm = sum(gradient.square().sum() for gradient in gradients).sqrt()`, then "
        "`gradient * limit / norm` for each if `norm > limit`, otherwise `gradient`.",
    ),
    wrong_answers=(
        WrongAnswer(
            each_by_itself,
            "each tensor is clipped by itself",
            "Long ones get shorter and short ones do not, so the direction changes. One norm for "
            "all, one factor for all.",
        ),
        WrongAnswer(
            always_to_the_limit,
            "every gradient is brought to the limit, short ones too",
            "Where little is left to learn gradients are short, and so should the step be. Scale "
            "only what is above the limit.",
        ),
        WrongAnswer(
            values_cut_off,
            "single numbers are cut off at the limit",
            "That is another method (clipping by value), and it turns the direction: the largest "
            "numbers lose, the others do not.",
        ),
        WrongAnswer(
            norms_added,
            "the tensors' norms are added up",
            "Norms do not add: (3, 0) and (0, 4) have the norms 3 and 4, and together 5. Add the "
            "squares, and take one root.",
        ),
        WrongAnswer(
            without_the_root,
            "the root is forgotten",
            "The sum of squares is the norm's square: 25 where the norm is 5.",
        ),
        WrongAnswer(
            longest_alone,
            "the longest tensor's norm stands for all",
            "The others add to the length too: with thousands of parameters the whole is far "
            "longer than its longest part.",
        ),
        WrongAnswer(
            largest_number,
            "the largest number stands for the norm",
            "The norm is the root of the sum of all squares; a long row of small numbers is long.",
        ),
        WrongAnswer(
            to_norm_one,
            "the norm becomes 1, whatever the limit is",
            "Dividing by the norm gives length 1; multiply by the limit as well.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="import torch\nfrom torch import Tensor\n\n",
    library=library,
    library_name="PyTorch's `nn.utils.clip_grad_norm_`, which changes the gradients in place",
    observed=observed,
)
