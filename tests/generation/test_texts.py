"""Greedy generation: where it stops, what it gives back, what it refuses."""

import pytest
import torch

from lessons_lib.batching import Batch, InstructionCollator
from lessons_lib.data import END_OF_TEXT, PROMPT_FORMATS, get_tokenizer
from lessons_lib.generation import generate, generate_all, generate_responses, respond, respond_all
from lessons_lib.training import train
from tests.helpers.toys import ENTRIES, LetterTokenizer, NextToken, Scripted, tiny_model

NEVER = -1  # an end-of-text id that no model writes


def scripted(prompt: str, answer: str, **options) -> Scripted:
    """A model rigged to go on from the prompt with the answer, then end of text."""
    encode = get_tokenizer().encode_ordinary
    return Scripted([*encode(prompt), *encode(answer), END_OF_TEXT], **options)


def new_ids(model, token_ids: list[int], limit: int = 64, end: int = END_OF_TEXT) -> list[int]:
    """What the model writes after one prompt of token ids."""
    options = {"max_new_tokens": limit, "end_of_text_id": end}
    return generate_all(model, [token_ids], **options)[0].token_ids


def test_generation_stops_at_end_of_text_and_gives_back_the_answer_alone():
    model = scripted("Name a colour.", " Blue, I think.")
    assert generate(model, ["Name a colour."]) == [" Blue, I think."]


def test_the_end_of_text_token_is_not_among_the_new_tokens():
    model = Scripted([1, 2, 3, 4, END_OF_TEXT])
    assert new_ids(model, [1, 2]) == [3, 4]
    assert model.lengths_read == [2, 3, 4], "one reading a token, and one for end of text"


def test_an_end_right_after_the_prompt_gives_an_empty_answer():
    assert generate(scripted("Hush.", ""), ["Hush."]) == [""]


def test_another_end_of_text_id():
    model = Scripted([1, 2, 3, 7, 5, END_OF_TEXT])
    assert new_ids(model, [1], end=7) == [2, 3]


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_generation_stops_at_the_limit(limit):
    model = Scripted(list(range(20)))
    assert new_ids(model, [0], limit) == list(range(1, 1 + limit))


def test_generation_stops_at_64_tokens_unless_told_otherwise():
    [answer] = generate_all(Scripted(list(range(100))), [[0]])
    assert len(answer.token_ids) == 64


def test_generation_stops_where_the_context_ends():
    model = Scripted(list(range(50)), context_length=9)
    assert new_ids(model, [0, 1, 2]) == [3, 4, 5, 6, 7, 8]
    assert max(model.lengths_read) <= 9


@pytest.mark.parametrize("length", [9, 12])
def test_edge_a_prompt_that_fills_the_context_says_both_lengths(length):
    model = Scripted(list(range(50)), context_length=9)
    with pytest.raises(ValueError, match=rf"{length} tokens; this model reads 9 .*no room"):
        new_ids(model, list(range(length)))


def test_prompts_that_are_too_long_are_named_in_one_error():
    model = Scripted(list(range(50)), context_length=9)
    prompts = [[1] * length for length in (3, 9, 4, 12)]
    expected = "prompt 1 has 9 tokens, prompt 3 has 12 tokens; this model reads 9 at most"
    with pytest.raises(ValueError, match=expected):
        generate_all(model, prompts)
    long = {"instruction": "a long question, " * 100, "input": "", "output": ""}
    model = Scripted([1], context_length=200)
    for function in (respond_all, generate_responses):
        with pytest.raises(
            ValueError, match=r"prompt 0 has \d+ tokens, prompt 2 has \d+ tokens; .*200"
        ):
            function(model, [long, ENTRIES[0], long])
    with pytest.raises(ValueError, match="on_too_long must be .* not 'drop'"):
        respond_all(model, ENTRIES, on_too_long="drop")


@pytest.mark.parametrize("options", [{}, {"temperature": 1.0, "seed": 3, "batch_size": 2}])
def test_prompts_that_are_too_long_can_be_skipped_and_change_no_other_answer(options):
    model = tiny_model(50257, context_length=60).eval()
    short = [{"instruction": text, "input": "", "output": ""} for text in ("Hi", "Go on", "Say so")]
    long = {**short[0], "instruction": "a long question, " * 100}
    options |= {"max_new_tokens": 5}
    alone = respond_all(model, [short[0], short[1], short[2], short[0]], **options)
    chosen, told = [short[0], long, short[2], long], []
    answers = generate_responses(
        model, chosen, on_too_long="skip", on_token=lambda index, _: told.append(index), **options
    )
    assert [answer and answer.text for answer in answers] == [alone[0], None, alone[2], None]
    assert set(told) == {0, 2}
    assert respond_all(model, chosen, on_too_long="skip", **options) == [
        alone[0],
        None,
        alone[2],
        None,
    ]
    assert respond(model, long, on_too_long="skip") is None
    assert generate(model, ["a " * 100], on_too_long="skip") == [None]


@pytest.mark.parametrize(
    "written",
    ["Paris.<|end|>", " Paris. <|end|>\n", "Paris.<|end|><|end|>", "Paris.<|end|>\n<|user|>\nNo"],
)
@pytest.mark.parametrize("stop", [(), "###", ["###"]])
def test_a_closing_tag_ends_an_answer_and_nothing_after_it_is_part_of_it(written, stop):
    entry = ENTRIES[0]
    model = scripted(PROMPT_FORMATS["phi3"].prompt(entry), written)
    assert respond(model, entry, "phi3", stop=stop) == "Paris."
    assert respond_all(model, [entry], PROMPT_FORMATS["phi3"], stop=stop) == ["Paris."]
    [answer] = generate_responses(model, [entry], "phi3", stop=stop)
    assert (answer.text, answer.stopped) == ("Paris.", True)
    told = get_tokenizer().decode(answer.token_ids)
    assert "<|end|>" in told and "user" not in told


def test_stop_texts_of_ones_own_hold_beside_a_closing_tag():
    model = scripted(PROMPT_FORMATS["phi3"].prompt(ENTRIES[0]), "Paris. ### And<|end|>")
    assert respond(model, ENTRIES[0], "phi3", stop="###") == "Paris."
    with pytest.raises(TypeError, match="stop must be a text"):
        respond(model, ENTRIES[0], "phi3", stop=5)


def test_an_empty_prompt_is_refused():
    with pytest.raises(ValueError, match="prompt is empty"):
        generate(Scripted([1]), [""])


def test_one_text_instead_of_a_list_is_refused():
    with pytest.raises(TypeError, match=r"put the one prompt into \[ \]"):
        generate(Scripted([1]), "Name a colour.")


def test_no_prompts_no_answers():
    assert generate(Scripted([1]), []) == []


def test_the_likeliest_token_is_taken_each_time():
    model, ids = tiny_model().eval(), [3, 1, 4]
    new = new_ids(model, ids, 5, NEVER)
    for token in new:
        logits = model.head(model.hidden(Batch(torch.tensor([ids])))[0, -1])
        assert int(logits.argmax()) == token
        ids = [*ids, token]


def test_answers_do_not_depend_on_the_other_prompts():
    model = tiny_model(256)
    options = {"tokenizer": LetterTokenizer(), "max_new_tokens": 6, "end_of_text_id": NEVER}
    together = generate(model, ["ab", "a longer one"], **options)
    assert together == [generate(model, [p], **options)[0] for p in ("ab", "a longer one")]
    assert [len(answer) for answer in together] == [6, 6]


@pytest.mark.parametrize("training", [True, False])
def test_generation_leaves_the_mode_and_switches_dropout_off(training):
    model = tiny_model(dropout=0.5).train(training)
    one = new_ids(model, [1, 2], 8, NEVER)
    assert new_ids(model, [1, 2], 8, NEVER) == one
    assert model.training is training


def test_the_mode_is_left_after_an_error_too():
    class Broken(Scripted):
        def head(self, hidden):
            raise RuntimeError("no head")

    model = Broken([1, 2]).train()
    with pytest.raises(RuntimeError, match="no head"):
        new_ids(model, [1])
    assert model.training


def test_the_token_ids_that_were_given_stay_as_they_were():
    ids = [0, 1]
    new_ids(Scripted(list(range(9))), ids, 3)
    assert ids == [0, 1]


def test_generation_makes_no_gradients():
    model = tiny_model()
    new_ids(model, [1, 2], 4, NEVER)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_another_tokenizer_with_encode_and_decode_alone():
    model = Scripted([*b"Say hi: hello", 3])
    answers = generate(model, ["Say hi:"], tokenizer=LetterTokenizer(), end_of_text_id=3)
    assert answers == [" hello"]


def test_edge_literal_end_of_text_in_a_prompt_is_ordinary_text():
    prompt = "What is <|endoftext|>?"
    assert generate(scripted(prompt, " A mark."), [prompt]) == [" A mark."]


@pytest.mark.parametrize("name", PROMPT_FORMATS)
def test_respond_asks_in_the_prompt_format_and_takes_the_answer_out(name):
    prompt_format, entry = PROMPT_FORMATS[name], ENTRIES[1]
    model = scripted(prompt_format.prompt(entry), prompt_format.response(entry))
    assert respond(model, entry, name) == entry["output"]
    assert respond(model, entry, prompt_format) == entry["output"]


def test_respond_does_not_look_at_the_output():
    prompt = PROMPT_FORMATS["alpaca"].prompt(ENTRIES[0])
    model = scripted(prompt, " Paris.\n")
    asked = {"instruction": ENTRIES[0]["instruction"]}
    assert respond(model, asked) == "Paris."


def test_respond_passes_its_options_on():
    prompt = PROMPT_FORMATS["alpaca"].prompt(ENTRIES[0])
    model = scripted(prompt, "Paris is the capital.")
    assert respond(model, ENTRIES[0], max_new_tokens=2) == "Paris is"


def test_another_model_with_hidden_head_and_context_length_generates():
    model = NextToken(context_length=8)
    rows = [[i, i + 1, i + 2] for i in range(0, 40, 2)]
    batch = InstructionCollator(end_of_text_id=63, pad_token_id=62)(rows)
    train(model, [batch], epochs=25, learning_rate=0.1, progress=False)
    assert new_ids(model, [10], end=63)[:2] == [11, 12]
    assert len(new_ids(model, [10], end=NEVER)) == 7, "up to the context's end"


def test_a_trained_model_stops_by_itself():
    """End of text is a target, so a model learns to write it."""
    model = tiny_model()
    rows = [[i, i + 1, i + 2] for i in range(1, 9)]
    batch = InstructionCollator(end_of_text_id=63, pad_token_id=62)(rows)
    train(model, [batch], epochs=60, learning_rate=2e-2, progress=False)
    assert new_ids(model, [1, 2], end=63) == [3]
