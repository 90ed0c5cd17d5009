"""What an exercise without one right answer is: a statement, criteria with levels, two samples.

The samples are answers that the course has graded, so that a reader can try the levels on a
stranger's text before they judge their own.
"""

from dataclasses import dataclass

from lessons_lib.exercises.registry import unwrapped


@dataclass(frozen=True)
class Criterion:
    """One thing that is asked of the text, and what a text of level 0, 1, 2 … does about it."""

    name: str
    levels: tuple[str, ...]

    @property
    def best(self) -> int:
        return len(self.levels) - 1


@dataclass(frozen=True)
class Sample:
    """A text as somebody might hand it in, its level for each criterion, and why."""

    text: str
    levels: tuple[int, ...]
    why: str


@dataclass(frozen=True)
class OpenExercise:
    """An exercise whose answer is a text. ``samples`` are shown under the names A and B.

    Raises:
        ValueError: a sample has not one level for each criterion, or one that there is not.
    """

    name: str
    title: str
    lesson: str  # its number, "11"
    minutes: int
    statement: str  # Markdown
    criteria: tuple[Criterion, ...]
    samples: tuple[Sample, Sample]

    def __post_init__(self) -> None:
        for sample in self.samples:
            fault = self.fault(sample.levels)
            if fault:
                raise ValueError(f"{self.name}: a sample's levels: {fault}")

    def fault(self, levels: object) -> str:
        """What is wrong with these levels as a grade by this rubric, or nothing."""
        wanted = f"{len(self.criteria)} levels, one for each criterion"
        if not isinstance(levels, list | tuple):
            return f"give {wanted}, such as {[1] * len(self.criteria)}"
        if len(levels) != len(self.criteria):
            return f"give {wanted}; these are {len(levels)}"
        for criterion, level in zip(self.criteria, levels, strict=True):
            if type(level) is not int or level not in range(criterion.best + 1):
                return f"“{criterion.name}” has the levels 0 to {criterion.best}, not {level!r}"
        return ""


def statement_cell(exercise: OpenExercise) -> str:
    """What stands above the cell in which the learner writes, as Markdown."""
    return (
        f"### Exercise: {exercise.title}\n\n"
        f"*{exercise.minutes} minutes · in your own words, graded by a rubric · "
        f"`{exercise.name}`*\n\n{unwrapped(exercise.statement)}"
    )


def writing_cell(exercise: OpenExercise) -> str:
    """The cell in which the learner writes."""
    return (
        f'from lessons_lib.exercises.open_ended import write_up\n\nwrite_up("{exercise.name}", ...)'
    )


def rubric_table(exercise: OpenExercise) -> str:
    """The criteria and their levels as a table in Markdown."""
    most = max(criterion.best for criterion in exercise.criteria) + 1
    head = "| | " + " | ".join(f"level {level}" for level in range(most)) + " |"
    rows = [
        f"| **{criterion.name}** | "
        + " | ".join([*criterion.levels, *[""] * (most - len(criterion.levels))])
        + " |"
        for criterion in exercise.criteria
    ]
    return "\n".join([head, "|---" * (most + 1) + "|", *rows])
