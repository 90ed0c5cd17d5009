"""The server: OpenAI's client talks to it; every refusal has the API's shape; nothing leaks."""

import gc
import html
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import openai
import psutil
import pytest
import torch

from lessons_lib.chat import MessageTooLong
from lessons_lib.chat.connections import FEW_LINES, LOG_SECONDS, MOST_LINES
from lessons_lib.chat.request_options import NEUTRAL, NEUTRAL_IN_MESSAGES, WITHOUT_EFFECT
from lessons_lib.chat.server import create_app, is_loopback, run_server, serving
from lessons_lib.data import PROMPT_FORMATS, get_tokenizer
from lessons_lib.generation import respond
from lessons_lib.levers import memory
from tests.helpers.chat_toys import Slow, entry, scripted
from tests.helpers.servers import free_port, until
from tests.helpers.toys import Scripted, decided_model, tiny_model

CHAT = "/v1/chat/completions"
# No connection is kept: the server closes idle ones, and a request may meet the closing.
UNKEPT = httpx.Limits(max_keepalive_connections=0)
CALLER = httpx.Client(timeout=60, limits=UNKEPT)


@pytest.fixture(scope="module")
def babbler():
    return decided_model(50257, context_length=128).eval()


@pytest.fixture(scope="module")
def address(babbler):
    with serving(create_app(babbler, "toy", max_new_tokens=12)) as address:
        yield address


@pytest.fixture(scope="module")
def client(address):
    caller = httpx.Client(timeout=60, limits=UNKEPT)
    to = {"base_url": f"{address}/v1", "api_key": "none", "max_retries": 0}
    with openai.OpenAI(**to, http_client=caller) as client:
        yield client


def ask(text, **more):
    return {"model": "toy", "messages": [{"role": "user", "content": text}], **more}


def post(address, body, **options):
    return CALLER.post(address + CHAT, json=body, **options)


def test_the_openai_client_gets_the_reply_of_the_single_turn_prompt(client, babbler):
    assert [model.id for model in client.models.list()] == ["toy"]
    assert client.models.retrieve("toy").owned_by == "lessons_lib"
    earlier = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi."}]
    for before in ([], earlier):
        messages = [*before, {"role": "user", "content": "Name a colour."}]
        reply = client.chat.completions.create(model="toy", messages=messages)
        expected = respond(babbler, entry("Name a colour."), max_new_tokens=12)
        assert reply.choices[0].message.content == expected
        assert reply.choices[0].message.role == "assistant"
        prompt = PROMPT_FORMATS["alpaca"].prompt(entry("Name a colour."))
        assert reply.usage.prompt_tokens == len(get_tokenizer().encode_ordinary(prompt))
        assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens
        assert reply.choices[0].finish_reason == "length"


def test_the_openai_client_streams_the_same_reply(client, babbler):
    options = {"temperature": 0.9, "top_p": 0.8, "seed": 4}
    stream = client.chat.completions.create(
        **ask("Name a colour.", stream_options={"include_usage": True}), stream=True, **options
    )
    chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == respond(babbler, entry("Name a colour."), max_new_tokens=12, **options)
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-2:] == [None, "length"]
    assert chunks[-1].usage.completion_tokens == 12 and chunks[-1].choices == []
    assert len({c.id for c in chunks}) == 1 and chunks[0].choices[0].delta.role == "assistant"


def test_memory_is_asked_for(client):
    messages = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi."},
        {"role": "user", "content": "Name a colour."},
    ]
    counts = [
        client.chat.completions.create(
            model="toy", messages=messages, extra_body={"memory": memory}
        ).usage.prompt_tokens
        for memory in (False, True)
    ]
    alone = PROMPT_FORMATS["alpaca"].prompt(entry("Name a colour."))
    earlier = PROMPT_FORMATS["alpaca"].text({**entry("Hello"), "output": "Hi."})
    texts = alone, f"{earlier}\n\n{alone}"
    assert counts == [len(get_tokenizer().encode_ordinary(text)) for text in texts]


def test_a_system_text_stands_in_front_and_parts_are_joined():
    model = scripted("Be brief.\n\nName a colour.", "Blue.")
    with serving(create_app(model, "toy")) as address:
        parts = [{"type": "text", "text": "Name a colour."}]
        body = ask(parts, temperature=None)
        body["messages"].insert(0, {"role": "system", "content": "Be brief."})
        answer = post(address, body).json()
        assert answer["choices"][0]["message"]["content"] == "Blue."
        assert answer["choices"][0]["finish_reason"] == "stop"
        assert post(address, {**body, "stop": "ue"}).json()["choices"][0]["message"] == {
            "role": "assistant",
            "content": "Bl",
        }
        counts = post(address, {**body, "max_completion_tokens": 1}).json()["usage"]
        assert counts["completion_tokens"] == 1


NOT_JSON = ["{", "", "[]", "null", '"text"', "\xff", "[" * 100_000, '{"model": "toy"}']
WRONG = [
    ({"messages": []}, "messages"),
    ({"messages": "Hi"}, "messages"),
    ({"messages": [{"role": "wizard", "content": "Hi"}]}, "messages[0].role"),
    ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content"),
    ({"messages": [{"role": "assistant", "content": "Hi"}]}, "messages"),
    ({"messages": [{"role": "user", "content": " "}]}, "messages"),
    ({"messages": [{"role": "user", "content": None}]}, "messages"),
    ({"temperature": "hot"}, "temperature"),
    ({"temperature": -1}, "temperature"),
    ({"top_p": 0}, "top_p"),
    ({"top_k": 0}, "top_k"),
    ({"max_tokens": -1}, "max_tokens"),
    ({"max_completion_tokens": -1}, "max_completion_tokens"),
    ({"memory": "yes"}, "memory"),
    ({"memory": 1}, "memory"),
    ({"max_tokens": 1.5}, "max_tokens"),
    ({"seed": 2**53}, "seed"),
    ({"n": 2}, "n"),
    ({"stop": [""]}, "stop"),
    ({"stop": 5}, "stop"),
    ({"stop": True}, "stop"),
    ({"stop": False}, "stop"),
    ({"stop": 5.5}, "stop"),
    ({"stop": {"a": "b"}}, "stop"),
    ({"stop": [5]}, "stop"),
    ({"messages": [{"role": "user", "content": "Hi", "name": 5}]}, "messages[0].name"),
    ({"stream": "yes"}, "stream"),
    ({"tools": [{"type": "function"}]}, "tools"),
    ({"response_format": {"type": "json_object"}}, "response_format"),
    ({"presence_penalty": 0.5}, "presence_penalty"),
    ({"frequency_penalty": -1}, "frequency_penalty"),
    ({"logit_bias": {"262": 5}}, "logit_bias"),
    ({"modalities": ["text", "audio"]}, "modalities"),
    ({"web_search_options": {"x": 1}}, "web_search_options"),
    ({"model": 3}, "model"),
]
REFUSED_AS_UNSUPPORTED = {param for _, param in WRONG} & {*NEUTRAL, *WITHOUT_EFFECT}


def assert_refused(answer, status, param=None, code=None):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    [(name, error)] = answer.json().items()
    assert name == "error" and set(error) == {"message", "type", "param", "code"}
    assert error["message"] and (error["param"], error["code"]) == (param, code), error
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.usefixtures("garbage_waits")  # brackets in brackets
@pytest.mark.parametrize("body", NOT_JSON)
def test_a_body_that_is_no_request_is_refused(address, body):
    headers = {"content-type": "application/json"}
    answer = CALLER.post(address + CHAT, content=body.encode("latin-1"), headers=headers)
    assert_refused(answer, 400, "messages" if "toy" in body else None)


@pytest.mark.parametrize(("change", "param"), WRONG)
def test_a_wrong_value_is_refused_by_its_name(address, change, param):
    answer = post(address, ask("Hi") | change)
    code = "unsupported_parameter" if param in REFUSED_AS_UNSUPPORTED else None
    assert_refused(answer, 400, param, code)
    assert post(address, ask("Hi")).status_code == 200


def test_what_changes_nothing_is_allowed(address):
    nothing = dict.fromkeys([*NEUTRAL, *WITHOUT_EFFECT])
    usual = {"presence_penalty": 0.0, "frequency_penalty": 0, "logit_bias": {}, "logprobs": False}
    usual |= {"modalities": ["text"], "tools": [], "stop": None, "user": "somebody"}
    neutral = [{name: value} for name, values in NEUTRAL.items() for value in values]
    kinds = {bool: [True, False], str: ["mine"], dict: [{}, {"a": "b"}]}
    neutral += [{name: v} for name, kind in WITHOUT_EFFECT.items() for v in kinds[kind]]
    neutral += [{"presence_penalty": 0.0}, {"stream_options": None}, {"stream_options": {}}]
    neutral += [{"stream_options": {"include_usage": True, "include_obfuscation": False}}]
    for more in (nothing, usual, *neutral):
        assert post(address, ask("Hi", **more)).status_code == 200
    named = [{"role": "user", "content": "Hi", "name": "Ada"}]
    assert post(address, ask("Hi") | {"messages": named}).status_code == 200


UNKNOWN = {
    **{"repetition_penalty": 1.5, "min_p": 0.2, "max_new_tokens": 1, "max_token": 1},
    **{"num_beams": 4, "best_of": 3, "ignore_eos": True, "guided_choice": ["a"], "prompt": None},
    **{"Temperature": 0, "stop_token_ids": [], "": 1},
}
CHANGING = {
    **{"top_logprobs": 5, "logprobs": True, "n": 0, "presence_penalty": -2, "logit_bias": {"5": 1}},
    **{"tools": [{}], "tool_choice": "required", "functions": [{}], "function_call": {"name": "f"}},
    **{
        "response_format": {"type": "json_schema"},
        "modalities": ["audio"],
        "audio": {"voice": "x"},
    },
    **{
        "service_tier": "flex",
        "reasoning_effort": "high",
        "verbosity": "low",
        "prediction": {"a": 1},
    },
    **{"moderation": {"model": "x"}, "web_search_options": {}, "store": "yes", "metadata": []},
    **{"user": 5, "parallel_tool_calls": "no"},
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_option_that_nobody_knows_is_refused_and_not_ignored(address, name):
    answer = post(address, ask("Hi", **{name: UNKNOWN[name]}))
    assert_refused(answer, 400, name, "unknown_parameter")
    message = answer.json()["error"]["message"]
    assert repr(name) in message and "max_tokens" in message and "temperature" in message


@pytest.mark.parametrize("name", CHANGING)
def test_an_option_that_would_change_the_reply_is_refused_with_what_is_possible(address, name):
    answer = post(address, ask("Hi", **{name: CHANGING[name]}))
    assert_refused(answer, 400, name, "unsupported_parameter")
    assert name in answer.json()["error"]["message"] and "null" in answer.json()["error"]["message"]


def test_one_and_true_are_two_things(address):
    for more in (
        {"n": True},
        {"logprobs": 0},
        {"top_logprobs": False},
        {"presence_penalty": False},
    ):
        assert_refused(post(address, ask("Hi", **more)), 400, *more, "unsupported_parameter")


def test_a_near_miss_is_told_what_was_meant(address):
    message = post(address, ask("Hi", max_token=1)).json()["error"]["message"]
    assert message.startswith("There is no option 'max_token' here. Is max_tokens meant?")


@pytest.mark.parametrize("options", [{"include_obfuscation": True}, {"usage": True}])
def test_options_of_a_stream_are_an_allow_list_too(address, options):
    answer = post(address, ask("Hi", stream=True, stream_options=options))
    assert_refused(answer, 400, f"stream_options.{next(iter(options))}")


def with_memory(address, *messages):
    """The answer to messages, such as ("user", "Hi")."""
    messages = [{"role": role, "content": content} for role, content in messages]
    return post(address, ask("") | {"messages": messages, "memory": True, "max_tokens": 1})


def test_with_memory_no_message_is_dropped():
    hello, answer, name = ("user", "Hello"), ("assistant", "Hi."), ("user", "Name a colour.")
    model = Scripted([0], context_length=400)
    with serving(create_app(model, "toy")) as address:
        counts = {}
        for messages in (
            [hello, answer, name],
            [hello, name, answer, name],
            [hello, answer, answer, name],
            [hello, answer, hello, name],
            [("system", "Be brief."), hello, answer, name],
        ):
            counts[str(messages)] = with_memory(address, *messages).json()["usage"]["prompt_tokens"]
        assert len(set(counts.values())) == 5 and min(counts.values()) == [*counts.values()][0]
        assert_refused(with_memory(address, answer, hello), 400, "messages")
        assert_refused(with_memory(address, answer, hello, answer, name), 400, "messages")
        for role in ("tool", "function"):
            refused = with_memory(address, hello, answer, (role, "5"), name)
            assert_refused(refused, 400, "messages[2].role")
            assert "calls no tools" in refused.json()["error"]["message"]


def test_messages_of_one_speaker_in_a_row_are_one_message():
    both = scripted("Name a colour.\n\nA dark one.", "Blue.")
    with serving(create_app(both, "toy", memory=True)) as address:
        messages = [{"role": "user", "content": t} for t in ("Name a colour.", "A dark one.")]
        reply = post(address, ask("") | {"messages": messages}).json()["choices"][0]["message"]
        assert reply["content"] == "Blue."


def test_what_an_assistants_message_carries_is_allowed_where_it_is_empty(address):
    def post_with(**more):
        reply = {"role": "assistant", "content": "Hi.", **more}
        asked = ask("Hello")["messages"]
        return post(address, ask("") | {"messages": [*asked, reply, *asked]})

    assert post_with(**dict.fromkeys(NEUTRAL_IN_MESSAGES)).status_code == 200
    assert post_with(annotations=[], tool_calls=[]).status_code == 200
    for more in ({"tool_calls": [{"id": "1"}]}, {"refusal": "No."}, {"thoughts": ""}):
        assert_refused(post_with(**more), 400, "messages[1]")
        assert next(iter(more)) in post_with(**more).json()["error"]["message"]


@pytest.mark.parametrize("kind", ["image_url", "input_audio", "file", "refusal", None])
def test_a_part_that_is_no_text_is_refused_by_its_type(address, kind):
    parts = [{"type": "text", "text": "Hi"}, {"type": kind, "text": "x"}]
    answer = post(address, ask(parts))
    assert_refused(answer, 400, "messages[0].content")
    assert str(kind) in answer.json()["error"]["message"]


# Bodies as they were recorded: openai 3.54 (Python), langchain-openai 1.7, openai 6.49 (npm).
PARTS = [{"type": "text", "text": "Name a colour."}]
TWO = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Name a colour."}]
CLIENTS = {
    "openai, python": {
        "messages": TWO,
        "model": "toy",
        "max_completion_tokens": 5,
        "temperature": 0,
    },
    "openai, python, streams": {
        **{"messages": TWO, "model": "toy", "stream": True},
        "stream_options": {"include_usage": True},
    },
    "langchain invoke": {
        **{"messages": TWO, "model": "toy", "max_completion_tokens": 5, "stream": False},
        **{"temperature": 0.0, "n": 1, "seed": 1, "top_p": 0.9},
    },
    "langchain stream": {
        **{"messages": TWO, "model": "toy", "stream": True, "temperature": 0.7, "stop": ["\n"]},
        "stream_options": {"include_usage": True},
    },
    "langchain with a history": {
        "messages": [
            {"content": PARTS, "role": "user", "name": "Ada"},
            {"content": "Blue.", "role": "assistant"},
            {"content": "Another?", "role": "user"},
        ],
        **{"model": "toy", "stream": False},
    },
    "openai, npm": {
        **{"model": "toy", "messages": [{"role": "developer", "content": "Be brief."}, TWO[1]]},
        **{"max_completion_tokens": 5, "store": False, "metadata": {"lesson": "12"}},
    },
    "openai, npm, streams": {
        **{"model": "toy", "messages": [{"role": "user", "content": PARTS}], "stream": True},
        **{"stream_options": {"include_usage": True}, "user": "ada", "service_tier": "auto"},
    },
}


@pytest.mark.parametrize("client_name", CLIENTS)
def test_requests_as_known_clients_send_them_are_answered(address, client_name):
    body = CLIENTS[client_name]
    answer = post(address, body)
    assert answer.status_code == 200, answer.text
    if not body.get("stream"):
        return
    events = answer.text.removesuffix("\n\n").split("\n\n")
    assert events[-1] == "data: [DONE]" and '"usage": {"prompt_tokens": ' in events[-2]


def test_an_answer_of_the_openai_client_can_be_sent_back(client):
    messages = [*TWO]
    for extra in ({}, {"memory": True}):
        reply = client.chat.completions.create(
            model="toy", messages=messages, max_completion_tokens=3, extra_body=extra
        )
        messages += [reply.choices[0].message.model_dump(), TWO[1]]
    assert len(messages) == 6


def test_broken_http_is_refused_before_the_application(address):
    listener = "127.0.0.1", int(address.rpartition(":")[2])
    head = f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: many\r\n\r\n"
    for text in (head, "what?\r\n\r\n"):
        with socket.create_connection(listener, timeout=10) as caller:
            caller.sendall(text.encode())
            assert caller.recv(1000).startswith(b"HTTP/1.1 400 ")
    assert post(address, ask("Hi")).status_code == 200


def test_a_null_turns_off_what_can_be_off_whatever_the_server_began_with(babbler):
    with serving(create_app(babbler, "toy", top_k=1, temperature=1.0, seed=4)) as address:
        page = CALLER.get(address).text
        assert html.escape('"temperature": 1.0, "top_p": null, "top_k": 1, ') in page
        asked = ask("Hi", max_tokens=12)
        first, again = (post(address, asked).json()["choices"] for _ in range(2))
        assert first == again  # top-k 1: the likeliest token
        off = [post(address, {**asked, "top_k": None, "seed": n}).json() for n in range(3)]
        assert len({each["choices"][0]["message"]["content"] for each in off}) > 1
        off = [post(address, {**asked, "top_k": None, "seed": None}).json() for _ in range(3)]
        assert len({each["choices"][0]["message"]["content"] for each in off}) > 1
    with serving(create_app(babbler, "toy", top_p=1e-9, temperature=1.0)) as address:
        greedy = [post(address, ask("Hi", seed=n)).json()["choices"] for n in range(3)]
        assert greedy[0] == greedy[1] == greedy[2]
        off = [post(address, ask("Hi", top_p=None, seed=n)).json() for n in range(3)]
        assert len({each["choices"][0]["message"]["content"] for each in off}) > 1


def test_a_refusal_names_the_option_as_the_client_did(address):
    answer = post(address, ask("Hi", max_tokens=-1)).json()
    sentence = "max_tokens must be a whole number of 0 or more, not -1."
    assert answer["error"]["message"] == sentence
    answer = post(address, ask("Hi", top_k=0)).json()
    assert "whole number of 1 or more, or null, not 0." in answer["error"]["message"]


def test_of_two_limits_the_newer_name_counts_and_null_is_the_servers_own(address):
    for limits, count in (
        ({"max_tokens": 5, "max_completion_tokens": 2}, 2),
        ({"max_completion_tokens": None, "max_tokens": 5}, 5),
        ({"max_tokens": None, "temperature": None, "memory": None, "stop": None}, 12),
        ({"max_tokens": 0}, 0),
    ):
        answer = post(address, ask("Hi", **limits)).json()
        assert answer["usage"]["completion_tokens"] == count


def test_numbers_that_json_has_no_word_for_are_refused(address):
    for value in ("NaN", "Infinity", '"0.5"', "true"):
        text = json.dumps(ask("Hi"))[:-1] + f', "temperature": {value}}}'
        answer = CALLER.post(
            address + CHAT, content=text, headers={"content-type": "application/json"}
        )
        assert_refused(answer, 400, "temperature")


def test_half_a_character_which_json_can_write_is_refused_by_a_sentence(address):
    headers = {"content-type": "application/json"}
    parts = [{"type": "text", "text": "Hi"}]
    system = [{"role": "system", "content": "Hi"}, {"role": "user", "content": "Say."}]
    for body in (ask("Hi"), ask(parts), ask("Hi there"), ask("x") | {"messages": system}):
        half = json.dumps(body).replace("Hi", "\\ud800")
        answer = CALLER.post(address + CHAT, content=half, headers=headers)
        assert_refused(answer, 400, "messages[0].content")
        assert "half a character, U+D800" in answer.json()["error"]["message"]
    for name in ("model", "\\udc80"):
        text = json.dumps(ask("Hi"))[:-1] + f', "{name}": "\\ud800"}}'
        answer = CALLER.post(address + CHAT, content=text, headers=headers)
        assert answer.status_code in (400, 404) and answer.json()["error"]["message"]


def test_other_refusals_have_their_status(address, client):
    assert_refused(post(address, ask("Hi", model="gpt-5")), 404, "model", "model_not_found")
    assert_refused(CALLER.get(f"{address}/v1/models/x/y"), 404, "model", "model_not_found")
    assert_refused(CALLER.get(f"{address}/v2"), 404, None, "unknown_url")
    assert_refused(CALLER.get(f"{address}/docs"), 404, None, "unknown_url")
    assert_refused(post(f"{address}{CHAT}/?", ask("Hi")), 404, None, "unknown_url")
    assert_refused(CALLER.get(address + CHAT), 405, None, "method_not_allowed")
    answer = post(address, ask("long " * 300))
    assert_refused(answer, 400, "messages", "context_length_exceeded")
    assert str(MessageTooLong(331, 128)) in answer.json()["error"]["message"]
    with pytest.raises(openai.BadRequestError, match="this model reads 128 at most"):
        client.chat.completions.create(**ask("long " * 300))
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(**ask("Hi", model="gpt-5"))


def test_a_body_is_at_most_a_quarter_of_a_megabyte(address):
    assert_refused(post(address, ask("a" * 300_000)), 413, None, "request_too_large")

    def endless():
        for _ in range(40):
            yield b" " * 10_000

    headers = {"content-type": "application/json"}
    answer = CALLER.post(address + CHAT, content=endless(), headers=headers)
    assert_refused(answer, 413, None, "request_too_large")


def test_a_name_that_somebody_pointed_here_is_refused(address):
    for host in ("evil.example", "evil.example:80", "localhost.evil.example", "[evil]", ""):
        answer = CALLER.get(f"{address}/v1/models", headers={"host": host})
        assert_refused(answer, 403, None, "host_not_allowed")
    for host in ("localhost", "LOCALHOST:9", "127.0.0.1:80", "[::1]:8000", "192.168.0.7"):
        assert CALLER.get(f"{address}/v1/models", headers={"host": host}).status_code == 200
    for plain in ({"content-type": "text/plain"}, {}):  # what another site's page may send unasked
        answer = CALLER.post(address + CHAT, content=json.dumps(ask("Hi")), headers=plain)
        assert_refused(answer, 400)
    assert "access-control-allow-origin" not in answer.headers


def test_too_many_who_wait_are_refused_and_the_others_served(monkeypatch):
    monkeypatch.setattr("lessons_lib.chat.guard.MOST_WAITING", 2)
    model = Slow()
    app = create_app(model, "toy", max_new_tokens=2)
    with serving(app) as address, ThreadPoolExecutor(3) as pool:
        first = [pool.submit(post, address, ask("Hi")) for _ in range(3)]
        until(lambda: app.state.queue.length == 3)
        assert_refused(post(address, ask("Hi")), 429, None, "rate_limit_exceeded")
        model.may_go_on.release(100)
        assert [each.result().status_code for each in first] == [200] * 3
        assert app.state.queue.length == 0 and post(address, ask("Hi")).status_code == 200


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_goes_away_stops_its_reply(stream):
    model = Slow()
    app = create_app(model, "toy", max_new_tokens=5_000)
    with serving(app) as address:
        port = int(address.rpartition(":")[2])
        body = json.dumps(ask("Hi", stream=stream)).encode()
        head = f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        with socket.create_connection(("127.0.0.1", port)) as caller:
            caller.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            model.may_go_on.release(5)
            until(lambda: model.steps == 5)
        # Twenty tokens a second: the reply that nobody reads would take minutes.
        until(lambda: app.state.queue.length == 0 or time.sleep(0.05) or model.may_go_on.release())
        assert model.steps < 500
        model.may_go_on.release(100)
        assert post(address, ask("Hi", max_tokens=3)).json()["usage"]["completion_tokens"] == 3


@pytest.mark.parametrize("stream", [True, False])
def test_a_server_that_ends_stops_the_reply_under_way(stream):
    model = Slow()
    with ThreadPoolExecutor(1) as pool:
        with serving(create_app(model, "toy", max_new_tokens=5_000)) as address:
            cut_off = pool.submit(post, address, ask("Hi", stream=stream))
            model.may_go_on.release(3)
            until(lambda: model.steps == 3)
        assert cut_off.exception() or "[DONE]" not in cut_off.result().text
        assert cut_off.exception() or stream or cut_off.result().status_code == 500
    model.may_go_on.release(100)
    until(lambda: model.steps > 3)
    time.sleep(0.2)  # a reply that goes on would by now have used many
    assert model.steps == 4


def test_a_model_that_diverged_is_a_server_error():
    model = tiny_model(50257, context_length=64)
    torch.nn.init.constant_(model.final_norm.weight, torch.nan)
    with serving(create_app(model, "toy")) as address:
        assert_refused(post(address, ask("Hi")), 500)
        events = post(address, ask("Hi", stream=True)).text.strip().split("\n\n")
        error = json.loads(events[-1].removeprefix("data: "))["error"]
        assert error["type"] == "server_error" and "not finite" in error["message"]
        with openai.OpenAI(base_url=f"{address}/v1", api_key="x", max_retries=0) as client:
            with pytest.raises(openai.APIError, match="not finite"):
                list(client.chat.completions.create(**ask("Hi"), stream=True))


def test_200_requests_8_at_a_time_20_of_them_malformed(address, babbler):
    questions = [f"Say {number} {'!' * (number % 7)}" for number in range(180)]
    bodies = [ask(question, stream=number % 3 == 0) for number, question in enumerate(questions)]
    bad = [ask("Hi") | change for change, _ in WRONG[:20]]
    for index, body in enumerate(bad):
        bodies.insert(index * 10, body)

    def resident():
        """Bytes, without those that are free and only kept: how many depends on earlier tests."""
        gc.collect()
        if library := memory._c_library():
            library.malloc_trim(0)
        return psutil.Process().memory_info().rss

    def send(body):
        answer = post(address, body)
        if body in bad:
            return answer.status_code, set(answer.json()["error"])
        if not body["stream"]:
            return 200, answer.json()["choices"][0]["message"]["content"]
        events = [json.loads(line[6:]) for line in answer.text.split("\n\n") if line[6:7] == "{"]
        return 200, "".join(e["choices"][0]["delta"].get("content", "") for e in events)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, bodies[:60]))
        before = resident()
        answers += pool.map(send, bodies[60:])
    grown = resident() - before
    good = iter(questions)
    for body, answer in zip(bodies, answers, strict=True):
        if body in bad:
            assert answer == (400, {"message", "type", "param", "code"})
        else:
            expected = respond(babbler, entry(next(good)), max_new_tokens=12)
            assert answer == (200, expected)
    assert grown < 20e6, f"{grown / 1e6:.1f} MB more after 140 requests"


def test_the_page_and_what_it_asks_for_come_from_here_alone(address):
    page = CALLER.get(address + "/")
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    for path in ("/chat.js", "/page.js", "/chat.css"):
        text = CALLER.get(address + path)
        assert (
            text.status_code == 200 and "http" not in text.text and path in page.text + "/chat.js"
        )
        assert "innerHTML" not in text.text and "insertAdjacent" not in text.text


def test_another_host_than_loopback_comes_with_a_warning(monkeypatch, capsys):
    monkeypatch.setattr("lessons_lib.chat.connections.uvicorn.Server.run", lambda *_, **__: None)
    app = create_app(Scripted([1]), "toy")
    run_server(app, port=free_port())
    assert "Warning" not in capsys.readouterr().out
    run_server(app, "0.0.0.0", free_port())
    assert "Warning: with --host 0.0.0.0" in capsys.readouterr().out
    run_server(create_app(Scripted([1]), "toy", api_key="x"), "0.0.0.0", free_port())
    assert "Warning" not in capsys.readouterr().out
    port = free_port()
    run_server(app, "::1", port)
    assert f"http://[::1]:{port}/" in capsys.readouterr().out
    assert [is_loopback(h) for h in ("localhost", "127.1.2.3", "::", "me.local")] == [
        *(True, True, False, False)
    ]


def test_no_address_is_told_before_the_port_is_the_servers_own(capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=f"port {port}: .* --port names another"):
            run_server(create_app(Scripted([1]), "toy"), port=port)
    assert capsys.readouterr().out == ""


def connect(address):
    return socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=20)


def raw(body, **headers):
    """A request for a reply, as bytes."""
    content = json.dumps(body).encode()
    given = {"Host": "localhost", "Content-Type": "application/json", **headers}
    given.setdefault("Content-Length", len(content))
    lines = [f"POST {CHAT} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    return "\r\n".join([*lines, "", ""]).encode() + content


@pytest.mark.parametrize("stream", [True, False])
def test_clients_that_went_away_keep_no_place_in_the_queue(stream):
    model = Slow()
    app = create_app(model, "toy", max_new_tokens=2)
    with serving(app) as address, ThreadPoolExecutor(1) as pool:
        first = pool.submit(post, address, ask("Hi"))
        until(lambda: app.state.queue.length == 1)
        gone = [connect(address) for _ in range(16)]
        for caller in gone:
            caller.sendall(raw(ask("Hi", stream=stream)))
        until(lambda: app.state.queue.length == 17)
        assert_refused(post(address, ask("Hi")), 429, None, "rate_limit_exceeded")
        for caller in gone:
            caller.close()
        until(lambda: app.state.queue.length == 1)
        second = pool.submit(post, address, ask("Hi"))
        model.may_go_on.release(100)
        assert [each.result().status_code for each in (first, second)] == [200, 200]
        assert app.state.queue.length == 0 and post(address, ask("Hi")).status_code == 200


def test_half_a_request_is_not_waited_for(monkeypatch, address):
    monkeypatch.setattr("lessons_lib.chat.guard.MOST_SECONDS", 0.2)
    monkeypatch.setattr("lessons_lib.chat.connections.HEAD_SECONDS", 0.2)
    whole = raw(ask("Hi"))
    with connect(address) as caller:
        caller.sendall(whole[:-5])  # half a body
        told = caller.recv(10_000) + caller.recv(10_000)
        assert told.startswith(b"HTTP/1.1 408 ") and b"request_timeout" in told
        assert caller.recv(10_000) == b""
    for part in (b"", whole[:40]):  # half a head
        with connect(address) as caller:
            caller.sendall(part)
            assert caller.recv(10_000) == b""
    with connect(address) as caller:  # the second on one connection
        caller.sendall(whole)
        while b"chat.completion" not in caller.recv(10_000):
            pass
        caller.sendall(whole[:40])
        assert caller.recv(10_000) == b""


def test_connections_are_limited_and_those_there_are_served(monkeypatch, address):
    monkeypatch.setattr("lessons_lib.chat.connections.MOST_CONNECTIONS", 3)
    with connect(address) as one, connect(address) as two, connect(address) as three:
        for caller in (one, two, three):
            caller.sendall(raw(ask("Hi"))[:40])
        with connect(address) as more:
            assert more.recv(1000).startswith(b"HTTP/1.1 503 ")
        one.sendall(raw(ask("Hi"))[40:])
        assert one.recv(100).startswith(b"HTTP/1.1 200 ")
    until(lambda: post(address, ask("Hi")).status_code == 200)


def test_a_refusal_is_one_line_of_the_log_and_many_are_no_flood(monkeypatch, address, caplog):
    monkeypatch.setattr(FEW_LINES, "since", -100.0)
    monkeypatch.setattr(FEW_LINES, "count", 0)
    CALLER.get(f"{address}/%1b%5b31m%0anothing")
    [line] = caplog.messages
    assert line.startswith("GET /⟨U+001B⟩[31mnothing: 404 ") and "\n" not in line
    for _ in range(40):
        post(address, ask("Hi", min_p=1))
    assert len(caplog.messages) == MOST_LINES
    monkeypatch.setattr(FEW_LINES, "since", FEW_LINES.since - LOG_SECONDS)
    CALLER.get(f"{address}/v2")
    assert caplog.messages[-1].endswith("(before it, 31 lines were left out)")


def test_what_another_sites_page_sends_is_refused(address):
    def sent(path="/v1/models", **fetch):
        headers = {f"sec-fetch-{name}": value for name, value in fetch.items()}
        return CALLER.get(address + path, headers=headers)

    for fetch in ({"site": "cross-site"}, {"site": "cross-site", "mode": "cors"}):
        assert_refused(sent(**fetch), 403, None, "cross_site_request")
    crossing = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert_refused(post(address, ask("Hi"), headers=crossing), 403, None, "cross_site_request")
    assert sent("/", site="cross-site", mode="navigate").status_code == 200  # a link to the chat
    for site in ("same-origin", "same-site", "none"):
        assert sent(site=site).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *("localhost:evil.example", "localhost:80:80", "[::1", "::1", "[::1]evil.example"),
        *("127.0.0.1]", "localhost@evil.example", "[localhost]", "localhost:", "[[::1]]"),
    ],
)
def test_a_host_is_read_to_its_end(address, host):
    answer = CALLER.get(f"{address}/v1/models", headers={"host": host})
    assert_refused(answer, 403, None, "host_not_allowed")


def test_a_key_is_asked_for_where_there_is_one(babbler):
    with serving(create_app(babbler, "toy", api_key="s3cret%", max_new_tokens=1)) as address:
        for key in (
            "",
            "Bearer",
            "Bearer s3cret",
            "Basic s3cret%",
            "Bearer s3cret%x",
            "Bearer \xe9",
        ):
            answer = post(address, ask("Hi"), headers={"authorization": key.encode("latin-1")})
            assert_refused(answer, 401, None, "invalid_api_key")
        assert_refused(CALLER.get(f"{address}/v1/models"), 401, None, "invalid_api_key")
        assert CALLER.get(address).status_code == 200, "the page itself asks for it"
        with openai.OpenAI(base_url=f"{address}/v1", api_key="s3cret%") as client:
            assert client.chat.completions.create(**ask("Hi")).choices
        with openai.OpenAI(base_url=f"{address}/v1", api_key="x", max_retries=0) as client:
            with pytest.raises(openai.AuthenticationError, match="asks for its key"):
                client.models.list()
    for key in ("", " ", "ké", "a\nb"):
        with pytest.raises(ValueError, match="a key is plain ASCII"):
            create_app(babbler, "toy", api_key=key)


def test_what_stands_in_the_page_is_escaped(babbler):
    hostile = "\"'><script>canary()</script>{options}"
    with serving(create_app(babbler, hostile, stop=hostile)) as address:
        page = CALLER.get(address).text
    assert "<script>" not in page and "canary" in page
    assert json.loads(html.unescape(page.split('data-options="')[1].split('"')[0]))["stop"] == [
        hostile
    ]
