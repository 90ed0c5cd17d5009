"""The museum's exhibits have the faults that their titles say, and its visitor can see them."""

import pytest
import torch

from lessons_lib.batching import BatchError, InstructionCollator, InstructionDataset
from lessons_lib.data import END_OF_TEXT, IGNORE_INDEX, load_entries, split_entries, text_ids
from lessons_lib.exercises.museum import GUARD_BATCH, GUARD_LOSS, faults, running, visit
from lessons_lib.exercises.museum.exhibits import EXHIBITS, right
from lessons_lib.models import GPT, GPTConfig

SHORT, LONG, QUOTED = 1, 0, 17  # "Helsinki", a misspelt word, an answer that begins with a title


def examples(*indices, prompt_format="alpaca"):
    train = split_entries(load_entries("bundled")).train
    entries = [train[index] for index in indices]
    return InstructionDataset(entries, prompt_format=prompt_format, as_examples=True).examples


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(1)
    return GPT(GPTConfig(context_length=256, width=16, layers=1, heads=2)).eval()


def live(targets):
    return targets[targets != IGNORE_INDEX].tolist()


def test_every_end_is_masked():
    batch = faults.every_end_masked(examples(SHORT, LONG))
    assert END_OF_TEXT not in batch.targets
    assert END_OF_TEXT in faults.right_batch(examples(SHORT, LONG)).targets


def test_the_mask_is_lost():
    (each,) = examples(LONG)
    assert live(faults.mask_lost([each]).targets) == [*each.token_ids[1:], END_OF_TEXT]


def test_targets_are_shifted_twice_and_read_well():
    (each,) = examples(LONG)
    batch = faults.shifted_twice([each])
    assert live(batch.targets) == [*each.token_ids[each.prompt_length :], END_OF_TEXT]
    counts = batch.targets[:, :-2] != IGNORE_INDEX
    assert torch.equal(batch.targets[:, :-2][counts], batch.inputs[:, 2:][counts])


def test_the_header_counts():
    (each,) = examples(LONG)
    header = text_ids("\n\n### Response:\n")
    assert live(faults.header_counts([each]).targets)[: len(header)] == header


def test_long_prompts_lose_their_response():
    batch = faults.response_cut_off(examples(SHORT, LONG))
    assert live(batch.targets[0]) and not live(batch.targets[1])
    with pytest.raises(BatchError):  # what the switch had to go round
        InstructionCollator(allowed_max_length=faults.SHORTEST_CUT)(examples(SHORT, LONG))


def test_the_first_token_is_masked():
    (each,) = examples(LONG)
    assert live(faults.first_token_masked([each]).targets) == [
        *each.token_ids[each.prompt_length + 1 :],
        END_OF_TEXT,
    ]


@pytest.mark.filterwarnings("ignore::lessons_lib.batching.BoundaryWarning")
def test_the_marker_is_found_unless_a_quotation_mark_follows():
    pair = examples(SHORT, QUOTED, prompt_format="alpaca-stanford")
    batch = faults.marker_not_found(pair)
    assert torch.equal(batch.targets[0], faults.right_batch(pair).targets[0])
    assert not live(batch.targets[1])


def test_a_mean_of_means_depends_on_the_batches(model):
    pair = examples(SHORT, 8)
    batches = [faults.right_batch([each]) for each in pair]
    one = faults.mean_over_targets(model, [faults.right_batch(pair)])
    assert torch.allclose(faults.mean_over_targets(model, batches), one)
    assert not torch.allclose(faults.mean_of_means(model, batches), one)
    alone = [faults.mean_over_targets(model, [batch]) for batch in batches]
    assert torch.allclose(faults.mean_of_means(model, batches), sum(alone) / 2)


def test_packed_without_borders_has_the_right_targets(model):
    pair = examples(SHORT, LONG)
    batch = faults.packed_without_borders(pair)
    padded = faults.right_batch(pair)
    assert live(batch.targets) == live(padded.targets)
    together, apart = (faults.mean_over_targets(model, [each]) for each in (batch, padded))
    assert not torch.allclose(together, apart)


def test_a_batch_without_a_live_target_has_the_loss_nought(model):
    batch = faults.response_cut_off(examples(LONG))
    loss = faults.mean_over_targets(model, [batch])
    loss.backward()  # a run goes on, as it did in the libraries
    assert loss.item() == 0


@pytest.fixture
def few(monkeypatch):
    """Runs of two steps, none remembered."""
    monkeypatch.setenv("LESSONS_LIB_QUICK", "1")
    running._run.cache_clear()
    yield
    running._run.cache_clear()


def test_a_visit_shows_the_curve_and_the_wrong_answers(few, work, monkeypatch):
    shown = []
    monkeypatch.setattr(visit, "show", lambda figure, alt: shown.append(alt))
    table = visit.visit(1)
    assert shown[0].startswith("Training loss of exhibit 1: ")
    assert table.head == ("", "exhibit 1", "without its fault")
    assert [row[0] for row in table.rows[:3]] == [
        "exact, of 6",
        "stopped by itself",
        "response loss",
    ]
    assert running.run_exhibit(1) is running.run_exhibit(1)
    assert len(running.run_exhibit(1).losses) == 2


def test_an_exhibit_that_there_is_not_is_refused(work):
    for look in (visit.visit, visit.inspect_exhibit, visit.diagnose, visit.alone_and_together):
        with pytest.raises(ValueError, match="numbers 1 to 9, not 10"):
            look(10)


@pytest.mark.parametrize("number", [each for each in EXHIBITS if EXHIBITS[each].shown])
def test_the_inspector_shows_the_batch_and_marks_nothing(number):
    shown = visit.inspect_exhibit(number)
    assert shown._data["given"]["unmarked"] and "not right" not in shown.alt_text()
    assert shown.wrong_cells, "the fault can be seen in the entries that are shown"
    assert shown.to_png().startswith(b"\x89PNG")


@pytest.mark.parametrize("number", [8, 9])
def test_a_fault_of_the_loss_is_in_no_batch(number):
    assert "lies behind them" in str(visit.inspect_exhibit(number))
    table = visit.alone_and_together(number)
    assert table.rows[-1][2] != table.rows[-2][2]


def test_a_diagnosis_is_kept_and_the_catalogue_shows_it(few, work):
    assert "Choose one" in str(visit.diagnose(3))
    assert "Choose one of these" in str(visit.diagnose(3, "bad luck"))
    visit.diagnose(3, "a mean of means")
    rows = visit.catalogue(GUARD_BATCH.answer, GUARD_LOSS.attempt).rows
    assert rows[2][1:4] == ("targets are shifted twice", "a mean of means", "✓ refuses it")
    assert {row[4] for row in rows} == {"○ not written yet"}


def test_the_two_tests_see_all_nine(few, work):
    rows = visit.catalogue(GUARD_BATCH.answer, GUARD_LOSS.answer).rows
    assert [row[3] for row in rows] == ["✓ refuses it"] * 7 + ["· no fault in it"] * 2 + [
        "passes it"
    ]
    assert [row[4] for row in rows] == ["passes it"] * 7 + ["✓ refuses it"] * 2 + ["passes it"]


@pytest.mark.parametrize("prompt_format", ["alpaca", "alpaca-stanford"])
def test_the_two_tests_pass_what_is_right(prompt_format, few, work):
    assert visit._sees_batch(GUARD_BATCH.answer, right(prompt_format)) == "passes it"
    assert visit._sees_loss(GUARD_LOSS.answer, right(prompt_format)) == "passes it"


def test_a_test_that_refuses_everything_or_stops_is_seen(few, work):
    rows = visit.catalogue(lambda *row: False, lambda *loss: loss.none).rows
    assert rows[-1][1:] == ("nothing is wrong", "", "✓ refuses it", "✗ stops with AttributeError")
