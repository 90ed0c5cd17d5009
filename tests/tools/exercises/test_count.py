"""The command that counts what the course asks of its learner."""

import json

from lessons_lib.exercises import EXERCISES
from tools.build_notebooks import lab_paths, lesson_paths
from tools.exercises import count
from tools.exercises.cells import exercise_cells

CODES = [
    "import torch",
    'predict("a", ...)\nrecall("b", 3)',
    'from lessons_lib.exercises import check\n\ncheck("pad", my_pad)',
    "print(keep(my_pad))",
    "loss = model.predict(batch)  # check(nothing)",
]


def test_cells_that_need_the_learner_are_counted(tmp_path):
    cells = [{"cell_type": "code", "id": f"c{i}", "source": c} for i, c in enumerate(CODES)]
    cells += exercise_cells(EXERCISES["pad"])
    path = tmp_path / "05_x.ipynb"
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    assert count.count(path, {"pad": [len, max, min]}) == {
        "code_cells": 6,
        "cells_that_need_the_learner": 4,
        "exercises": 1,
        "predictions": 1,
        "wrong_answers": len(EXERCISES["pad"].wrong_answers),
        "right_variants": 3,
    }


def test_the_last_line_is_json(capsys):
    assert count.main() == 0
    *table, last = capsys.readouterr().out.strip().splitlines()
    found = json.loads(last)
    assert found["lessons"] == len(lesson_paths()) and found["labs"] == len(lab_paths())
    assert found["right_variants"] >= 3 * found["exercises"] > 0
    assert found["code_cells"] > found["cells_that_need_the_learner"] >= found["exercises"]
    assert "masking" in "".join(table)
