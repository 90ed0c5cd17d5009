"""A judge on a server: what is asked, paid for once, repeated, kept, and said when it fails."""

import contextlib
import json
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
import torch
from torch import nn

from lessons_lib.chat.server import create_app, serving
from lessons_lib.data import END_OF_TEXT, VOCABULARY_SIZE, get_tokenizer
from lessons_lib.evaluation.judges import ServerJudge, bodies, client
from lessons_lib.evaluation.judges.client import JudgeClient, JudgeError
from lessons_lib.evaluation.judges.local import RUBRIC, judge_messages
from lessons_lib.evaluation.judges.replies import ReplyCache, hash_of
from tests.helpers.fake_judge_server import FakeJudge
from tests.helpers.fake_openai_server import forget_servers, serve
from tests.helpers.servers import free_port, until

ENTRIES = [
    {"instruction": f"What is {n} plus 1?", "input": "", "output": str(n + 1)} for n in range(12)
]
ANSWERS = [str(n + 1) for n in range(12)]


@pytest.fixture(autouse=True)
def own_environment(monkeypatch):
    forget_servers(monkeypatch)


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


def test_a_temperature_of_0_is_one_of_0_point_0(server, tmp_path):
    for temperature in (0, 0.0):
        judge_at(server, tmp_path, temperature=temperature).score(ENTRIES[:2], ANSWERS[:2])
    assert len(server.asked) == 2


def test_a_reply_that_is_no_number_is_none_and_not_asked_again(server, tmp_path):
    server.reply = lambda text: "80 or 90" if "What is 1 plus" in text else "Score: **80**.\n"
    judge = judge_at(server, tmp_path)
    with pytest.warns(UserWarning, match="1 of 3 replies are not just a num.* first: '80 or 90'"):
        assert judge.score(ENTRIES[:3], ANSWERS[:3]) == [80, None, 80]
    replies = ["Score: **80**.\n", "80 or 90", "Score: **80**.\n"]
    assert judge.replies(ENTRIES[:3], ANSWERS[:3]) == replies
    assert len(server.asked) == 3


@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_failures_are_tried_again(server, tmp_path, status):
    server.failures = [status]
    assert judge_at(server, tmp_path, concurrency=1).score(ENTRIES[:1], ["1"]) == [70]
    assert len(server.asked) == 2


def test_a_run_that_was_cut_off_goes_on(server, tmp_path):
    judge = judge_at(server, tmp_path, concurrency=1, retries=0)
    server.failures, server.pause = [None] * 5 + [403], 0.1  # time to cancel the rest
    with pytest.raises(JudgeError, match=r"failure 403.* [5-9] of 12 replies .*run it again") as e:
        judge.score(ENTRIES, ANSWERS)
    assert server.url in str(e.value) and "tiny-judge" in str(e.value)
    before = len(server.asked)
    kept = kept_in(tmp_path)
    assert judge.score(ENTRIES, ANSWERS) == [70] * 12
    assert len(server.asked) - before == 12 - kept and kept >= 5


def kept_in(folder):
    """How many replies are on the disk."""
    (path,) = folder.glob("*.sqlite")
    with contextlib.closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT count(*) FROM replies").fetchone()[0]


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
    port = free_port()
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


# ---------------------------------------------------------------- single answers refused


def third(text):
    return "What is 3 plus" in text


@pytest.mark.parametrize("status", [400, 413, 422])
def test_an_answer_that_is_always_refused_costs_its_own_score_alone(server, tmp_path, status):
    server.refuse = lambda text: status if third(text) else None
    judge = judge_at(server, tmp_path, concurrency=1)
    with pytest.warns(UserWarning) as told:
        assert judge.score(ENTRIES, ANSWERS) == [70] * 3 + [None] + [70] * 8
    (warning,) = told
    assert "1 of 12 answers were refused" in str(warning.message)
    assert str(warning.message).endswith(f"the first reason: failure {status}.")
    assert warning.filename == __file__
    assert len(server.asked) == 12 and kept_in(tmp_path) == 11
    server.refuse = lambda text: None
    assert judge.score(ENTRIES, ANSWERS) == [70] * 12, "what was refused is asked once more"
    assert len(server.asked) == 13


def test_where_the_first_few_are_all_refused_alike_the_others_are_not_asked(server, tmp_path):
    server.refuse, server.pause = (lambda text: 400), 0.05  # time to count, and to cancel the rest
    with pytest.raises(
        JudgeError, match="refused every.*failure 400. It has: tiny-judge.* 0 of 12"
    ):
        judge_at(server, tmp_path, concurrency=1).score(ENTRIES, ANSWERS)
    assert 5 <= len(server.asked) < 12


@pytest.mark.parametrize("statuses", [[400] * 4, [400] * 4 + [413] * 4], ids=["few", "unlike"])
def test_a_few_refused_answers_at_the_start_stop_nothing(server, tmp_path, statuses):
    server.failures = list(statuses)
    refused = len(statuses)
    with pytest.warns(UserWarning, match=f"{refused} of 12 answers were refused"):
        scores = judge_at(server, tmp_path, concurrency=1).score(ENTRIES, ANSWERS)
    assert scores == [None] * refused + [70] * (12 - refused)


def test_a_judge_that_has_answered_before_may_refuse_all(server, tmp_path):
    judge_at(server, tmp_path).score(ENTRIES[:1], ANSWERS[:1])
    server.refuse = lambda text: 400
    with pytest.warns(UserWarning, match="11 of 12 answers were refused"):
        assert judge_at(server, tmp_path).score(ENTRIES, ANSWERS) == [70] + [None] * 11


def test_half_a_character_cannot_be_sent_and_stops_nothing(server, tmp_path):
    with pytest.warns(UserWarning, match="1 of 2 answers were refused.*half a character"):
        scores = judge_at(server, tmp_path, concurrency=1).score(ENTRIES[:2], ["1", "\ud83d"])
    assert scores == [70, None]
    with pytest.warns(UserWarning, match="1 of 1 answers were refused"):
        assert judge_at(server, tmp_path / "new").score(ENTRIES[:1], ["\ud83d"]) == [None]


class Seventy(nn.Module):
    """A model that answers everything with "70"."""

    context_length = 400

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        (self.number,) = get_tokenizer().encode_ordinary("70")

    def hidden(self, batch):
        return batch.inputs[:, :, None]

    def head(self, hidden):
        following = torch.where(hidden[..., 0] == self.number, END_OF_TEXT, self.number)
        return nn.functional.one_hot(following, VOCABULARY_SIZE).float()


def test_our_own_server_judges_and_a_prompt_too_long_for_it_has_no_score(tmp_path):
    with serving(create_app(Seventy(), "seventy")) as address:
        judge = ServerJudge("seventy", f"{address}/v1", folder=tmp_path, progress=False)
        with pytest.warns(UserWarning, match="1 of 3 answers were refused.* reads 400 at most"):
            scores = judge.score(ENTRIES[:3], ["1", "long " * 400, "3"])
    assert scores == [70, None, 70]


# ---------------------------------------------------------------- what is no reply


@pytest.mark.usefixtures("garbage_waits")  # brackets in brackets
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<!doctype html><title>Ollama</title>", "text/html"),
        ("null", "application/json"),
        ("[]", "application/json"),
        ('{"hello": 1}', "application/json"),
        ('{"choices": []}', "application/json"),
        ('{"choices": [{"index": 0}]}', "application/json"),
        ('{"choices": [{"message": {"content": 7}}]}', "application/json"),
        ('{"choices": [{"mess', "application/json"),
        ("", "application/json"),
        ("[" * 100_000, "application/json"),
        ('{"choices": [{"message": {"content": ["70"]}}]}', "application/json"),
    ],
)
def test_what_is_no_reply_is_said_and_not_kept(server, tmp_path, body, kind):
    server.body, server.body_type = body, kind
    judge = judge_at(server, tmp_path)
    with pytest.raises(JudgeError, match="not as a chat model") as error:
        judge.score(ENTRIES[:1], ["1"])
    assert "/v1?" not in str(error.value), "it does end in /v1"
    assert server.url in str(error.value) and "'tiny-judge'" in str(error.value)
    assert body[:20] in str(error.value) and not judge.cache.path.exists()
    server.body = None
    assert judge.score(ENTRIES[:1], ["1"]) == [70]


@pytest.mark.parametrize("content", [None, "", "<think>The answer is 70 or", "<think>I"])
def test_replies_without_a_number_are_told_after_the_run(server, tmp_path, content):
    server.reply = lambda text: content
    with pytest.warns(UserWarning, match="12 of 12 replies hold no number.*max_tokens") as told:
        assert judge_at(server, tmp_path).score(ENTRIES, ANSWERS) == [None] * 12
    assert len(told) == 1 and repr(content or "") in str(told[0].message)


def test_an_address_without_its_v1_is_asked_about(server, tmp_path):
    server.url, server.body = server.url.removesuffix("/v1"), "<!doctype html>"
    with pytest.raises(JudgeError, match="not as a chat model.*Does the address end in /v1"):
        judge_at(server, tmp_path).score(ENTRIES[:1], ["1"])


TEXT, THOUGHT = {"type": "text", "text": "8"}, {"type": "thinking", "thinking": "70?"}


@pytest.mark.parametrize(
    ("message", "score", "told"),
    [
        ({"content": [THOUGHT, TEXT, {"type": "text", "text": "0"}]}, 80, None),
        ({"content": [TEXT]}, 8, None),
        ({"content": "", "reasoning_content": "It is 70"}, None, "'<think>It is 70'. A .* larger"),
        ({"reasoning": "It is 70"}, None, "hold no number; .*'<think>It is 70'"),
        ({"content": [THOUGHT]}, None, "hold no number; .*'<think>70\\?'"),
        ({"content": None, "refusal": "I can't."}, None, '"Refusal: I can\'t."\\.$'),
        ({"content": [{"type": "refusal", "refusal": "No."}]}, None, "'Refusal: No.'\\.$"),
        ({"content": "\x1b]0;x\x07"}, None, r"'\\x1b\]0;x\\x07'\.$"),
    ],
)
def test_replies_in_parts_thoughts_and_refusals_are_read_or_named(
    server, tmp_path, message, score, told
):
    server.message, judge = message, judge_at(server, tmp_path)
    with pytest.warns(UserWarning, match=told) if told else contextlib.nullcontext():
        assert judge.score(ENTRIES[:1], ["1"]) == [score]


def test_terminal_escapes_of_a_server_are_spelled_out(server, tmp_path):
    server.complain = lambda body: "\x1b]0;owned\x07 no"
    server.models = ("\x1b[31mred",)
    with pytest.raises(JudgeError, match="⟨U\\+001B⟩]0;owned⟨U\\+0007⟩ no.*⟨U\\+001B⟩.31mred"):
        judge_at(server, tmp_path).score(ENTRIES[:1], ["1"])


# ---------------------------------------------------------------- limits of an answer


@pytest.mark.parametrize("failure", [None, "x" * 3_000_000], ids=["reply", "refusal"])
def test_an_answer_without_end_is_not_read_to_its_end(server, tmp_path, monkeypatch, failure):
    server.body, server.complain = "x" * 3_000_000, lambda body: failure
    monkeypatch.setattr(bodies, "LONGEST_BODY", 2**20)
    with pytest.raises(JudgeError, match="more than 1 MiB"):
        judge_at(server, tmp_path).score(ENTRIES[:1], ["1"])


def test_an_answer_that_comes_byte_by_byte_is_given_up(server, tmp_path):
    server.pieces, server.pause = 1000, 0.05
    started = time.monotonic()
    with pytest.raises(JudgeError, match="took too long"):
        judge_at(server, tmp_path, timeout=0.3).score(ENTRIES[:1], ["1"])
    assert time.monotonic() - started < 5 and len(server.asked) == 1


# ---------------------------------------------------------------- newer servers


def newer(body):
    if "max_tokens" in body:
        return "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    if "temperature" in body:
        return "Unsupported value: 'temperature' does not support 0 with this model."
    return None


def test_a_server_of_other_parameters_gets_them_and_no_question_is_lost(server, tmp_path):
    server.complain, judge = newer, judge_at(server, tmp_path, concurrency=1)
    with pytest.warns(UserWarning, match="takes no temperature"):
        assert judge.score(ENTRIES, ANSWERS) == [70] * 12
    assert len(server.asked) == 12 + 2, "found out once"
    assert all(each["max_completion_tokens"] == 16 for each in server.asked[2:])
    assert not any("temperature" in each for each in server.asked[2:])
    with pytest.warns(UserWarning, match="takes no temperature"):
        assert judge_at(server, tmp_path / "b").score(ENTRIES, ANSWERS) == [70] * 12, "at once"


def test_neither_temperature_nor_a_limit_need_be_sent(server, tmp_path):
    judge = judge_at(server, tmp_path, temperature=None, max_tokens=None)
    assert judge.score(ENTRIES[:1], ["1"]) == [70]
    assert set(server.asked[0]) == {"model", "messages"}


@pytest.mark.parametrize("reason", ["max_tokens is too large", "Unsupported: max_tokens, all"])
def test_a_refusal_for_another_reason_stays_one(server, tmp_path, reason):
    server.complain = lambda body: reason
    with pytest.raises(JudgeError, match=reason):
        judge_at(server, tmp_path).score(ENTRIES[:1], ["1"])
    assert len(server.asked) <= 2


def test_thoughts_before_a_reply_are_passed_over(server, tmp_path):
    server.reply = lambda text: "<think>70, or 80?</think>\n\n75"
    assert judge_at(server, tmp_path).score(ENTRIES[:1], ["1"]) == [75]


def test_a_key_that_cannot_be_sent_is_refused_and_not_shown(server, tmp_path):
    with pytest.raises(JudgeError, match="tiny-judge.*plain ASCII.*LESSONS_LIB_JUDGE_KEY") as error:
        judge_at(server, tmp_path, api_key="schlüssel")
    assert "schl" not in str(error.value) and server.url in str(error.value)
    judge_at(server, tmp_path, api_key=" mine\n").score(ENTRIES[:1], ["1"])
    assert server.keys == ["Bearer mine"]


@pytest.mark.parametrize(
    "address",
    ["localhost:11434/v1", "127.0.0.1/v1", "ftp://host/v1", "http:///v1", "http://host:port/v1"],
)
def test_an_address_needs_its_http(tmp_path, address):
    with pytest.raises(ValueError, match=f"such as http://127.0.0.1:11434/v1.*{address!r}"):
        ServerJudge("x", address, folder=tmp_path)


# ---------------------------------------------------------------- trying again


QUESTION = judge_messages(ENTRIES[0], "1")


def client_of(url, retries=4):
    return JudgeClient("tiny-judge", url, "none", retries=retries, timeout=120)


def test_a_failure_that_stays_is_repeated_so_often_and_told(server):
    server.failures = [503, 429, 500, 503]
    with pytest.raises(JudgeError, match="failure 500"):
        client_of(server.url, retries=2).ask(QUESTION)
    assert len(server.asked) == 3
    assert client_of(server.url, retries=1).ask(QUESTION) == "70"


def test_an_address_that_swallows_connections_is_one_where_nobody_answers(monkeypatch):
    class ConnectTimeout(Exception):
        pass

    class Silent:
        def __getattr__(self, name):
            return self

        def create(self, **options):
            error = asking._openai.APITimeoutError(request=None)
            raise error from ConnectTimeout()

    asking = client_of("http://127.0.0.1:9/v1")
    monkeypatch.setattr(asking, "_client", Silent())
    with pytest.raises(JudgeError, match="server running"):
        asking.ask(QUESTION)


# ---------------------------------------------------------------- several at once


def test_two_judges_at_once_pay_once(server, tmp_path, monkeypatch):
    scores, said, asking = [], [], ReplyCache.asking
    monkeypatch.setattr(ReplyCache, "asking", lambda self: asking(self, said.append))

    def run():
        scores.append(judge_at(server, tmp_path).score(ENTRIES, ANSWERS))

    threads = [threading.Thread(target=run) for _ in range(2)]
    with asking(judge_at(server, tmp_path).cache):
        for thread in threads:
            thread.start()
        until(lambda: len(said) == 2 and all("Another process is judging" in each for each in said))
        assert not server.asked
    for thread in threads:
        thread.join(20)
    assert scores == [[70] * 12] * 2 and len(server.asked) == 12


def test_what_is_on_the_disk_is_had_without_waiting(server, tmp_path):
    judge = judge_at(server, tmp_path)
    judge.score(ENTRIES, ANSWERS)
    with judge.cache.asking():
        assert judge_at(server, tmp_path).score(ENTRIES, ANSWERS) == [70] * 12


# ---------------------------------------------------------------- the file of replies


def test_replies_are_found_again_and_others_are_not(tmp_path):
    cache = ReplyCache("a/b:7", "server", "rubric", folder=tmp_path)
    cache.add("key", "80 🦋\n\x00")
    again = ReplyCache("a/b:7", "server", "rubric", folder=tmp_path)
    assert again.get("key") == "80 🦋\n\x00" and len(again) == 1
    assert "key" not in ReplyCache("a/b:7", "server", "other", folder=tmp_path)
    assert cache.path.name == f"a-b-7-{hash_of('server', 'rubric')}.sqlite"
    assert [path.name for path in tmp_path.iterdir()] == [cache.path.name], "one file"


def test_half_a_character_in_a_reply_is_spelled_out(tmp_path):
    cache = ReplyCache("judge", folder=tmp_path)
    cache.add("key", "\ud83d")
    assert cache.get("key") == ReplyCache("judge", folder=tmp_path).get("key") == r"\ud83d"


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b'{"key": "one", "reply": "1"}\n' * 100,
        lambda content: content[:100],
        lambda content: content[: len(content) // 2],
        lambda content: content[:100] + b"\xff" * 3000 + content[3100:],
    ],
    ids=["another", "start", "half", "middle"],
)
def test_a_damaged_file_is_told_and_made_again(tmp_path, damage):
    cache = ReplyCache("judge", folder=tmp_path)
    cache.add("one", "1")
    cache.path.write_bytes(damage(cache.path.read_bytes()))
    again = ReplyCache("judge", folder=tmp_path)
    assert "was damaged" in again.problem and cache.path.name in again.problem
    assert len(again) == 0
    again.add("two", "2")
    cache.path.write_bytes(damage(cache.path.read_bytes()))
    again.add("three", "3")
    last = ReplyCache("judge", folder=tmp_path)
    assert (last.get("three"), len(last), last.problem) == ("3", 1, "")


def test_a_reply_that_is_no_text_is_damage_too(tmp_path):
    cache = ReplyCache("judge", folder=tmp_path)
    cache.add("one", "1")
    cache.path.write_bytes(cache.path.read_bytes().replace(b"one1", b"one\xff"))
    again = ReplyCache("judge", folder=tmp_path)
    assert "was damaged" in again.problem and len(again) == 0 and kept_in(tmp_path) == 0


@pytest.mark.parametrize(
    "made",
    [
        "CREATE TABLE replies (question TEXT)",
        "CREATE VIEW replies AS SELECT 1 AS key, 2 AS reply",
        "CREATE TABLE replies (key, reply); INSERT INTO replies VALUES ('one', x'00ff')",
        "CREATE TABLE replies (key, reply); INSERT INTO replies VALUES ('one', 80)",
        None,
    ],
    ids=["columns", "view", "bytes", "number", "UTF-16"],
)
def test_a_file_of_another_make_is_told_and_made_again(tmp_path, made):
    cache = ReplyCache("judge", folder=tmp_path)
    if made is None:
        cache.path.write_text("a reply", encoding="utf-16")
    else:
        with contextlib.closing(sqlite3.connect(cache.path)) as database:
            database.executescript(made)
    again = ReplyCache("judge", folder=tmp_path)
    assert "was damaged" in again.problem and len(again) == 0
    again.add("two", "2")
    last = ReplyCache("judge", folder=tmp_path)
    assert (last.get("two"), last.problem) == ("2", "")


def folder_is_a_file(cache):
    cache.path.parent.touch()


def file_is_a_folder(cache):
    cache.path.mkdir(parents=True)


@pytest.mark.parametrize("spoil", [folder_is_a_file, file_is_a_folder])
def test_where_replies_cannot_be_kept_judging_goes_on_and_says_so(server, tmp_path, spoil):
    judge = judge_at(server, tmp_path / "replies")
    spoil(judge.cache)
    with pytest.warns(UserWarning, match="Replies cannot be kept in .*sqlite") as told:
        assert judge.score(ENTRIES, ANSWERS) == [70] * 12
    assert len(told) == 1
    assert judge.score(ENTRIES, ANSWERS) == [70] * 12 and len(server.asked) == 12, "in memory"


def test_a_read_only_file_is_read(tmp_path, monkeypatch):
    cache = ReplyCache("judge", folder=tmp_path)
    cache.add("one", "1")
    connect = sqlite3.connect
    read_only = lambda path, timeout: connect(f"file:{path}?mode=ro", timeout, uri=True)  # noqa: E731
    monkeypatch.setattr(sqlite3, "connect", read_only)
    again = ReplyCache("judge", folder=tmp_path)
    assert again.get("one") == "1" and again.problem == ""
    again.add("two", "2")
    assert again.get("two") == "2" and "readonly" in again.problem


WRITER = """
import itertools, sys
from lessons_lib.evaluation.judges.replies import ReplyCache

cache = ReplyCache("judge", folder=sys.argv[1])
for number in itertools.count():
    cache.add(f"theirs-{number}", "x" * 5000)
    print(number, flush=True)
"""


def test_processes_and_threads_write_at_once_and_a_killed_one_leaves_whole_replies(tmp_path):
    cache = ReplyCache("judge", folder=tmp_path)
    command = [sys.executable, "-c", WRITER, tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()

        def write(thread):
            for number in range(10):
                cache.add(f"{thread}-{number}", "y" * 500)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        process.kill()
        told = 1 + len(process.stdout.readlines())
    found = ReplyCache("judge", folder=tmp_path)
    assert found.problem == cache.problem == "" and len(found) >= 40 + told
    assert all(found.get(f"{thread}-{n}") == "y" * 500 for thread in range(4) for n in range(10))
    assert all(found.get(f"theirs-{n}") == "x" * 5000 for n in range(told))


def test_nothing_that_a_terminal_obeys_comes_out_of_a_judges_error(tmp_path):
    escapes = "a\x1b[31mb \x1b]0;title\x07 \x9b2J \u202e c"
    for judge in (
        FakeJudge(body=escapes),
        FakeJudge(body=json.dumps({"choices": [], "x": escapes}, ensure_ascii=False)),
        FakeJudge(models=(escapes,)),
    ):
        with serve(judge) as server, pytest.raises(JudgeError, match=r"⟨U\+001B⟩|u001b") as error:
            judge_at(server, tmp_path, retries=0).score(ENTRIES[:1], ANSWERS[:1])
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & {*str(error.value)}
    said = type("Error", (Exception,), {"body": {"message": escapes}})()
    assert client._reason(said).startswith("a⟨U+001B⟩[31mb ⟨U+001B⟩]0;title⟨U+0007⟩")
