"""Entries, and how they become texts and token ids, all without PyTorch. Lessons 01 to 03.

Here a data set is read, checked, split and audited; here are the prompt formats and tokenizers.
"""

from lessons_lib.data.audit import audit_entries
from lessons_lib.data.company import company_entries
from lessons_lib.data.entries import (
    choose_entries,
    download_and_load_file,
    load_entries,
    split_entries,
)
from lessons_lib.data.hub_tokenizer import LocalTokenizer, as_tokenizer
from lessons_lib.data.own_entries import (
    EXAMPLES,
    load_own_entries,
    notes_to_entries,
    own_splits,
    save_own_entries,
    variety_table,
)
from lessons_lib.data.prompts import PROMPT_FORMATS, PromptFormat, format_input, get_prompt_format
from lessons_lib.data.reading import DatasetError, Entry, Splits, as_entries, check_entries
from lessons_lib.data.tokenizer import (
    END_OF_TEXT,
    IGNORE_INDEX,
    VOCABULARY_SIZE,
    Tokenizer,
    TokenizerError,
    end_of_text_of,
    get_tokenizer,
    plain_ids,
    row_end_ids,
    text_ids,
    token_strings,
    tokenizer_of,
)

__all__ = [
    "DatasetError",
    "Entry",
    "as_entries",
    "check_entries",
    "EXAMPLES",
    "load_own_entries",
    "notes_to_entries",
    "save_own_entries",
    "own_splits",
    "variety_table",
    "audit_entries",
    "PROMPT_FORMATS",
    "PromptFormat",
    "format_input",
    "get_prompt_format",
    "END_OF_TEXT",
    "IGNORE_INDEX",
    "VOCABULARY_SIZE",
    "Tokenizer",
    "TokenizerError",
    "get_tokenizer",
    "plain_ids",
    "token_strings",
    "tokenizer_of",
    "end_of_text_of",
    "row_end_ids",
    "text_ids",
    "Splits",
    "choose_entries",
    "download_and_load_file",
    "load_entries",
    "company_entries",
    "split_entries",
    "LocalTokenizer",
    "as_tokenizer",
]
