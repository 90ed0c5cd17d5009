"""What a visitor sees of an exhibit: its curve, its answers and its batch; and the catalogue."""

import warnings
from collections.abc import Callable, Sequence

import torch
from matplotlib.figure import Figure

from lessons_lib.batching import BoundaryWarning, Example
from lessons_lib.exercises.museum.exhibits import EXHIBITS, Exhibit, right
from lessons_lib.exercises.museum.running import (
    Run,
    as_examples,
    exhibit,
    run_beside,
    run_exhibit,
    training_entries,
)
from lessons_lib.exercises.predictions import predict
from lessons_lib.exercises.records import PREDICTIONS, read_record
from lessons_lib.exercises.registry import Note
from lessons_lib.models import GPT, load_model
from lessons_lib.pictures import show
from lessons_lib.support import Table
from lessons_lib.widgets.annotated import CheckedInspector

DECOYS = ("nothing is wrong", "padding counts", "the learning rate is too high")
CHOICES = tuple(sorted([*DECOYS, *(each.title for each in EXHIBITS.values())]))
ANSWERS = 4  # shown
GUARDED = 6  # entries whose loss a test looks at


def visit(number: int) -> Table:
    """Show an exhibit's loss curve, and return a table of its scores and of some wrong answers.

    Raises:
        ValueError: there is no such exhibit.
    """
    own, beside = run_exhibit(number), run_beside(number)
    show(*_curve(number, own.losses, beside.losses))
    rows = [
        (
            f"exact, of {len(own.scores.entries)}",
            *(_share(each, "exact") for each in (own, beside)),
        ),
        ("stopped by itself", *(_share(each, "stopped") for each in (own, beside))),
        ("response loss", f"{own.response_loss:.3f}", f"{beside.response_loss:.3f}"),
    ]
    exact, elsewhere = (each.scores.scores_of("exact") for each in (own, beside))
    wrong = [index for index, score in enumerate(exact) if not score]
    wrong.sort(key=lambda index: not elsewhere[index])  # first what the other run has right
    for index in wrong[:ANSWERS]:
        answers = own.scores.answers[index], beside.scores.answers[index]
        rows.append((own.scores.entries[index]["output"], *answers))
    return Table(("", f"exhibit {number}", "without its fault"), tuple(rows))


def _share(run: Run, measure: str) -> str:
    share = run.scores.share(measure)
    return f"{share.count} ({100 * share.value:.0f} %)"


def _curve(number: int, own: Sequence[float], beside: Sequence[float]) -> tuple[Figure, str]:
    figure = Figure(figsize=(4.8, 1.7), layout="constrained")
    axes = figure.subplots()
    steps = range(1, len(own) + 1)
    axes.plot(steps, own, color="#b97700", label=f"exhibit {number}")
    axes.plot(steps, beside, color="#0072b2", linestyle="--", label="without its fault")
    axes.set_xlabel("step")
    axes.set_ylabel("training loss, nats")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    words = f"Training loss of exhibit {number}: {own[0]:.2f} at the first step, {own[-1]:.2f} at "
    return figure, words + f"the last; without its fault {beside[0]:.2f} and {beside[-1]:.2f}."


def inspect_exhibit(number: int) -> CheckedInspector | Note:
    """The exhibit's batch of one or two training entries in the inspector, nothing marked.

    Raises:
        ValueError: there is no such exhibit.
    """
    shown = exhibit(number)
    if not shown.shown:
        return Note(
            "Inputs and targets of this exhibit are as they should be, for every entry: the fault "
            "lies behind them, where no picture of a batch can show it."
        )
    train = training_entries()
    entries = [train[index] for index in shown.shown]
    batch = shown.make(as_examples(entries, shown.prompt_format))
    with warnings.catch_warnings(action="ignore", category=BoundaryWarning):
        return CheckedInspector(
            entries,
            batch.inputs,
            batch.targets,
            instruction_mask="prompt",
            prompt_format=shown.prompt_format,
            marked=False,
        )


def alone_and_together(number: int) -> Table:
    """The loss of a few entries, each alone and all in one step, by the exhibit's own code.

    Raises:
        ValueError: there is no such exhibit.
    """
    shown = exhibit(number)
    mean_loss, count = _under_test(shown, load_model("base").eval())
    examples = as_examples(training_entries()[:GUARDED], shown.prompt_format)
    counts, losses = [count(each) for each in examples], [mean_loss([each]) for each in examples]
    rows = [
        (f"entry {each.index} alone", str(n), f"{loss:.4f}")
        for each, n, loss in zip(examples, counts, losses, strict=True)
    ]
    sums = sum(n * loss for n, loss in zip(counts, losses, strict=True))
    rows += [
        ("their mean over all targets", str(sum(counts)), f"{sums / sum(counts):.4f}"),
        ("all in one step", str(sum(counts)), f"{mean_loss(examples):.4f}"),
    ]
    return Table(("", "targets that count", "loss"), tuple(rows))


def diagnose(number: int, title: str = ...) -> Note:
    """Keep what the visitor holds to be the fault: one of ``CHOICES``.

    Raises:
        ValueError: there is no such exhibit.
    """
    exhibit(number)
    return predict(f"museum-{number}", title, choices=CHOICES)


def catalogue(guard_batch: Callable, guard_loss: Callable) -> Table:
    """Each exhibit's fault beside the visitor's diagnosis, and which of their two tests sees it.

    The tests are those of the exercises "guard-batch" and "guard-loss"; one that was not written
    yet has an open circle. The last row is the run without a fault, which they must pass.
    """
    said, model = read_record(PREDICTIONS), load_model("base").eval()
    formats = {shown.prompt_format for shown in EXHIBITS.values()}
    examples = {each: as_examples(training_entries(), each) for each in formats}

    def row(number: str, shown: Exhibit, diagnosis: str) -> tuple[str, ...]:
        some = examples[shown.prompt_format]
        seen = _sees_batch(guard_batch, shown, some), _sees_loss(guard_loss, shown, some, model)
        return number, shown.title, diagnosis, *seen

    rows = [
        row(str(number), shown, str(said.get(f"museum-{number}", {}).get("answer", "–")))
        for number, shown in EXHIBITS.items()
    ]
    rows.append(row("–", right(), ""))
    head = ("", "fault", "your diagnosis", "test of a batch", "test of the loss")
    return Table(head, tuple(rows))


def _sees_batch(guard: Callable, shown: Exhibit, examples: Sequence[Example]) -> str:
    """What the guard says of the exhibit's batches of one example each."""
    if not shown.shown:
        return "· no fault in it"

    def passes() -> bool:
        for example in examples:
            batch = shown.make([example])
            row = batch.inputs[0].tolist(), batch.targets[0].tolist()
            if not guard(example.token_ids, example.prompt_length, *row):
                return False
        return True

    return _verdict(passes)


def _sees_loss(guard: Callable, shown: Exhibit, examples: list[Example], model: GPT) -> str:
    """What the guard says of the exhibit's loss of the first few examples."""
    return _verdict(lambda: guard(*_under_test(shown, model), examples[:GUARDED]))


def _under_test(shown: Exhibit, model: GPT) -> tuple[Callable, Callable]:
    """An exhibit's mean loss of some examples, and its count of the live targets of one."""
    size = shown.batch_size

    def mean_loss(chosen: Sequence[Example]) -> float:
        parts = [chosen[start : start + size] for start in range(0, len(chosen), size)]
        with torch.no_grad():
            return shown.loss(model, [shown.make(part) for part in parts]).item()

    def count(example: Example) -> int:
        return int(shown.make([example]).live.sum())

    return mean_loss, count


def _verdict(passes: Callable[[], bool]) -> str:
    try:
        return "passes it" if passes() else "✓ refuses it"
    except NotImplementedError:
        return "○ not written yet"
    except Exception as error:  # a learner's code: the table goes on, and says so
        return f"✗ stops with {type(error).__name__}"
