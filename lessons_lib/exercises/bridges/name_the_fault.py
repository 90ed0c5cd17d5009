"""Exercise: a small linter, which names what is wrong with the labels of a row. Lesson 14."""

from lessons_lib.exercises import Exercise, WrongAnswer
from lessons_lib.exercises.bridges.fault_rows import cases, draw


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
            is_stop = t == last and input_ids[t] == stop
            found.setdefault("stop masked" if is_stop else "response masked", t)
    return found


def padding_by_value(input_ids, labels, attention_mask, prompt, stop):
    last = attention_mask.index(1) + sum(attention_mask) - 1
    seen = [int(token != stop) for token in input_ids]
    found = answer(input_ids, labels, seen, prompt, stop)
    found.pop("cut", None)
    return found if input_ids[last] == stop else found | {"cut": last}


def padding_behind_the_first_stop(input_ids, labels, attention_mask, prompt, stop):
    start = attention_mask.index(1)
    end = input_ids.index(stop, start) if stop in input_ids[start:] else len(input_ids) - 1
    seen = [int(start <= t <= end) for t in range(len(input_ids))]
    return answer(input_ids, labels, seen, prompt, stop)


def padding_behind_alone(input_ids, labels, attention_mask, prompt, stop):
    start = attention_mask.index(1)
    last = start + sum(attention_mask) - 1
    seen = [int(t <= last) for t in range(len(input_ids))]
    return answer(input_ids, labels, seen, start + prompt, stop)


def padding_compared(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    others = [t for t in range(1, len(labels)) if labels[t] not in (-100, input_ids[t])]
    return found | ({"other token": others[0]} if others else {})


def border_included(input_ids, labels, attention_mask, prompt, stop):
    return answer(input_ids, labels, attention_mask, prompt + 1, stop)


def border_in_both(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    border = attention_mask.index(1) + prompt
    if border < len(labels) and attention_mask[border] and labels[border] != -100:
        found.setdefault("prompt counts", border)
    return found


def border_one_too_early(input_ids, labels, attention_mask, prompt, stop):
    return answer(input_ids, labels, attention_mask, prompt - 1, stop)


def the_prompt_hides_another(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    found.pop("other token", None)
    for t in range(attention_mask.index(1) + prompt, len(labels)):
        if attention_mask[t] and labels[t] not in (-100, input_ids[t]):
            found.setdefault("other token", t)
    return found


def another_hides_the_prompt(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    found.pop("prompt counts", None)
    start = attention_mask.index(1)
    for t in range(max(start, 1), start + prompt):
        if labels[t] == input_ids[t]:
            found.setdefault("prompt counts", t)
    return found


def padding_on_the_right_alone(input_ids, labels, attention_mask, prompt, stop):
    start = attention_mask.index(1)
    return answer(input_ids, labels, attention_mask, prompt - start, stop)


def column_0_is_asked_for(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    if labels[0] != -100:
        found["prompt counts" if attention_mask[0] else "padding counts"] = 0
    return found


def one_fault_alone(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    return dict(list(found.items())[:1])


def labels_one_column_on(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    found.pop("other token", None)
    for t in range(1, len(labels) - 1):
        if attention_mask[t] and labels[t] not in (-100, input_ids[t + 1]):
            found.setdefault("other token", t)
    return found


def ignored_is_another_token(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    differs = [t for t in range(1, len(labels)) if attention_mask[t] and labels[t] != input_ids[t]]
    return found | {"other token": differs[0]} if differs else found


def where_it_ends(input_ids, labels, attention_mask, prompt, stop):
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
            is_stop = t == last and input_ids[t] == stop
            found["stop masked" if is_stop else "response masked"] = t
    return found


def any_stop_will_do(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    if stop in labels:
        found.pop("stop masked", None)
    return found


def a_cut_is_none_of_it(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    found.pop("cut", None)
    return found


def stop_by_its_id(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    for name in ("stop masked", "response masked"):
        found.pop(name, None)
    for t in range(max(attention_mask.index(1) + prompt, 1), len(labels)):
        if attention_mask[t] and labels[t] == -100:
            name = "stop masked" if input_ids[t] == stop else "response masked"
            found.setdefault(name, t)
    return found


def stop_by_its_place(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    start = attention_mask.index(1)
    last = start + sum(attention_mask) - 1
    if labels[last] == -100 and last >= start + prompt:
        if found.get("response masked") == last:
            del found["response masked"]
        found["stop masked"] = last
    return found


def stop_is_response(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    if "stop masked" in found:
        found.setdefault("response masked", found.pop("stop masked"))
    return found


def cut_by_its_label(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    last = attention_mask.index(1) + sum(attention_mask) - 1
    found.pop("cut", None)
    return found | ({"cut": last} if labels[last] != stop else {})


def cut_by_the_rows_end(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    found.pop("cut", None)
    return found | ({"cut": len(input_ids) - 1} if input_ids[-1] != stop else {})


def cut_by_the_length(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    last = sum(attention_mask) - 1
    found.pop("cut", None)
    return found | ({"cut": last} if input_ids[last] != stop else {})


def cut_without_any_stop(input_ids, labels, attention_mask, prompt, stop):
    found = answer(input_ids, labels, attention_mask, prompt, stop)
    if stop in input_ids:
        found.pop("cut", None)
    return found


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
Padding has the id of the stop token, as in many a tokenizer without one of its own. Prompt and
response may hold that id, too, where a turn ended earlier or a text quotes it: the stop token is
only the one with which the text ends.

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
        "response, or stop in the text's last column), and does its label count? Four faults are "
        "such pairs. `other token` compares what counts, and `cut` is a question to the ids alone. "
        "`dict.setdefault` keeps the first column of a fault.",
        "`start = attention_mask.index(1)`, `last = start + sum(attention_mask) - 1`. Cut: "
        "`input_ids[last] != stop`. Counts (`labels[t] != -100`): wrong where the mask is 0, or "
        "before `start + prompt`; on the text also if it is not `input_ids[t]`. Does not count: "
        "wrong on the text from `start + prompt` on, as stop where `t == last` and its id is "
        "`stop`, and otherwise as response.",
    ),
    wrong_answers=(
        WrongAnswer(
            padding_by_value,
            "padding is found by its id",
            "The stop token has the same id, and it must count. What is padding is said by the "
            "attention mask.",
        ),
        WrongAnswer(
            padding_behind_the_first_stop,
            "the text is taken to end with its first stop token",
            "A prompt or a response may hold that id earlier, and where the text was cut, the "
            "first one is padding. Where the text ends is said by the attention mask.",
        ),
        WrongAnswer(
            padding_behind_alone,
            "padding on the left is taken for a part of the prompt",
            "Padding stands on either side, and which side is no matter: a column is padding where "
            "its attention mask is 0.",
        ),
        WrongAnswer(
            padding_compared,
            "labels on padding are compared with their input as well",
            "`other token` is a fault of the text. A label on padding should not count at all, "
            "whatever it says: that is `padding counts`, and enough.",
        ),
        WrongAnswer(
            border_included,
            "the prompt is taken one token too long",
            "It has `prompt` tokens, in the columns from `start` to `start + prompt − 1`. Column "
            "`start + prompt` is the response's first: `<`, and not `<=`.",
        ),
        WrongAnswer(
            border_in_both,
            "the response's first token is taken for the prompt's last, too",
            "Counting labels are wrong before `start + prompt`, missing ones from there on: `<` in "
            "the one condition and `>=` in the other, so that no column is in both.",
        ),
        WrongAnswer(
            border_one_too_early,
            "the prompt is taken one token too short",
            "The border p − 1 belongs to targets that were shifted already. Here each label stands "
            "below its own token, and `prompt` tokens have `prompt` columns.",
        ),
        WrongAnswer(
            the_prompt_hides_another,
            "a label that counts on the prompt is not compared with its input any more",
            "One column may have two faults, and an `elif` ends with the first. Whether a label "
            "counts where it should not, and whether it is right, are two separate `if`s.",
        ),
        WrongAnswer(
            another_hides_the_prompt,
            "a label that is another token is not asked any more whether it stands on the prompt",
            "One column may have two faults, and an `elif` ends with the first. Ask where a label "
            "stands and what it says in two separate `if`s.",
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
            stop_by_its_id,
            "every token of the stop token's id is taken for the stop token",
            "A response may hold that id further in, and that is a token like any other. The stop "
            "token is the text's last: ask for its column and its id.",
        ),
        WrongAnswer(
            stop_by_its_place,
            "the text's last token is taken for the stop token without a look at its id",
            "Where a text was cut, its last token belongs to the response. Compare the id with "
            "`stop`, too.",
        ),
        WrongAnswer(
            stop_is_response,
            "a stop token that is masked is reported as a part of the response",
            "It is a fault of its own, with a cause of its own: padding masked by its id takes the "
            "stop token along. In the text's last column, ask whether it is the stop token.",
        ),
        WrongAnswer(
            cut_by_its_label,
            "whether a text was cut is read from the last label",
            "A label says what is learned, not what was read: a stop token that is masked is "
            "there all the same. Look at the text's last id.",
        ),
        WrongAnswer(
            cut_by_the_rows_end,
            "whether a text was cut is read from the row's last id",
            "Behind the text there may be padding, which has the stop token's id. Look at the "
            "last column in which the attention mask is 1.",
        ),
        WrongAnswer(
            cut_by_the_length,
            "the text's last column is counted from column 0",
            "Padding on the left moves it: the last column is `start + sum(attention_mask) − 1`.",
        ),
        WrongAnswer(
            cut_without_any_stop,
            "a stop token anywhere in the row is taken for the text's end",
            "It may be padding, or stand within the text. Only the id in the text's last column "
            "says whether the text was cut.",
        ),
        WrongAnswer(
            any_stop_will_do,
            "any stop token among the labels is taken for the text's",
            "It may be padding that counts, or stand within the response. Look at the column in "
            "which the text ends.",
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
