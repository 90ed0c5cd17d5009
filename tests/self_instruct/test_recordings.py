"""What comes recorded with the course: two runs, and what readers said of one of them."""

import pytest

from lessons_lib.data import check_entries
from lessons_lib.experiments import load_figures
from lessons_lib.self_instruct import (
    DecodingArguments,
    RecordedTeacher,
    RunError,
    flatten,
    generate_tasks,
    load_funnel,
    load_seed_tasks,
    read_requests,
    recorded_run,
)

REQUESTS = "requests.jsonl"


@pytest.fixture(scope="module")
def funnel():
    return load_funnel(recorded_run("self-instruct"))


def test_read_along_the_recording_gives_the_run_that_was_recorded(tmp_path, funnel):
    """With today's seed tasks, prompt and draws: if one of them changes, record anew."""
    path = recorded_run("self-instruct") / REQUESTS
    first = read_requests(path)[0]
    again = generate_tasks(
        flatten(load_seed_tasks()),
        RecordedTeacher(path),
        folder=tmp_path,
        wanted=300,
        prompts_per_request=len(first["prompts"]),
        arguments=DecodingArguments(**first["arguments"]),
    )
    assert again.teacher == "recorded: smollm2"
    assert again.entries == funnel.entries
    assert (again.blocks, again.refused) == (funnel.blocks, funnel.refused)


def test_both_runs_are_long_enough_to_learn_from(funnel):
    magpie = load_funnel(recorded_run("magpie"))
    assert len(funnel.kept) >= 300 and len(magpie.kept) >= 150
    check_entries([*funnel.entries, *magpie.entries])


def test_a_run_that_is_not_there_is_refused():
    with pytest.raises(RunError, match="no run is recorded as 'alpaca'"):
        recorded_run("alpaca")


def test_the_judged_tasks_are_those_of_the_run(funnel):
    tasks = load_figures("judged-tasks")["tasks"]
    indices = [each["entry"] for each in tasks]
    assert len(indices) == len(set(indices)) >= 90
    assert max(indices) < len(funnel.kept)
    for each in tasks:
        for said in (each["first"], each["second"]):
            assert len(said) == 3 and all(isinstance(mark, bool) for mark in said)


def test_the_explained_class_does_what_the_true_sentences_say():
    explained = load_figures("explanations")
    namespace: dict = {}
    exec(explained["code"], namespace)
    entry = {"instruction": "ab", "input": "never read", "output": "cd"}
    made = namespace["PromptDataset"]([entry], lambda text: [*text.encode()], 0)
    assert made[0] == ([97, 98, 10, 99, 100, 0], [-100, -100, -100, 99, 100, 0])
    assert len(made) == 1
    by = [each["by"] for each in explained["sentences"]]
    assert by.count("SmolLM2") == by.count("the course") == 5
