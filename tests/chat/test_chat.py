"""A chat: the prompt of each turn, the pieces of each reply, stopping, memory, what is refused."""

import inspect
import threading

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lessons_lib.chat import Chat, MessageTooLong, Turn
from lessons_lib.data import PROMPT_FORMATS, get_tokenizer
from lessons_lib.generation import TextStream, respond
from lessons_lib.support.reply_options import ReplyOptions
from tests.helpers.chat_toys import entry, scripted
from tests.helpers.llama_toys import tiny_llama
from tests.helpers.toys import (
    TEXTS,
    LetterTokenizer,
    NextToken,
    Scripted,
    decided_model,
    tiny_model,
)

TOKENIZER = get_tokenizer()
ALPACA = PROMPT_FORMATS["alpaca"]


@pytest.fixture(scope="module")
def babbler():
    """A model of GPT-2's vocabulary with random weights: it writes anything at all."""
    return decided_model(50257, context_length=96).eval()


@pytest.mark.parametrize("format", PROMPT_FORMATS)
@pytest.mark.parametrize("options", [{}, {"temperature": 1.0, "seed": 3}, {"top_k": 5}])
def test_the_pieces_joined_are_what_respond_gives(babbler, format, options):
    for message in ("Name a colour.", "日本 🦋", "a\n\nb"):
        options = {"max_new_tokens": 30, **options}
        chat = Chat(babbler, format, **options)
        pieces = list(chat.stream(message))
        closing = PROMPT_FORMATS[format].response_end
        stop = {"stop": closing} if closing else {}
        expected = respond(babbler, entry(message), format, **options, **stop)
        assert "".join(pieces) == expected == chat.turns[-1].reply
        assert all(pieces) and chat.reply(message) == respond(
            babbler, entry(message), format, **options, **stop
        )


@pytest.mark.parametrize(
    "answer", ["Blue.", "  Blue, I think. \n", "naïve 日本語 🦋👩‍👩‍👧", "", " "]
)
def test_characters_come_whole_and_white_space_around_goes(answer):
    chat = Chat(scripted("Say it.", answer))
    pieces = list(chat.stream("Say it."))
    assert "".join(pieces) == answer.strip()
    assert not any("\ufffd" in piece for piece in pieces)
    [turn] = chat.turns
    prompt = TOKENIZER.encode_ordinary(ALPACA.prompt(entry("Say it.")))
    counts = len(prompt), len(TOKENIZER.encode_ordinary(answer))
    assert turn == Turn("Say it.", answer.strip(), "end", *counts)


@given(TEXTS, st.sampled_from(["<|end|>", "###", "\n\n"]))
def test_every_piece_stays_and_no_stop_text_begins_one(text, stop):
    ids = TOKENIZER.encode_ordinary(text)
    stream, pieces = TextStream(TOKENIZER, [stop]), []
    for length in range(1, len(ids) + 1):
        pieces.append(stream.more(ids[:length]))
        if stream.ends(ids[:length]):
            break
    pieces.append(stream.last(ids[:length] if ids else []))
    assert "".join(pieces) == text.split(stop)[0].strip() == stream.given


def test_a_closing_tag_ends_the_reply_and_is_not_part_of_it():
    model = scripted("Hi", "Hello there.<|end|>\nand so on", "phi3")
    chat = Chat(model, "phi3")
    assert list(chat.stream("Hi")) == ["Hello", " there", "."]
    assert chat.turns[0].finish == "end"
    assert Chat(scripted("Hi", "one two three"), stop=["two"]).reply("Hi") == "one"


def test_each_message_is_asked_by_itself_unless_memory_is_on(babbler):
    chat = Chat(babbler, max_new_tokens=4)
    chat.reply("First?")
    assert chat.prompt("Second?") == ALPACA.prompt(entry("Second?"))
    chat.set_options(memory=True)
    first = {**entry("First?"), "output": chat.turns[0].reply}
    assert chat.prompt("Second?") == f"{ALPACA.text(first)}\n\n{ALPACA.prompt(entry('Second?'))}"
    chat.reset()
    assert chat.turns == [] and chat.prompt("Second?") == ALPACA.prompt(entry("Second?"))


def test_memory_forgets_the_oldest_first_and_leaves_room_for_the_reply():
    chat = Chat(Scripted([0], context_length=200), memory=True, max_new_tokens=20)
    chat.turns = [Turn(f"Question {n}?", f"Answer {n}.") for n in range(500)]
    prompt = chat.prompt_ids("Last?")
    kept = [n for n in range(500) if f"Question {n}?" in TOKENIZER.decode(prompt)]
    assert kept == list(range(500 - len(kept), 500)) and len(kept) > 2
    assert 120 < len(prompt) <= 180
    chat.set_options(
        max_new_tokens=5_000
    )  # there is no room for that; a quarter of the context is kept
    assert 100 < len(chat.prompt_ids("Last?")) <= 150


def test_a_message_that_does_not_fit_is_refused_with_both_lengths(babbler):
    chat = Chat(babbler, max_new_tokens=2)
    chat.reply("Hi")
    turns = list(chat.turns)
    with pytest.raises(MessageTooLong, match=r"prompt of 2\d\d tokens; this model reads 96 "):
        chat.stream("long " * 200)
    with pytest.raises(ValueError, match="the message is empty"):
        chat.reply(" \n")
    with pytest.raises(ValueError, match="temperature"):
        Chat(babbler, temperature=-1).stream("Hi")
    assert chat.turns == turns and not chat.is_replying
    assert chat.reply("Hi") == turns[0].reply


def test_stop_keeps_what_was_said_and_marks_the_turn():
    chat = Chat(scripted("Count.", "one two three four five six"))
    pieces = []
    for piece in chat.stream("Count."):
        pieces.append(piece)
        if len(pieces) == 3:
            chat.stop()
    assert pieces == ["one", " two", " three"]
    assert chat.turns[0].finish == "stopped" and chat.turns[0].reply == "one two three"
    assert chat.reply("Count.") == "one two three four five six", "the next reply is whole"


def test_a_reply_that_nobody_reads_to_its_end_is_a_stopped_one():
    model = scripted("Count.", "one two three four five six").train()
    chat = Chat(model)
    pieces = chat.stream("Count.")
    assert next(pieces) == "one" and chat.is_replying
    with pytest.raises(RuntimeError, match="another reply is under way"):
        chat.stream("Count.")
    pieces.close()
    assert chat.turns[0].finish == "stopped" and not chat.is_replying and model.training


def test_a_message_that_comes_too_soon_does_not_undo_a_stop():
    chat = Chat(scripted("Count.", "one two three four five six"))
    pieces = chat.stream("Count.")
    late = chat.stream("Count.")  # before the first has begun
    next(pieces)
    chat.stop()
    for message in ("Count.", " "):
        with pytest.raises((RuntimeError, ValueError)):
            chat.stream(message)
    with pytest.raises(RuntimeError, match="another reply is under way"):
        next(late)
    assert list(pieces) == [] and chat.turns[0].finish == "stopped"


def test_stop_works_from_another_thread(babbler):
    chat = Chat(babbler, max_new_tokens=60)
    begun, pieces = threading.Event(), []

    def speak():
        for piece in chat.stream("Go."):
            pieces.append(piece)
            begun.set()
            stopped.wait(10)

    stopped, speaker = threading.Event(), threading.Thread(target=speak)
    speaker.start()
    assert begun.wait(10)
    chat.stop()
    stopped.set()
    speaker.join(10)
    assert len(pieces) == 1 and chat.turns[0].finish == "stopped"


def test_a_reply_without_an_end_stops_at_the_limit():
    chat = Chat(scripted("Count.", "one two three four"), max_new_tokens=2)
    assert chat.reply("Count.") == "one two" and chat.turns[0].finish == "length"
    assert chat.turns[0].reply_tokens == 2


def test_a_diverged_model_says_so_and_leaves_no_turn():
    model = tiny_model(50257, context_length=90)
    torch.nn.init.constant_(model.final_norm.weight, torch.nan)
    chat = Chat(model)
    with pytest.raises(ValueError, match="not finite"):
        chat.reply("Hi")
    assert chat.turns == [] and not chat.is_replying


class Templated(LetterTokenizer):
    """A tokenizer with a chat template and an end of its own."""

    end_of_text_id = ord(".")

    def chat_ids(self, messages):
        return self.encode("".join(f"{m['role'][0]}:{m['content']};" for m in messages) + "a:")


def test_a_model_with_its_own_tokenizer_and_template():
    model = NextToken(128, context_length=64)
    with torch.no_grad():
        for first, second in zip(":ok", "ok.", strict=True):
            model.table[ord(first), ord(second)] = 1
    model.tokenizer = Templated()
    chat = Chat(model, "own", memory=True)
    assert list(chat.stream("x")) == ["o", "k"] and chat.turns[0].finish == "end"
    assert chat.prompt("y") == "u:x;a:ok;u:y;a:"
    with pytest.raises(ValueError, match="no chat template"):
        Chat(NextToken(), "own")
    with pytest.raises(ValueError, match="no prompt format"):
        Chat(model, "chatty")
    with pytest.raises(ValueError, match="stop text is empty"):
        Chat(model, stop=[""])


@pytest.mark.parametrize("template", [None, ""])
def test_a_model_without_a_template_is_refused_before_the_first_message(template, monkeypatch):
    model = tiny_llama()
    Chat(model, "own")
    monkeypatch.setattr(model.tokenizer.fast, "chat_template", template)
    for tokenizer in (None, model.tokenizer):
        with pytest.raises(ValueError, match="no chat template; name a prompt format"):
            Chat(model, "own", tokenizer=tokenizer)
    assert isinstance(Chat(model, "alpaca", max_new_tokens=2).reply("Hi"), str)


def test_half_a_character_is_refused_by_a_sentence(babbler):
    chat = Chat(babbler, memory=True)
    for message in ("\ud800", "Say \udfff.", "\ud83d and \ude00"):
        with pytest.raises(ValueError, match=r"half a character, U\+D[8F]"):
            chat.stream(message)
    assert chat.turns == []


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"temperature": "hot"}, TypeError),
        ({"temprature": 1.0}, TypeError),
        ({"seed": 2**53}, ValueError),
        ({"max_new_tokens": -1}, ValueError),
        ({"stop": "", "seed": 1}, ValueError),
    ],
    ids=str,
)
def test_a_wrong_option_is_refused_at_once_and_changes_nothing(wrong, error):
    with pytest.raises(error):
        Chat(Scripted([0]), **wrong)
    chat = Chat(Scripted([0]), top_k=5)
    with pytest.raises(error):
        chat.set_options(**wrong)
    assert chat.options == ReplyOptions(top_k=5)


def test_an_option_is_no_attribute_of_its_own():
    chat = Chat(Scripted([0]))
    with pytest.raises(AttributeError, match="temperature"):
        chat.temperature = 1.0  # it would change nothing


def test_help_lists_the_options_by_name():
    assert inspect.signature(Chat).parameters["temperature"].default == 0


def test_a_shrunk_run_makes_ten_tokens_at_most(monkeypatch):
    monkeypatch.setenv("LESSONS_LIB_QUICK", "1")
    chat = Chat(scripted("Go.", "on " * 20))
    chat.reply("Go.")
    assert chat.turns[0].reply_tokens == 10 and chat.turns[0].finish == "length"


def test_a_name_is_no_model_and_a_number_no_message(tmp_path):
    with pytest.raises(TypeError, match=r"load_model\('base'\) gives one"):
        Chat("base")
    with pytest.raises(TypeError, match=r"load_model\(.*my_run'\) gives one"):
        Chat(tmp_path / "my_run")
    for thing in (None, torch.nn.Linear(2, 2)):
        with pytest.raises(TypeError, match=r"a model with hidden\(batch\) .* is wanted, not \w"):
            Chat(thing)
    chat = Chat(Scripted([0]))
    for message in (None, 5, b"Hi", ["Hi"]):
        with pytest.raises(TypeError, match="a message is a text, not"):
            chat.reply(message)


def test_a_single_stop_text_is_one_text_and_not_its_letters():
    chat = Chat(scripted("Hi", "a # b ### c"), stop="###")
    assert chat.reply("Hi") == "a # b"
    chat.set_options(stop="b")
    assert chat.reply("Hi") == "a #"
