"""What each input of a row is, and why each target that does not count does not.

Where no mask and no known format says where a response begins, the labels themselves do: what
comes before the first one that counts is held to be the prompt.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from lessons_lib.data import IGNORE_INDEX
from lessons_lib.labels.formats import ChatFormat, Parts, find_parts
from lessons_lib.labels.given import GivenRow
from lessons_lib.labels.tokens import TokenReader

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


def find_segments(row: GivenRow, padding: Sequence[bool]) -> list[int]:
    """The number of each input's text in its row, from 1; 0 for padding.

    A text begins where positions start again.
    """
    if row.segments is not None:
        return row.segments
    segments, text, last = [], 0, None
    for t, skipped in enumerate(padding):
        if skipped:
            segments.append(0)
            continue
        position = row.positions[t] if row.positions is not None else t
        if last is None or (row.positions is not None and (position == 0 or position < last)):
            text += 1
        last = position
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
    row: GivenRow, targets: Sequence[int], tokens: TokenReader, chat_format: ChatFormat | None
) -> RowKinds:
    """The kind of each input of a row: a key of the list in ``LabelledRow``."""
    padding = find_padding(row, targets, tokens)
    segments = find_segments(row, padding)
    kinds, borders, known = ["padding"] * len(padding), set(), True
    for columns in texts_of(segments):
        # Whether a text's token counts, that is, the target of the token before it.
        counts = [t > 0 and targets[t - 1] != IGNORE_INDEX for t in columns]

        def begins(place: int, counts: list[bool] = counts) -> bool:
            return 0 < place < len(counts) and counts[place] and not counts[place - 1]

        pieces = [tokens.piece(row.input_ids[t]) for t in columns]
        parts = find_parts(pieces, chat_format, begins) if chat_format else Parts()
        if row.response is not None:
            said = [row.response[t] for t in columns]
            parts = Parts(parts.headers, _runs(said))
        elif not parts.headers:
            known = False
            first = counts.index(True) if True in counts else len(columns)
            parts = Parts(responses=[(first, len(columns))])
        text_kinds = ["prompt"] * len(columns)
        for start, end in parts.responses:
            text_kinds[start:end] = ["response"] * (end - start)
        for place in parts.headers:
            text_kinds[place] = "header"
        for place, t in enumerate(columns):
            if row.input_ids[t] in tokens.stop_ids and _ends_response(text_kinds, place):
                text_kinds[place] = "stop"
            kinds[t] = text_kinds[place]
        borders.update(columns[place] for place in parts.borders if place < len(columns))
    return RowKinds(kinds, segments, frozenset(borders), known)


def _ends_response(kinds: Sequence[str], place: int) -> bool:
    """Whether a token is a response's last, or the first after one."""
    after = kinds[place + 1] if place + 1 < len(kinds) else None
    return (kinds[place] == "response" and after != "response") or (
        kinds[place] == "prompt" and place > 0 and kinds[place - 1] in ("response", "header")
    )


def _runs(mask: Sequence[int]) -> list[tuple[int, int]]:
    """(first, after the last) of each run of ones."""
    edges = [0, *mask, 0]
    starts = [t for t in range(len(mask)) if edges[t + 1] and not edges[t]]
    ends = [t + 1 for t in range(len(mask)) if edges[t + 1] and not edges[t + 2]]
    return list(zip(starts, ends, strict=True))


def find_reasons(targets: Sequence[int], found: RowKinds, shifts_inside: bool) -> list[str]:
    """For each target the key in ``REASONS`` that says whether it counts or why it does not."""
    return [
        "counts" if target != IGNORE_INDEX else _reason(t, targets, found, shifts_inside)
        for t, target in enumerate(targets)
    ]


def _reason(t: int, targets: Sequence[int], found: RowKinds, shifts_inside: bool) -> str:
    kinds, segments = found.kinds, found.segments
    if kinds[t] == "padding":
        return "padding"
    if t + 1 == len(kinds):
        return "last" if shifts_inside or kinds[t] == "stop" else "unknown"
    following = kinds[t + 1]
    if following == "padding":
        return "padding"
    if segments[t + 1] != segments[t]:
        return "segment"
    if following == "prompt":
        before = (k for k, s in zip(kinds[: t + 1], segments, strict=False) if s == segments[t])
        if "response" in before:
            return "turn"
        counts = (
            target != IGNORE_INDEX
            for target, segment in zip(targets, segments, strict=True)
            if segment == segments[t]
        )
        return "prompt" if found.known or any(counts) else "unknown"
    return following if following in ("header", "stop") else "unknown"
