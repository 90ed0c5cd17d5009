"""The arithmetic of the benchmark on how many entries it takes; running it measures the figures."""

import pytest
from benchmarks.efficiency import MEASURES, PROSE_LENGTH, Run, prose_loss, summary

from lessons_lib.models import GPT, GPTConfig


def test_a_row_is_the_mean_of_its_seeds():
    runs = [Run("base", 0, 1), Run("base", 10, 1), Run("base", 10, 2)]
    found = [dict.fromkeys(MEASURES, value) for value in (0.0, 0.2, 0.6)]
    before, after = summary(runs, found)
    assert (before["entries"], before["exact"]) == (0, 0.0)
    assert after["entries"] == 10 and after["exact"] == pytest.approx(0.4)
    assert (after["exact_low"], after["exact_high"]) == (0.2, 0.6)


def test_a_model_that_knows_nothing_finds_prose_as_likely_as_any_tokens():
    sizes = GPTConfig(context_length=PROSE_LENGTH, width=8, layers=1, heads=1)
    assert prose_loss(GPT(sizes)) == pytest.approx(10.82, abs=0.3)  # log(50,257)
