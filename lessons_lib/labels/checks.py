"""What is wrong with a row of labels whatever it is meant to teach. The linter's first half.

Each check takes a row as a list of texts, and each token of a text with the label that asks for it.
"""

from collections.abc import Iterator

from lessons_lib.data import IGNORE_INDEX
from lessons_lib.labels.findings import Finding
from lessons_lib.labels.rows import Asked, LabelledBatch, LabelledRow, LabelledText


def about(text: LabelledText, token: Asked, kind: str, sentence: str, advice: str) -> Finding:
    """A finding about one token of a text."""
    piece = "" if token.token_id is None else text.batch.tokens.piece(token.token_id)
    return Finding(text.row.index, token.column, piece, kind, sentence, advice)


def find_always(
    row: LabelledRow, texts: list[LabelledText], batch: LabelledBatch, meant: bool
) -> Iterator[Finding]:
    """All that is wrong with one row under every intention; ``meant``: one was named."""
    yield from padding_counts(row, batch)
    yield from labels_differ(row, batch)
    yield from find_empty(texts)
    for text in texts:
        yield from begins_twice(text)
        yield from stop_counts(text, meant)


def find_empty(texts: list[LabelledText]) -> Iterator[Finding]:
    """A row of which nothing counts; of several texts, those with a response that does not."""
    if texts and not any(text.live for text in texts):
        yield nothing_counts(texts[0])
        return
    for text in texts:
        if not text.live and text.row.known and text.responses():
            yield nothing_counts(text)


def padding_counts(row: LabelledRow, batch: LabelledBatch) -> Iterator[Finding]:
    """Labels that ask for padding, or that stand on it."""
    found = [t for t in _live(row) if _asks_for_padding(row, t, batch.tokens.stop_ids)]
    if found:
        yield _at(
            row,
            found[0],
            batch,
            "padding-trained",
            f"a label counts on padding{such(len(found), 'labels')}",
            f"Give padding the label {IGNORE_INDEX}, by the rows' lengths or the attention mask",
        )


def _asks_for_padding(row: LabelledRow, t: int, stop_ids: frozenset[int]) -> bool:
    """Whether a target that counts asks for padding; behind a stop token, for that token again."""
    following = row.kinds[t + 1] if t + 1 < len(row.kinds) else None
    if row.kinds[t] == "padding":  # before a text padded on the left its first token may be asked
        return following in (None, "padding")
    if row.kinds[t] == "stop":
        return following in (None, "padding") and row.targets[t] == row.input_ids[t]
    return (
        following == "padding"
        and row.targets[t] == row.input_ids[t + 1]
        and row.targets[t] not in stop_ids
    )


def labels_differ(row: LabelledRow, batch: LabelledBatch) -> Iterator[Finding]:
    """Labels that are not the token they stand for, and those that ask for the next text."""
    stops, wrong, across = batch.tokens.stop_ids, [], []
    for t in _live(row):
        if t + 1 == len(row.targets) or "padding" in (row.kinds[t], row.kinds[t + 1]):
            continue
        ends_text = row.segments[t + 1] != row.segments[t]
        if row.targets[t] == row.input_ids[t + 1]:
            if ends_text and row.packed:
                across.append(t)
        elif not (ends_text and row.targets[t] in stops):
            wrong.append(t)
    if wrong:
        shown = batch.tokens.piece(row.input_ids[wrong[0] + 1])
        yield _at(
            row,
            wrong[0],
            batch,
            "label-differs",
            f"a label is not the token that follows, which is {shown!r}"
            f"{such(len(wrong), 'labels')}",
            "Make labels of the same ids as the inputs, after all cutting and padding",
        )
    if across:
        yield _at(
            row,
            across[0],
            batch,
            "next-text",
            "a label asks one text of a packed row for the first token of the next"
            f"{such(len(across), 'labels')}",
            f"Give each text's first token the label {IGNORE_INDEX}",
        )


def nothing_counts(text: LabelledText) -> Finding:
    """A text, or a whole row, without a label that counts: cut, or not found."""
    token = text.asked[-1]
    has_response = any(each.kind == "response" for each in text.asked)
    longest = max(len(row.input_ids) for row in text.batch.rows)
    if has_response:
        return about(
            text,
            next(each for each in text.asked if each.kind == "response"),
            "nothing-counts",
            "the text has a response, but no label of it counts",
            "Find where a response begins by comparing the tokens of prompt and text; a marker "
            "that is searched for may be tokenized otherwise in its place",
        )
    if text.batch.chat_format is not None or len(text.row.input_ids) == longest:
        return about(
            text,
            token,
            "response-cut",
            f"no label counts: the text ends after {len(text.columns)} tokens, before any response",
            "Allow longer rows, or leave out those whose prompt fills them",
        )
    return about(
        text,
        token,
        "nothing-counts",
        "no label of the row counts",
        "Look at how its prompt was told from its response, or leave it out",
    )


def begins_twice(text: LabelledText) -> Iterator[Finding]:
    begin, columns = text.batch.tokens.begin_id, text.columns
    ids = [text.row.input_ids[t] for t in columns[:2]]
    if begin is not None and len(columns) > 2 and ids == [begin, begin]:
        yield Finding(
            text.row.index,
            columns[1],
            text.batch.tokens.piece(begin),
            "two-begins",
            "the text begins with two begin tokens",
            "The template writes one already: tokenize its text with add_special_tokens=False",
        )


def stop_counts(text: LabelledText, meant: bool) -> Iterator[Finding]:
    """A response of which something counts must be followed by a stop token that counts.

    A text that counts as a whole, or one of several in a row, may be a piece of something longer,
    unless it is ``meant`` to be more.
    """
    responses = text.responses()
    goes_on = text.row.cut_anywhere or (is_plain(text) and not meant)
    for response in responses:
        stops = [token for token in response if token.kind == "stop"]
        if not any(token.live for token in response):
            continue
        if stops and not stops[-1].live:
            yield about(
                text,
                stops[-1],
                "stop-untrained",
                f"the response counts, but the token that stops it has the label {IGNORE_INDEX}, "
                "so the model does not learn to stop",
                "Tell padding by the rows' lengths or the attention mask, never by its id, which "
                "may be the stop token's",
            )
        elif (
            response is responses[-1] and not (stops or goes_on) and response[-1] is text.asked[-1]
        ):
            yield _no_stop(text, response[-1])


def is_plain(text: LabelledText) -> bool:
    """Whether a text counts from its first token on, and no header says what a response is."""
    return not text.known and all(token.live for token in text.asked[1:])


def _no_stop(text: LabelledText, last: Asked) -> Finding:
    """The text ends in its response: the label of its end is masked, or it has none."""
    after = text.columns[-1] + 1
    padded = after < len(text.row.input_ids)
    if last.token_id is None or (
        padded
        and text.row.input_ids[after] in text.batch.tokens.stop_ids
        and not text.row.segments[after]
    ):
        return about(
            text,
            last,
            "stop-untrained",
            "the response counts, but no label asks for the token that stops it, so the model does "
            "not learn to stop",
            "Tell padding by the rows' lengths or the attention mask, never by its id, which may "
            "be the stop token's",
        )
    return about(
        text,
        last,
        "stop-missing",
        f"the response has no token that stops it: its text was cut at {len(text.columns)} tokens, "
        "or its end was never written",
        "Allow longer rows or leave such ones out; if no row has one, add the tokenizer's end of "
        "text to each",
    )


def _live(row: LabelledRow) -> list[int]:
    return [t for t, target in enumerate(row.targets) if target != IGNORE_INDEX]


def such(count: int, what: str) -> str:
    """How many there are, where a finding is about the first of several."""
    return "" if count == 1 else f" ({count:,} such {what})"


def _at(
    row: LabelledRow, t: int, batch: LabelledBatch, kind: str, sentence: str, advice: str
) -> Finding:
    """A finding about a target, in the column of its label."""
    column = t + 1 if batch.shifts_inside else t
    piece = batch.tokens.piece(row.targets[t])
    return Finding(row.index, column, piece, kind, sentence, advice)
