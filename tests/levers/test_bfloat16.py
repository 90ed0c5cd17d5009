"""AdamW with bfloat16 copies takes AdamW's steps, and keeps copies and weights together."""

import copy

import pytest
import torch
from torch import nn

from lessons_lib.levers import Bfloat16AdamW, bfloat16

LEARNING_RATE = 1e-2


class Two(nn.Module):
    """Two linear layers, one of them frozen, and a norm."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.norm, self.second = nn.Linear(6, 5), nn.LayerNorm(5), nn.Linear(5, 3)
        self.frozen = nn.Linear(5, 5)
        self.frozen.requires_grad_(False)

    def forward(self, x):
        return self.second(self.norm(self.frozen(self.first(x))))


def groups(model):
    """As ``make_optimizer`` makes them: matrices decay, the rest does not."""
    learned = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in learned if p.dim() >= 2], "weight_decay": 0.1},
        {"params": [p for p in learned if p.dim() < 2], "weight_decay": 0.0},
    ]


def make(model):
    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    return Bfloat16AdamW(groups(model), layers, lr=LEARNING_RATE)


def backward(model, optimizer, seed=1):
    """A forward pass with the copies and its backward pass; the loss."""
    x = torch.randn(4, 6, generator=torch.Generator().manual_seed(seed))
    optimizer.zero_grad()
    with optimizer.working_copies():
        loss = (model(x).float() ** 2).mean()
    loss.backward()
    return loss


def gradients_by_name(model, optimizer):
    """The gradients that a step is going to take, in float32, by the names of the weights."""
    copies = {matrix.weight: matrix.copy for matrix in optimizer._matrices}
    learned = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    return {name: copies.get(p, p).grad.float() for name, p in learned}


@pytest.mark.parametrize("block", [7, 2**20], ids=["several blocks", "one block"])
@pytest.mark.parametrize("scale", [1.0, 0.25])
def test_its_steps_are_those_of_adamw_with_the_same_gradients(monkeypatch, block, scale):
    monkeypatch.setattr(bfloat16, "BLOCK", block)
    ours, theirs = Two(), Two()
    optimizer = make(ours)
    adamw = torch.optim.AdamW(groups(theirs), lr=LEARNING_RATE, fused=True)
    for seed in range(4):
        backward(ours, optimizer, seed)
        for name, gradient in gradients_by_name(ours, optimizer).items():
            theirs.get_parameter(name).grad = gradient * scale
        optimizer.step(scale)
        adamw.step()
        for (name, weight), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(weight, other, rtol=1e-6, atol=1e-7, msg=name)


def test_copies_follow_the_weights():
    model = Two()
    optimizer = make(model)
    for seed in range(3):
        backward(model, optimizer, seed)
        optimizer.step()
    for weight, working, _ in optimizer._matrices:
        assert torch.equal(working, weight.bfloat16())


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model.load_state_dict(Two().state_dict()),
        lambda model: torch.nn.init.constant_(model.first.weight, 0.5),
    ],
    ids=["loaded", "set"],
)
def test_weights_that_somebody_else_changed_are_copied_again(change):
    model = Two()
    optimizer = make(model)
    backward(model, optimizer)
    optimizer.step()
    change(model)
    with optimizer.working_copies():
        assert torch.equal(model.first.weight, optimizer._matrices[0].weight.bfloat16())


def test_small_updates_are_not_lost():
    """1 + 0.001 is 1 in bfloat16, but a thousand such updates are not nothing."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.ones_(model.weight)
    optimizer = Bfloat16AdamW([{"params": [model.weight], "weight_decay": 0.0}], [model], lr=1e-4)
    for _ in range(1000):
        optimizer.zero_grad()
        with optimizer.working_copies():
            loss = model(torch.ones(1, 1)).sum()
        loss.backward()
        optimizer.step()
    assert model.weight.item() == pytest.approx(0.9, abs=0.002)


def test_the_model_has_its_own_weights_again_afterwards_even_after_an_error():
    model = Two()
    optimizer, weight = make(model), model.first.weight
    with pytest.raises(RuntimeError, match="the power fails"), optimizer.working_copies():
        assert model.first.weight is not weight and model.first.weight.dtype == torch.bfloat16
        assert (
            model.frozen.weight.dtype == torch.bfloat16 and model.first.bias.dtype == torch.float32
        )
        raise RuntimeError("the power fails")
    assert model.first.weight is weight and not torch.is_autocast_enabled("cpu")


def test_a_weight_that_two_modules_share_has_one_copy():
    embedding, head = nn.Embedding(7, 4), nn.Linear(4, 7, bias=False)
    head.weight = embedding.weight
    optimizer = Bfloat16AdamW([{"params": [head.weight]}], [embedding, head], lr=0.1)
    with optimizer.working_copies():
        assert embedding.weight is head.weight
    assert embedding.weight is head.weight and len(optimizer._matrices) == 1


def test_its_state_is_adamws():
    ours, theirs = Two(), Two()
    optimizer = make(ours)
    backward(ours, optimizer)
    optimizer.step()
    adamw = torch.optim.AdamW(groups(theirs), lr=LEARNING_RATE, fused=True)
    adamw.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    theirs.load_state_dict(ours.state_dict())
    again = make(theirs)
    again.load_state_dict(adamw.state_dict())
    for model, each in ((ours, optimizer), (theirs, again)):
        backward(model, each, seed=5)
        each.step()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(one, other)


def test_frozen_weights_have_no_gradient_and_stay():
    model = Two()
    optimizer, before = make(model), model.frozen.weight.clone()
    backward(model, optimizer)
    optimizer.step()
    assert torch.equal(model.frozen.weight, before)
    assert len(gradients_by_name(model, optimizer)) == 6


def test_the_norm_is_that_of_all_gradients_and_not_rounded_to_8_bits():
    model = nn.Sequential(nn.Linear(300, 200), nn.Linear(200, 100))
    optimizer = Bfloat16AdamW([{"params": list(model.parameters())}], list(model), lr=0.1)
    with optimizer.working_copies():
        loss = (model(torch.ones(3, 300)).float() ** 2).sum()
    loss.backward()
    gradients = gradients_by_name(model, optimizer).values()
    norm = torch.stack([gradient.double().norm() for gradient in gradients]).norm()
    assert optimizer.gradient_norm().dtype == torch.float32
    assert optimizer.gradient_norm().item() == pytest.approx(norm.item(), rel=1e-3)
