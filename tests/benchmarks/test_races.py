"""The races of training and writing: their pieces agree, they run, and say what they measured."""

import json

import pytest
import torch
from torch import nn

pytest.importorskip("llms_from_scratch.ch07", reason="llms-from-scratch: make environment")
for name in ("transformers", "trl", "datasets"):
    pytest.importorskip(name, reason=f"{name} is missing: make environment")

from benchmarks.ours import BEST, OURS, Levers, Ours  # noqa: E402

from benchmarks import finetune, generate, peers, race  # noqa: E402  (after the check)
from benchmarks.entries import ENTRIES_VARIABLE  # noqa: E402
from lessons_lib.bridges import in_transformers  # noqa: E402
from lessons_lib.data import load_entries  # noqa: E402
from lessons_lib.levers import Bfloat16AdamW, attention  # noqa: E402
from lessons_lib.models import GPT, GPTConfig  # noqa: E402
from lessons_lib.support.devices import has_fast_bf16  # noqa: E402

ENTRIES = load_entries()[40:48]
SIZES = GPTConfig(width=16, layers=2, heads=2, context_length=256)


def new_model() -> GPT:
    torch.manual_seed(3)
    return GPT(SIZES)


def last_line(text: str) -> dict:
    return json.loads(text.splitlines()[-1])


@pytest.fixture(autouse=True)
def bundled(monkeypatch):
    monkeypatch.delenv(ENTRIES_VARIABLE, raising=False)


# Training


@pytest.mark.parametrize("name", OURS)
def test_with_every_lever_the_first_losses_are_those_of_the_plain_step(name):
    plain, ours = (Ours(new_model(), ENTRIES, levers) for levers in (Levers(), OURS[name]))
    expected = [plain.step(range(8)) for _ in range(3)]
    tolerance = 2e-3 if OURS[name].bf16 else 1e-5
    assert [ours.step(range(8)) for _ in range(3)] == pytest.approx(expected, rel=tolerance)


def test_different_losses_are_no_race():
    model = new_model()
    racers = {"plain": Ours(model, ENTRIES, Levers()), "all": Ours(model, ENTRIES, BEST)}
    assert race.check_losses(racers, range(8)) == pytest.approx(10.8, abs=0.1)
    racers["other"] = Ours(model, ENTRIES[1:], Levers())
    with pytest.raises(SystemExit, match="first losses differ.*'other'"):
        race.check_losses(racers, range(7))


def test_the_work_of_a_step_by_hand():
    ours = Ours(new_model(), ENTRIES, BEST)
    batch = ours.batch(range(8))
    lengths = [len(example.token_ids) for example in ours.examples]
    shared = int((batch.segments == -1).sum())
    assert batch.inputs.numel() == sum(lengths) - 7 * shared
    live = sum(len(e.token_ids) + 1 - e.prompt_length for e in ours.examples)
    # Of two blocks the last computes what comes after attention where a target counts.
    blocks = batch.inputs.numel() * (12 + 3) * 16**2 + live * 9 * 16**2
    blocks += 2 * sum(n * n for n in lengths) * 16
    assert ours.flops(range(8)) == 3 * 2 * (blocks + live * 50_257 * 16)


def test_buckets_are_of_the_same_entries():
    lengths = [9, 1, 8, 2, 7, 3, 6, 4, 5, 5, 5, 5, 5, 5, 5, 5]
    drawn = race.batches_of(range(16), lengths, buckets=False)
    sorted_ = race.batches_of(range(16), lengths, buckets=True)
    assert drawn == [[*range(8)], [*range(8, 16)]]
    assert sorted(i for batch in sorted_ for i in batch) == [*range(16)]
    assert [lengths[i] for i in sorted_[0]] == [1, 2, 3, 4, 5, 5, 5, 5]


def test_all_take_turns_and_go_first_by_turns():
    assert list(race.turns(["a", "b"], 3)) == ["a", "b", "b", "a", "a", "b"]


def test_a_row_that_is_left_out_has_no_ratio():
    times = {"slow": [4.0, 6.0, 9.0], "fast": [2.0, 2.0, 3.0]}
    assert race.ratio(times, "slow", "fast") == 3
    assert race.ratio(times, "slow", "bf16") is None


@pytest.mark.long
def test_the_race_runs(capsys):
    race.main(["--rounds", "1", "--entries", "8", "--width", "16", "--layers", "1"])
    out = capsys.readouterr().out
    result = last_line(out)
    assert set(race.TARGETS) <= set(result)
    assert "First loss of all: 10.8" in out
    assert result["fp32_vs_llms_from_scratch"] > 0 < result["fp32_vs_trl"]
    assert (result["bf16_vs_llms_from_scratch"] is None) is not has_fast_bf16(torch.device("cpu"))
    assert (result["bf16_share_of_matmul_peak"] is None) is not has_fast_bf16(torch.device("cpu"))
    assert out.count("×") == len(result["seconds_a_step"])


@pytest.mark.parametrize("name", OURS)
def test_levers_without_a_switch_are_off_until_their_row(name, monkeypatch):
    called = set()

    def note(owner, attribute):
        plain = getattr(owner, attribute)
        monkeypatch.setattr(owner, attribute, lambda *given: called.add(attribute) or plain(*given))

    note(GPT, "hidden_where")
    note(attention, "attend_by_products")
    note(Bfloat16AdamW, "working_copies")
    monkeypatch.setattr(
        nn.Embedding,
        "register_forward_hook",
        lambda self, hook: called.add("single_rows") or nn.Module.register_forward_hook(self, hook),
    )
    levers = OURS[name]
    Ours(new_model(), ENTRIES, levers).step(range(8))
    assert called == {
        attribute
        for attribute, on in {
            "hidden_where": levers.last_block,
            "single_rows": levers.single_rows,
            "attend_by_products": levers.products,
            "working_copies": levers.copies,
        }.items()
        if on
    }


# Writing


def test_ours_the_books_and_transformers_write_the_same():
    model = GPT(SIZES).eval()
    prompts = [[5, 6, 7, 8, 9, 10, 11, 12, *rest] for rest in ([1, 2], [3], [4, 4, 4], [])]
    ours = generate.ours(model, prompts, 6, size=3)
    for written in (
        generate.book(peers.to_book(model).eval(), prompts, 6, model.context_length),
        generate.transformers_batched(in_transformers(model).eval(), prompts, 6, size=3),
    ):
        assert [len(row) for row in written] == [6] * 4
        assert generate.count_close_calls(model, prompts, ours, written) == 0 or written != ours


def test_a_difference_that_the_logits_do_not_explain_is_no_race(monkeypatch):
    model = GPT(SIZES).eval()
    with torch.no_grad():
        model.token_embedding.weight[3] *= 100  # its logit is far from all others
    one = generate.ours(model, [[1, 2]], 3, size=1)
    other = [[one[0][0], (one[0][1] + 1) % 50, one[0][2]]]
    with pytest.raises(SystemExit, match="part at token 1"):
        generate.count_close_calls(model, [[1, 2]], one, other)
    monkeypatch.setattr(generate, "CLOSE", 1e9)
    assert generate.count_close_calls(model, [[1, 2]], one, other) == 1
    assert generate.count_close_calls(model, [[1, 2]], one, one) == 0


def test_the_race_of_writing_runs(capsys):
    small = ["--prompts", "13", "--new", "2", "--width", "16", "--layers", "1"]
    generate.main(["--rounds", "1", "--batch-size", "5", *small])
    out = capsys.readouterr().out
    result = last_line(out)
    assert set(generate.TARGETS) <= set(result)
    assert "13 bundled prompts (the book's: 12)" in out
    assert out.count("×") == 3


# Lesson 09's run


def test_lesson_09s_race_runs(capsys):
    finetune.main(["--steps", "1"])
    out = capsys.readouterr().out
    result = last_line(out)
    assert set(finetune.TARGETS) <= set(result)
    assert result["steps"] == 1
    assert "First loss of both: 4." in out


def test_runs_take_turns_a_few_steps_at_a_time():
    order = []

    def steps(name):
        while True:
            order.append(name)
            yield 0.0

    seconds = iter(range(100))
    spent = finetune.take_turns(
        {"a": steps("a"), "b": steps("b")}, finetune.TURN + 2, clock=lambda: float(next(seconds))
    )
    assert order == ["a", "b", *["a"] * 29, *["b"] * 29, *["b"] * 2, *["a"] * 2]
    assert spent == {"a": 2.0, "b": 2.0}


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        (race, ["--rounds", "0"]),
        (race, ["--entries", "12"]),
        (generate, ["--new", "0"]),
        (finetune, ["--steps", "-1"]),
    ],
)
def test_numbers_out_of_range_are_refused(module, arguments, capsys):
    with pytest.raises(SystemExit):
        module.main(arguments)
    assert arguments[0] in capsys.readouterr().err
