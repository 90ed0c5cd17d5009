"""Anybody's labels as rows of inputs above what must be predicted there, with the reasons.

``read_labels`` takes whatever a trainer takes; the inspector shows what it returns, and the linter
judges it. Lesson 14.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from lessons_lib.data import IGNORE_INDEX
from lessons_lib.labels.convention import Convention, find_convention
from lessons_lib.labels.given import GivenRow, read_given, refuse_strange_ids
from lessons_lib.labels.kinds import REASONS, find_kinds, find_reasons
from lessons_lib.labels.sources import LabelsError
from lessons_lib.labels.tokens import ChatFormat, TokenReader, ends_turns, find_format

__all__ = ["REASONS", "LabelledBatch", "LabelledRow", "LabelsError", "read_labels"]

MOST_ROWS = 256
RESPONSE = ("response", "stop")  # the kinds of a response's tokens


@dataclass(frozen=True)
class LabelledRow:
    """One row as a model is trained on it: each input above what is predicted there.

    Every tuple has the row's length. ``targets`` are what must be predicted after reading
    ``input_ids[: t + 1]``, -100 where nothing counts. ``kinds`` are those of the inputs: "prompt",
    "header", "response", "stop" and "padding"; a token that begins the text belongs to the prompt.
    ``reasons`` are keys of ``REASONS``, ``segments`` a packed row's texts from 1, 0 on padding.
    ``borders`` are columns of tokens that belong to two parts, so that either label is right.
    """

    index: int
    input_ids: tuple[int, ...]
    targets: tuple[int, ...]
    kinds: tuple[str, ...]
    reasons: tuple[str, ...]
    segments: tuple[int, ...]
    borders: frozenset[int] = frozenset()
    known: bool = True  # where the response begins was found, not guessed from the labels
    packed: bool = False  # columns said where its texts begin

    @property
    def cut_anywhere(self) -> bool:
        """Several texts that no column tells apart: such rows are cut where they are full."""
        return not self.packed and max(self.segments) > 1


@dataclass(frozen=True)
class LabelledBatch:
    """Rows, the tokenizer to read them with, and what was found out about all of them.

    ``shifts_inside``: the model shifts the labels, as those of transformers do; else they were
    shifted before, as in this course. ``convention`` says which it is and how that is known.
    ``notes`` say what was left out or could not be told. Of ``total_rows``, ``rows`` may be a
    sample; each keeps its index.
    """

    rows: tuple[LabelledRow, ...]
    tokens: TokenReader
    shifts_inside: bool
    convention: str
    notes: tuple[str, ...]
    total_rows: int
    found: Convention
    chat_format: ChatFormat | None = None


class Asked(NamedTuple):
    """One token of a text, with the label that asks for it."""

    column: int  # of the label
    token_id: int | None  # None: the row ends before it, and its label is masked
    kind: str
    live: bool
    free: bool  # either label is right: it belongs to two parts, or to none


class LabelledText:
    """One text of a row. Its first token is asked for by nobody.

    Where labels were shifted before, the last label asks for a token that the row does not hold.
    """

    def __init__(self, row: LabelledRow, columns: list[int], batch: LabelledBatch):
        self.row, self.columns, self.batch = row, columns, batch
        self.asked = list(self._tokens())
        self.live = any(token.live for token in self.asked)
        self.known = row.known or any(token.kind == "header" for token in self.asked)

    def _tokens(self) -> Iterator[Asked]:
        row, inside = self.row, self.batch.shifts_inside
        pieces, stops = self.batch.tokens.piece, self.batch.tokens.stop_ids
        after_response = False
        for place, t in enumerate(self.columns):
            live = place > 0 and row.targets[t - 1] != IGNORE_INDEX
            token, kind = row.input_ids[t], row.kinds[t]
            after_response = kind in RESPONSE or (
                after_response and (token in stops or pieces(token).isspace())
            )
            free = t in row.borders or (kind == "prompt" and after_response)
            yield Asked(t if inside else t - 1, token, kind, live, free)
        last = self.columns[-1]
        if inside or row.reasons[last] in ("last", "padding", "segment"):
            return
        target = row.targets[last]
        if target == IGNORE_INDEX:
            yield Asked(last, None, _following(row.kinds[last], stop=False), False, False)
        elif last + 1 == len(row.kinds) or row.segments[last + 1] != row.segments[last]:
            kind = _following(row.kinds[last], target in stops)
            yield Asked(last, target, kind, True, kind == "prompt" and row.kinds[last] == "stop")

    def responses(self) -> list[list[Asked]]:
        """The tokens of each response, the one that stops it included."""
        found: list[list[Asked]] = []
        kinds = [None, *(token.kind for token in self.asked)]
        for before, token in zip(kinds, self.asked, strict=False):
            if token.kind not in RESPONSE:
                continue
            if before not in RESPONSE:
                found.append([])
            found[-1].append(token)
        return found


def _following(last: str, stop: bool) -> str:
    """The kind of a token that the row does not hold, behind its last."""
    if stop:
        return "stop"
    return "prompt" if last in ("prompt", "stop") else "response"


def read_labels(
    batch_or_dataset: Any,
    tokenizer: Any,
    *,
    shifts_inside: bool | None = None,
    most_rows: int = MOST_ROWS,
) -> LabelledBatch:
    """What a batch, a data set or a loader asks a model to predict, row by row.

    It takes a mapping of columns, the course's ``Batch``, a pair of inputs and targets, a list of
    rows, a data set of ``datasets``, or a loader, whose first batch is read. Columns are
    ``input_ids`` and ``labels`` (or ``completion_mask``, ``assistant_masks``, from which labels
    follow), and perhaps ``attention_mask``, ``position_ids``, ``seq_lengths``; lists, arrays or
    tensors of any device. ``shifts_inside`` says what the model does with the labels; by default
    the labels themselves are asked. Of more than ``most_rows`` rows a sample is read.

    Raises:
        LabelsError: there is nothing to read, or the tokenizer does not fit; says what to do.
    """
    tokens = TokenReader(tokenizer)
    given = read_given(batch_or_dataset, most_rows)
    for row in given.rows:
        refuse_strange_ids(row, tokens)
    convention = find_convention(given.rows, given.names, tokens.stop_ids)
    inside = shifts_inside
    if inside is None:
        told = convention.offset in (0, 1)
        inside = convention.offset == 0 if told else given.names == "labels"
    texts = ["".join(map(tokens.piece, row.input_ids)) for row in given.rows]
    chat_format = find_format(texts)
    end_id = None if chat_format and ends_turns(chat_format, tokens, texts) else tokens.end_id
    rows = tuple(_labelled(row, tokens, inside, chat_format, end_id) for row in given.rows)
    notes = [*given.notes, _note_on_format(rows, chat_format), _note_on_borders(rows)]
    return LabelledBatch(
        rows,
        tokens,
        inside,
        convention.sentence + _contradiction(convention, shifts_inside),
        tuple(note for note in notes if note),
        given.total,
        convention,
        chat_format,
    )


def _labelled(
    row: GivenRow,
    tokens: TokenReader,
    shifts_inside: bool,
    chat_format: ChatFormat | None,
    end_id: int | None,
) -> LabelledRow:
    targets = [*row.labels[1:], IGNORE_INDEX] if shifts_inside else row.labels  # (length,)
    found = find_kinds(row, targets, tokens, chat_format, end_id)
    return LabelledRow(
        row.index,
        tuple(row.input_ids),
        tuple(targets),
        tuple(found.kinds),
        tuple(find_reasons(targets, found, shifts_inside)),
        tuple(found.segments),
        found.borders,
        found.known,
        row.packed,
    )


def _contradiction(convention: Convention, shifts_inside: bool | None) -> str:
    """What to add where the labels say one thing and the caller another."""
    if shifts_inside is None or convention.offset not in (0, 1):
        return ""
    if convention.offset == 1 and shifts_inside:
        return " The model shifts them once more: it is asked for the token after the next."
    if convention.offset == 0 and not shifts_inside:
        return " The model does not shift them: it is asked for the token that it has just read."
    return ""


def _note_on_format(rows: tuple[LabelledRow, ...], chat_format: ChatFormat | None) -> str:
    if chat_format is not None:
        return f"Responses are found by the headers of the format {chat_format.name}."
    if all(row.known for row in rows):
        return "Where responses are is what the given mask says."
    return (
        "No header of a known format was found: what comes before a row's first label that counts "
        "is called its prompt."
    )


def _note_on_borders(rows: tuple[LabelledRow, ...]) -> str:
    joined = [row.index for row in rows if row.cut_anywhere]
    if not joined:
        return ""
    others = f" (so do {len(joined) - 1:,} other rows)" if joined[1:] else ""
    return (
        f"Row {joined[0]} holds several texts, told apart by their ends{others}. No column says "
        "where each begins; whether a text sees the one before it, labels cannot tell."
    )
