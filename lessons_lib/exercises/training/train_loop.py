"""Exercise: the training loop, written out. Lesson 09."""

from collections.abc import Callable
from random import Random
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lessons_lib.exercises import Exercise, WrongAnswer
from lessons_lib.exercises.comparing import plain

Batches, Optimizer = list[tuple[Tensor, Tensor]], torch.optim.Optimizer


def train_loop(
    model: nn.Module, batches: list[tuple[Tensor, Tensor]], optimizer: torch.optim.Optimizer
) -> list[float]:
    """Train the model in place, one step a batch; return each step's loss, as numbers.

    A batch is (inputs, targets), both (batch, length); a target of -100 does not count.
    model(inputs) gives logits, (batch, length, vocabulary).
    """
    raise NotImplementedError


def answer(
    model: nn.Module, batches: list[tuple[Tensor, Tensor]], optimizer: torch.optim.Optimizer
) -> list[float]:
    model.train()
    losses = []
    for inputs, targets in batches:
        logits = model(inputs)  # (batch, length, vocabulary)
        flat = logits.flatten(0, 1), targets.flatten()
        loss = nn.functional.cross_entropy(*flat, ignore_index=-100)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def mean_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """The right loss: logits (batch, length, vocabulary), targets (batch, length)."""
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)


def loop_with(
    step: Callable[[Tensor], object],
    model: nn.Module,
    batches: Batches,
    loss_of: Callable[[Tensor, Tensor], Tensor] = mean_loss,
) -> list[float]:
    """A loop that is right but for what it does with each loss, or for the loss itself."""
    model.train()
    losses = []
    for inputs, targets in batches:
        loss = loss_of(model(inputs), targets)
        step(loss)
        losses.append(loss.item())
    return losses


def right_step(optimizer: Optimizer) -> Callable[[Tensor], None]:
    """What is right to do with each loss."""

    def step(loss: Tensor) -> None:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def never_cleared(model: nn.Module, batches: Batches, optimizer: Optimizer) -> list[float]:
    def step(loss: Tensor) -> None:
        loss.backward()
        optimizer.step()

    return loop_with(step, model, batches)


def one_step_late(model: nn.Module, batches: Batches, optimizer: Optimizer) -> list[float]:
    def step(loss: Tensor) -> None:
        optimizer.step()
        optimizer.zero_grad()
        loss.backward()

    return loop_with(step, model, batches)


def never_moved(model: nn.Module, batches: Batches, optimizer: Optimizer) -> list[float]:
    def step(loss: Tensor) -> None:
        optimizer.zero_grad()
        loss.backward()

    return loop_with(step, model, batches)


def clipped(model: nn.Module, batches: Batches, optimizer: Optimizer) -> list[float]:
    def step(loss: Tensor) -> None:
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return loop_with(step, model, batches)


def in_evaluation_mode(model: nn.Module, batches: Batches, optimizer: Optimizer) -> list[float]:
    step, losses = right_step(optimizer), []
    for inputs, targets in batches:
        loss = mean_loss(model(inputs), targets)
        step(loss)
        losses.append(loss.item())
    return losses


def graphs_kept(model: nn.Module, batches: Batches, optimizer: Optimizer) -> list[Tensor]:
    model.train()
    step, losses = right_step(optimizer), []
    for inputs, targets in batches:
        losses.append(mean_loss(model(inputs), targets))
        step(losses[-1])
    return losses


def measured_afterwards(model: nn.Module, batches: Batches, optimizer: Optimizer) -> list[float]:
    model.train()
    step, losses = right_step(optimizer), []
    for inputs, targets in batches:
        step(mean_loss(model(inputs), targets))
        losses.append(mean_loss(model(inputs), targets).item())
    return losses


def ignored_counted(model: nn.Module, batches: Batches, optimizer: Optimizer) -> list[float]:
    def mean_of_all(logits: Tensor, targets: Tensor) -> Tensor:
        flat = logits.flatten(0, 1), targets.flatten()
        return F.cross_entropy(*flat, ignore_index=-100, reduction="none").mean()

    return loop_with(right_step(optimizer), model, batches, mean_of_all)


def shifted_again(model: nn.Module, batches: Batches, optimizer: Optimizer) -> list[float]:
    def mean_of_shifted(logits: Tensor, targets: Tensor) -> Tensor:
        return mean_loss(logits[:, :-1], targets[:, 1:])

    return loop_with(right_step(optimizer), model, batches, mean_of_shifted)


def mean_of_row_means(model: nn.Module, batches: Batches, optimizer: Optimizer) -> list[float]:
    def mean_of_means(logits: Tensor, targets: Tensor) -> Tensor:
        rows = zip(logits, targets, strict=True)
        return torch.stack([F.cross_entropy(*row, ignore_index=-100) for row in rows]).mean()

    return loop_with(right_step(optimizer), model, batches, mean_of_means)


def softmax_twice(model: nn.Module, batches: Batches, optimizer: Optimizer) -> list[float]:
    def loss_of_probabilities(logits: Tensor, targets: Tensor) -> Tensor:
        return mean_loss(logits.softmax(dim=-1), targets)

    return loop_with(right_step(optimizer), model, batches, loss_of_probabilities)


def summed(model: nn.Module, batches: Batches, optimizer: Optimizer) -> list[float]:
    def sum_of_losses(logits: Tensor, targets: Tensor) -> Tensor:
        flat = logits.flatten(0, 1), targets.flatten()
        return F.cross_entropy(*flat, ignore_index=-100, reduction="sum")

    return loop_with(right_step(optimizer), model, batches, sum_of_losses)


class Changeable:
    """What a loop is meant to change: the check does not ask whether it stayed the same."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    __hash__ = object.__hash__


class TokenTable(Changeable, nn.Module):
    """A model of four tokens: row i of its table holds the logits of what follows token i.

    In float64, so that every way to write the same loss agrees; in evaluation mode, as loaded.
    """

    def __init__(self):
        super().__init__()
        values = torch.arange(16, dtype=torch.float64).reshape(4, 4)
        self.table = nn.Parameter(3 * (7 * values).cos())
        self.modes: list[bool] = []  # whether it was in training mode, for each call
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits, (batch, length, 4)."""
        self.modes.append(self.training)
        return self.table[inputs]


class Descent(Changeable, torch.optim.SGD):
    """Plain gradient descent with a rate at which a wrong gradient is seen at once."""

    def __init__(self, parameters: Any):
        super().__init__(parameters, lr=0.5)

    def __repr__(self) -> str:
        return "SGD(lr=0.5)"


def observed(result: Any, arguments: tuple) -> tuple:
    """The losses, the weights afterwards, the mode of every call, and how many graphs were kept."""
    model = arguments[0]
    losses, graphs = result, 0
    if isinstance(result, list | tuple | Tensor):
        graphs = sum(isinstance(loss, Tensor) and loss.requires_grad for loss in result)
        losses = [round(float(loss), 4) for loss in plain(result)]
    weights = [[round(value, 4) for value in row] for row in model.table.tolist()]
    return losses, weights, all(model.modes), graphs


def cases() -> list[tuple]:
    def case(*batches: tuple[list, list]) -> tuple:
        model = TokenTable()
        pairs = [(torch.tensor(inputs), torch.tensor(targets)) for inputs, targets in batches]
        return model, pairs, Descent(model.parameters())

    first = [[0, 1, 2], [3, 1, 0]], [[1, 2, 3], [-100, -100, 2]]
    second = [[2, 0], [1, 3]], [[-100, 3], [3, 1]]
    third = [[0, 2, 1, 3]], [[-100, 1, 3, -100]]
    sure_and_wrong = [[1]], [[0]]  # one target, and a gradient longer than 1
    return [
        case(first),
        case(second, first),
        case(first, third, second),
        case(sure_and_wrong, first),
    ]


def draw(source: Random) -> tuple:
    """Up to five batches of any size; in each some target counts."""
    model, pairs = TokenTable(), []
    for _ in range(source.randint(1, 5)):
        rows, length = source.randint(1, 3), source.randint(1, 5)
        inputs = [source.choices(range(4), k=length) for _ in range(rows)]
        targets = [source.choices((-100, 0, 1, 2, 3), k=length) for _ in range(rows)]
        targets[0][0] = source.randrange(4)
        pairs.append((torch.tensor(inputs), torch.tensor(targets)))
    return model, pairs, Descent(model.parameters())


TRAIN_LOOP = Exercise(
    name="train-step-loop",
    title="The training loop",
    lesson="09",
    minutes=25,
    difficulty=3,
    statement="""
This is the whole of fine-tuning, and it is shorter than its reputation. For each batch, in this
order: the model's logits, their mean loss over the targets that count, no gradients left over
from the step before, the gradients of this loss, and one move of the optimizer.

Write `train_loop`. The model comes in evaluation mode, as every loaded model does; training has a
mode of its own (`model.train()`), in which dropout is active. The targets are shifted and masked
already, by the collator that you know. Return each step's loss as measured *before* its move, as
plain numbers.

You know the loss from lesson 06. Here it may be PyTorch's, `nn.functional.cross_entropy`, which
wants logits of shape (n, vocabulary) and n targets. Before you run anything: what would happen to
the third step if the gradients of the first two were still there?
""",
    attempt=train_loop,
    answer=answer,
    hints=(
        "PyTorch *adds* each backward pass to the gradients that a parameter has already. Who "
        "clears them, and between which two lines may that not happen?",
        "One pass through the batches. `logits.flatten(0, 1)` is (batch · length, vocabulary), "
        "`targets.flatten()` fits it, and `ignore_index=-100` leaves out what does not count. "
        "`loss.item()` is a number without a graph.",
        "`model.train()` before the loop. In it `loss = nn.functional.cross_entropy(…)`, then "
        "`optimizer.zero_grad()`, `loss.backward()`, `optimizer.step()` and "
        "`losses.append(loss.item())`.",
    ),
    wrong_answers=(
        WrongAnswer(
            never_cleared,
            "the gradients are never cleared",
            "`backward` adds to what is there, so the third step moves by the gradients of three "
            "batches. Call `optimizer.zero_grad()` once in every step, before `backward`.",
        ),
        WrongAnswer(
            one_step_late,
            "`optimizer.step()` stands before `backward`",
            "Each move then follows the gradients of the batch before, and the last batch's are "
            "never used. First the gradients, then the move.",
        ),
        WrongAnswer(
            never_moved,
            "the weights never move",
            "Is `optimizer.step()` there, and does it find gradients? It finds none if they are "
            "cleared between `backward` and `step`, or if `step` comes before `backward`.",
        ),
        WrongAnswer(
            in_evaluation_mode,
            "the model is left in evaluation mode",
            "The numbers are right here, because this small model has no dropout; one that has "
            "some would train without it, and nothing would say so. `model.train()`.",
        ),
        WrongAnswer(
            graphs_kept,
            "the losses that are returned are tensors with their graphs",
            "Each of them keeps a whole forward pass in memory, so a long run dies of its list of "
            "losses. `loss.item()` is the number alone.",
        ),
        WrongAnswer(
            ignored_counted,
            "the sum is divided by all targets, those of −100 among them",
            "An ignored target adds nothing above the line, so it must not count below it: "
            "otherwise a batch with more padding takes a smaller step.",
        ),
        WrongAnswer(
            shifted_again,
            "the targets are shifted once more",
            "The collator has shifted them: the target at position t is the token after input t. "
            "Shifted again, the model learns to leave out every second token.",
        ),
        WrongAnswer(
            mean_of_row_means,
            "the mean is taken of each row's mean",
            "A target in a short answer then counts more than one in a long answer. Flatten rows "
            "and positions together, and take one mean.",
        ),
        WrongAnswer(
            summed,
            "the losses are added up instead of averaged",
            "Steps then grow with the number of targets in a batch. `cross_entropy` takes the mean "
            "unless it is told otherwise.",
        ),
        WrongAnswer(
            measured_afterwards,
            "each loss is measured after the move",
            "That costs a second forward pass, and tells how well the model does on a batch that "
            "it has just been trained on. Keep the loss that you took the gradients of.",
        ),
        WrongAnswer(
            clipped,
            "gradients are clipped",
            "A good idea, and the next exercise; here the loop should do without.",
        ),
        WrongAnswer(
            softmax_twice,
            "the loss gets probabilities instead of logits",
            "PyTorch's cross entropy takes the softmax itself. Given probabilities it takes a "
            "second one, the loss can no longer come near 0, and the model hardly learns.",
        ),
    ),
    cases=cases,
    draw=draw,
    parts=("the losses", "the weights afterwards", "in training mode", "losses that keep a graph"),
    imports="import torch\nfrom torch import Tensor, nn\n\n",
    library=answer,
    observed=observed,
)
