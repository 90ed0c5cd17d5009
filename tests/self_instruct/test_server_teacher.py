"""A teacher on a server: several requests at once, a limit in tokens, failures explained."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from lessons_lib.data import text_ids
from lessons_lib.evaluation.judges import bodies
from lessons_lib.self_instruct import Completion, DecodingArguments, ServerTeacher, TeacherError
from tests.helpers.fake_openai_server import forget_servers, serve
from tests.helpers.fake_teacher_server import FakeTeacher
from tests.helpers.servers import free_port

SHORT = DecodingArguments(max_tokens=20, logit_bias={})


@pytest.fixture(autouse=True)
def own_environment(monkeypatch):
    forget_servers(monkeypatch)


@pytest.fixture
def server():
    with serve(FakeTeacher()) as teacher:
        yield teacher


def teacher_at(server, **options):
    return ServerTeacher("large", server.url, **{"timeout": 20} | options)


def test_replies_come_in_the_order_of_the_prompts_with_their_tokens(server):
    server.reply = lambda prompt: f" {prompt}!"
    found = teacher_at(server).complete(["a", "b", "c"], SHORT, seed=1)
    assert found == [Completion(f" {each}!", True, 10, 6) for each in "abc"]
    server.finish = "length"
    assert not teacher_at(server).complete(["a"], SHORT, seed=1)[0].stopped


def test_the_prompt_is_continued_raw_or_is_a_users_message(server):
    teacher_at(server).complete(["Go on"], SHORT, seed=1)
    teacher_at(server, chat=True).complete(["Go on"], SHORT, seed=1)
    assert server.paths == ["/v1/completions", "/v1/chat/completions"]
    assert server.asked[0]["prompt"] == "Go on"
    assert server.asked[1]["messages"] == [{"role": "user", "content": "Go on"}]


def test_the_arguments_are_sent_under_their_names(server):
    arguments = DecodingArguments(temperature=0, top_p=0.5, n=2, presence_penalty=1.5)
    found = teacher_at(server).complete(["a"], arguments, seed=5)
    (asked,) = server.asked
    assert asked == {
        "model": "large",
        "prompt": "a",
        "seed": 5,
        "temperature": 0,
        "top_p": 0.5,
        "n": 2,
        "max_tokens": 3072,
        "stop": ["\n20", "20."],
        "presence_penalty": 1.5,
        "logit_bias": {"50256": -100},
    }
    assert [(each.prompt_tokens, each.completion_tokens) for each in found] == [(10, 3), (0, 3)]


def test_so_many_requests_are_under_way_at_once(server):
    server.pause = 0.1
    teacher_at(server, concurrency=3).complete(["a"] * 9, SHORT, seed=1)
    assert 2 <= server.most_busy <= 3 and len(server.asked) == 9


def test_it_works_where_an_event_loop_runs_as_in_a_notebook(server):
    async def cell():
        return teacher_at(server).complete(["a"], SHORT, seed=1)

    # In a thread of its own: this one may have the loop of a browser that other tests drive.
    with ThreadPoolExecutor(1) as thread:
        assert len(thread.submit(asyncio.run, cell()).result()) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_failures_are_tried_again(server, status):
    server.failures = [status]
    assert len(teacher_at(server).complete(["a"], SHORT, seed=1)) == 1
    assert len(server.asked) == 2


def test_the_key_goes_to_the_server_and_no_other_key_does(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-server")
    teacher_at(server).complete(["a"], SHORT, seed=1)
    monkeypatch.setenv("LESSONS_LIB_TEACHER_KEY", "mine")
    teacher_at(server).complete(["a"], SHORT, seed=1)
    assert server.keys == ["Bearer none", "Bearer mine"]
    with pytest.raises(TeacherError, match="plain ASCII.*LESSONS_LIB_TEACHER_KEY"):
        teacher_at(server, api_key="schlüssel")


# ---------------------------------------------------------------- tokens and money


def test_over_the_limit_nothing_is_sent(server):
    prompts = ["one two three", "four"]
    most = len(text_ids(prompts[0])) + len(text_ids(prompts[1])) + 2 * 20
    with pytest.raises(TeacherError, match=f"limit is {most - 1} .* up to {most}, .*not sent"):
        teacher_at(server, token_limit=most - 1).complete(prompts, SHORT, seed=1)
    assert server.asked == []
    assert len(teacher_at(server, token_limit=most).complete(prompts, SHORT, seed=1)) == 2


def test_what_was_spent_counts_towards_the_limit(server):
    teacher = teacher_at(server, token_limit=40)
    teacher.complete(["one"], SHORT, seed=1)
    assert (teacher.prompt_tokens, teacher.completion_tokens) == (10, 6)
    teacher.complete(["one"], SHORT, seed=1)
    with pytest.raises(TeacherError, match="40 tokens, 32 are spent"):
        teacher.complete(["one"], SHORT, seed=1)
    assert len(server.asked) == 2


def test_cost_is_known_before_and_afterwards(server):
    teacher = teacher_at(server, prices=(1.0, 2.0))
    assert teacher.most_cost(["one"] * 3, SHORT) == pytest.approx((3 * 1 + 60 * 2) / 1e6)
    assert teacher.cost == 0
    teacher.complete(["one"], SHORT, seed=1)
    assert teacher.cost == pytest.approx((10 * 1 + 6 * 2) / 1e6)
    free = teacher_at(server)
    assert free.cost is None and free.most_cost(["one"], SHORT) is None


@pytest.mark.parametrize("usage", [None, {}, [], {"prompt_tokens": "x", "completion_tokens": -1}])
def test_tokens_are_counted_here_where_the_server_does_not(server, usage):
    server.usage = usage
    (found,) = teacher_at(server).complete(["one two"], SHORT, seed=1)
    assert found[2:] == (len(text_ids("one two")), len(text_ids(" Name a bird.")))


# ---------------------------------------------------------------- down, refusing, nonsense


def test_a_server_that_does_not_run_is_named():
    address = f"http://127.0.0.1:{free_port()}/v1"
    with pytest.raises(TeacherError, match=f"{address}.*'big'.*running.*TEACHER_URL"):
        ServerTeacher("big", address, retries=0).complete(["a"], SHORT, seed=1)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "wants a key.*LESSONS_LIB_TEACHER_KEY"),
        (403, "does not allow this key.*failure 403"),
        (404, "no such model.*It has: large"),
        (400, "refused. It says: failure 400"),
        (429, "too many requests"),
        (500, "refused.*failure 500"),
    ],
)
def test_refusals_are_explained(server, status, message):
    server.failures = [status] * 2
    with pytest.raises(TeacherError, match=message) as error:
        teacher_at(server, retries=0).complete(["a", "b"], SHORT, seed=1)
    assert server.url in str(error.value) and "judge" not in str(error.value).lower()


@pytest.mark.usefixtures("garbage_waits")  # brackets in brackets
@pytest.mark.parametrize("chat", [False, True])
@pytest.mark.parametrize(
    "body",
    [
        "<!doctype html><title>Hello</title>",
        "null",
        "[]",
        '{"choices": []}',
        '{"choices": [{"index": 0}]}',
        '{"choices": [{"text": 7, "message": {"content": 7}}]}',
        '{"choices": [{"te',
        "",
        "[" * 100_000,
    ],
)
def test_nonsense_is_said(server, body, chat):
    server.body = body
    with pytest.raises(TeacherError, match="answers, but not as a language model") as error:
        teacher_at(server, chat=chat).complete(["a"], SHORT, seed=1)
    assert body[:20] in str(error.value)


def test_an_answer_without_end_is_not_read_to_its_end(server, monkeypatch):
    monkeypatch.setattr(bodies, "LONGEST_BODY", 2**20)
    server.body = "x" * 3_000_000
    with pytest.raises(TeacherError, match="more than 1 MiB"):
        teacher_at(server).complete(["a"], SHORT, seed=1)


def test_a_slow_server_is_given_up(server):
    server.pause = 1.0
    with pytest.raises(TeacherError, match="took too long"):
        teacher_at(server, retries=0, timeout=0.1).complete(["a"], SHORT, seed=1)


def test_a_server_of_other_parameters_gets_them(server):
    server.complain = lambda body: (
        "Unsupported parameter: 'max_tokens'." if "max_tokens" in body else None
    )
    assert len(teacher_at(server, chat=True).complete(["a"], SHORT, seed=1)) == 1
    assert server.asked[1]["max_completion_tokens"] == 20


@pytest.mark.parametrize("options", [{"concurrency": 0}, {"retries": -1}])
def test_sensible_numbers_are_asked_for(server, options):
    with pytest.raises(ValueError, match="concurrency must be 1"):
        teacher_at(server, **options)


def test_an_address_that_is_none_is_refused():
    with pytest.raises(ValueError, match="address of a teacher's server"):
        ServerTeacher("large", "localhost:1")
