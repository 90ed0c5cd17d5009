"""The linter: what is wrong with labels whatever they are for, or for what they shall teach.

``lint_labels`` returns findings, none where all is well. Lesson 14.
"""

import itertools
from collections.abc import Iterator
from typing import Any, Literal

from lessons_lib.labels.checks import about, find_always, find_empty, is_plain, such
from lessons_lib.labels.findings import Finding, Findings
from lessons_lib.labels.kinds import texts_of
from lessons_lib.labels.rows import (
    MOST_ROWS,
    RESPONSE,
    Asked,
    LabelledBatch,
    LabelledRow,
    LabelledText,
    read_labels,
)

Expect = Literal["all", "response", "keep-header", "assistant"]
EXPECT: dict[str, str] = {
    "all": "every token of each text counts",
    "response": "the last response of each text counts, and no other token but earlier responses",
    "keep-header": "the last response counts, and the header that announces it",
    "assistant": "every response of each text counts, and nothing else",
}


def lint_labels(
    batch_or_dataset: Any,
    tokenizer: Any,
    *,
    expect: Expect | None = None,
    shifts_inside: bool | None = None,
    most_rows: int = MOST_ROWS,
) -> Findings:
    """What is wrong with labels. ``batch_or_dataset`` and ``tokenizer``: as ``read_labels``.

    Without ``expect``, only what is wrong under every intention is found; ``EXPECT`` says what
    each of its values means. ``shifts_inside`` says whether the model that gets the labels shifts
    them; with it, a shift done twice or never is found.

    Raises:
        LabelsError: as ``read_labels``. ValueError: there is no such ``expect``.
    """
    if expect is not None and expect not in EXPECT:
        raise ValueError(f"expect is one of {', '.join(EXPECT)}, or None; not {expect!r}")
    batch = read_labels(batch_or_dataset, tokenizer, most_rows=most_rows)
    found = list(_of_convention(batch, shifts_inside))
    notes = list(batch.notes)
    rows = [(row, _texts(row, batch)) for row in batch.rows]
    for row, texts in rows:
        if not batch.found.fits:  # then nothing can be said of what a label stands for
            found += find_empty(texts)
            continue
        found += find_always(row, texts, batch, expect is not None)
        if expect is not None:
            found += itertools.chain.from_iterable(_against(expect, text) for text in texts)
    if batch.found.fits:
        notes += _share_of_prompts(rows)
    found.sort(key=lambda finding: (finding.row, finding.column))
    return Findings(found, batch.convention, tuple(notes), len(batch.rows))


def _texts(row: LabelledRow, batch: LabelledBatch) -> list[LabelledText]:
    return [LabelledText(row, columns, batch) for columns in texts_of(row.segments)]


def _of_convention(batch: LabelledBatch, shifts_inside: bool | None) -> Iterator[Finding]:
    """One finding, at the first label that counts, if the labels of the batch do not fit."""
    first = next(
        ((row, t) for row in batch.rows for t, target in enumerate(row.targets) if target != -100),
        None,
    )
    if first is None:
        return
    row, t = first
    offset, inside = batch.found.offset, batch.shifts_inside

    def finding(kind: str, sentence: str, advice: str) -> Finding:
        piece = batch.tokens.piece(row.targets[t])
        return Finding(row.index, t + 1 if inside else t, piece, kind, sentence, advice)

    if offset == 2:
        yield finding(
            "shifted-twice",
            "labels are the token after the next: they were shifted twice",
            "Shift them once, in the collator or in the model",
        )
    elif not batch.found.fits:
        yield finding(
            "no-convention",
            "labels are neither the token of their column nor the one after it",
            "Make them of the inputs' own ids; hand a model that shifts inside a copy of the "
            "inputs, another one the ids one column on",
        )
    elif batch.found.clear and offset == 1 and shifts_inside:
        yield finding(
            "shifted-twice",
            "labels were shifted already, and the model shifts them again",
            "Hand it labels that are a copy of its inputs, with -100 where nothing should count",
        )
    elif batch.found.clear and offset == 0 and shifts_inside is False:
        yield finding(
            "not-shifted",
            "nobody shifts these labels: the model is asked for the token that it has just read",
            "Shift them one column to the left before the model gets them",
        )


def _against(expect: str, text: LabelledText) -> Iterator[Finding]:
    """What of one text's labels is not as it was meant: the first of each kind of fault."""
    if expect == "all":
        masked = [token for token in text.asked[1:] if not token.live and token.kind != "stop"]
        yield from _first(
            text,
            masked,
            "masked",
            "should count, and has the label -100",
            "Take out the mask, or expect less",
        )
        return
    if not text.known and text.batch.chat_format is None:
        yield from _first(
            text,
            text.asked[1:] if is_plain(text) and len(text.asked) > 2 else [],
            "prompt-trained",
            "counts, and so does the whole text: its prompt is not masked",
            "See that the option that masks prompts is read where labels are made",
        )
    if text.known:  # else a text without its header: cut, and found by other checks
        yield from _outside(expect, text)
        yield from _inside(expect, text)


def _outside(expect: str, text: LabelledText) -> Iterator[Finding]:
    """Tokens of the prompt that count, the header's by themselves."""
    outside = [t for t in text.asked if t.live and not t.free and t.kind not in RESPONSE]
    yield from _first(
        text,
        [token for token in outside if token.kind == "prompt"],
        "prompt-trained",
        "belongs to the prompt, and counts",
        "See that the option that masks prompts is read where labels are made",
    )
    if expect != "keep-header":
        yield from _first(
            text,
            [token for token in outside if token.kind == "header"],
            "header-trained",
            "belongs to the response header, and counts",
            "Let the mask end where the header ends; to keep it on purpose, expect keep-header",
        )


def _inside(expect: str, text: LabelledText) -> Iterator[Finding]:
    """Tokens of the response that do not count, and of its header where that should."""
    responses = text.responses()
    wanted = responses if expect == "assistant" else responses[-1:]
    yield from _first(
        text,
        [
            token
            for response in wanted
            for token in response
            if not (token.live or token.free) and token.kind == "response" and token.token_id
        ],
        "response-masked",
        "belongs to the response, and has the label -100",
        "Lay the mask over labels, not over predictions: p tokens of a prompt are p - 1 targets",
    )
    if expect == "keep-header":
        headers = [token for token in text.asked if token.kind == "header" and not token.free]
        yield from _first(
            text,
            [token for token in headers if not token.live],
            "header-masked",
            "belongs to the response header, and has the label -100",
            "Let the mask end where the header begins; to mask it, expect response",
        )


def _first(
    text: LabelledText, tokens: list[Asked], kind: str, sentence: str, advice: str
) -> Iterator[Finding]:
    """A finding about the first of some tokens, which says how many there are."""
    if not text.live or not tokens:
        return  # where nothing counts, that is the finding
    yield about(text, tokens[0], kind, sentence + such(len(tokens), "tokens"), advice)


def _share_of_prompts(rows: list[tuple[LabelledRow, list[LabelledText]]]) -> list[str]:
    """How much of the prompts counts, where it is known what they are."""
    tokens = [
        token
        for row, texts in rows
        if row.known
        for text in texts
        for token in text.asked[1:]
        if token.kind in ("prompt", "header") and not token.free
    ]
    if not tokens:
        return []
    live = sum(token.live for token in tokens)
    return [f"Of the prompts' {len(tokens):,} tokens, {live:,} count ({live / len(tokens):.1%})."]
