"""What each input of a row is, and why each target that does not count does not.

Where no mask and no known format says where a response begins, the labels themselves do: what
comes before the first one that counts is held to be the prompt.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from lessons_lib.data import IGNORE_INDEX
from lessons_lib.labels.given import GivenRow
from lessons_lib.labels.tokens import ChatFormat, Parts, TokenReader, find_parts

# Why a target does not count, by the key that a ``LabelledRow`` gives.
REASONS = {
    "counts": "it counts in the loss",
    "prompt": "the next token belongs to the prompt, which is masked",
    "header": "the next token belongs to the response header, which is masked",
    "turn": "the next token stands between two replies: another's turn, or its header",
    "padding": "the next token is padding",
    "last": "nothing follows in this row",
    "segment": "the next token begins another text, which this one cannot know",
    "stop": "the next token ends the response, and is masked: no model learns to stop from it",
    "unknown": "its label is −100, and nothing here says why",
}


@dataclass(frozen=True)
class RowKinds:
    """Of each input of a row, (length,): ``kinds``, ``segments``; and ``borders`` as in Parts."""

    kinds: list[str]
    segments: list[int]
    borders: frozenset[int]
    known: bool  # where a response begins was found, not guessed from the labels


def find_padding(row: GivenRow, targets: Sequence[int], tokens: TokenReader) -> list[bool]:
    """True where an input is padding.

    The attention mask says so, where there is one; else a run of one id at either end. Where rows
    are padded with the token that also ends them, the first of the run is the end.
    """
    ids, n = row.input_ids, len(row.input_ids)
    if row.segments is not None:
        return [segment == 0 for segment in row.segments]
    stops, pads = tokens.stop_ids, {tokens.pad_id} - {None} - tokens.stop_ids
    front, back = _run(ids), _run(ids[::-1])
    if row.attention is not None:
        padding = [not seen for seen in row.attention]
        if ids[-1] in pads:
            padding[n - back :] = [True] * back
        for t in range(1, n):  # masked with the padding, but a target, and so no padding
            if padding[t] and not padding[t - 1] and ids[t] in stops:
                padding[t] = targets[t - 1] == IGNORE_INDEX
        return padding
    ignored = all(target == IGNORE_INDEX for target in targets[n - back :])
    padding = [False] * n
    if ids[-1] in pads or (ids[-1] not in stops and back > 1 and ignored):
        padding[n - back :] = [True] * back
    elif ids[-1] in stops:
        padding[n - back + 1 :] = [True] * (back - 1)
    if front < n and (ids[0] in pads or (ids[0] in stops and front > 1)):
        padding[:front] = [True] * front
    return padding


def _run(ids: Sequence[int]) -> int:
    """How often the first id is repeated at the start."""
    return len(list(next(itertools.groupby(ids))[1]))


def find_segments(row: GivenRow, padding: Sequence[bool], end_id: int | None) -> list[int]:
    """The number of each input's text in its row, from 1; 0 for padding.

    A text begins where positions start again or, without positions, after an end of text
    (``end_id``; None where that also ends turns of a chat, and so says nothing).
    """
    if row.segments is not None:
        return row.segments
    segments, text, last, empty = [], 0, None, True
    for t, skipped in enumerate(padding):
        if skipped:
            segments.append(0)
            continue
        if row.positions is not None:
            position = row.positions[t]
            begins = last is None or position == 0 or position < last
            last = position
        else:
            begins = last is None or (last == end_id and not empty)
            last = row.input_ids[t]
        text += begins
        empty = (begins or empty) and row.input_ids[t] == end_id  # it may begin with its end, too
        segments.append(text)
    return segments


def texts_of(segments: Sequence[int]) -> list[list[int]]:
    """The columns of each text of a row, in their order; padding left out."""
    found: dict[int, list[int]] = {}
    for t, segment in enumerate(segments):
        if segment:
            found.setdefault(segment, []).append(t)
    return list(found.values())


def find_kinds(
    row: GivenRow,
    targets: Sequence[int],
    tokens: TokenReader,
    chat_format: ChatFormat | None,
    end_id: int | None,
) -> RowKinds:
    """The kind of each input of a row: a key of the list in ``LabelledRow``.

    ``end_id`` ends texts; None where it ends the turns of a chat as well.
    """
    padding = find_padding(row, targets, tokens)
    segments = find_segments(row, padding, end_id)
    kinds, borders, known = ["padding"] * len(padding), set(), True
    for columns in texts_of(segments):
        ids = [row.input_ids[t] for t in columns]
        # Whether a text's token counts, that is, the target of the token before it.
        counts = [t > 0 and targets[t - 1] != IGNORE_INDEX for t in columns]
        said = [row.response[t] for t in columns] if row.response is not None else None
        parts = _find_parts(ids, counts, said, tokens, chat_format)
        known = known and (said is not None or bool(parts.headers))
        text_kinds = _text_kinds(ids, parts, tokens)
        for place, t in enumerate(columns):
            kinds[t] = text_kinds[place]
        borders.update(columns[place] for place in parts.borders if place < len(columns))
    return RowKinds(kinds, segments, frozenset(borders), known)


def _find_parts(
    ids: Sequence[int],
    counts: Sequence[bool],
    said: Sequence[int] | None,
    tokens: TokenReader,
    chat_format: ChatFormat | None,
) -> Parts:
    """Headers by the format; responses by a mask that says so, else the format, else labels."""

    def begins(place: int) -> bool:
        return 0 < place < len(counts) and counts[place] and not counts[place - 1]

    parts = Parts()
    if chat_format is not None:
        stops = [token in tokens.stop_ids for token in ids]
        parts = find_parts([tokens.piece(token) for token in ids], stops, chat_format, begins)
    if said is not None:
        return Parts(parts.headers, _runs(said))
    return parts if parts.headers else Parts(responses=_runs(counts))


def _text_kinds(ids: Sequence[int], parts: Parts, tokens: TokenReader) -> list[str]:
    kinds = ["prompt"] * len(ids)
    for start, end in parts.responses:
        kinds[start:end] = ["response"] * (min(end, len(ids)) - start)
        last = min(end, len(ids)) - 1
        while last >= start and tokens.piece(ids[last]).isspace():
            last -= 1  # some templates write a line end after the token that stops
        if last >= start and ids[last] in tokens.stop_ids:
            kinds[last] = "stop"
        elif end < len(ids) and ids[end] in tokens.stop_ids:
            kinds[end] = "stop"
    for place in parts.headers:
        kinds[place] = "header"
    return kinds


def _runs(mask: Sequence[int]) -> list[tuple[int, int]]:
    """(first, after the last) of each run of ones."""
    edges = [0, *mask, 0]
    starts = [t for t in range(len(mask)) if edges[t + 1] and not edges[t]]
    ends = [t + 1 for t in range(len(mask)) if edges[t + 1] and not edges[t + 2]]
    return list(zip(starts, ends, strict=True))


def find_reasons(targets: Sequence[int], found: RowKinds, shifts_inside: bool) -> list[str]:
    """For each target the key in ``REASONS`` that says whether it counts or why it does not."""
    kinds, segments = found.kinds, found.segments
    live = {s for target, s in zip(targets, segments, strict=True) if target != IGNORE_INDEX}
    reasons, answered = [], set()  # the texts of which a response has begun
    for t, target in enumerate(targets):
        if kinds[t] == "response":
            answered.add(segments[t])
        if target != IGNORE_INDEX:
            reasons.append("counts")
        elif t + 1 == len(kinds):
            ended = shifts_inside or kinds[t] == "stop"
            reasons.append("padding" if kinds[t] == "padding" else "last" if ended else "unknown")
        elif "padding" in (kinds[t], kinds[t + 1]):
            reasons.append("padding")
        elif segments[t + 1] != segments[t]:
            reasons.append("segment")
        elif kinds[t + 1] == "prompt":
            told = found.known or segments[t] in live
            reasons.append("turn" if segments[t] in answered else "prompt" if told else "unknown")
        else:
            reasons.append(kinds[t + 1] if kinds[t + 1] in ("header", "stop") else "unknown")
    return reasons
