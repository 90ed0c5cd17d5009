"""The small linter of name-the-fault against the course's own, on real rows."""

import pytest

from lessons_lib.data import IGNORE_INDEX, get_tokenizer
from lessons_lib.exercises.bridges.small_linters import answer
from lessons_lib.labels import lint_labels
from tests.helpers.label_toys import PROMPT, encode, entry_row

TOKENIZER = get_tokenizer()
KINDS = {
    "prompt-trained": "prompt counts",
    "header-trained": "prompt counts",
    "response-masked": "response masked",
    "stop-untrained": "stop masked",
    "padding-trained": "padding counts",
    "label-differs": "other token",
}
BORDER = len(encode(PROMPT))


def both(row):
    """Faults by name and first column: the linter's, and the exercise's solution's."""
    stop = TOKENIZER.eot_token
    ours = answer(row["input_ids"], row["labels"], row["attention_mask"], BORDER, stop)
    theirs = {}
    for finding in lint_labels([row], TOKENIZER, expect="response", shifts_inside=True):
        theirs.setdefault(KINDS.get(finding.kind, finding.kind), finding.column)
    return theirs, ours


def spoiled(changes, **options):
    row = entry_row("Red, I believe.", **options)
    for place, label in changes.items():
        row["labels"][place] = label
    return row


@pytest.mark.parametrize(
    "row",
    [
        spoiled({}),
        spoiled({}, pad=4),
        spoiled({}, pad=4, left=True),
        spoiled({BORDER: IGNORE_INDEX}, pad=2),
        spoiled({-3: IGNORE_INDEX}),
        spoiled({BORDER - 9: encode(PROMPT)[BORDER - 9]}),
        spoiled({-1: 50256}, pad=3),
        spoiled({-1: IGNORE_INDEX}),
    ],
)
def test_they_find_the_same_in_the_same_column(row):
    theirs, ours = both(row)
    assert theirs == ours
