"""A judge on a server: what is asked, paid for once, repeated, kept, and said when it fails."""

import json
import socket
import threading

import pytest

from lessons_lib.judges import RUBRIC
from lessons_lib.reply_cache import ReplyCache, hash_of
from lessons_lib.server_judge import JudgeError, ServerJudge
from tests.fake_judge_server import FakeJudge, serve

ENTRIES = [
    {"instruction": f"What is {n} plus 1?", "input": "", "output": str(n + 1)} for n in range(12)
]
ANSWERS = [str(n + 1) for n in range(12)]


@pytest.fixture(autouse=True)
def own_environment(monkeypatch):
    for name in ("MODEL", "URL", "KEY"):
        monkeypatch.delenv(f"LESSONS_LIB_JUDGE_{name}", raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server():
    with serve(FakeJudge()) as judge:
        yield judge


def judge_at(server, tmp_path, **options):
    options = {"progress": False, "folder": tmp_path, "timeout": 20} | options
    return ServerJudge("tiny-judge", server.url, **options)


def test_the_judge_reads_rubric_task_wanted_and_answer(server, tmp_path):
    assert judge_at(server, tmp_path).score(ENTRIES[:1], ["<b>2</b>"]) == [70]
    (asked,) = server.asked
    system, user = asked["messages"]
    assert system == {"role": "system", "content": RUBRIC}
    assert user["role"] == "user"
    for part in ("What is 0 plus 1?", "<correct>\n1\n", "<answer>\n<b>2</b>\n</answer>"):
        assert part in user["content"]
    assert asked["model"] == "tiny-judge" and asked["temperature"] == 0


def test_no_answer_is_paid_for_twice(server, tmp_path):
    first = judge_at(server, tmp_path)
    assert first.score(ENTRIES, ANSWERS) == [70] * 12
    assert first.score(ENTRIES[::-1], ANSWERS[::-1]) == [70] * 12
    assert judge_at(server, tmp_path).score([ENTRIES[0]] * 3, [ANSWERS[0]] * 3) == [70] * 3
    assert len(server.asked) == 12
    judge_at(server, tmp_path).score(ENTRIES[:1], ["another"])
    assert len(server.asked) == 13


def test_the_same_question_is_asked_once_in_one_go(server, tmp_path):
    assert judge_at(server, tmp_path).score([ENTRIES[0]] * 5, ["x"] * 5) == [70] * 5
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "change", [{"rubric": "Be kind."}, {"temperature": 1.0}, {"run": 1}, {"max_tokens": 8}]
)
def test_another_rubric_temperature_or_run_is_asked_anew(server, tmp_path, change):
    judge_at(server, tmp_path).score(ENTRIES[:2], ANSWERS[:2])
    judge_at(server, tmp_path, **change).score(ENTRIES[:2], ANSWERS[:2])
    assert len(server.asked) == 4


def test_a_reply_that_is_no_number_is_none_and_not_asked_again(server, tmp_path):
    server.reply = lambda text: "Score: 80" if "What is 1 plus" in text else " 80\n"
    judge = judge_at(server, tmp_path)
    assert judge.score(ENTRIES[:3], ANSWERS[:3]) == [80, None, 80]
    assert judge.replies(ENTRIES[:3], ANSWERS[:3]) == [" 80\n", "Score: 80", " 80\n"]
    assert len(server.asked) == 3


@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_failures_are_tried_again(server, tmp_path, status):
    server.failures = [status]
    assert judge_at(server, tmp_path, concurrency=1).score(ENTRIES[:1], ["1"]) == [70]
    assert len(server.asked) == 2


def test_a_run_that_was_cut_off_goes_on(server, tmp_path):
    judge = judge_at(server, tmp_path, concurrency=1, retries=0)
    server.failures, server.pause = [None] * 5 + [400], 0.05
    with pytest.raises(JudgeError, match=r"failure 400.* [5-9] of 12 replies .*run it again") as e:
        judge.score(ENTRIES, ANSWERS)
    assert server.url in str(e.value) and "tiny-judge" in str(e.value)
    before = len(server.asked)
    kept = len(lines_of(judge.cache.path))
    assert judge.score(ENTRIES, ANSWERS) == [70] * 12
    assert len(server.asked) - before == 12 - kept and kept >= 5


def lines_of(path):
    return path.read_text(encoding="utf-8").splitlines()


def test_so_many_requests_are_under_way_at_once(server, tmp_path):
    server.pause = 0.05
    judge_at(server, tmp_path, concurrency=3).score(ENTRIES, ANSWERS)
    assert 2 <= server.most_busy <= 3


def test_the_key_goes_to_the_server_and_nowhere_else(server, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-server")
    judge_at(server, tmp_path).score(ENTRIES[:1], ["a"])
    judge_at(server, tmp_path, api_key="mine").score(ENTRIES[:1], ["b"])
    monkeypatch.setenv("LESSONS_LIB_JUDGE_KEY", "from-the-environment")
    judge_at(server, tmp_path).score(ENTRIES[:1], ["c"])
    assert server.keys == ["Bearer none", "Bearer mine", "Bearer from-the-environment"]
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"mine" not in written and b"environment" not in written


def test_server_and_model_come_from_the_environment_too(server, tmp_path, monkeypatch):
    monkeypatch.setenv("LESSONS_LIB_JUDGE_MODEL", "tiny-judge")
    monkeypatch.setenv("LESSONS_LIB_JUDGE_URL", server.url + "/")
    judge = ServerJudge(folder=tmp_path, progress=False)
    assert judge.score(ENTRIES[:1], ["1"]) == [70] and judge.name == "judge tiny-judge"


def test_a_judge_needs_a_name_and_sensible_numbers():
    with pytest.raises(JudgeError, match="LESSONS_LIB_JUDGE_MODEL"):
        ServerJudge()
    with pytest.raises(ValueError, match="concurrency"):
        ServerJudge("x", concurrency=0)


def test_a_server_that_does_not_run_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    judge = ServerJudge(
        "big", f"http://127.0.0.1:{port}/v1", retries=0, folder=tmp_path, progress=False
    )
    with pytest.raises(JudgeError, match=f"127.0.0.1:{port}.*'big'.*server running") as error:
        judge.score(ENTRIES, ANSWERS)
    assert "0 of 12 replies" in str(error.value)


def test_an_unknown_model_is_told_which_there_are(server, tmp_path):
    server.models = ("llama", "qwen")
    with pytest.raises(JudgeError, match="no such model.*It has: llama, qwen"):
        judge_at(server, tmp_path).score(ENTRIES[:1], ["1"])


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "wants a key.*LESSONS_LIB_JUDGE_KEY"),
        (403, "does not allow this key.*failure 403"),
        (400, "refused.*failure 400"),
        (429, "too many requests"),
        (500, "refused.*failure 500"),
    ],
)
def test_other_refusals_are_explained(server, tmp_path, status, message):
    server.failures = [status]
    with pytest.raises(JudgeError, match=message):
        judge_at(server, tmp_path, retries=0).score(ENTRIES[:1], ["1"])


def test_a_slow_server_is_given_up(server, tmp_path):
    server.pause = 1.0
    with pytest.raises(JudgeError, match="took too long"):
        judge_at(server, tmp_path, retries=0, timeout=0.1).score(ENTRIES[:1], ["1"])


# ---------------------------------------------------------------- the file of replies


def test_replies_are_found_again_and_others_are_not(tmp_path):
    cache = ReplyCache("a/b:7", "server", "rubric", folder=tmp_path)
    cache.add("key", "80 🦋\n")
    again = ReplyCache("a/b:7", "server", "rubric", folder=tmp_path)
    assert "key" in again and again["key"] == "80 🦋\n" and len(again) == 1
    assert "key" not in ReplyCache("a/b:7", "server", "other", folder=tmp_path)
    assert cache.path.name == f"a-b-7-{hash_of('server', 'rubric')}.jsonl"


def test_a_line_that_was_cut_off_costs_itself_alone(tmp_path):
    cache = ReplyCache("judge", folder=tmp_path)
    cache.add("one", "1")
    with cache.path.open("ab") as file:
        file.write(b'{"key": "two", "rep')
    again = ReplyCache("judge", folder=tmp_path)
    assert len(again) == 1
    again.add("three", "3")
    assert set(ReplyCache("judge", folder=tmp_path)._replies) == {"one", "three"}


@pytest.mark.parametrize("line", [b"\xff\xfe", b"[]", b"1", b'{"key": 1, "reply": "x"}', b"{}"])
def test_lines_that_are_no_replies_are_passed_over(tmp_path, line):
    cache = ReplyCache("judge", folder=tmp_path)
    cache.add("one", "1")
    with cache.path.open("ab") as file:
        file.write(line + b"\n")
    assert len(ReplyCache("judge", folder=tmp_path)) == 1


def test_many_threads_and_two_caches_write_whole_lines(tmp_path):
    caches = [ReplyCache("judge", folder=tmp_path) for _ in range(2)]

    def write(number):
        for place in range(10):
            caches[number % 2].add(f"{number}-{place}", "x" * 500)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = lines_of(caches[0].path)
    assert len(lines) == 40 and all(json.loads(line)["reply"] == "x" * 500 for line in lines)
    caches[0].reload()
    assert len(caches[0]) == 40
