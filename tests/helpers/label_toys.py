"""Rows of labels: a batch by hand, with everything in it, and any row that hypothesis thinks of."""

from hypothesis import strategies as st

from lessons_lib.data import IGNORE_INDEX, get_tokenizer
from lessons_lib.labels import REASONS, LabelledRow

KINDS = ("prompt", "header", "response", "stop", "padding")
PROMPT = "### Instruction:\nName a colour.\n\n### Response:\n"


def encode(text: str) -> list[int]:
    return get_tokenizer().encode(text, allowed_special="all")


def entry_row(response: str, prompt: str = PROMPT, pad: int = 0, left: bool = False) -> dict:
    """A row as a collator of transformers makes it: unshifted labels, the prompt masked."""
    asked, answered = encode(prompt), encode(f"{response}<|endoftext|>")
    ids, labels = asked + answered, [IGNORE_INDEX] * len(asked) + answered
    seen, filled = [1] * len(ids), [50256] * pad
    unseen, ignored = [0] * pad, [IGNORE_INDEX] * pad
    if left:
        return {
            "input_ids": filled + ids,
            "labels": ignored + labels,
            "attention_mask": unseen + seen,
        }
    return {
        "input_ids": ids + filled,
        "labels": labels + ignored,
        "attention_mask": seen + unseen,
    }


def packed_row(responses: list[str]) -> dict:
    """Several entries in one row, with positions that begin anew."""
    rows = [entry_row(response) for response in responses]
    return {
        "input_ids": [token for row in rows for token in row["input_ids"]],
        "labels": [label for row in rows for label in row["labels"]],
        "position_ids": [t for row in rows for t in range(len(row["input_ids"]))],
    }


@st.composite
def labelled_rows(draw, index: int = 0) -> LabelledRow:
    """Any row: kinds, reasons and segments in runs, targets that follow and some that do not."""
    length = draw(st.integers(1, 40))
    ids = st.integers(0, 9)

    def runs(values) -> tuple:
        spread = []
        while len(spread) < length:
            spread += [draw(values)] * draw(st.integers(1, 12))
        return tuple(spread[:length])

    input_ids = tuple(draw(st.lists(ids, min_size=length, max_size=length)))
    reasons = runs(st.sampled_from(list(REASONS)))
    targets = tuple(
        IGNORE_INDEX
        if reason != "counts"
        else draw(st.one_of(st.just((*input_ids, 0)[t + 1]), ids))
        for t, reason in enumerate(reasons)
    )
    segments = tuple(sorted(runs(st.integers(0, 3))))
    return LabelledRow(index, input_ids, targets, runs(st.sampled_from(KINDS)), reasons, segments)
