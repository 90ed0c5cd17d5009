"""Many prompts at once: the same texts as one by one, rows that leave, sampling, the cache."""

import inspect

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lessons_lib.data import END_OF_TEXT, PROMPT_FORMATS, get_tokenizer
from lessons_lib.generation import (
    decoding,
    generate,
    generate_all,
    generate_responses,
    next_logits,
    respond,
    respond_all,
)
from lessons_lib.generation.decoding import _closed_up, continue_rows, start_rows
from lessons_lib.generation.texts import Generated
from lessons_lib.models import GPT, GPTConfig, KeyValueCache
from lessons_lib.support.reply_options import ReplyOptions
from tests.helpers.toys import (
    ENTRIES,
    LetterTokenizer,
    NextToken,
    Scripted,
    decided_model,
    tiny_model,
)

END = 7
VOCABULARY = 24
LETTERS = {"tokenizer": LetterTokenizer(), "end_of_text_id": END}
PROMPT_IDS = st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=20)


def text(token_ids: list[int]) -> str:
    return LetterTokenizer().decode(token_ids)


def random_prompts(count: int, seed: int = 0, longest: int = 20) -> list[str]:
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, longest + 1, (count,), generator=generator).tolist()
    return [text(torch.randint(0, VOCABULARY, (n,), generator=generator).tolist()) for n in lengths]


@torch.no_grad()
def greedy(model: GPT, prompt: str, limit: int, end: int = END) -> Generated:
    """The same, one prompt and one token at a time, everything read again for each."""
    ids = LetterTokenizer().encode(prompt)
    start = len(ids)
    while len(ids) - start < limit and len(ids) < model.context_length:
        token = int(model(torch.tensor([ids]))[0, -1].argmax())
        if token == end:
            return Generated(text(ids[start:]), ids[start:], True)
        ids = [*ids, token]
    return Generated(text(ids[start:]), ids[start:], False)


def usual_end(model: GPT, prompts: list[str]) -> int:
    """A token that this model writes after many of the prompts: as end of text, it ends those."""
    answers = [greedy(model, prompt, 14, end=-1).token_ids for prompt in prompts]
    return max(range(VOCABULARY), key=lambda token: sum(token in ids for ids in answers))


class Recording(GPT):
    """A GPT that notes the shape of all it reads: (rows, new positions)."""

    def __init__(self, config: GPTConfig):
        super().__init__(config)
        self.shapes: list[tuple[int, ...]] = []

    def hidden(self, batch, cache=None):
        self.shapes.append(tuple(batch.inputs.shape))
        return super().hidden(batch, cache)


def recording(seed: int = 0, **sizes) -> Recording:
    source = decided_model(VOCABULARY, seed, **sizes)
    model = Recording(source.config).double()
    model.load_state_dict(source.state_dict())
    return model


class FixedLogits(nn.Module):
    """A model of another make that expects the same after every text; it knows no cache."""

    def __init__(self, logits: list[float], context_length: int = 64):
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(logits))
        self.context_length = context_length

    def hidden(self, batch):
        return batch.inputs[..., None].float()  # (batch, length, 1)

    def head(self, hidden):
        return self.logits.expand(*hidden.shape[:-1], -1)


@pytest.mark.parametrize("use_cache", [True, False])
@pytest.mark.parametrize("batch_size", [1, 3, 32])
@pytest.mark.parametrize("seed", range(6))
def test_a_batch_gives_what_one_by_one_gives(seed, batch_size, use_cache):
    model, prompts = decided_model(VOCABULARY, seed), random_prompts(9, seed)
    end = usual_end(model, prompts)
    expected = [greedy(model, prompt, 14, end) for prompt in prompts]
    assert len({len(one.token_ids) for one in expected}) > 2, "rows leave at different times"
    assert any(one.stopped for one in expected)
    options = {"max_new_tokens": 14, "batch_size": batch_size, "use_cache": use_cache}
    options |= {"tokenizer": LetterTokenizer(), "end_of_text_id": end}
    assert generate_all(model, prompts, **options) == expected


@given(
    prompts=st.lists(PROMPT_IDS.map(text), max_size=6),
    seed=st.integers(0, 20),
    batch_size=st.integers(1, 7),
    limit=st.integers(0, 25),
    use_cache=st.booleans(),
    end=st.integers(0, VOCABULARY - 1),
)
def test_any_prompts_give_what_one_by_one_gives(prompts, seed, batch_size, limit, use_cache, end):
    model = decided_model(VOCABULARY, seed)
    options = {"max_new_tokens": limit, "batch_size": batch_size, "use_cache": use_cache}
    options |= {"tokenizer": LetterTokenizer(), "end_of_text_id": end}
    expected = [greedy(model, prompt, limit, end) for prompt in prompts]
    assert generate_all(model, prompts, **options) == expected
    assert generate(model, prompts, **options) == [one.text for one in expected]


@pytest.mark.parametrize("use_cache", [True, False])
def test_token_ids_alone(use_cache):
    model = decided_model(VOCABULARY, 4)
    expected = greedy(model, text([3, 1, 4]), 64).token_ids
    options = ReplyOptions(max_new_tokens=64)
    [row] = start_rows(model, [[3, 1, 4]], options)
    continue_rows(model, [row], options, END, use_cache)
    assert row.new == expected


@torch.no_grad()
def test_logits_of_unequal_rows_are_each_rows_own():
    model = decided_model(VOCABULARY).float()
    rows = [[1, 2, 3, 4, 5], [6], [7, 8, 9]]
    alone = torch.stack([model(torch.tensor([row]))[0, -1] for row in rows])
    torch.testing.assert_close(next_logits(model, rows), alone, rtol=1e-5, atol=1e-5)
    assert next_logits(model.bfloat16(), rows).dtype == torch.float32


def test_rows_that_ended_leave_the_batch():
    model, prompts = recording(seed=2), random_prompts(8, seed=2)
    answers = generate_all(model, prompts, max_new_tokens=12, **LETTERS)
    # A row that stopped was read once more than it has tokens: that was when it wrote the end.
    reads = [len(one.token_ids) + one.stopped for one in answers]
    alive = [sum(count > step for count in reads) for step in range(max(reads))]
    assert [rows for rows, _ in model.shapes] == alive
    assert alive[0] == 8 and len({*alive}) > 3


def test_with_a_cache_each_token_is_read_once():
    model, prompts = recording(seed=1), random_prompts(4, seed=1)
    generate_all(model, prompts, max_new_tokens=6, **LETTERS)
    longest = max(map(len, prompts))
    assert [length for _, length in model.shapes] == [longest, 1, 1, 1, 1, 1]


SHARED_START = list(range(10, 20))


def test_a_start_that_all_prompts_share_is_read_once():
    model = recording()
    prompts = [text(SHARED_START + rest) for rest in ([1, 2, 3], [4, 5], [1])]
    answers = generate_all(model, prompts, max_new_tokens=2, **LETTERS | {"end_of_text_id": -1})
    assert model.shapes[:3] == [(1, 10), (3, 2), (3, 1)], "then all but the last, then the last"
    assert answers == [greedy(model, prompt, 2, end=-1) for prompt in prompts]


def test_prompts_of_like_length_are_read_together(monkeypatch):
    monkeypatch.setattr(decoding, "READ_AT_ONCE", 2)
    model = recording()
    rests = [[1] * 9, [2] * 8, [3] * 4, [4] * 3, [5, 6]]
    prompts = [text(SHARED_START + rest) for rest in rests]
    answers = generate_all(model, prompts, max_new_tokens=3, **LETTERS | {"end_of_text_id": -1})
    assert model.shapes[:5] == [(1, 10), (2, 8), (2, 3), (1, 1), (5, 1)]
    assert answers == [greedy(model, prompt, 3, end=-1) for prompt in prompts]


def test_the_cache_has_room_for_the_answers_at_once(monkeypatch):
    made = []
    monkeypatch.setattr(
        decoding, "KeyValueCache", lambda *given: made.append(KeyValueCache(*given)) or made[-1]
    )
    monkeypatch.setattr(decoding, "ROOM", 6)
    prompts = [text(SHARED_START + [1]), text(SHARED_START + [2, 3])]
    generate_all(decided_model(VOCABULARY), prompts, max_new_tokens=5, **LETTERS)
    generate_all(decided_model(VOCABULARY), prompts, max_new_tokens=9, **LETTERS)
    assert [cache.room for cache in made] == [12 + 5, 12 + 6]


@pytest.mark.parametrize("rests", [[[]] * 3, [[], [3]], [[3, 4]]], ids=str)
def test_a_start_that_is_a_whole_prompt_leaves_its_last_token_to_be_read(rests):
    model = decided_model(VOCABULARY)
    prompts = [text(SHARED_START + rest) for rest in rests]
    answers = generate_all(model, prompts, max_new_tokens=5, **LETTERS)
    assert answers == [greedy(model, prompt, 5) for prompt in prompts]


@pytest.mark.parametrize(
    ("stays", "indices"),
    [("111", [0, 1, 2]), ("000", []), ("0111", [3, 1, 2]), ("10010", [0, 3]), ("001", [2])],
)
def test_the_gaps_of_rows_that_left_are_filled_from_the_end(stays, indices):
    assert _closed_up([stay == "1" for stay in stays]) == indices


def test_without_a_cache_everything_is_read_again():
    model = recording(seed=1)
    generate_all(model, [text([1, 2, 3])], use_cache=False, max_new_tokens=4, **LETTERS)
    assert model.shapes == [(1, 3), (1, 4), (1, 5), (1, 6)]


def test_prompts_of_like_length_share_a_batch():
    model = recording()
    prompts = [text([1] * length) for length in (2, 9, 3, 8)]
    generate_all(model, prompts, max_new_tokens=1, batch_size=2, **LETTERS)
    assert sorted(model.shapes) == [(2, 3), (2, 9)]


def test_a_model_without_a_cache_generates_many_at_once():
    model = NextToken(VOCABULARY, context_length=12)
    with torch.no_grad():
        for token in range(VOCABULARY):
            model.table[token, (token + 1) % VOCABULARY] = 1.0
    answers = generate_all(model, [text([1, 2]), text([20]), text([9])], **LETTERS)
    assert [one.token_ids for one in answers] == [
        [3, 4, 5, 6],
        [21, 22, 23, 0, 1, 2, 3, 4, 5, 6],
        [*range(10, 21)],
    ]
    assert [one.stopped for one in answers] == [True, True, False]


def test_edge_each_row_may_fill_the_context():
    model = FixedLogits([0.0, 1.0], context_length=9)
    answers = generate_all(model, [text([0] * n) for n in (3, 8, 1)], **LETTERS)
    assert [len(one.token_ids) for one in answers] == [6, 1, 8]
    assert not any(one.stopped for one in answers)


@pytest.mark.parametrize("use_cache", [True, False])
def test_edge_a_cached_model_fills_its_context_too(use_cache):
    model = decided_model(VOCABULARY, context_length=11)
    prompts = [text([1] * n) for n in (10, 2, 5)]
    options = LETTERS | {"end_of_text_id": -1, "use_cache": use_cache}
    answers = generate_all(model, prompts, **options)
    assert [len(one.token_ids) for one in answers] == [1, 9, 6]


def test_one_bad_prompt_is_refused_before_anything_is_generated():
    model = recording(context_length=8)
    for bad, problem in (("", "prompt is empty"), (text([1] * 8), "8 tokens; .*no room")):
        with pytest.raises(ValueError, match=problem):
            generate(model, [text([1]), bad], **LETTERS)
    assert model.shapes == []


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"temperature": -1.0}, "temperature must be a number of 0 or more, not -1.0"),
        ({"top_k": 0}, "top_k must be a whole number of 1 or more, or None, not 0"),
        ({"top_p": 1.5}, "top_p must be a number above 0, up to 1, or None, not 1.5"),
        ({"batch_size": 0}, "batch_size must be 1 or more, not 0"),
        ({"max_new_tokens": -1}, "max_new_tokens must be a whole number of 0 or more, not -1"),
        ({"stop": ""}, "stop text is empty"),
        ({"stop": ["x", ""]}, "stop text is empty"),
    ],
    ids=str,
)
def test_bad_options_are_refused_even_without_prompts(options, problem):
    with pytest.raises(ValueError, match=problem):
        generate(decided_model(VOCABULARY), [], **options, **LETTERS)


def test_a_misspelt_option_is_refused():
    with pytest.raises(TypeError, match="temprature"):
        generate(decided_model(VOCABULARY), [], temprature=1.0)


def test_help_lists_the_options_by_name():
    shown, core = inspect.signature(generate), inspect.signature(generate_all)
    assert shown.parameters == core.parameters and "top_p" in shown.parameters


# Sampling


def sample(model: nn.Module, prompts: list[str], **options) -> list[str]:
    return generate(model, prompts, **{"max_new_tokens": 8, "temperature": 1.5} | options | LETTERS)


@pytest.mark.parametrize("options", [{"top_k": 1}, {"top_p": 1e-9}, {"temperature": 1e-9}], ids=str)
def test_sampling_with_no_choice_is_greedy(options):
    model, prompts = decided_model(VOCABULARY, 3), random_prompts(6)
    assert sample(model, prompts, **options) == sample(model, prompts, temperature=0.0)


def test_the_same_seed_gives_the_same_text_and_another_one_does_not():
    model, prompts = decided_model(VOCABULARY, 3), random_prompts(6)
    one = sample(model, prompts, seed=1)
    assert sample(model, prompts, seed=1) == one
    assert sample(model, prompts, seed=2) != one
    assert sample(model, prompts, temperature=0.0) != one


def test_without_a_seed_texts_differ():
    model, prompts = decided_model(VOCABULARY, 3), random_prompts(6)
    assert sample(model, prompts) != sample(model, prompts)


@pytest.mark.parametrize("batch_size", [1, 2, 5])
@pytest.mark.parametrize("use_cache", [True, False])
def test_samples_do_not_depend_on_the_batch(batch_size, use_cache):
    model, prompts = decided_model(VOCABULARY, 3), random_prompts(9)
    expected = sample(model, prompts, seed=5)
    assert sample(model, prompts, seed=5, batch_size=batch_size, use_cache=use_cache) == expected


def test_samples_do_not_depend_on_the_other_prompts():
    model, prompts = decided_model(VOCABULARY, 3), random_prompts(6)
    others = random_prompts(9, seed=8)
    expected = sample(model, prompts, seed=5)
    for index in range(6):
        mixed = [*others[:index], prompts[index], *others[index + 1 :]]
        assert sample(model, mixed, seed=5)[index] == expected[index]


def test_the_same_prompt_twice_is_sampled_twice():
    model, [prompt] = decided_model(VOCABULARY, 3), random_prompts(1)
    assert len(set(sample(model, [prompt] * 8, seed=0))) > 4


def test_sampled_tokens_are_as_frequent_as_they_are_probable():
    logits = [0.4, -0.7, 1.2, 0.0, -1.5]
    expected = 2000 * (torch.tensor(logits) / 0.8).softmax(-1)
    answers = generate_all(
        FixedLogits(logits),
        [text([1])] * 100,
        temperature=0.8,
        seed=11,
        max_new_tokens=20,
        **LETTERS,
    )
    tokens = torch.tensor([token for one in answers for token in one.token_ids])
    counts = torch.bincount(tokens, minlength=5)
    assert ((counts - expected) ** 2 / expected).sum() < 18.47  # chi-square, 1 in 1,000 is above


def test_generation_leaves_the_global_random_state_alone():
    model = decided_model(VOCABULARY, 3)
    before = torch.get_rng_state()
    for seed in (1, None):
        sample(model, random_prompts(3), seed=seed)
    assert torch.equal(torch.get_rng_state(), before)


# Tokens that are never to be generated


@pytest.mark.parametrize(
    "options", [{"temperature": 0.0}, {"temperature": 20.0, "seed": 0}], ids=str
)
def test_tokens_that_are_never_to_be_generated_are_not(options):
    model, prompts = decided_model(VOCABULARY, 5), random_prompts(6)
    options = options | {"end_of_text_id": -1, "tokenizer": LetterTokenizer()}

    def written() -> set[int]:
        return {t for one in generate_all(model, prompts, **options) for t in one.token_ids}

    forbidden = sorted(written())[::2]
    never = torch.zeros(VOCABULARY, dtype=torch.bool)
    never[forbidden] = True
    model.__class__ = type("Careful", (GPT,), {"never_generate": never})
    assert forbidden and written() and written().isdisjoint(forbidden)
    model.__class__ = type("Free", (GPT,), {"never_generate": None})
    assert {*forbidden} <= written()


def test_a_compact_model_writes_only_tokens_that_it_knows():
    known = [1, 2, 5, END, 11, 12]
    torch.manual_seed(0)
    config = GPTConfig(VOCABULARY, context_length=32, width=16, layers=2, heads=2)
    model = GPT(config, known_tokens=known).double()
    with torch.no_grad():
        model.token_embedding.weight[-1] += 5 * torch.randn(16)  # a loud row of unseen tokens
    free = {
        int(token) for token in model(torch.tensor([[1, 2, 5], [11, 12, 1]])).argmax(-1).flatten()
    }
    assert free - {*known}, "left alone, it would take an unseen token"
    for temperature in (0.0, 3.0):
        answers = sample(model, random_prompts(6), temperature=temperature, seed=0)
        assert {ord(letter) for answer in answers for letter in answer} <= {*known}


# Stop texts, and what is told on the way


def scripted(prompt: str, answer: str) -> Scripted:
    encode = get_tokenizer().encode_ordinary
    return Scripted([*encode(prompt), *encode(answer), END_OF_TEXT])


def test_a_stop_text_ends_the_answer_and_is_cut_off():
    model = scripted("Say it.", " Yes.\n\n### Instruction:\nMore")
    [answer] = generate_all(model, ["Say it."], stop="\n\n###")
    assert answer.text == " Yes." and answer.stopped
    assert get_tokenizer().decode(answer.token_ids).startswith(" Yes.\n\n###")
    assert len(answer.token_ids) < len(get_tokenizer().encode(" Yes.\n\n### Instruction:\nMore"))


def test_the_first_of_several_stop_texts_counts():
    model = scripted("Count.", " one two three four")
    assert generate(model, ["Count."], stop=["four", "three", " t"]) == [" one"]
    assert generate(model, ["Count."], stop=["five"]) == [" one two three four"]


def test_an_answer_that_the_limit_cut_off_did_not_stop():
    model = scripted("Say it.", " one two three")
    [cut] = generate_all(model, ["Say it."], max_new_tokens=2)
    assert cut == Generated(" one two", get_tokenizer().encode(" one two"), stopped=False)
    [just] = generate_all(model, ["Say it."], max_new_tokens=3)
    assert just.text == " one two three" and not just.stopped, "the end itself was not written"
    [whole] = generate_all(model, ["Say it."], max_new_tokens=4)
    assert whole.text == " one two three" and whole.stopped


def test_each_new_token_is_told_as_it_is_chosen():
    model, prompts, told = decided_model(VOCABULARY, 2), random_prompts(8, seed=2), {}
    answers = generate_all(
        model,
        prompts,
        batch_size=3,
        max_new_tokens=9,
        on_token=lambda index, token: told.setdefault(index, []).append(token),
        **LETTERS,
    )
    assert told == {i: one.token_ids for i, one in enumerate(answers) if one.token_ids}


def test_an_error_of_on_token_is_passed_on_and_the_mode_is_restored():
    def interrupt(index, token):
        raise KeyboardInterrupt

    model = decided_model(VOCABULARY).train()
    with pytest.raises(KeyboardInterrupt):
        generate(model, [text([1])], on_token=interrupt, **LETTERS)
    assert model.training


# Entries


class ByHeart(nn.Module):
    """Answers each of several prompts with its own text: a model that knows a list by heart."""

    def __init__(self, texts: list[list[int]], context_length: int = 1024):
        super().__init__()
        self.texts, self.context_length = texts, context_length
        self.weight = nn.Parameter(torch.zeros(1))

    def hidden(self, batch):
        rows, length = batch.inputs.shape
        following = torch.full((rows, length, 1), END_OF_TEXT)
        for row, ids in enumerate(batch.inputs.tolist()):
            for end in range(1, length + 1):
                for known in self.texts:
                    if known[:end] == ids[:end] and len(known) > end:
                        following[row, end - 1] = known[end]
        return following

    def head(self, hidden):
        return nn.functional.one_hot(hidden[..., 0], END_OF_TEXT + 1).float()


def by_heart(prompt_format) -> ByHeart:
    encode = get_tokenizer().encode_ordinary
    return ByHeart(
        [
            [*encode(prompt_format.prompt(entry)), *encode(prompt_format.response(entry))]
            for entry in ENTRIES
        ]
    )


@pytest.mark.parametrize("name", PROMPT_FORMATS)
def test_respond_all_answers_every_entry(name):
    model, outputs = by_heart(PROMPT_FORMATS[name]), [entry["output"] for entry in ENTRIES]
    assert respond_all(model, ENTRIES, name) == outputs
    assert respond_all(model, ENTRIES, PROMPT_FORMATS[name], batch_size=2) == outputs
    assert [respond(model, entry, name) for entry in ENTRIES] == outputs


def test_responses_say_which_of_them_stopped():
    model = by_heart(PROMPT_FORMATS["phi3"])
    answers = generate_responses(model, ENTRIES, "phi3", max_new_tokens=7)
    lengths = [len(get_tokenizer().encode_ordinary(e["output"] + "<|end|>")) for e in ENTRIES]
    assert [one.stopped for one in answers] == [length < 7 for length in lengths]
    assert len({one.stopped for one in answers}) == 2
    assert answers[2] == Generated("5", get_tokenizer().encode_ordinary("5<|end|>"), True)


def test_no_entries_no_answers():
    assert respond_all(by_heart(PROMPT_FORMATS["alpaca"]), []) == []


def test_a_shrunk_run_writes_ten_tokens_at_most(monkeypatch):
    model = tiny_model(64)

    def lengths(limit: int) -> list[int]:
        options = {"max_new_tokens": limit, "end_of_text_id": -1}
        return [len(one.token_ids) for one in generate_all(model, [[1, 2], [3]], **options)]

    assert lengths(20) == [20, 20]
    monkeypatch.setenv("LESSONS_LIB_QUICK", "1")
    assert lengths(20) == [10, 10] and lengths(4) == [4, 4]
    rows = start_rows(model, [[1, 2], [3]], ReplyOptions(max_new_tokens=20))
    assert [row.limit for row in rows] == [22, 21], "only the entry points shrink"
