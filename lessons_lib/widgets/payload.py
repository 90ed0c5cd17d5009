"""All data that goes from Python to the batch inspector's front end.

For each prompt format and entry, these are the token ids with the boundaries that masking needs and
the parts of the text; for each token id, how it is written; for each entry, its three texts.
"""

import json
import os
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lessons_lib.batching import BoundaryWarning, Example, make_example
from lessons_lib.data import (
    IGNORE_INDEX,
    Entry,
    PromptFormat,
    Tokenizer,
    check_entries,
    end_of_text_of,
    get_tokenizer,
    text_ids,
)
from lessons_lib.data.prompts import text_parts
from lessons_lib.pictures import spell_text
from lessons_lib.pictures.spelling import token_words

MOST_ENTRIES = 32
FORMAT_LABELS = {"alpaca": "Alpaca", "alpaca-stanford": "Stanford", "phi3": "Phi-3"}


class InspectorError(ValueError):
    """A widget cannot show what it was given; the message says why."""


def checked_entries(entries: Iterable[Mapping[str, str]]) -> list[Entry]:
    """Copies of the entries, each with instruction, input and output.

    Raises:
        InspectorError: there are none, or more than 32. DatasetError: an entry is faulty.
    """
    entries = [dict(entry) if isinstance(entry, Mapping) else entry for entry in entries]
    if not entries:
        raise InspectorError("The inspector needs at least one entry to show.")
    if len(entries) > MOST_ENTRIES:
        raise InspectorError(
            f"The inspector shows {MOST_ENTRIES} entries at most, and these are {len(entries)}: "
            f"choose some, for instance entries[:8]."
        )
    return check_entries(entries)


def make_examples(
    entries: Sequence[Entry],
    formats: Mapping[str, PromptFormat],
    tokenizer: Tokenizer | None = None,
) -> tuple[dict[str, list[Example]], list[tuple[str, int]]]:
    """Run substeps 2.1 and 2.2 on all entries in every format.

    Also returns each (format, entry index) in which a token joins prompt and response.
    """
    examples, joined = {}, []
    for name, prompt_format in formats.items():
        examples[name] = []
        for index, entry in enumerate(entries):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", BoundaryWarning)
                examples[name].append(make_example(entry, tokenizer, prompt_format, index))
            if any(issubclass(warning.category, BoundaryWarning) for warning in caught):
                joined.append((name, index))
    return examples, joined


def make_payload(
    entries: Sequence[Entry],
    formats: Mapping[str, PromptFormat],
    examples: Mapping[str, Sequence[Example]],
    joined: Sequence[tuple[str, int]] = (),
    tokenizer: Tokenizer | None = None,
    context_length: int = 1024,
    more_ids: Iterable[int] = (),
    pad_token_id: int | None = None,
) -> dict[str, Any]:
    """The data of one inspector as plain JSON values; ``more_ids`` are further tokens to spell.

    Rows are padded with ``pad_token_id``, by default with end of text, as by ``collate_steps``.
    """
    tokenizer = tokenizer or get_tokenizer()
    end = end_of_text_of(tokenizer)
    pad = end if pad_token_id is None else pad_token_id
    literals: dict[str, int] = {}
    rows = {
        name: [
            _row(entry, formats[name], example, literals, tokenizer)
            for entry, example in zip(entries, examples[name], strict=True)
        ]
        for name in formats
    }
    for name, index in joined:
        rows[name][index]["joined"] = True
    used = {token for each in rows.values() for row in each for token in row["ids"]}
    words, halves = _spell_tokens(used | {end, pad, *more_ids}, tokenizer)
    return {
        "formats": [{"name": name, "label": FORMAT_LABELS.get(name, name)} for name in formats],
        "entries": [
            {
                field: spell_text(entry.get(field, ""))
                for field in ("instruction", "input", "output")
            }
            for entry in entries
        ],
        "rows": rows,
        "literals": [spell_text(text) for text in literals],
        "words": words,
        "halves": halves,
        "end": end,
        "pad": pad,
        "tokenizer": {"name": tokenizer_name(tokenizer), "size": vocabulary_size_of(tokenizer)},
        "ignore": IGNORE_INDEX,
        "context": context_length,
    }


def tokenizer_name(tokenizer: Tokenizer) -> str:
    """What a tokenizer is called; where it does not say so, its class."""
    return str(getattr(tokenizer, "name", type(tokenizer).__name__))


def vocabulary_size_of(tokenizer: Tokenizer) -> int | None:
    """How many token ids a tokenizer has; None where it does not say so."""
    # tiktoken's encodings say n_vocab.
    return getattr(tokenizer, "n_vocab", getattr(tokenizer, "vocabulary_size", None))


def known_token(token_id: int | None, tokenizer: Tokenizer) -> int | None:
    """The id of a padding token, or None.

    Raises:
        InspectorError: the tokenizer has no such token.
    """
    size = vocabulary_size_of(tokenizer)
    if token_id is not None and not 0 <= token_id < (size or token_id + 1):
        raise InspectorError(
            f"pad_token_id={token_id} is no token of this tokenizer, whose ids end at {size - 1}: "
            "leave it out to pad with end of text"
        )
    return token_id


def embed_json(value: Any) -> str:
    """JSON that is safe inside a <script> element: nothing in it ends that element.

    Raises:
        ValueError: a number is not finite, which no browser could read.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    escapes = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028"}
    return re.sub("[<>&\u2028]", lambda found: escapes[found[0]], text)


def _row(
    entry: Entry,
    prompt_format: PromptFormat,
    example: Example,
    literals: dict[str, int],
    tokenizer: Tokenizer,
) -> dict[str, Any]:
    """One entry in one format; texts that belong to the format are listed once, in ``literals``."""
    parts = text_parts(entry, prompt_format)
    opening = text_ids(parts[0][1], tokenizer) if parts[0][0] == "template" else []
    fields = ("instruction", "input", "output")
    return {
        "ids": example.token_ids,
        "prompt": example.prompt_length,
        "header": example.header_start,
        "preamble": len(os.path.commonprefix([opening, example.token_ids])),
        "parts": [
            [kind] if kind in fields else [kind, literals.setdefault(text, len(literals))]
            for kind, text in parts
        ],
    }


def _spell_tokens(ids: Iterable[int], tokenizer: Tokenizer) -> tuple[dict, dict]:
    """The spelling of token ids, and of those with incomplete characters also one without bytes."""
    words, halves = {}, {}
    for token_id in sorted(ids):
        word, plain = token_words(token_id, tokenizer)
        words[str(token_id)] = word
        if plain != word:
            halves[str(token_id)] = plain
    return words, halves
