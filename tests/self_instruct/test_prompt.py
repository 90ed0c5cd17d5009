"""The prompt: its form, its requirements, and the seeds that are drawn for it."""

from random import Random

from lessons_lib.self_instruct import encode_prompt, flatten, load_seed_tasks, sample_seeds
from lessons_lib.self_instruct.prompt import REQUIREMENTS

TASKS = [
    {"instruction": "Name  a\nsea:", "input": "", "output": "The Baltic."},
    {"instruction": "Double the number.", "input": "21", "output": "42"},
    {"instruction": "Which is larger?", "input": "7\n8", "output": "8"},
]


def test_three_tasks_become_a_list_that_breaks_off():
    prompt = encode_prompt(TASKS)
    head, *blocks = prompt.split("###\n")
    assert head.endswith("The 20 tasks:\n") and "{" not in head
    assert blocks == [
        "1. Instruction: Name a sea\n1. Input:\n<noinput>\n1. Output:\nThe Baltic.\n",
        "2. Instruction: Double the number.\n2. Input:\n21\n2. Output:\n42\n",
        "3. Instruction: Which is larger?\n3. Input:\n7\n8\n3. Output:\n8\n",
        "4. Instruction:",
    ]


def test_the_total_is_named():
    assert encode_prompt(TASKS[:2], total=8).endswith("###\n3. Instruction:")
    assert "The 8 tasks:\n" in encode_prompt(TASKS, total=8)
    assert "20" not in encode_prompt(TASKS, total=8)


def test_all_that_is_required_is_asked_for():
    for part in (
        "another verb",
        "questions",
        "All kinds of task",
        "text alone",
        "English",
        "one sentence or two",
        "real example",
        "{no_input}",
        "fewer than 100 words",
    ):
        assert part in REQUIREMENTS, part


def test_the_same_seed_draws_the_same_tasks():
    entries = flatten(load_seed_tasks())
    one = sample_seeds(entries, Random(5))
    assert one == sample_seeds(entries, Random(5)) != sample_seeds(entries, Random(6))
    assert len(one) == 3
    assert len(sample_seeds(entries, Random(5), count=5)) == 5


def test_no_task_is_drawn_twice_and_each_can_be_first():
    draws = [sample_seeds("abcd", Random(seed)) for seed in range(200)]
    assert all(len(set(draw)) == 3 for draw in draws)
    assert {draw[0] for draw in draws} == set("abcd")
