"""Exercise: cross-entropy by hand, with the targets that do not count. Lesson 06."""

from random import Random

import torch
from torch import Tensor

from lessons_lib.exercises import Exercise, WrongAnswer

IGNORE = -100


def my_cross_entropy(logits: Tensor, targets: Tensor) -> float:
    """The mean of −log p over the targets that are not -100, in nats; a number.

    logits is (positions, vocabulary), targets (positions,).
    """
    raise NotImplementedError


def answer(logits: Tensor, targets: Tensor) -> float:
    probabilities = torch.softmax(logits, dim=1)  # (positions, vocabulary)
    losses = []
    for row, target in zip(probabilities, targets.tolist(), strict=True):
        if target != -100:
            losses.append(-torch.log(row[target]))
    return torch.stack(losses).mean().item()


def losses_of(logits: Tensor, targets: Tensor) -> Tensor:
    """−log p of each live target, (n,)."""
    live = targets != IGNORE
    return -torch.log_softmax(logits[live], dim=1).gather(1, targets[live, None])[:, 0]


def over_all_positions(logits: Tensor, targets: Tensor) -> Tensor:
    return losses_of(logits, targets).sum() / len(targets)


def summed(logits: Tensor, targets: Tensor) -> Tensor:
    return losses_of(logits, targets).sum()


def with_log_10(logits: Tensor, targets: Tensor) -> Tensor:
    return losses_of(logits, targets).mean() / torch.log(torch.tensor(10.0))


def with_log_2(logits: Tensor, targets: Tensor) -> Tensor:
    return losses_of(logits, targets).mean() / torch.log(torch.tensor(2.0))


def without_the_sign(logits: Tensor, targets: Tensor) -> float:
    return -answer(logits, targets)


def without_softmax(logits: Tensor, targets: Tensor) -> Tensor:
    live = targets != IGNORE
    return -logits[live].gather(1, targets[live, None]).mean()


def mean_before_log(logits: Tensor, targets: Tensor) -> Tensor:
    return -torch.log(torch.exp(-losses_of(logits, targets)).mean())


def one_minus_p(logits: Tensor, targets: Tensor) -> Tensor:
    return (1 - torch.exp(-losses_of(logits, targets))).mean()


def softmax_down_the_columns(logits: Tensor, targets: Tensor) -> Tensor:
    live = targets != IGNORE
    columns = torch.log_softmax(logits, dim=0)[live]
    return -columns.gather(1, targets[live, None]).mean()


def of_the_likeliest(logits: Tensor, targets: Tensor) -> Tensor:
    live = targets != IGNORE
    return -torch.log_softmax(logits[live], dim=1).amax(dim=1).mean()


def last_token_for_ignored(logits: Tensor, targets: Tensor) -> Tensor:
    return losses_of(logits, targets.where(targets != IGNORE, logits.shape[1] - 1)).mean()


def first_token_for_ignored(logits: Tensor, targets: Tensor) -> Tensor:
    return losses_of(logits, targets.clamp(min=0)).mean()


def cases() -> list[tuple]:
    two = torch.tensor([[-1.0, 1.0], [-0.5, 1.5]])
    three = torch.tensor([[-1.0, 1.0], [-0.5, 1.5], [-0.5, 1.5]])
    wide = torch.tensor([[2.0, 0.0, 1.0], [0.0, 0.5, -1.0], [0.0, 3.0, 1.0], [1.0, 1.0, 2.0]])
    return [
        (two, torch.tensor([0, 1])),
        (three, torch.tensor([0, 1, 1])),
        (three, torch.tensor([0, 1, IGNORE])),
        (wide, torch.tensor([IGNORE, 2, 1, IGNORE])),
    ]


def draw(source: Random) -> tuple:
    """Up to eight positions over up to six tokens; at least one target counts."""
    positions, vocabulary = source.randint(1, 8), source.randint(2, 6)
    logits = [[source.uniform(-3, 3) for _ in range(vocabulary)] for _ in range(positions)]
    targets = source.choices([IGNORE, IGNORE, *range(vocabulary)], k=positions)
    targets[source.randrange(positions)] = source.randrange(vocabulary)
    return torch.tensor(logits), torch.tensor(targets)


CROSS_ENTROPY = Exercise(
    name="cross-entropy",
    title="Cross-entropy by hand",
    lesson="06",
    minutes=12,
    difficulty=2,
    statement="""
Compute the loss of the two positions above with a pocket calculator, or in your head as far as you
get; then write `my_cross_entropy`, which does it for any number of positions. For each position:
turn its logits into probabilities, look up the probability p of the target, take −log p (the
natural logarithm). The loss is the mean of these numbers.

A target of −100 does not count: it adds nothing to the sum, and it is not among the positions by
whose number you divide. At least one target counts. (`F.cross_entropy` is what you are rebuilding;
it serves to compare.)
""",
    attempt=my_cross_entropy,
    answer=answer,
    hints=(
        "For the logits [−1, 1] the probabilities are e⁻¹ and e¹, each divided by their sum: 0.12 "
        "and 0.88. If the target is token 0, which of them is p?",
        "`torch.softmax(logits, dim=1)` makes each row's probabilities. Then go through rows and "
        "targets together and leave out each target of −100.",
        "`-torch.log(probabilities[i, target])` for each i whose target is not −100; add these up "
        "and divide by how many there were.",
    ),
    wrong_answers=(
        WrongAnswer(
            over_all_positions,
            "the sum is divided by all positions, the ignored ones too",
            "That treats an ignored target as one that was predicted without fault, and the loss "
            "looks better than it is. Divide by the number of targets that count.",
        ),
        WrongAnswer(
            summed,
            "the losses are added up and not divided",
            "A sum grows with the length of a text, whatever the model is worth; take the mean.",
        ),
        WrongAnswer(
            with_log_10,
            "the logarithm has the base 10",
            "The loss is measured in nats: `torch.log` and `math.log` are the natural logarithm.",
        ),
        WrongAnswer(
            with_log_2,
            "the logarithm has the base 2",
            "These are bits, an honest unit and another one; PyTorch counts in nats, with the "
            "natural logarithm.",
        ),
        WrongAnswer(
            without_the_sign,
            "the minus sign is missing",
            "A probability is at most 1, so its logarithm is at most 0. The minus makes it a loss, "
            "which is large where the model is wrong.",
        ),
        WrongAnswer(
            without_softmax,
            "the logit of the target is taken for the logarithm of its probability",
            "Logits do not add up to anything. Softmax first: what one token gains, the others "
            "lose.",
        ),
        WrongAnswer(
            mean_before_log,
            "the mean is taken of the probabilities, and then the logarithm",
            "One hopeless position would hardly show. Take the logarithm of each, then the mean.",
        ),
        WrongAnswer(
            one_minus_p,
            "1 − p is taken instead of −log p",
            "That says how much is missing, and can never be more than 1. −log p grows without "
            "end as p goes to 0: being sure and wrong costs most.",
        ),
        WrongAnswer(
            softmax_down_the_columns,
            "softmax runs over the positions",
            "The tokens of the vocabulary compete at one position; positions do not compete with "
            "each other. `dim=1`.",
        ),
        WrongAnswer(
            of_the_likeliest,
            "the likeliest token's probability is looked up",
            "How sure the model was does not say whether it was right. Look up the target's.",
        ),
        WrongAnswer(
            last_token_for_ignored,
            "a target of −100 is taken for the last token",
            "Python counts from the end where an index is negative, and here that's an accident. "
            "Leave the position out.",
        ),
        WrongAnswer(
            first_token_for_ignored,
            "a target of −100 is taken for token 0",
            "Token 0 is a token like any other. Leave the position out.",
        ),
    ),
    cases=cases,
    draw=draw,
    imports="import torch\nfrom torch import Tensor\n\n",
)
