"""Tokenizers as transformers has them, made without a network."""

import tempfile
from pathlib import Path
from typing import Any

from lessons_lib.data.tokenizer_files import write_tokenizer_files


def gpt2_of_transformers(context_length: int = 1024) -> Any:
    """GPT-2's, from the files that are written beside a model; it pads with end of text."""
    from transformers import AutoTokenizer

    with tempfile.TemporaryDirectory() as folder:
        write_tokenizer_files(Path(folder), context_length)
        return AutoTokenizer.from_pretrained(folder)
