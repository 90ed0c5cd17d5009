"""What a run recorded: its best step, its table, its way into a file and back."""

import csv
import dataclasses

import pytest

from lessons_lib.history import COLUMNS, History, Step


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
