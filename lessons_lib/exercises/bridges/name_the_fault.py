"""Exercise: a small linter, which names what is wrong with the labels of a row. Lesson 14."""

from lessons_lib.exercises import Exercise, WrongAnswer
from lessons_lib.exercises.bridges import small_linters
from lessons_lib.exercises.bridges.fault_rows import cases, draw


def name_the_faults(
    input_ids: list[int], labels: list[int], attention_mask: list[int], prompt: int, stop: int
) -> dict[str, int]:
    """Each fault of one row's labels, and the first column that has it; {} where all is well."""
    raise NotImplementedError


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
    answer=small_linters.answer,
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
            small_linters.padding_by_value,
            "padding is found by its id",
            "The stop token has the same id, and it must count. What is padding is said by the "
            "attention mask.",
        ),
        WrongAnswer(
            small_linters.live_padding_by_value,
            "a label that counts is held to stand on padding by its input's id",
            "The stop token has the same id, and its label must count. What is padding is said by "
            "the attention mask.",
        ),
        WrongAnswer(
            small_linters.ignored_padding_by_value,
            "a label that is −100 is held to stand on padding by its input's id",
            "The stop token has the same id, so that it is never found masked. What is padding is "
            "said by the attention mask.",
        ),
        WrongAnswer(
            small_linters.padding_should_count,
            "padding behind the response is taken for a part of it",
            "−100 is right there. A label is missed only from `start + prompt` on *and* where the "
            "attention mask is 1.",
        ),
        WrongAnswer(
            small_linters.padding_behind_the_first_stop,
            "the text is taken to end with its first stop token",
            "A prompt or a response may hold that id earlier, and where the text was cut, the "
            "first one is padding. Where the text ends is said by the attention mask.",
        ),
        WrongAnswer(
            small_linters.padding_behind_alone,
            "padding on the left is taken for a part of the prompt",
            "Padding stands on either side, and which side is no matter: a column is padding where "
            "its attention mask is 0.",
        ),
        WrongAnswer(
            small_linters.padding_compared,
            "labels on padding are compared with their input as well",
            "`other token` is a fault of the text. A label on padding should not count at all, "
            "whatever it says: that is `padding counts`, and enough.",
        ),
        WrongAnswer(
            small_linters.border_included,
            "the prompt is taken one token too long",
            "It has `prompt` tokens, in the columns from `start` to `start + prompt − 1`. Column "
            "`start + prompt` is the response's first: `<`, and not `<=`.",
        ),
        WrongAnswer(
            small_linters.border_in_both,
            "the response's first token is taken for the prompt's last, too",
            "Counting labels are wrong before `start + prompt`, missing ones from there on: `<` in "
            "the one condition and `>=` in the other, so that no column is in both.",
        ),
        WrongAnswer(
            small_linters.border_one_too_early,
            "the prompt is taken one token too short",
            "The border p − 1 belongs to targets that were shifted already. Here each label stands "
            "below its own token, and `prompt` tokens have `prompt` columns.",
        ),
        WrongAnswer(
            small_linters.the_prompt_hides_another,
            "a label that counts on the prompt is not compared with its input any more",
            "One column may have two faults, and an `elif` ends with the first. Whether a label "
            "counts where it should not, and whether it is right, are two separate `if`s.",
        ),
        WrongAnswer(
            small_linters.another_hides_the_prompt,
            "a label that is another token is not asked any more whether it stands on the prompt",
            "One column may have two faults, and an `elif` ends with the first. Ask where a label "
            "stands and what it says in two separate `if`s.",
        ),
        WrongAnswer(
            small_linters.padding_on_the_right_alone,
            "the text is taken to begin in column 0",
            "Padding on the left moves the whole text: the response begins `prompt` columns after "
            "the first 1 of the attention mask.",
        ),
        WrongAnswer(
            small_linters.column_0_is_asked_for,
            "the label of column 0 is looked at",
            "The model shifts: the label of column t is asked for after reading columns 0 to "
            "t − 1, and before column 0 there is nothing to read.",
        ),
        WrongAnswer(
            small_linters.one_fault_alone,
            "the search ends at the first fault",
            "Who mends one fault and runs again finds the next a day later. Collect all of them.",
        ),
        WrongAnswer(
            small_linters.labels_one_column_on,
            "labels are compared with the input one column further on",
            "That is how this course's targets stand, which are shifted before the model. Here the "
            "model shifts, and a right label equals the input of its own column.",
        ),
        WrongAnswer(
            small_linters.ignored_is_another_token,
            "−100 is taken for another token",
            "A label that does not count says nothing about its column. Compare those that do.",
        ),
        WrongAnswer(
            small_linters.where_it_ends,
            "the last column of a fault is named",
            "The first one says where it begins, and that is where to look for its cause. "
            "`setdefault` does not overwrite.",
        ),
        WrongAnswer(
            small_linters.stop_by_its_id,
            "every token of the stop token's id is taken for the stop token",
            "A response may hold that id further in, and that is a token like any other. The stop "
            "token is the text's last: ask for its column and its id.",
        ),
        WrongAnswer(
            small_linters.stop_by_its_place,
            "the text's last token is taken for the stop token without a look at its id",
            "Where a text was cut, its last token belongs to the response. Compare the id with "
            "`stop`, too.",
        ),
        WrongAnswer(
            small_linters.stop_is_response,
            "a stop token that is masked is reported as a part of the response",
            "It is a fault of its own, with a cause of its own: padding masked by its id takes the "
            "stop token along. In the text's last column, ask whether it is the stop token.",
        ),
        WrongAnswer(
            small_linters.cut_by_its_label,
            "whether a text was cut is read from the last label",
            "A label says what is learned, not what was read: a stop token that is masked is "
            "there all the same. Look at the text's last id.",
        ),
        WrongAnswer(
            small_linters.cut_by_any_label,
            "a text is taken for cut where no label is the stop token",
            "Its label may be masked, and the token is there all the same. Labels say what is "
            "learned; look at the text's last id.",
        ),
        WrongAnswer(
            small_linters.cut_by_the_rows_last_label,
            "whether a text was cut is read from the row's last label",
            "That may stand on padding, and is no id that was read. Look at `input_ids`, in the "
            "last column in which the attention mask is 1.",
        ),
        WrongAnswer(
            small_linters.cut_by_the_rows_end,
            "whether a text was cut is read from the row's last id",
            "Behind the text there may be padding, which has the stop token's id. Look at the "
            "last column in which the attention mask is 1.",
        ),
        WrongAnswer(
            small_linters.cut_by_the_length,
            "the text's last column is counted from column 0",
            "Padding on the left moves it: the last column is `start + sum(attention_mask) − 1`.",
        ),
        WrongAnswer(
            small_linters.cut_without_any_stop,
            "a stop token anywhere in the row is taken for the text's end",
            "It may be padding, or stand within the text. Only the id in the text's last column "
            "says whether the text was cut.",
        ),
        WrongAnswer(
            small_linters.any_stop_will_do,
            "any stop token among the labels is taken for the text's",
            "It may be padding that counts, or stand within the response. Look at the column in "
            "which the text ends.",
        ),
        WrongAnswer(
            small_linters.a_cut_is_none_of_it,
            "a text that was cut is not noticed",
            "All its labels can be right, and the model still never learns to stop. Compare the "
            "text's last id with `stop`.",
        ),
    ),
    cases=cases,
    draw=draw,
    aligned=("input_ids", "labels", "attention_mask"),
)
