"""The check that knows the mistake: it runs a learner's function, and compares by behaviour.

First the crafted inputs. If the results equal the solution's on all of them, the exercise is
passed; if they equal a wrong answer's on all of them, that answer's sentence is said; otherwise the
smallest input that fails is shown.
"""

import contextlib
import io
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from lessons_lib.batching import collate_steps
from lessons_lib.exercises.comparing import (
    Difference,
    a,
    first_difference,
    first_wrong,
    plain,
    same_values,
)
from lessons_lib.exercises.declaration import Declaration, WrongAnswer
from lessons_lib.exercises.results import Evidence, Result, Verdict, call_text
from lessons_lib.exercises.running import Outcome, parameters, refuses_call, run
from lessons_lib.widgets.annotated import CheckedInspector

FULL_RUN_SECONDS = 60.0  # for all of it


class Exercise(Declaration):
    """An exercise with its check; see ``Declaration`` for what it is made of."""

    def check(self, function: Callable) -> Result:
        """What the check sees in this function; nothing is recorded, and nothing is raised."""
        if not callable(function):
            return self._result(
                Verdict.NOT_CALLABLE,
                f"Give the function itself, without parentheses: {self.call}. "
                f"This is {a(function)}.",
            )
        if any(refuses_call(function, arguments) for arguments in self.cases()):
            wanted, own = ", ".join(parameters(self.attempt)), ", ".join(parameters(function))
            return self._result(
                Verdict.NOT_CALLABLE,
                f"The exercise's function takes ({wanted}); yours takes ({own}).",
            )
        outcomes = self._outcomes(function)
        if self._not_attempted(outcomes):
            return self._result(
                Verdict.NOT_ATTEMPTED, f"Write {self.function_name}, then run the cell again."
            )
        return self._judge(function, outcomes)

    def outcome(self, function: Callable, arguments: tuple) -> Outcome:
        """What one call gives, as it is compared."""
        return run(function, arguments, self.seconds, self.observed)

    def _outcomes(self, function: Callable) -> list[Outcome]:
        """The function's outcome on each case, up to the first that has no end."""
        found = []
        for arguments in self.cases():
            found.append(self.outcome(function, arguments))
            if found[-1].too_slow:
                break
        return found

    def _not_attempted(self, outcomes: list[Outcome]) -> bool:
        """Whether the function does what the stub does, in every case."""
        return all(
            isinstance(each.error, NotImplementedError)
            or (each.error is None and self._stub_returns(each.value))
            for each in outcomes
        )

    def _stub_returns(self, value: Any) -> bool:
        """Whether it is None or ... that was returned, as the stub does."""
        if value is not None and value is not ...:
            return False
        outcome = self.outcome(self.attempt, self.cases()[0])
        return outcome.error is None and outcome.value is value

    def _judge(self, function: Callable, outcomes: list[Outcome]) -> Result:
        wanted = [self.outcome(self.answer, arguments).value for arguments in self.cases()]
        differences = [
            None if each.error else first_difference(value, each.value, self.parts)
            for each, value in zip(outcomes, wanted, strict=False)
        ]
        failing = [
            index
            for index, (each, difference) in enumerate(zip(outcomes, differences, strict=True))
            if each.error or each.changed or difference
        ]
        if not failing:
            return self._full_run(function)
        known = self._known_mistake(outcomes)
        if known:
            index = min((i for i in failing if differences[i]), key=self._size)
            evidence = self._evidence(index, wanted[index], outcomes[index], differences[index])
            return self._result(
                Verdict.KNOWN_MISTAKE, known.sentence, evidence=evidence, function=function
            )
        index = min(failing, key=self._size)
        outcome = outcomes[index]
        if outcome.error:
            return self._failed_call(index, outcome)
        if outcome.changed and not differences[index]:
            return self._result(
                Verdict.CHANGED_ARGUMENT,
                f"What it returns is right, but afterwards its argument `{outcome.changed}` is no "
                "longer what it was, and whoever calls it still needs that. Work on a copy: "
                "`.clone()` for a tensor, `list(row)` for a list.",
            )
        sentences = [differences[index].sentence]
        if outcome.changed:
            sentences.append(f"It also changes its argument `{outcome.changed}`.")
        evidence = self._evidence(index, wanted[index], outcome, differences[index])
        return self._result(Verdict.WRONG, *sentences, evidence=evidence, function=function)

    def _known_mistake(self, outcomes: list[Outcome]) -> WrongAnswer | None:
        """The wrong answer that gives the same in every case."""
        if any(each.error for each in outcomes):
            return None
        for wrong in self.wrong_answers:
            theirs = self._outcomes(wrong.function)
            if all(
                other.error is None and same_values(one.value, other.value)
                for one, other in zip(outcomes, theirs, strict=True)
            ):
                return wrong
        return None

    def _failed_call(self, index: int, outcome: Outcome) -> Result:
        call = self._call_text(index)
        where = f" in {outcome.line}" if outcome.line else ""
        if outcome.too_slow:
            return self._result(
                Verdict.TOO_SLOW,
                f"Interrupted after {self.seconds:g} seconds{where}. Which line of the loop brings "
                "its end nearer?",
                f"The call was {call}.",
            )
        error = type(outcome.error).__name__
        message = str(outcome.error).strip().splitlines()
        said = f"{error}: {message[0]}" if message else error
        return self._result(Verdict.ERROR, f"{said}{where}.", f"The call was {call}.")

    def _full_run(self, function: Callable) -> Result:
        """Many more calls beside the course's own function, if the exercise has them."""
        if self.full_run is None:
            return self._result(Verdict.PASSED, *self._afterwards())
        end = time.monotonic() + FULL_RUN_SECONDS
        for name, arguments in self.full_run.calls():
            with contextlib.redirect_stdout(io.StringIO()):
                outcome = run(function, arguments, max(end - time.monotonic(), 0.1))
            where = f" in {outcome.line}" if outcome.line else ""
            if outcome.too_slow:
                return self._result(
                    Verdict.TOO_SLOW,
                    "The small batches are right, but all of them together take more than "
                    f"{FULL_RUN_SECONDS:g} seconds: time was up with {name}{where}.",
                )
            if outcome.error:
                said = type(outcome.error).__name__
                return self._result(
                    Verdict.ERROR, f"The small batches are right, but {name} gives {said}{where}."
                )
            found = first_difference(self.library(*arguments), outcome.value, self.parts)
            if found or outcome.changed:
                said = found.sentence if found else f"it changes its argument `{outcome.changed}`."
                return self._result(
                    Verdict.WRONG, f"The small batches are right, but with {name}: {said}"
                )
        same = f"It gives the same as the course's own function on {self.full_run.where()}."
        return self._result(Verdict.PASSED, same, *self._afterwards())

    def _afterwards(self) -> list[str]:
        return [f"The course's own is {self.library_name}."] if self.library_name else []

    def _evidence(
        self, index: int, expected: Any, outcome: Outcome, difference: Difference
    ) -> Evidence:
        got, part = outcome.value, ""
        if difference.part is not None:
            expected, got = expected[difference.part], got[difference.part]
            part = self.parts[difference.part]
        place = None if difference.row is None else (difference.row, difference.column)
        return Evidence(self._call_text(index), expected, got, part, place, self._aligned(index))

    def _aligned(self, index: int) -> dict[str, list]:
        """The arguments of one case that are shown below each other, by their names."""
        names, given = parameters(self.attempt), self.cases()[index]
        return {name: given[names.index(name)] for name in self.aligned}

    def _call_text(self, index: int) -> str:
        return call_text(self.function_name, parameters(self.attempt), self.cases()[index])

    def _size(self, index: int) -> int:
        return len(repr(plain(self.cases()[index])))

    def _result(
        self,
        verdict: Verdict,
        *sentences: str,
        evidence: Evidence | None = None,
        function: Callable | None = None,
    ) -> Result:
        inspector = self._inspector(function) if function and self.shown else None
        return Result(self.title, verdict, sentences, evidence, inspector)

    def _inspector(self, function: Callable) -> CheckedInspector | None:
        """The inspector on a batch of real entries, where the function gets that wrong, too."""
        entries = list(self.shown.entries())
        steps = collate_steps(entries, instruction_mask=self.shown.instruction_mask)
        with contextlib.redirect_stdout(io.StringIO()):
            outcome = run(function, self.shown.arguments(steps), self.seconds)
        if outcome.error:
            return None
        try:
            inputs, targets = self.shown.batch(outcome.value)
        except (TypeError, ValueError, IndexError):  # not made of the parts that are wanted
            return None
        right = steps.shifted if self.shown.substep == "2.4" else steps.targets
        given = []
        for part, wanted in ((inputs, steps.inputs), (targets, right)):
            part = wanted if part is None else part
            fits = isinstance(part, Tensor) and part.shape == wanted.shape
            if not fits or part.is_floating_point() or part.dtype == torch.bool:
                return None
            given.append(part)
        if not first_wrong(steps.inputs, given[0]) and not first_wrong(right, given[1]):
            return None
        return CheckedInspector(
            entries,
            given[0],
            given[1],
            substep=self.shown.substep,
            instruction_mask=self.shown.instruction_mask,
        )
