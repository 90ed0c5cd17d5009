"""Exercise: a loss in which the prompt's tokens count a little. Lesson 06."""

from random import Random

import torch
from torch import Tensor

from lessons_lib.exercises import Exercise, WrongAnswer


def weighted_mean(losses: Tensor, is_prompt: Tensor, prompt_weight: float) -> float:
    """The mean of the losses, those of the prompt counting prompt_weight, the others 1; a number.

    losses and is_prompt are (targets,); is_prompt holds True and False.
    """
    raise NotImplementedError


def answer(losses: Tensor, is_prompt: Tensor, prompt_weight: float) -> float:
    weights = torch.where(is_prompt, prompt_weight, 1.0)  # (targets,)
    return ((losses * weights).sum() / weights.sum()).item()


def divided_by_the_number(losses: Tensor, is_prompt: Tensor, prompt_weight: float) -> Tensor:
    return (losses * torch.where(is_prompt, prompt_weight, 1.0)).mean()


def divided_by_the_response(losses: Tensor, is_prompt: Tensor, prompt_weight: float) -> Tensor:
    return (losses * torch.where(is_prompt, prompt_weight, 1.0)).sum() / (~is_prompt).sum()


def two_means_added(losses: Tensor, is_prompt: Tensor, prompt_weight: float) -> Tensor:
    return losses[~is_prompt].mean() + prompt_weight * losses[is_prompt].mean()


def mean_of_two_means(losses: Tensor, is_prompt: Tensor, prompt_weight: float) -> Tensor:
    return two_means_added(losses, is_prompt, prompt_weight) / (1 + prompt_weight)


def undivided(losses: Tensor, is_prompt: Tensor, prompt_weight: float) -> Tensor:
    return (losses * torch.where(is_prompt, prompt_weight, 1.0)).sum()


def response_weighted(losses: Tensor, is_prompt: Tensor, prompt_weight: float) -> Tensor:
    weights = torch.where(is_prompt, 1.0, prompt_weight)
    return (losses * weights).sum() / weights.sum()


def weights_as_rest(losses: Tensor, is_prompt: Tensor, prompt_weight: float) -> Tensor:
    weights = torch.where(is_prompt, prompt_weight, 1 - prompt_weight)
    return (losses * weights).sum() / weights.sum()


def unweighted(losses: Tensor, is_prompt: Tensor, prompt_weight: float) -> Tensor:
    return losses.mean()


def response_alone(losses: Tensor, is_prompt: Tensor, prompt_weight: float) -> Tensor:
    return losses[~is_prompt].mean()


def cases() -> list[tuple]:
    return [
        (torch.tensor([4.0, 1.0]), torch.tensor([True, False]), 0.1),
        (torch.tensor([4.0, 1.0, 2.0]), torch.tensor([True, False, False]), 1.0),
        (torch.tensor([6.0, 2.0, 1.0]), torch.tensor([True, True, False]), 0.0),
        (torch.tensor([3.0, 5.0, 2.0, 1.0, 0.5]), torch.tensor([True] * 3 + [False] * 2), 0.5),
    ]


def draw(source: Random) -> tuple:
    """Up to twelve targets, at least one of them in the response, and a weight from 0 to 1."""
    count = source.randint(1, 12)
    is_prompt = [source.random() < 0.5 for _ in range(count - 1)] + [False]
    losses = [source.uniform(0.1, 9.0) for _ in range(count)]
    weight = source.choice((0.0, 0.1, 0.3, 1.0))
    return torch.tensor(losses), torch.tensor(is_prompt), weight


WEIGHTED_MEAN = Exercise(
    name="weighted-mean",
    title="Let the prompt count a little",
    lesson="06",
    minutes=8,
    difficulty=2,
    statement="""
Some targets belong to the prompt and should count, but less. Write `weighted_mean`: each loss is
multiplied by its weight, `prompt_weight` for those of the prompt and 1 for all others, and the sum
is divided by the sum of the **weights**.

On paper first: one target of the prompt has the loss 4, one of the response the loss 1, and the
prompt counts 0.1. Then look at both ends of the dial. With a weight of 1 your result must be the
plain mean, with 0 the mean over the response alone, as if the prompt were masked.
""",
    attempt=weighted_mean,
    answer=answer,
    hints=(
        "If all losses are 3, then every mean of them must be 3, whatever the weights. Does yours "
        "pass that test?",
        "`torch.where(is_prompt, prompt_weight, 1.0)` makes a weight for each target. The weights "
        "are needed twice, above the line and below it.",
        "`(losses * weights).sum() / weights.sum()`; on paper (0.1 · 4 + 1 · 1) / (0.1 + 1).",
    ),
    wrong_answers=(
        WrongAnswer(
            divided_by_the_number,
            "the sum is divided by the number of targets",
            "A target that counts a tenth must count a tenth below the line, too. As it is, a "
            "longer prompt makes the loss smaller and the steps shorter, though nothing was "
            "learned.",
        ),
        WrongAnswer(
            divided_by_the_response,
            "the sum is divided by the number of the response's targets",
            "The prompt adds to the sum, so it must add to the divisor: its weights.",
        ),
        WrongAnswer(
            two_means_added,
            "the prompt's mean is multiplied by the weight and added to the response's",
            "With a weight of 1 this is not the mean over all targets. Weigh each loss, then take "
            "one mean.",
        ),
        WrongAnswer(
            mean_of_two_means,
            "prompt and response each get a mean, and the two are weighed",
            "That is a sensible loss, and another one: it forgets how many targets each has. With "
            "a weight of 1 it is not the mean over all.",
        ),
        WrongAnswer(
            undivided,
            "the weighted losses are added up and not divided",
            "A mean has a divisor: the sum of the weights.",
        ),
        WrongAnswer(
            response_weighted,
            "the response is given the weight and the prompt counts in full",
            "`torch.where(condition, a, b)` takes `a` where the condition is true. Where it is a "
            "target of the prompt, it counts prompt_weight.",
        ),
        WrongAnswer(
            weights_as_rest,
            "the response counts 1 − prompt_weight",
            "The response counts 1 on all settings of the dial; only the prompt's weight moves.",
        ),
        WrongAnswer(
            unweighted,
            "all targets count the same",
            "That is the dial at 1. Multiply each loss by its weight.",
        ),
        WrongAnswer(
            response_alone,
            "the prompt does not count at all",
            "That is the dial at 0, a mask. Between 0 and 1 the prompt has some say.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="import torch\nfrom torch import Tensor\n\n",
)
