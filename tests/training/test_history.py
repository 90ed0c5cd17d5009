"""What is called while a model trains, and what is kept of the run: a table, a file, a text."""

import csv
import dataclasses

import pytest
import torch

from lessons_lib.batching import Batch
from lessons_lib.training import History, TrainingState, train
from lessons_lib.training.history import COLUMNS, EarlyStop, SampleAnswers, Step, as_list
from tests.helpers.toys import ENTRIES, tiny_model

COUNTING = [Batch(torch.arange(i, i + 4)[None], torch.arange(i + 1, i + 5)[None]) for i in range(4)]


def run(**options):
    return train(tiny_model(), COUNTING, progress=False, **options)  # 4 steps an epoch


def state_of(losses: list[float], name: str = "validation_loss") -> TrainingState:
    steps = list(range(0, 10 * len(losses), 10))
    history = History(train_loss=[1.0] * steps[-1], validation_steps=steps, **{name: losses})
    return TrainingState(tiny_model(), 1000, history)


# When they are called


def test_the_order_of_calls():
    calls = []

    def note(name):
        return lambda state: calls.append((name, state.step, state.epoch))

    run(
        validation_loader=COUNTING[:1],
        epochs=2,
        evaluate_every=3,
        on_step=note("step"),
        on_eval=note("eval"),
        on_epoch=note("epoch"),
        on_end=note("end"),
    )
    assert calls == [
        ("eval", 0, 0),
        ("step", 1, 1),
        ("step", 2, 1),
        ("step", 3, 1),
        ("eval", 3, 1),
        ("step", 4, 1),
        ("epoch", 4, 1),
        ("step", 5, 2),
        ("step", 6, 2),
        ("eval", 6, 2),
        ("step", 7, 2),
        ("step", 8, 2),
        ("epoch", 8, 2),
        ("eval", 8, 2),
        ("end", 8, 2),
    ]


def test_a_callback_sees_the_run():
    states = []
    model = tiny_model()
    history = train(model, COUNTING, on_step=states.append, progress=False, max_steps=2)
    assert states[0] is states[1]
    assert states[0].model is model
    assert states[0].history is history
    assert states[0].total_steps == 2


def test_several_callbacks_are_called_in_their_order():
    calls = []
    callbacks = [lambda state: calls.append("a"), lambda state: calls.append("b")]
    run(on_step=iter(callbacks), max_steps=2)
    assert calls == ["a", "b", "a", "b"]
    assert as_list(None) == []
    assert as_list(print) == [print]


@pytest.mark.parametrize("when", ["on_step", "on_eval", "on_epoch", "on_end"])
def test_what_a_callback_raises_leaves_train(when):
    def fail(state):
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        run(validation_loader=COUNTING, **{when: fail})


def test_on_end_is_called_after_ctrl_c_too():
    def press(state):
        raise KeyboardInterrupt

    seen = []
    run(on_step=press, on_end=lambda state: seen.append(state.history.interrupted))
    assert seen == [True]


# Stopping


@pytest.mark.parametrize(
    ("when", "steps", "validated"),
    [("on_step", 1, [0, 1]), ("on_eval", 0, [0]), ("on_epoch", 4, [0, 3, 4])],
)
def test_a_callback_may_stop_the_run(when, steps, validated):
    options = {when: lambda state: state.stop("enough")}
    history = run(validation_loader=COUNTING, epochs=9, evaluate_every=3, **options)
    assert history.steps == steps
    assert history.validation_steps == validated
    assert history.stop_reason == "enough"
    assert not history.interrupted
    assert history.epoch_ends == ([steps] if steps else [])


def test_the_first_reason_to_stop_stays():
    state = TrainingState(tiny_model(), 10)
    assert not state.done
    state.stop("one")
    state.stop("two")
    assert state.done and state.history.stop_reason == "one"
    assert run().stop_reason == ""


@pytest.mark.parametrize(
    ("losses", "patience", "stops"),
    [
        ([5, 4, 3], 1, False),
        ([5, 4, 4], 1, True),
        ([5, 4, 4], 2, False),
        ([5, 4, 4.5, 4.1], 2, True),
        ([5, 4, 4.5, 3.9], 2, False),
        ([5, 6, 7, 8], 3, True),
        ([5], 1, False),
    ],
)
def test_early_stop_by_patience(losses, patience, stops):
    state = state_of(losses)
    EarlyStop(patience)(state)
    assert state.stopped == stops


def test_early_stop_says_where_the_best_was():
    state = state_of([5.0, 4.0, 4.5, 4.25])
    EarlyStop(2)(state)
    assert state.history.stop_reason == (
        "the validation loss has not improved since step 10, where it was 4.000"
    )


def test_small_improvements_do_not_count():
    losses = [5.0, 4.0, 3.95, 3.93]
    strict, lenient = state_of(losses), state_of(losses)
    EarlyStop(2, min_improvement=0.1)(strict)
    EarlyStop(2)(lenient)
    assert strict.stopped and not lenient.stopped
    slow = state_of([5.0, 4.0, 3.95, 3.85])
    EarlyStop(2, min_improvement=0.1)(slow)
    assert not slow.stopped, "0.15 lower than the best in two validations"


def test_early_stop_by_the_response_loss():
    state = state_of([5.0, 4.0, 4.1], name="response_loss")
    EarlyStop(1, measure="response_loss")(state)
    assert "the response loss has not improved since step 10" in state.history.stop_reason
    with pytest.raises(ValueError, match="records no response_loss"):
        EarlyStop(1, measure="response_loss")(state_of([5.0]))


@pytest.mark.parametrize("options", [{"patience": 0}, {"measure": "train_loss"}])
def test_an_early_stop_that_cannot_be(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        EarlyStop(**options)


def test_early_stop_ends_a_real_run_and_serves_two():
    stop = EarlyStop(patience=2)
    for _ in range(2):
        history = run(
            validation_loader=COUNTING,
            epochs=50,
            learning_rate=0.0,  # nothing ever improves
            evaluate_every=5,
            on_eval=stop,
        )
        assert history.steps == 10
        assert history.validation_steps == [0, 5, 10]


# Sample answers


def sampler(said):
    """Answers with random numbers, as a sampled generation would."""

    def answer(model, entry):
        assert not model.training
        return f"{entry['output']} {torch.rand(1).item():.3f}"

    return SampleAnswers(ENTRIES[:2], answer, say=said.append)


def test_sample_answers_are_said_and_kept():
    said = []
    samples = sampler(said)
    run(validation_loader=COUNTING, evaluate_every=2, on_eval=samples)
    assert list(samples.answers) == [0, 2, 4]
    assert samples.answers[2][0].startswith("Paris.")
    assert said[0] == "answers after 0 steps:"
    assert said[2].startswith("  Correct the spelling. Ocassion → \"It is 'Occasion'.")
    assert len(said) == 3 * 3


def test_asking_does_not_change_the_training():
    models = [tiny_model(dropout=0.2), tiny_model(dropout=0.2)]
    for model, callback in zip(models, (None, sampler([])), strict=True):
        train(model, COUNTING, on_step=callback, progress=False)
        assert model.training
    one, other = (model.state_dict() for model in models)
    assert all(torch.equal(one[name], other[name]) for name in one), "dropout draws as it would"


def test_an_answer_that_fails_leaves_the_mode():
    model = tiny_model()
    with pytest.raises(KeyError):
        SampleAnswers(ENTRIES, lambda model, entry: entry["answer"])(TrainingState(model, 1))
    assert model.training


def recorded() -> History:
    """Four steps in two epochs of two, validated at 0, 2 and 4."""
    history = History()
    for number in range(4):
        history.record(
            Step(4.0 - number, 0.1 * number, 2.0, 10, 30), learning_rate=0.01 / 2**number
        )
    history.validation_steps = [0, 2, 4]
    history.validation_loss = [4.5, 2.5, 2.75]
    history.validation_accuracy = [0.0, 0.5, 0.25]
    history.response_loss = [5.0, 3.0, 3.5]
    history.epoch_ends = [2, 4]
    return history


def test_record_adds_a_step():
    history = recorded()
    assert history.steps == 4
    assert history.train_loss == [4.0, 3.0, 2.0, 1.0]
    assert history.learning_rates == [0.01, 0.005, 0.0025, 0.00125]
    assert history.gradient_norms == [2.0] * 4
    assert (history.live_targets, history.tokens_seen) == (40, 120)


def test_the_best_step_is_the_first_of_the_lowest_validation_loss():
    history = recorded()
    assert history.best_step == 2
    history.validation_loss = [2.5, 2.5, 2.75]
    assert history.best_step == 0
    assert History().best_step is None


def test_a_row_for_each_step_and_for_the_start():
    rows = recorded().rows()
    assert [row["step"] for row in rows] == [0, 1, 2, 3, 4]
    assert [row["epoch"] for row in rows] == [1, 1, 1, 2, 2]
    assert [row["train_loss"] for row in rows] == [None, 4.0, 3.0, 2.0, 1.0]
    assert [row["validation_loss"] for row in rows] == [4.5, None, 2.5, None, 2.75]
    assert [row["response_loss"] for row in rows] == [5.0, None, 3.0, None, 3.5]
    assert rows[3]["learning_rate"] == 0.0025


def test_rows_of_a_history_that_knows_losses_alone():
    rows = History(train_loss=[2.0, 1.0], epoch_ends=[2]).rows()
    assert [row["step"] for row in rows] == [1, 2]
    assert rows[1]["train_loss"] == 1.0
    assert rows[1]["train_accuracy"] is rows[1]["validation_loss"] is None


def test_the_csv_says_what_the_rows_say(tmp_path):
    path = tmp_path / "history.csv"
    recorded().write_csv(path)
    content = path.read_bytes()
    assert content.count(b"\n") == 6 and b"\r\r" not in content
    with path.open(newline="", encoding="utf-8") as file:
        read = list(csv.DictReader(file))
    assert tuple(read[0]) == COLUMNS
    assert read[0]["train_loss"] == "" and read[0]["validation_loss"] == "4.5"
    numbers = [{k: float(v) if v else None for k, v in row.items()} for row in read]
    assert numbers == recorded().rows()


def test_a_history_comes_back_from_its_dictionary():
    history = recorded()
    assert History.from_dict(dataclasses.asdict(history)) == history


@pytest.mark.parametrize("values", [{}, {"train_loss": []}, [], None])
def test_what_is_no_history_is_refused(values):
    with pytest.raises(ValueError, match="not the fields of a history"):
        History.from_dict(values)
