"""GPT-2's tokenizer as transformers keeps it: written beside a model, known again beside one.

Both are done from the two files that OpenAI published, without a library. Lesson 08.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from lessons_lib.data.tokenizer import END_OF_TEXT, find_tokenizer_files
from lessons_lib.support.files import read_json, sha256_of

END = "<|endoftext|>"
TOKENIZER, SETTINGS = "tokenizer.json", "tokenizer_config.json"
VOCABULARY, MERGES, TEMPLATE = "vocab.json", "merges.txt", "chat_template.jinja"
# The SHA-256 of the tokenizer.json that is written here: known again without being parsed.
WRITTEN = "425aeff471c999545af7b31b67279894e5b793139b7833df96869a3ee37ced41"
# All names under which transformers keeps something of a tokenizer.
TOKENIZER_FILES = frozenset(
    [TOKENIZER, SETTINGS, VOCABULARY, MERGES, TEMPLATE]
    + ["added_tokens.json", "special_tokens_map.json", "tokenizer.model"]
)


def write_tokenizer_files(folder: Path, context_length: int) -> None:
    """Write the files from which ``AutoTokenizer.from_pretrained(folder)`` makes GPT-2's tokenizer.

    As everywhere in transformers, "<|endoftext|>" in a text becomes token 50256 there. A text gets
    no token before it and none after it.

    Raises:
        TokenizerError: GPT-2's files are missing or damaged. OSError: the folder cannot be written.
    """
    files = find_tokenizer_files()
    shutil.copyfile(files["encoder.json"], folder / VOCABULARY)
    shutil.copyfile(files["vocab.bpe"], folder / MERGES)
    byte_level = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": True,
    }
    bpe = {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": "",
        "end_of_word_suffix": "",
        "fuse_unk": False,
        "byte_fallback": False,
        "vocab": read_json(files["encoder.json"]),
        "merges": _merges(files["vocab.bpe"]),
    }
    kept_whole = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": END_OF_TEXT, "content": END, **kept_whole, "special": True}],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": byte_level,
        "decoder": byte_level,
        "model": bpe,
    }
    settings = {
        "tokenizer_class": "GPT2Tokenizer",
        "bos_token": END,
        "eos_token": END,
        "unk_token": END,
        # GPT-2 has no padding token, and no row to spare for one. Padding with end of text, as the
        # course does, lets transformers make batches; it tells padding by the attention mask.
        # Whoever masks labels by this value masks the end of each text too: see lesson 06.
        "pad_token": END,
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": context_length,
    }
    for name, content in ((TOKENIZER, tokenizer), (SETTINGS, settings)):
        text = json.dumps(content, ensure_ascii=False, indent=None if name == TOKENIZER else 2)
        (folder / name).write_text(text + "\n", encoding="utf-8")


def has_other_tokenizer(folder: Path) -> bool:
    """Whether a folder brings a tokenizer that does not do what GPT-2's own does.

    Other tokens or merges, tokens that were added, another end of text, a token that begins texts,
    or a chat template: each is a reason to read with the folder's.

    Raises:
        OSError, ValueError: a file cannot be read.
    """
    names = TOKENIZER_FILES.intersection(path.name for path in folder.iterdir())
    if not names.difference([SETTINGS]):
        return False
    if names.intersection([TEMPLATE, "added_tokens.json", "tokenizer.model"]):
        return True
    settings = read_json(folder / SETTINGS) if SETTINGS in names else {}
    try:
        if settings.get("chat_template") or settings.get("add_bos_token"):
            return True
        if _content(settings.get("eos_token", END)) != END:
            return True
        if TOKENIZER in names and sha256_of(folder / TOKENIZER) == WRITTEN:
            return False
        files = find_tokenizer_files()
        own = read_json(files["encoder.json"]), _merges(files["vocab.bpe"])
        if TOKENIZER not in names:
            found = read_json(folder / VOCABULARY), _merges(folder / MERGES)
            return found != own
        written = read_json(folder / TOKENIZER)
        merges = written["model"]["merges"]
        merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in merges]
        added = {token["id"] for token in written["added_tokens"]}
        return (written["model"]["vocab"], merges) != own or added != {END_OF_TEXT}
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"its tokenizer files have another form: {error!r}") from error


def _content(token: Any) -> Any:
    """The text of a token, which some files write with its settings."""
    return token["content"] if isinstance(token, dict) else token


def _merges(path: Path) -> list[str]:
    """The merges of a file whose first line may be its version, in their order."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return [line for line in lines[lines[0].startswith("#version") :] if line]
