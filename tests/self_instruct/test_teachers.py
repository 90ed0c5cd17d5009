"""Teachers on this machine: what the library's decoding writes, counted and cut."""

import pytest

from lessons_lib.data import text_ids, tokenizer_of
from lessons_lib.generation import generate_all
from lessons_lib.self_instruct import DecodingArguments, LocalTeacher, generate_tasks, most_tokens
from tests.helpers.llama_toys import tiny_llama
from tests.helpers.self_instruct_toys import SEEDS

ARGUMENTS = DecodingArguments(temperature=0.8, max_tokens=8, stop=("###",))
PROMPTS = ["Name the capital", "Add."]


@pytest.fixture(scope="module")
def model():
    return tiny_llama()


def test_a_local_teacher_continues_prompts_as_the_library_does(model):
    found = LocalTeacher(model).complete(PROMPTS, ARGUMENTS, seed=7)
    wanted = generate_all(
        model, PROMPTS, max_new_tokens=8, temperature=0.8, top_p=1, seed=7, stop=("###",)
    )
    assert [each.text for each in found] == [each.text for each in wanted]
    assert [each.stopped for each in found] == [each.stopped for each in wanted]
    assert [each.completion_tokens for each in found] == [len(each.token_ids) for each in wanted]
    read = [len(text_ids(prompt, tokenizer_of(model))) for prompt in PROMPTS]
    assert [each.prompt_tokens for each in found] == read
    assert found != LocalTeacher(model).complete(PROMPTS, ARGUMENTS, seed=8)


def test_a_stop_text_ends_a_reply_and_is_cut(model):
    arguments = DecodingArguments(temperature=0, max_tokens=8, stop=())
    (whole,) = LocalTeacher(model).complete(PROMPTS[:1], arguments, seed=0)
    assert not whole.stopped and len(whole.text) > 3
    stop = whole.text[2]
    arguments = DecodingArguments(temperature=0, max_tokens=8, stop=(stop,))
    (cut,) = LocalTeacher(model).complete(PROMPTS[:1], arguments, seed=0)
    assert cut.stopped and cut.text == whole.text.partition(stop)[0]


def test_several_replies_to_a_prompt_read_it_once(model):
    arguments = DecodingArguments(temperature=1, max_tokens=8, n=2, stop=())
    found = LocalTeacher(model).complete(PROMPTS, arguments, seed=0)
    assert len(found) == 4 and found[0].text != found[1].text
    assert [each.prompt_tokens > 0 for each in found] == [True, False, True, False]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"presence_penalty": 0.5}, "knows no penalties"),
        ({"frequency_penalty": 0.5}, "knows no penalties"),
        ({"logit_bias": {5: -100}}, "no logit_bias, not on token 5; leave it out: logit_bias={}"),
    ],
)
def test_what_the_librarys_decoding_cannot_do_is_said(model, changed, message):
    with pytest.raises(ValueError, match=message):
        LocalTeacher(model).complete(PROMPTS, DecodingArguments(max_tokens=8, **changed), seed=0)


def test_most_tokens_is_what_the_prompts_have_and_all_replies_may_have():
    arguments = DecodingArguments(max_tokens=10, n=3)
    assert most_tokens(["one two", "three"], arguments) == (3, 60)


def test_the_real_model_goes_on_with_the_list(converted_smollm2, tmp_path):
    funnel = generate_tasks(
        SEEDS,
        LocalTeacher(),
        folder=tmp_path,
        wanted=1,
        most_requests=1,
        prompts_per_request=2,
        arguments=DecodingArguments(temperature=0.7, max_tokens=48),
    )
    assert funnel.teacher == "smollm2" and funnel.asked == 2 and funnel.blocks > 0
    assert 0 < funnel.completion_tokens <= 96 < funnel.prompt_tokens
