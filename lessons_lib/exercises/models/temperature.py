"""Exercise: logits, a temperature, probabilities. Lesson 08."""

from random import Random

import torch
from torch import Tensor

from lessons_lib.exercises import Exercise, WrongAnswer
from lessons_lib.generation.sampling import token_probabilities
from lessons_lib.support.reply_options import ReplyOptions


def at_temperature(logits: Tensor, temperature: float) -> Tensor:
    """The probabilities, (vocabulary,), with which tokens are drawn; the temperature is above 0."""
    raise NotImplementedError


def answer(logits: Tensor, temperature: float) -> Tensor:
    powers = torch.exp(logits / temperature)  # (vocabulary,)
    return powers / powers.sum()


def library(logits: Tensor, temperature: float) -> Tensor:
    return token_probabilities(logits, ReplyOptions(temperature=temperature))


def multiplied(logits: Tensor, temperature: float) -> Tensor:
    return torch.softmax(logits * temperature, dim=0)


def divided_after_softmax(logits: Tensor, temperature: float) -> Tensor:
    return torch.softmax(logits, dim=0) / temperature


def cancelled_out(logits: Tensor, temperature: float) -> Tensor:
    shares = divided_after_softmax(logits, temperature)
    return shares / shares.sum()


def power_without_a_sum(logits: Tensor, temperature: float) -> Tensor:
    return torch.softmax(logits, dim=0) ** (1 / temperature)


def scores_alone(logits: Tensor, temperature: float) -> Tensor:
    return logits / temperature


def logarithms(logits: Tensor, temperature: float) -> Tensor:
    return torch.log_softmax(logits / temperature, dim=0)


def softmax_twice(logits: Tensor, temperature: float) -> Tensor:
    return torch.softmax(torch.softmax(logits, dim=0) / temperature, dim=0)


def powers_alone(logits: Tensor, temperature: float) -> Tensor:
    return torch.exp(logits / temperature)


def divided_by_the_largest(logits: Tensor, temperature: float) -> Tensor:
    powers = torch.exp(logits / temperature)
    return powers / powers.max()


def cases() -> list[tuple]:
    return [
        (torch.tensor([2.0, 0.0]), 2.0),
        (torch.tensor([2.0, 0.0]), 0.5),
        (torch.tensor([1.0, -1.0, 3.0, 0.0]), 1.0),
        (torch.tensor([0.5, 0.5, -2.0]), 0.7),
    ]


def draw(source: Random) -> tuple:
    """Up to eight logits, and a temperature from 0.3 to 3."""
    logits = [source.uniform(-4, 4) for _ in range(source.randint(2, 8))]
    return torch.tensor(logits), source.uniform(0.3, 3.0)


TEMPERATURE = Exercise(
    name="temperature",
    title="Bolder, or more careful",
    lesson="08",
    minutes=6,
    difficulty=1,
    statement="""
Two tokens have the logits 2 and 0. Softmax gives them 88 % and 12 %. A **temperature** changes how
far apart they are: every logit is divided by it *before* the softmax. With a temperature of 2 the
logits are 1 and 0; with 0.5 they are 4 and 0. Work out both pairs of percentages; which of the two
temperatures is the bolder one?

Then write `at_temperature`, which returns the probabilities of all tokens, adding up to 1.
""",
    attempt=at_temperature,
    answer=answer,
    hints=(
        "Softmax of 1 and 0: e¹ = 2.72 and e⁰ = 1, each divided by their sum, 3.72. Of 4 and 0: "
        "54.6 and 1, each divided by 55.6.",
        "Two operations, and their order is everything: divide the logits, then make probabilities "
        "of them.",
        "`torch.softmax(…, dim=0)` of `logits / temperature`; or `torch.exp` of it, divided by "
        "its own sum.",
    ),
    wrong_answers=(
        WrongAnswer(
            multiplied,
            "the logits are multiplied by the temperature, or probabilities raised to its power",
            "That turns the knob the wrong way round: a high temperature would make the likeliest "
            "token still likelier. Heat brings the tokens nearer to each other, so divide.",
        ),
        WrongAnswer(
            divided_after_softmax,
            "the probabilities are divided by the temperature",
            "They no longer add up to 1, and each token is exactly as likely beside the others as "
            "before. Divide the logits, before the softmax.",
        ),
        WrongAnswer(
            cancelled_out,
            "the temperature has no effect, as when probabilities are divided by it and then "
            "by their sum",
            "A factor that all probabilities share cancels out. In the exponent it does not: "
            "divide the logits.",
        ),
        WrongAnswer(
            power_without_a_sum,
            "probabilities are raised to the power 1 / temperature and left so",
            "The proportions are right. Divide by the sum, so that they add up to 1.",
        ),
        WrongAnswer(
            scores_alone,
            "the softmax is missing",
            "These are logits still, some of them negative. Probabilities are wanted.",
        ),
        WrongAnswer(
            logarithms,
            "`log_softmax` stands where `softmax` should",
            "Logarithms of probabilities are what a loss needs. To draw, one needs the "
            "probabilities themselves.",
        ),
        WrongAnswer(
            softmax_twice,
            "softmax is applied twice, before the temperature and after it",
            "The first one has squeezed all scores into 0 … 1, so the second finds hardly any "
            "difference. Divide the logits, then one softmax.",
        ),
        WrongAnswer(
            powers_alone,
            "the powers of e are not divided by their sum",
            "All are positive and in the right proportions, but they don't add up to 1. What is "
            "each token's share of the whole?",
        ),
        WrongAnswer(
            divided_by_the_largest,
            "the powers are divided by the largest of them",
            "Then the likeliest token has 1, and the others come on top of it. Divide by the sum.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="import torch\nfrom torch import Tensor\n\n",
    library=library,
    library_name="`token_probabilities` in `lessons_lib.generation.sampling`",
)
