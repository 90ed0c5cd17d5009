"""A run: what is asked, counted and kept; killed, it goes on as if nothing had happened."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lessons_lib.data import check_entries, load_entries
from lessons_lib.self_instruct import (
    Completion,
    RecordedTeacher,
    RunError,
    TeacherError,
    generate_tasks,
    load_funnel,
    rouge_l_f,
    rouge_words,
)
from tests.helpers.self_instruct_toys import ARGUMENTS, SEEDS, WANTED, ToyTeacher, generate
from tests.helpers.servers import until

ROOT = Path(__file__).resolve().parents[2]


def requests_of(folder):
    """The requests on the disk, without the seconds, which differ."""
    lines = (folder / "requests.jsonl").read_bytes().splitlines()
    return [{**json.loads(line), "seconds": None} for line in lines]


def told(funnel):
    return {**vars(funnel), "seconds": None}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a run that nobody interrupted, and its funnel."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, generate(folder)


def test_the_counts_of_all_stages_add_up(whole):
    _, funnel = whole
    assert WANTED <= len(funnel.kept) < WANTED + 2 * 4
    assert funnel.asked == 2 * funnel.requests
    assert funnel.parsed == funnel.blocks - funnel.dropped("parsing")
    refused = funnel.dropped("filtering") + funnel.dropped("deduping")
    assert funnel.parsed == refused + len(funnel.kept)
    assert all(funnel.dropped(stage) for stage in ("parsing", "filtering", "deduping"))
    assert len(funnel.by_reason("parsing")) == 2, "cut off, and not one task"
    assert (funnel.prompt_tokens, funnel.completion_tokens) == (
        100 * funnel.asked,
        60 * funnel.asked,
    )
    assert funnel.seconds_per_kept == funnel.seconds / len(funnel.kept)


def test_each_drop_keeps_its_text_and_a_near_copy_names_its_like(whole):
    _, funnel = whole
    (reason,) = funnel.by_reason("filtering")
    assert "keyword" in reason
    assert {each.text for each in funnel.by_reason("filtering")[reason]} == {
        "Draw a picture of a cat."
    }
    for each in funnel.by_reason("deduping")["too like an earlier instruction"]:
        like, f = each.most_similar
        assert f == rouge_l_f(rouge_words(each.text), rouge_words(like)) > 0.7
        assert each.entry["instruction"] == each.text and each.entry["output"] == "An answer."
    (like_before, *_) = funnel.by_reason("parsing").values()
    assert all(each.entry is None and each.text for each in like_before)


def test_the_table_has_a_row_for_each_stage_and_reason(whole):
    _, funnel = whole
    rows = dict(funnel.table().rows)
    assert rows["replies asked for"] == str(funnel.asked)
    assert rows["unlike all others: kept"] == str(len(funnel.kept))
    assert rows["  – too like an earlier instruction"] == str(funnel.dropped("deduping"))
    assert "passed the filters" in str(funnel)


def test_tasks_are_entries_with_what_alpaca_records(whole):
    folder, funnel = whole
    loaded = load_entries(folder / "tasks.json")
    check_entries(loaded)
    fields = ("instruction", "input", "output")
    assert [{name: each[name] for name in fields} for each in loaded] == funnel.entries
    for each, task in zip(loaded, funnel.kept, strict=True):
        assert len(task.most_similar) == 10
        assert each["most_similar_instructions"] == dict(task.most_similar)
        assert each["avg_similarity_score"] == task.mean_similarity
    pool = [*SEEDS, *funnel.entries]
    words = [rouge_words(each["instruction"]) for each in pool]
    for index in range(len(SEEDS), len(pool)):
        assert max(rouge_l_f(words[index], other) for other in words[:index]) <= 0.7


def test_each_prompt_has_three_seeds_and_no_two_requests_the_same(tmp_path):
    teacher = ToyTeacher()
    generate(tmp_path, teacher, wanted=10)
    prompts = [prompt for asked, _ in teacher.asked for prompt in asked]
    assert all(
        sum(f"Instruction: {seed['instruction']}" in prompt for seed in SEEDS) == 3
        for prompt in prompts
    )
    assert len(set(prompts)) == len(prompts)
    assert len({seed for _, seed in teacher.asked}) == len(teacher.asked)
    assert all(prompt.endswith("4. Instruction:") for prompt in prompts)


def test_the_seed_decides(tmp_path, whole):
    assert told(generate(tmp_path / "same")) == told(whole[1])
    assert generate(tmp_path / "other", seed=5).entries != whole[1].entries


def test_killed_it_loses_the_request_under_way_and_ends_as_if_it_had_not_been(tmp_path, whole):
    program = [sys.executable, "-m", "tests.helpers.self_instruct_toys", str(tmp_path), "2"]
    path = tmp_path / "requests.jsonl"
    for there in (2, 4):  # killed twice, in the midst of the third request and of the fifth
        process = subprocess.Popen(program, cwd=ROOT)
        try:
            until(
                lambda lines=there: path.exists() and path.read_bytes().count(b"\n") >= lines,
                seconds=120,
            )
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert not (tmp_path / "tasks.json").exists()
        assert requests_of(tmp_path) == requests_of(whole[0])[:there]
    before = len(requests_of(tmp_path))
    teacher = ToyTeacher()
    assert told(generate(tmp_path, teacher)) == told(whole[1])
    assert len(teacher.asked) == len(requests_of(whole[0])) - before > 0
    assert requests_of(tmp_path) == requests_of(whole[0])
    assert (tmp_path / "tasks.json").read_bytes() == (whole[0] / "tasks.json").read_bytes()


@pytest.mark.parametrize("part", [b'{"teacher": "to', b"\xd1", b"{"])
def test_a_line_that_a_kill_cut_off_is_asked_anew(tmp_path, whole, part):
    generate(tmp_path, wanted=10)
    with (tmp_path / "requests.jsonl").open("ab") as file:
        file.write(part)
    assert told(generate(tmp_path)) == told(whole[1])
    assert requests_of(tmp_path) == requests_of(whole[0])


def test_a_finished_run_asks_nothing_and_a_larger_one_goes_on(tmp_path, whole):
    teacher = ToyTeacher()
    generate(tmp_path, wanted=10)
    funnel = generate(tmp_path, teacher, wanted=10)
    assert teacher.asked == [] and len(funnel.kept) >= 10
    assert told(generate(tmp_path, wanted=WANTED)) == told(whole[1])


def test_after_an_error_of_the_teacher_the_requests_before_are_there(tmp_path, whole):
    class Failing(ToyTeacher):
        def complete(self, prompts, arguments, seed):
            if len(self.asked) == 3:
                raise TeacherError("down")
            return super().complete(prompts, arguments, seed)

    with pytest.raises(TeacherError, match="down"):
        generate(tmp_path, Failing())
    assert len(requests_of(tmp_path)) == 3
    assert told(generate(tmp_path)) == told(whole[1])


def test_a_token_limit_holds_over_the_whole_run_and_before_asking(tmp_path):
    teacher, limit = ToyTeacher(), 2200
    with pytest.raises(TeacherError, match="limit is 2,200 tokens, .* not sent"):
        generate(tmp_path, teacher, token_limit=limit)
    spent = load_funnel(tmp_path)
    assert 0 < spent.prompt_tokens + spent.completion_tokens <= limit
    again = ToyTeacher()
    with pytest.raises(TeacherError, match="limit is 2,200 tokens"):
        generate(tmp_path, again, token_limit=limit)
    assert again.asked == []


def test_a_teacher_that_writes_nothing_useful_is_not_asked_for_ever(tmp_path):
    class Silent(ToyTeacher):
        def complete(self, prompts, arguments, seed):
            return [Completion("", True, 1, 0) for _ in prompts]

    funnel = generate(tmp_path, Silent(), wanted=1)
    assert funnel.requests == 10 and funnel.kept == [] and funnel.seconds_per_kept is None
    assert generate(tmp_path, Silent(), wanted=1, most_requests=12).requests == 12
    assert json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8")) == []


def test_whatever_a_teacher_writes_is_counted_and_written(tmp_path):
    class Strange(ToyTeacher):
        def complete(self, prompts, arguments, seed):
            return [Completion("\ud83d ###\n\x00 \x85" * 50, False, 1, 1)]

    assert generate(tmp_path, Strange(), most_requests=2).blocks > 0
    assert load_funnel(tmp_path).requests == 2


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ({"seed": 5}, "seed"),
        ({"prompts_per_request": 3}, "prompts_per_request"),
        ({"arguments": None}, "arguments"),
    ],
)
def test_a_folder_holds_one_run(tmp_path, option, name):
    generate(tmp_path, wanted=5)
    with pytest.raises(RunError, match=f"holds a run with another {name}: use the same"):
        generate(tmp_path, **option)
    with pytest.raises(RunError, match="another seeds"):
        generate_tasks(
            SEEDS[:4],
            ToyTeacher(),
            folder=tmp_path,
            wanted=5,
            prompts_per_request=2,
            arguments=ARGUMENTS,
        )


@pytest.mark.parametrize("line", ["nonsense", "[]", '{"completions": [[1, true, 1, 1]]}'])
def test_a_damaged_line_is_named(tmp_path, line):
    generate(tmp_path, wanted=10)
    path = tmp_path / "requests.jsonl"
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([lines[0], line.encode(), *lines[1:]]) + b"\n")
    with pytest.raises(RunError, match=r"requests.jsonl, line 2 is no request .* delete"):
        generate(tmp_path)
    with pytest.raises(RunError, match="holds no run"):
        load_funnel(tmp_path / "nowhere")


@pytest.mark.parametrize("option", [{"wanted": 0}, {"prompts_per_request": 0}])
def test_numbers_below_1_are_refused(tmp_path, option):
    with pytest.raises(ValueError, match="of 1 or more"):
        generate(tmp_path, **option)


# ---------------------------------------------------------------- recorded replies


def test_a_recording_gives_the_same_tasks_and_says_what_it_is(tmp_path, whole):
    teacher = RecordedTeacher(whole[0] / "requests.jsonl")
    assert teacher.name == "recorded: toy"
    funnel = generate(tmp_path, teacher)
    assert funnel.teacher == "recorded: toy" and funnel.entries == whole[1].entries


def test_a_recording_answers_nothing_that_was_not_asked(tmp_path, whole):
    teacher = RecordedTeacher(whole[0] / "requests.jsonl")
    for name, value in (("seed", 5), ("arguments", None), ("wanted", 500)):
        with pytest.raises(TeacherError, match=r"requests.jsonl holds no reply to this request"):
            generate(tmp_path / name, teacher, **{name: value})


def test_what_is_no_recording_is_named(tmp_path):
    with pytest.raises(RunError, match="missing.jsonl holds no recorded replies"):
        RecordedTeacher(tmp_path / "missing.jsonl")
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n', encoding="utf-8")
    with pytest.raises(RunError, match="line 1 is no request"):
        RecordedTeacher(path)
