"""Exercise: a small linter, which names what is wrong with the labels of a row. Lesson 14."""

from random import Random

from lessons_lib.exercises import Exercise, WrongAnswer

STOP, IGNORE = 2, -100


def name_the_faults(
    input_ids: list[int], labels: list[int], attention_mask: list[int], prompt: int, stop: int
) -> dict[str, int]:
    """Each fault of one row's labels, and the first column that has it; {} where all is well."""
    raise NotImplementedError


def answer(
    input_ids: list[int], labels: list[int], attention_mask: list[int], prompt: int, stop: int
) -> dict[str, int]:
    start = attention_mask.index(1)
    last = start + sum(attention_mask) - 1  # the text's last column
    found = {}
    if input_ids[last] != stop:
        found["cut"] = last
    for t in range(1, len(labels)):  # nothing is read before column 0, so nobody asks for it
        if labels[t] != -100:
            if not attention_mask[t]:
                found.setdefault("padding counts", t)
            elif t < start + prompt:
                found.setdefault("prompt counts", t)
            if attention_mask[t] and labels[t] != input_ids[t]:
                found.setdefault("other token", t)
        elif attention_mask[t] and t >= start + prompt:
            fault = "stop masked" if input_ids[t] == stop else "response masked"
            found.setdefault(fault, t)
    return found


def padding_by_value(
    input_ids: list[int], labels: list[int], attention_mask: list[int], prompt: int, stop: int
) -> dict[str, int]:
    seen = [int(token != stop) for token in input_ids]
    found = answer(input_ids, labels, seen, prompt, stop)
    return {name: column for name, column in found.items() if name != "cut"}


def padding_on_the_right_alone(
    input_ids: list[int], labels: list[int], attention_mask: list[int], prompt: int, stop: int
) -> dict[str, int]:
    start = attention_mask.index(1)
    return answer(input_ids, labels, attention_mask, prompt - start, stop)


def column_0_is_asked_for(
    input_ids: list[int], labels: list[int], attention_mask: list[int], prompt: int, stop: int
) -> dict[str, int]:
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    if labels[0] != -100:
        found["prompt counts" if attention_mask[0] else "padding counts"] = 0
    return found


def one_fault_alone(
    input_ids: list[int], labels: list[int], attention_mask: list[int], prompt: int, stop: int
) -> dict[str, int]:
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    return dict(list(found.items())[:1])


def labels_one_column_on(
    input_ids: list[int], labels: list[int], attention_mask: list[int], prompt: int, stop: int
) -> dict[str, int]:
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    found.pop("other token", None)
    for t in range(1, len(labels) - 1):
        if attention_mask[t] and labels[t] not in (-100, input_ids[t + 1]):
            found.setdefault("other token", t)
    return found


def ignored_is_another_token(
    input_ids: list[int], labels: list[int], attention_mask: list[int], prompt: int, stop: int
) -> dict[str, int]:
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    differs = [t for t in range(1, len(labels)) if attention_mask[t] and labels[t] != input_ids[t]]
    return found | {"other token": differs[0]} if differs else found


def where_it_ends(
    input_ids: list[int], labels: list[int], attention_mask: list[int], prompt: int, stop: int
) -> dict[str, int]:
    start = attention_mask.index(1)
    last = start + sum(attention_mask) - 1
    found = {"cut": last} if input_ids[last] != stop else {}
    for t in range(1, len(labels)):
        if labels[t] != -100:
            if attention_mask[t] and labels[t] != input_ids[t]:
                found["other token"] = t
            if not attention_mask[t]:
                found["padding counts"] = t
            elif t < start + prompt:
                found["prompt counts"] = t
        elif attention_mask[t] and t >= start + prompt:
            found["stop masked" if input_ids[t] == stop else "response masked"] = t
    return found


def any_stop_will_do(
    input_ids: list[int], labels: list[int], attention_mask: list[int], prompt: int, stop: int
) -> dict[str, int]:
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    if stop in labels:
        found.pop("stop masked", None)
    return found


def a_cut_is_none_of_it(
    input_ids: list[int], labels: list[int], attention_mask: list[int], prompt: int, stop: int
) -> dict[str, int]:
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    found.pop("cut", None)
    return found


def make_row(
    prompt: list[int], response: list[int], padding: int = 0, left: bool = False
) -> tuple[list[int], list[int], list[int], int, int]:
    """A row without a fault, as the arguments of the exercise; the response has its stop token."""
    ids, labels = prompt + response, [IGNORE] * len(prompt) + response
    seen = [1] * len(ids)
    filled, ignored, unseen = [STOP] * padding, [IGNORE] * padding, [0] * padding
    if left:
        return filled + ids, ignored + labels, unseen + seen, len(prompt), STOP
    return ids + filled, labels + ignored, seen + unseen, len(prompt), STOP


def spoil(row: tuple, changes: dict[int, int]) -> tuple:
    """The row with other labels in some columns."""
    ids, labels, *rest = row
    return ids, [changes.get(t, label) for t, label in enumerate(labels)], *rest


def shift(row: tuple) -> tuple:
    """The row with labels that were shifted already, as this course's targets are."""
    ids, labels, *rest = row
    return ids, [*labels[1:], IGNORE], *rest


def cases() -> list[tuple]:
    prompt, response = [11, 12, 13], [21, 22, 23, STOP]
    plain = make_row(prompt, response)
    right, left = make_row(prompt, response, 3), make_row(prompt, response, 2, left=True)
    cut = make_row(prompt, response[:-1])
    return [
        plain,
        right,
        left,
        spoil(right, {7: STOP}),  # padding counts
        spoil(right, {6: IGNORE}),
        spoil(plain, {2: 13}),  # the header's end counts
        spoil(plain, {1: 12, 2: 13}),
        spoil(left, {4: 13}),
        spoil(left, {5: IGNORE, 6: IGNORE}),
        spoil(plain, {3: IGNORE}),
        spoil(plain, {0: 11}),  # no fault: nobody asks for it
        spoil(left, {0: STOP}),
        spoil(left, {1: STOP}),
        spoil(plain, {4: 77}),
        spoil(plain, {4: 77, 5: 78}),
        shift(plain),
        shift(left),
        cut,
        spoil(cut, {5: IGNORE}),
        make_row(prompt, [], 2),  # nothing of the response is left
        spoil(make_row(prompt, response[:2], 1, left=True), {1: 11, 2: 12}),
        spoil(right, {1: 12, 2: 13, 6: IGNORE, 8: STOP}),
        spoil(right, {1: 77, 4: IGNORE, 5: IGNORE, 8: STOP, 9: STOP}),
    ]


def draw(source: Random) -> tuple:
    """A row with padding on either side or none, cut at times, and some labels spoiled."""
    ids = source.sample(range(10, 1000), source.randint(2, 30))
    border = source.randint(1, len(ids) - 1)
    response = ids[border:] + ([] if source.random() < 0.2 else [STOP])
    row = make_row(ids[:border], response, source.choice((0, 3, 9)), source.random() < 0.5)
    if source.random() < 0.15:
        return shift(row)
    spoiled = source.sample(range(len(row[0])), source.choice((0, 1, 1, 2)))
    to = (IGNORE, *(row[0][t] for t in spoiled), 5)
    return spoil(row, {t: source.choice(to) for t in spoiled})


NAME_THE_FAULT = Exercise(
    name="name-the-fault",
    title="A linter of your own: name what is wrong with a row's labels",
    lesson="14",
    minutes=20,
    difficulty=3,
    statement="""
A collator from somewhere gives you rows, and training on them runs whatever their labels are. Write
`name_the_faults`, which looks at one row and returns each fault that it has, with the first column
in which it stands; for a right row it returns `{}`. Labels are those of transformers and TRL: the
model shifts them itself, so a label that counts is a copy of the input in its own column, and the
label of column 0, before which nothing was read, is never asked for and is no fault.

`attention_mask` is 1 on the text and 0 on padding, which may stand on either side. The text begins
with `prompt` tokens that should not count; then come the response and its stop token, which should.
Padding has the id of the stop token, as in many a tokenizer without one of its own.

| fault | what it means |
|---|---|
| `"prompt counts"` | a label on the prompt is not −100 |
| `"response masked"` | a label on the response, its stop token aside, is −100 |
| `"stop masked"` | the stop token's label is −100 |
| `"padding counts"` | a label on padding is not −100 |
| `"other token"` | a label on the text counts, and is not the input of its column |
| `"cut"` | the text does not end with the stop token; the column is the text's last |

A row may have several faults, and a column two of them. `lint_labels` looks for the same, and has
to find out by itself where each prompt ends.
""",
    attempt=name_the_faults,
    answer=answer,
    hints=(
        "Where does the text begin, where does its response, and where does it end? The attention "
        "mask and `prompt` say so, and the values of the ids do not.",
        "Two questions are asked of each column from 1 on: what stands there (padding, prompt, "
        "response, stop), and does its label count? Five faults are such pairs; `cut` alone is a "
        "question to the ids. `dict.setdefault` keeps the first column of a fault.",
        "`start = attention_mask.index(1)`, `last = start + sum(attention_mask) - 1`. Cut: "
        "`input_ids[last] != stop`. Counts (`labels[t] != -100`): wrong where the mask is 0, or "
        "before `start + prompt`; on the text also if it is not `input_ids[t]`. Does not count: "
        "wrong on the text from `start + prompt` on, as stop or as response.",
    ),
    wrong_answers=(
        WrongAnswer(
            padding_by_value,
            "padding is found by its id",
            "The stop token has the same id, and it must count. What is padding is said by the "
            "attention mask.",
        ),
        WrongAnswer(
            padding_on_the_right_alone,
            "the text is taken to begin in column 0",
            "Padding on the left moves the whole text: the response begins `prompt` columns after "
            "the first 1 of the attention mask.",
        ),
        WrongAnswer(
            column_0_is_asked_for,
            "the label of column 0 is looked at",
            "The model shifts: the label of column t is asked for after reading columns 0 to "
            "t − 1, and before column 0 there is nothing to read.",
        ),
        WrongAnswer(
            one_fault_alone,
            "the search ends at the first fault",
            "Who mends one fault and runs again finds the next a day later. Collect all of them.",
        ),
        WrongAnswer(
            labels_one_column_on,
            "labels are compared with the input one column further on",
            "That is how this course's targets stand, which are shifted before the model. Here the "
            "model shifts, and a right label equals the input of its own column.",
        ),
        WrongAnswer(
            ignored_is_another_token,
            "−100 is taken for another token",
            "A label that does not count says nothing about its column. Compare those that do.",
        ),
        WrongAnswer(
            where_it_ends,
            "the last column of a fault is named",
            "The first one says where it begins, and that is where to look for its cause. "
            "`setdefault` does not overwrite.",
        ),
        WrongAnswer(
            any_stop_will_do,
            "any stop token among the labels is taken for the text's",
            "It may be padding that counts. Look at the column in which the text ends.",
        ),
        WrongAnswer(
            a_cut_is_none_of_it,
            "a text that was cut is not noticed",
            "All its labels can be right, and the model still never learns to stop. Compare the "
            "text's last id with `stop`.",
        ),
    ),
    cases=cases,
    draw=draw,
)
