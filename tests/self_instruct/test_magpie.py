"""Magpie: turns that a chat model writes and answers, counted in the funnel; runs that go on."""

import json

import pytest

from lessons_lib.self_instruct import (
    Completion,
    DecodingArguments,
    LocalTeacher,
    RunError,
    empty_turn,
    generate_magpie,
    generate_tasks,
    load_funnel,
    parse_turns,
)
from tests.helpers.llama_toys import tiny_llama, tiny_tokenizer
from tests.helpers.self_instruct_toys import SEEDS
from tests.helpers.toys import tiny_model

TURNS = [
    Completion(" Name three large rivers. ", True, 5, 4),
    Completion("Name three large rivers.", True, 5, 4),
    Completion("Draw me a picture of a cat.", True, 5, 4),
    Completion("What is a long", False, 5, 4),
    Completion(" \n", True, 5, 1),
    Completion("Tell a story without an end.", True, 5, 4),
]


class ToyTeacher(LocalTeacher):
    """Writes the same six turns each time; one of its answers is cut off."""

    def __init__(self):
        super().__init__(tiny_llama(), "toy")
        self.asked = []

    def complete(self, prompts, arguments, seed):
        self.asked.append((prompts, seed))
        texts = [self.model.tokenizer.decode(prompt) for prompt in prompts]
        if not texts or texts[0].endswith("user\n"):
            return TURNS[: len(prompts)]
        return [Completion(" Well. ", "without an end" not in text, 9, 2) for text in texts]


def generate(folder, teacher=None, **options):
    options = {"wanted": 1, "prompts_per_request": 6} | options
    return generate_magpie(teacher or ToyTeacher(), folder=folder, **options)


def test_the_empty_turn_ends_where_the_users_words_begin():
    assert tiny_tokenizer().decode(empty_turn(tiny_tokenizer())) == "<|im_start|>user\n"


def test_each_turn_goes_through_the_funnel(tmp_path):
    funnel = generate(tmp_path)
    task = {"instruction": "Name three large rivers.", "input": "", "output": "Well."}
    assert funnel.entries == [task]
    reasons = {(each.stage, each.reason, each.text) for each in funnel.refused}
    assert reasons == {
        ("parsing", "cut off by the limit of tokens", "What is a long"),
        ("parsing", "empty instruction", ""),
        ("parsing", "answer cut off by the limit of tokens", "Tell a story without an end."),
        ("filtering", "instruction with a keyword such as image or file", TURNS[2].text),
        ("deduping", "too like an earlier instruction", TURNS[1].text),
    }
    assert (funnel.asked, funnel.blocks, funnel.parsed) == (6, 6, 3)
    assert funnel.completion_tokens == 21 + 4 * 2 and funnel.prompt_tokens == 30 + 4 * 9


def test_only_whole_turns_are_answered_and_the_answer_follows_the_turn(tmp_path):
    teacher = ToyTeacher()
    generate(tmp_path, teacher)
    (starts, first_seed), (chats, second_seed) = teacher.asked
    assert starts == [empty_turn(tiny_tokenizer())] * 6 and first_seed != second_seed
    texts = [tiny_tokenizer().decode(chat) for chat in chats]
    assert len(texts) == 4
    assert texts[0] == (
        "<|im_start|>user\nName three large rivers.<|im_end|>\n<|im_start|>assistant\n"
    )


def test_a_run_goes_on_and_is_read_again(tmp_path):
    whole = generate(tmp_path / "whole", wanted=2, most_requests=3)
    generate(tmp_path / "cut", wanted=1)
    with (tmp_path / "cut" / "requests.jsonl").open("ab") as file:
        file.write(b'{"teacher": "to')
    teacher = ToyTeacher()
    generate(tmp_path / "cut", teacher, wanted=2, most_requests=3)
    assert len(teacher.asked) == 2 * 2  # the first request is not asked anew

    def kept(name):
        lines = (tmp_path / name / "requests.jsonl").read_bytes().splitlines()
        return [{**json.loads(line), "seconds": None} for line in lines]

    assert kept("cut") == kept("whole") and len({each["seed"] for each in kept("cut")}) == 3
    again = load_funnel(tmp_path / "cut")
    assert {**vars(again), "seconds": 0} == {**vars(whole), "seconds": 0}


def test_a_folder_of_another_run_is_refused(tmp_path):
    generate(tmp_path)
    with pytest.raises(RunError, match="another seed:"):
        generate(tmp_path, seed=5)
    with pytest.raises(RunError, match="another"):
        generate_tasks(SEEDS, ToyTeacher(), folder=tmp_path, wanted=1)


def test_answers_that_do_not_fit_their_turns_are_named(tmp_path):
    generate(tmp_path)
    path = tmp_path / "requests.jsonl"
    request = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**request, "answers": [None]}) + "\n", encoding="utf-8")
    with pytest.raises(RunError, match="line 1 is no request"):
        load_funnel(tmp_path)


@pytest.mark.parametrize("text", ["\ud83d", "### 4. Instruction: x", "\x00", "ё" * 100_000])
def test_whatever_a_turn_is_nothing_raises(text):
    parsed = parse_turns(Completion(text, True, 1, 1), Completion(text, True, 1, 1))
    assert len(parsed.tasks) + len(parsed.dropped) == 1


def test_what_cannot_be_done_is_said(tmp_path):
    with pytest.raises(ValueError, match="only a chat model"):
        generate(tmp_path, LocalTeacher(tiny_model()))
    with pytest.raises(ValueError, match="1 or more"):
        generate(tmp_path, prompts_per_request=0)
    with pytest.raises(ValueError, match="leave n at 1"):
        generate(tmp_path, arguments=DecodingArguments(n=2))


def test_a_model_writes_turns_and_answers(tmp_path):
    funnel = generate(tmp_path, LocalTeacher(tiny_llama()), most_requests=1, prompts_per_request=2)
    assert funnel.asked == funnel.blocks == 2
