"""The check: what it says of mistakes, errors, endless loops, and of what it should accept."""

import dataclasses
import threading
import time

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from lessons_lib.exercises import EXERCISES, Exercise, Verdict, WrongAnswer
from lessons_lib.exercises import exercise as exercise_module
from lessons_lib.exercises.comparing import first_difference


def twice(numbers: list[int]) -> list[int]:
    """Each number doubled."""
    raise NotImplementedError


def answer(numbers):
    return [2 * number for number in numbers]


def one_more(numbers):
    return [number + 1 for number in numbers]


TWICE = Exercise(
    name="twice",
    title="double all numbers",
    lesson="00",
    minutes=1,
    difficulty=1,
    statement="Double.",
    attempt=twice,
    answer=answer,
    hints=("one", "two", "three"),
    wrong_answers=(WrongAnswer(one_more, "1 is added", "Multiply."),),
    cases=lambda: [([1, 2, 3, 4],), ([7],), ([],)],
    seconds=0.3,
)
MASK = EXERCISES["mask-prompt"]


def test_the_smallest_failing_input_is_shown():
    result = TWICE.check(lambda numbers: numbers)
    assert result.verdict == Verdict.WRONG and not result.passed
    assert "call      twice(numbers=[7])" in str(result)
    assert "expected  [14]\n  got       [7]" in str(result)


def test_a_known_mistake_is_known_by_what_it_does():
    result = TWICE.check(lambda numbers: [1 + number for number in numbers])
    assert "This is what comes out when 1 is added. Multiply." in str(result)


@pytest.mark.parametrize(
    "convert",
    [
        tuple,
        np.array,
        torch.tensor,
        lambda numbers: [np.int64(number) for number in numbers],
        lambda numbers: [torch.tensor(number) for number in numbers],
        lambda numbers: [float(number) for number in numbers],
    ],
)
def test_what_a_right_solution_could_return_is_accepted(convert):
    assert TWICE.check(lambda numbers: convert(answer(numbers))).passed


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (None, "It returns None. Is the `return` missing, or inside the loop?"),
        ("text", "Return a list; yours returns a text."),
        (3, "Return a list; yours returns an int."),
    ],
)
def test_a_wrong_type_is_said_plainly(returned, said):
    assert said in str(TWICE.check(lambda numbers: returned))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda masked: masked.tolist(), "Return a tensor of int64; yours returns a list. Its num"),
        (lambda masked: masked.numpy(), "yours returns a NumPy array"),
        (lambda masked: masked[:, 1:], "The shape must be (1, 4); yours is (1, 3)."),
        (lambda masked: masked.float(), "dtype must be torch.int64; yours is torch.float32"),
        (lambda masked: masked.int(), "dtype must be torch.int64; yours is torch.int32"),
    ],
)
def test_types_shapes_and_dtypes_of_tensors_are_said_plainly(change, said):
    assert said in str(MASK.check(lambda *given: change(MASK.answer(*given))))


def test_the_parts_of_a_pair_are_named():
    shift = EXERCISES["shift-targets"]
    assert "Return 2 things, inputs and targets; yours returns a tensor" in str(
        shift.check(lambda padded: padded)
    )
    result = shift.check(lambda padded: (padded[:, :-1] + 1, padded[:, 1:]))
    assert "inputs: row 0, column 0" in str(result)


def test_the_wrong_row_is_shown_with_its_cells_marked():
    result = MASK.check(MASK.wrong_answers[0].function)
    assert str(result).splitlines()[-4:] == [
        "  row 0, column     0     1  2      3",
        "  expected       -100     3  4  50256",
        "  got            -100  -100  4  50256",
        "                          ^",
    ]
    page = result._repr_html_()
    assert '<td class="ex-wrong">✗ -100</td>' in page and 'tabindex="0"' in page


def in_place(targets, prompt_lengths):
    for row, length in zip(targets, prompt_lengths, strict=True):
        row[: length - 1] = -100
    return targets


def test_a_changed_argument_is_said():
    result = MASK.check(in_place)
    assert result.verdict == Verdict.CHANGED_ARGUMENT and "`targets`" in str(result)


def raises(numbers):
    def inner(values):
        return values[5]

    return inner(numbers)


def test_an_error_is_shown_at_the_learners_own_line():
    line = raises.__code__.co_firstlineno + 2
    said = f"IndexError: list index out of range in line {line} of your code: `return values[5]`."
    result = TWICE.check(raises)
    assert result.verdict == Verdict.ERROR and said in str(result)


def test_an_error_in_a_library_is_shown_where_it_was_called():
    result = TWICE.check(lambda numbers: torch.zeros(2) + torch.zeros(3))
    assert "RuntimeError: The size of tensor a (2)" in str(result)
    assert "`result = TWICE.check(lambda numbers: torch.zeros(2)" in str(result)


def test_a_list_that_holds_itself_is_an_error_like_any_other():
    def loop(numbers):
        numbers.append(numbers)
        return numbers

    patient = dataclasses.replace(TWICE, seconds=20)  # the depth takes time on a busy machine
    assert "RecursionError" in str(patient.check(loop))


def test_leaving_python_is_an_error_like_any_other():
    assert "SystemExit in line" in str(TWICE.check(lambda numbers: exit()))


def endless(numbers):
    while True:
        try:
            numbers = list(numbers)
        except Exception:
            pass


@pytest.mark.parametrize("in_main_thread", [True, False])
def test_an_endless_loop_is_interrupted(in_main_thread):
    found = []
    started = time.monotonic()
    if in_main_thread:
        found.append(TWICE.check(endless))
    else:
        thread = threading.Thread(target=lambda: found.append(TWICE.check(endless)))
        thread.start()
        thread.join(20)
    assert time.monotonic() - started < 10
    assert found[0].verdict == Verdict.TOO_SLOW
    assert "Interrupted after 0.3 seconds in line" in str(found[0])


def stubborn(numbers):
    count = 0
    while count < 3:
        try:
            while True:
                pass
        except:  # noqa: E722
            count += 1
    return answer(numbers)


def test_a_bare_except_does_not_keep_the_check_for_ever():
    assert dataclasses.replace(TWICE, seconds=0.05).check(stubborn) is not None


def test_a_keyboard_interrupt_is_the_persons():
    def interrupted(numbers):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        TWICE.check(interrupted)


def test_the_function_itself_is_wanted():
    result = TWICE.check([2, 4])
    assert 'without parentheses: check("twice", twice)' in str(result)


def test_another_signature_is_said():
    assert "takes (numbers); yours takes (one, two)" in str(TWICE.check(lambda one, two: []))


def test_returning_nothing_is_an_attempt_where_the_stub_raises():
    assert TWICE.check(lambda numbers: None).verdict == Verdict.WRONG
    silent = dataclasses.replace(TWICE, attempt=lambda numbers: None)
    assert silent.check(lambda numbers: None).verdict == Verdict.NOT_ATTEMPTED
    assert silent.check(lambda numbers: ...).verdict == Verdict.WRONG


def test_texts_and_not_a_number_are_compared():
    assert first_difference(float("nan"), float("nan")) is None
    assert "from character 2 on" in first_difference("abc", "abd").sentence
    assert first_difference("abc", np.str_("abc")) is None


def test_what_the_learner_wrote_is_never_markup():
    result = TWICE.check(lambda numbers: "<script>alert(1)</script>")
    assert "<script>" not in result._repr_html_()


def collate_that_fails_late(examples):
    inputs, targets = EXERCISES["collate"].answer(examples)
    if examples[0].index == 16:
        targets[0, -1] = 5
    return inputs, targets


def test_the_full_run_names_the_batch_and_shows_no_entry():
    result = EXERCISES["collate"].check(collate_that_fails_late)
    assert result.verdict == Verdict.WRONG and result.evidence is None
    assert "with the bundled entries 16 to 23: targets: row 0, column" in str(result)


def test_the_full_run_has_an_end(monkeypatch):
    monkeypatch.setattr(exercise_module, "FULL_RUN_SECONDS", 0.0)

    def slow(examples):
        if examples[0].index:
            time.sleep(5)
        return EXERCISES["collate"].answer(examples)

    result = EXERCISES["collate"].check(slow)
    assert result.verdict == Verdict.TOO_SLOW
    assert "more than 0 seconds: time was up with the bundled entries 8 to 15" in str(result)


def test_the_full_run_takes_the_books_entries_where_they_are(real_entries):
    assert "and the 1,100 book's entries" in str(EXERCISES["collate"].check(MASKED))


MASKED = EXERCISES["collate"].answer


def test_the_inspector_opens_at_the_first_wrong_cell():
    result = MASK.check(MASK.wrong_answers[0].function)
    inspector = result.inspector
    row, column = inspector._data["given"]["at"]
    assert (row, column) == (0, inspector.examples[0].prompt_length - 1)
    assert f"3 cells are not right, the first in row 0, column {column}." in inspector.alt_text()
    assert inspector.steps.targets[row, column] == -100
    inspector.instruction_mask = (
        "none"  # other settings than the check's: the batch as it should be
    )
    assert inspector.steps.targets[row, column] != -100
    assert inspector.to_html().count('"given"') == 1


class OneByOne(Dataset):
    """Padded when it is made; but an item is a list."""

    def __init__(self, rows, columns, pad_token_id=50256):
        self.rows = [row + [pad_token_id] * (columns - len(row)) for row in rows]

    def __getitem__(self, index):
        return self.rows[index]

    def __len__(self):
        return len(self.rows)


def test_what_is_compared_is_what_was_observed():
    """Of an object, its items; the learner's own line is named in a class, too."""
    exercise = EXERCISES["static-padding"]
    lists = exercise.check(OneByOne)
    assert lists.verdict == Verdict.WRONG
    assert "the items, stacked: Return a tensor of int64; yours returns a list. Its numbers" in str(
        lists
    )

    class Broken(OneByOne):
        def __init__(self, rows, columns, pad_token_id=50256):
            self.rows = rows[0] / columns

    broken = str(exercise.check(Broken))
    assert "TypeError" in broken and "of your code: `self.rows = rows[0] / columns`" in broken


def test_what_an_observer_changes_is_not_the_learners_doing():
    spoilt = dataclasses.replace(
        TWICE, observed=lambda result, arguments: (arguments[0].append(0), result)[1]
    )
    assert spoilt.check(answer).passed


def test_a_result_may_be_right_in_many_ways():
    large = dataclasses.replace(TWICE, observed=lambda result, arguments: sum(result) > 0)
    large = dataclasses.replace(large, cases=lambda: [([1, 2],), ([7],)])
    assert large.check(lambda numbers: [100]).passed
    assert not large.check(lambda numbers: [-1]).passed


def test_of_several_results_the_part_that_differs_is_named():
    result = EXERCISES["fooling-answer"].check(lambda entry: f"I think that {entry['output']}")
    assert "compared  denies it or names two" in str(result)
    assert "denies it or names two" in result._repr_html_()


@pytest.mark.parametrize(
    ("got", "sentence"),
    [
        ({"cut": 6}, "'stop masked' is missing."),
        (
            {"cut": 6, "stop masked": 6, "padding counts": 7},
            "'padding counts' should not be in it.",
        ),
        ({"stop masked": 6, "cut": 5}, "'cut': expected 6, got 5."),
        (7, "The values differ."),
        ([7], "Return a dictionary; yours returns a list."),
    ],
)
def test_a_dictionary_says_which_key_is_wrong(got, sentence):
    assert first_difference({"cut": 6, "stop masked": 6}, got).sentence == sentence


def test_values_of_a_dictionary_that_are_no_numbers_are_named_by_their_key():
    assert first_difference({"a": [1]}, {"a": [2]}).sentence == "'a': the values differ."
    assert first_difference({"a": [1]}, {"a": [1]}) is None


def test_arguments_of_one_length_are_shown_below_each_other():
    result = EXERCISES["name-the-fault"].check(lambda ids, labels, seen, prompt, stop: {})
    assert (
        "\n  column             0     1   2   3   4   5  6"
        "\n  input_ids         11    12  13  21  22  23  2"
        "\n  labels          -100  -100  13  21  22  23  2"
        "\n  attention_mask     1     1   1   1   1   1  1"
        "\n  expected  {'prompt counts': 2}\n"
    ) in str(result)
    page = result._repr_html_()
    assert '<th scope="row">labels</th><td>-100</td><td>-100</td><td>13</td>' in page
    assert '<th scope="col">6</th>' in page
