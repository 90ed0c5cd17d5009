"""The head everywhere or only where a target counts: the same loss, and whole steps timed."""

import pytest
import torch

from lessons_lib.batching import InstructionCollator
from lessons_lib.experiments.masking import step_times_table, time_steps
from lessons_lib.experiments.masking.step_times import StepTime, every_position_loss
from lessons_lib.training import batch_loss
from tests.helpers.toys import ENTRIES, EXAMPLES, tiny_model


@pytest.mark.parametrize(
    "options",
    [{}, {"instruction_mask": "prompt"}, {"instruction_mask": "keep-header"}]
    + [{"prompt_loss_weight": 0.1}],
)
def test_both_ways_give_one_loss_and_one_gradient(options):
    model = tiny_model(64).double()
    batch = InstructionCollator(**options, pad_token_id=63, end_of_text_id=63)(EXAMPLES)
    gradients = []
    for loss in (every_position_loss, batch_loss):
        model.zero_grad()
        value = loss(model, batch)
        value.backward()
        gradients.append((value.detach(), model.token_embedding.weight.grad.clone()))
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


def test_the_model_is_left_as_it_was():
    model = tiny_model(50_257, context_length=64).eval()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    found = time_steps(model, ENTRIES, ("none", "prompt", 0.1), steps=2, batch_size=2)
    assert [each.mode for each in found] == ["none", "prompt", "weight 0.1"]
    assert found[0].live_share > found[1].live_share > 0
    assert found[0].live_share == found[2].live_share
    assert all(each.everywhere > 0 and each.where_live > 0 for each in found)
    assert not model.training
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, before[name])


def test_the_table_says_how_many_times_as_fast():
    rows = step_times_table([StepTime("prompt", 0.25, 0.2, 0.1)]).rows
    assert rows == (("prompt", "25%", "200 ms", "100 ms", "2.00 ×"),)


def test_faulty_options_are_refused():
    model = tiny_model(50_257, context_length=64)
    with pytest.raises(ValueError, match="steps must be 1 or more"):
        time_steps(model, ENTRIES, steps=0)
    with pytest.raises(ValueError, match="fewer than one batch of 8"):
        time_steps(model, ENTRIES, steps=1)
    with pytest.raises(ValueError, match="a mode is one of"):
        time_steps(model, ENTRIES, ("half",), batch_size=2)
