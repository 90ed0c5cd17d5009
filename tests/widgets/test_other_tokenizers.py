"""The inspector with tokenizers other than GPT-2's: transformers', tiktoken's, and faulty ones."""

import copy

import pytest
import tiktoken
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from lessons_lib.batching import collate_steps
from lessons_lib.data import LocalTokenizer, TokenizerError, as_tokenizer, get_tokenizer
from lessons_lib.pictures.spelling import token_words
from lessons_lib.widgets import InspectorError, compare_batches, inspect_batch, show_token_losses
from tests.helpers.llama_toys import begun, tiny_llama, tiny_tokenizer
from tests.helpers.toys import ENTRIES, LetterTokenizer

PARROT = "Say 🦜é!"


def own_encoding(special_tokens):
    """An encoding of tiktoken's with a token for each byte."""
    ranks = {bytes([byte]): byte for byte in range(256)}
    return tiktoken.Encoding(
        "bytes", pat_str=".|\\n", mergeable_ranks=ranks, special_tokens=special_tokens
    )


def words_of(text, tokenizer):
    return [token_words(token, tokenizer)[0] for token in tokenizer.encode(text)]


@pytest.fixture(scope="module")
def fallback():
    """As Llama 2's: pieces with ▁ for a space, and bytes for what has no piece."""
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "S", "ay"]
    made = Tokenizer(models.BPE({p: i for i, p in enumerate(pieces)}, [], byte_fallback=True))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return LocalTokenizer(PreTrainedTokenizerFast(tokenizer_object=made, eos_token="</s>"))


# ---------------------------------------------------------------- pieces


def test_half_characters_of_byte_level_pieces_are_spelled_as_bytes():
    tokenizer = tiny_tokenizer()
    words = words_of(PARROT, tokenizer)
    assert "".join(words) == "Say␣⟨F0⟩⟨9F⟩⟨A6⟩⟨9C⟩⟨C3⟩⟨A9⟩!"
    raw = map(tokenizer.decode_single_token_bytes, tokenizer.encode(PARROT))
    assert b"".join(raw) == PARROT.encode()
    assert token_words(2, tokenizer) == ("<|im_end|>", "<|im_end|>")
    with pytest.raises(KeyError):
        tokenizer.decode_single_token_bytes(tokenizer.vocabulary_size)


def test_every_byte_is_one_letter_of_a_byte_level_vocabulary():
    tokenizer = tiny_tokenizer()
    single = [tokenizer.decode_single_token_bytes(i) for i in range(3, tokenizer.vocabulary_size)]
    assert {raw for raw in single if len(raw) == 1} == {bytes([byte]) for byte in range(256)}


def test_spaces_and_bytes_of_a_sentencepiece_vocabulary_are_spelled(fallback):
    assert "".join(words_of("S 🦜", fallback)) == "␣S␣⟨F0⟩⟨9F⟩⟨A6⟩⟨9C⟩"
    assert token_words(2, fallback)[0] == "</s>"


def test_an_added_token_is_written_as_it_is():
    fast = copy.deepcopy(tiny_tokenizer().fast)
    fast.add_tokens(["Ġé"])
    tokenizer = LocalTokenizer(fast)
    assert tokenizer.decode_single_token_bytes(fast.convert_tokens_to_ids("Ġé")) == "Ġé".encode()


# ---------------------------------------------------------------- which tokenizers are taken


def test_transformers_tokenizer_is_taken_as_it_is():
    fast = tiny_tokenizer().fast
    widget = inspect_batch(ENTRIES, fast, instruction_mask="prompt")
    expected = collate_steps(ENTRIES, tiny_tokenizer(), instruction_mask="prompt")
    assert widget.steps.targets.equal(expected.targets) and (expected.padded[:, -1] == 2).all()
    assert (
        widget._data["end"] == 2 == widget._data["pad"]
        and widget._data["words"]["2"] == "<|im_end|>"
    )
    assert widget._data["tokenizer"]["size"] == len(fast)
    assert widget.to_png() != inspect_batch(ENTRIES, instruction_mask="prompt").to_png()


def test_a_folders_name_is_shown_without_its_path(tmp_path):
    fast = copy.deepcopy(tiny_tokenizer().fast)
    fast.save_pretrained(tmp_path / "tiny")
    loaded = PreTrainedTokenizerFast.from_pretrained(tmp_path / "tiny")
    page = inspect_batch(ENTRIES[:1], loaded).to_html()
    assert '"name":"tiny"' in page and str(tmp_path) not in page


def test_tiktokens_other_encodings_end_in_their_own_token():
    encoding = own_encoding({"<|endoftext|>": 300})
    widget = inspect_batch(ENTRIES[:2], encoding)
    assert (widget.steps.padded[:, -1] == 300).all() and widget._data["end"] == 300
    assert widget._data["tokenizer"] == {"name": "bytes", "size": 301}
    with pytest.raises(TokenizerError, match="'bytes' has no <"):
        inspect_batch(ENTRIES[:2], own_encoding({}))


def test_a_begin_token_belongs_to_the_shared_preamble():
    plain = inspect_batch(ENTRIES, tiny_tokenizer())._data["rows"]["alpaca"]
    rows = inspect_batch(ENTRIES, begun(tiny_tokenizer()))._data["rows"]["alpaca"]
    assert [row["ids"][0] for row in rows] == [1] * len(ENTRIES)
    assert [row["preamble"] for row in rows] == [row["preamble"] + 1 for row in plain]


def test_a_padding_token_pads_and_must_exist():
    widget = inspect_batch(ENTRIES, tiny_tokenizer(), pad_token_id=0)
    lengths = [len(example.token_ids) for example in widget.examples]
    shortest = lengths.index(min(lengths))
    row = widget.steps.padded[shortest].tolist()
    assert row[min(lengths) :] == [2] + [0] * (len(row) - min(lengths) - 1)
    for wrong in (-1, tiny_tokenizer().vocabulary_size):
        with pytest.raises(InspectorError, match=f"pad_token_id={wrong} is no token"):
            inspect_batch(ENTRIES, tiny_tokenizer(), pad_token_id=wrong)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: "smollm2", "'smollm2' is a name, not a tokenizer"),
        (lambda: 50256, "int is no tokenizer"),
        (lambda: tiny_tokenizer().fast.backend_tokenizer, "wrap it"),
        (LetterTokenizer, "LetterTokenizer does not say which token ends a text"),
    ],
)
def test_what_is_no_tokenizer_is_refused_with_what_to_do(make, message):
    with pytest.raises(TokenizerError, match=message):
        inspect_batch(ENTRIES, make())


def test_a_tokenizer_without_an_end_is_refused():
    fast = copy.deepcopy(tiny_tokenizer().fast)
    fast.eos_token = None
    with pytest.raises(TokenizerError, match="no token that ends a text.*eos_token"):
        inspect_batch(ENTRIES, fast)
    letters = LetterTokenizer()
    letters.end_of_text_id = None
    with pytest.raises(TokenizerError, match="give it an end_of_text_id"):
        inspect_batch(ENTRIES, letters)
    letters.end_of_text_id = 3
    assert (inspect_batch(ENTRIES, letters).steps.padded[:, -1] == 3).all()
    fast.eos_token = "<|im_end|>"  # as the message says
    assert inspect_batch(ENTRIES, fast)._data["end"] == 2


def test_gpt2s_is_the_default():
    assert as_tokenizer() is get_tokenizer() is as_tokenizer(get_tokenizer())
    assert inspect_batch(ENTRIES)._data["end"] == 50256


# ---------------------------------------------------------------- the relatives


def test_losses_of_a_model_with_its_own_tokenizer():
    model = tiny_llama()
    widget = show_token_losses(model, ENTRIES[:2])
    rows = widget._data["losses"]["alpaca"]
    [ids, _] = widget.steps.padded.tolist()
    assert len(rows[0]["loss"]) == len(widget.examples[0].token_ids)
    logits = model(widget.steps.inputs[:1])[0]
    last = len(rows[0]["loss"]) - 1
    expected = logits[last].log_softmax(-1)[ids[last + 1]]
    assert ids[last + 1] == 2 and rows[0]["loss"][-1] == pytest.approx(-expected.item(), abs=1e-3)


def test_two_tokenizers_side_by_side():
    pair = compare_batches(inspect_batch(ENTRIES[:3]), inspect_batch(ENTRIES[:3], tiny_tokenizer()))
    left, right = pair._datas
    assert left["end"] == 50256 and right["end"] == 2
