"""LoRA by hand and by peft: the same outputs, the same gradients, and each loads what the other has
written."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from lessons_lib.batching import InstructionCollator, create_loader
from lessons_lib.bridges import (
    LoRALinear,
    add_lora,
    count_trained,
    in_transformers,
    load_lora,
    merge_lora,
    save_lora,
)
from lessons_lib.models import GPT, count_parameters, load_model, save_model
from lessons_lib.support import CheckpointError
from lessons_lib.training import train
from tests.helpers.llama_toys import tiny_llama
from tests.helpers.toys import ENTRIES, EXAMPLES, tiny_model

peft = pytest.importorskip("peft", reason="peft is missing: make environment")

IDS = torch.tensor([[5, 6, 7, 8, 9]])


def stir(model: nn.Module, seed: int = 1) -> None:
    """Give the adapter some values, as training would."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.1 * torch.randn_like(parameter))


def tuned(model, **options):
    add_lora(model, **({"rank": 3, "alpha": 6} | options))
    stir(model)
    return model


# The layer


def test_a_layer_begins_as_what_it_was_and_learns_in_both_matrices_after_a_step():
    linear = nn.Linear(6, 4)
    x = torch.randn(2, 3, 6)
    before = linear(x)
    layer = LoRALinear(linear, rank=2, alpha=8)
    assert torch.equal(layer(x), before)
    assert layer.lora_a.shape == (2, 6) and layer.lora_b.shape == (4, 2)
    layer(x).square().sum().backward()
    assert layer.linear.weight.grad is None and layer.linear.bias.grad is None
    assert layer.lora_b.grad.abs().sum() > 0
    assert not layer.lora_a.grad.any(), "B is zero, so A waits for one step"


def test_a_layer_by_hand():
    linear = nn.Linear(2, 2, bias=False)
    layer = LoRALinear(linear, rank=1, alpha=4)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
        layer.lora_a.copy_(torch.tensor([[1.0, 2.0]]))
        layer.lora_b.copy_(torch.tensor([[3.0], [0.0]]))
    # 4 / 1 times the outer product of (3, 0) and (1, 2), added to the identity
    assert torch.equal(layer(torch.eye(2)), torch.tensor([[13.0, 0.0], [24.0, 1.0]]))
    merged = layer.merged()
    assert torch.equal(merged.weight, torch.tensor([[13.0, 24.0], [0.0, 1.0]]))
    assert merged.weight.requires_grad


# Models


@pytest.mark.parametrize("make", [tiny_model, tiny_llama])
def test_only_thin_matrices_are_trained_and_counted(make):
    model = make()
    whole = count_parameters(model)
    frozen = {name: weight.clone() for name, weight in model.state_dict().items()}
    wide = [m for m in model.modules() if isinstance(m, nn.Linear)]
    thin = sum(3 * (m.in_features + m.out_features) for m in wide)
    if not isinstance(model, GPT):  # the head is the embedding
        thin -= 3 * (model.llama.lm_head.in_features + model.llama.lm_head.out_features)
    counted = add_lora(model, rank=3)
    assert counted == (thin, whole + thin) == count_trained(model)
    assert f"{thin:,} of {whole + thin:,} weights are trained" in str(counted)
    if isinstance(model, GPT):  # of 64 token ids
        loader = [InstructionCollator("prompt", end_of_text_id=1, pad_token_id=1)(EXAMPLES)]
    else:
        loader = create_loader(ENTRIES, 5, tokenizer=model.tokenizer, instruction_mask="prompt")
    train(model, loader, epochs=3, learning_rate=1e-2, progress=False)
    now = model.state_dict()
    for name, weight in frozen.items():
        name = name if name in now else name.replace(".weight", ".linear.weight")
        assert torch.equal(now.get(name, now.get(name.replace(".bias", ".linear.bias"))), weight)
    assert all(m.lora_b.any() for m in model.modules() if isinstance(m, LoRALinear))


def test_nothing_changes_until_something_is_learned_and_a_merge_keeps_what_was():
    for model in (tiny_model().double().eval(), tiny_llama()):
        before = model(IDS)
        names = [*model.state_dict()]
        add_lora(model, rank=2)
        assert torch.equal(model(IDS), before)
        stir(model)
        learned = model(IDS)
        assert (learned - before).abs().max() > 1e-3
        merge_lora(model)
        torch.testing.assert_close(model(IDS), learned, rtol=1e-10, atol=1e-12)
        assert [*model.state_dict()] == names and all(p.requires_grad for p in model.parameters())


def test_a_merged_model_is_saved_as_any_other(tmp_path):
    model = tuned(tiny_llama(dtype=torch.float32))
    merge_lora(model)
    save_model(model, tmp_path)
    assert torch.equal(load_model(tmp_path)(IDS), model(IDS))


def test_targets_choose_layers_by_the_end_of_their_names():
    model = tiny_model()
    add_lora(model, targets=["attention.output"])
    kinds = {name: type(module) for name, module in model.named_modules()}
    assert kinds["blocks.1.attention.output"] is LoRALinear
    assert kinds["blocks.1.network.0"] is nn.Linear
    assert not model.blocks[0].network[0].weight.requires_grad


def test_bad_calls_say_what_to_do():
    model = tiny_model()
    with pytest.raises(ValueError, match="rank is 1 or more, not 0"):
        add_lora(model, rank=0)
    with pytest.raises(ValueError, match="ends in 'q_proj'; there are: attention.output, "):
        add_lora(model, targets=["attention.output", "q_proj"])
    assert all(p.requires_grad for p in model.parameters()), "nothing was changed"
    with pytest.raises(ValueError, match="no LoRA to save"):
        save_lora(model, "nowhere")
    add_lora(model)
    with pytest.raises(ValueError, match="has LoRA already.*merge_lora"):
        add_lora(model)


# Beside peft


def in_peft(model, **options):
    """peft's model around a copy of transformers' own, with LoRA as ``tuned`` makes it."""
    config = peft.LoraConfig(
        **({"r": 3, "lora_alpha": 6, "target_modules": "all-linear"} | options),
        task_type="CAUSAL_LM",
    )
    return peft.get_peft_model(in_transformers(model), config)


def copy_adapter(ours: nn.Module, theirs: nn.Module) -> None:
    """Our matrices into peft's model."""
    layers = {n: m for n, m in ours.llama.named_modules() if isinstance(m, LoRALinear)}
    with torch.no_grad():
        for name, layer in layers.items():
            there = theirs.base_model.model.get_submodule(name)
            there.lora_A["default"].weight.copy_(layer.lora_a)
            there.lora_B["default"].weight.copy_(layer.lora_b)


def test_peft_puts_it_on_the_same_layers_and_starts_alike():
    ours, theirs = tiny_llama(), in_peft(tiny_llama())
    counted = add_lora(ours, rank=3, alpha=6)
    assert (counted.trained, counted.all) == theirs.get_nb_trainable_parameters()
    assert torch.equal(theirs(IDS).logits, ours(IDS))


def test_equal_matrices_give_equal_outputs_gradients_and_merges():
    theirs = in_peft(tiny_llama()).double()
    ours = tuned(tiny_llama())
    copy_adapter(ours, theirs)
    logits = ours(IDS)
    torch.testing.assert_close(theirs(IDS).logits, logits, rtol=1e-10, atol=1e-12)

    logits.square().mean().backward()
    theirs(IDS).logits.square().mean().backward()
    for name, layer in ours.llama.named_modules():
        if isinstance(layer, LoRALinear):
            there = theirs.base_model.model.get_submodule(name)
            for own, other in ((layer.lora_a, there.lora_A), (layer.lora_b, there.lora_B)):
                torch.testing.assert_close(
                    other["default"].weight.grad, own.grad, rtol=1e-8, atol=1e-12
                )

    merge_lora(ours)
    merged = theirs.merge_and_unload()
    for name, weight in ours.llama.named_parameters():
        torch.testing.assert_close(merged.get_parameter(name), weight, rtol=1e-12, atol=1e-14)


def test_peft_loads_what_we_saved(tmp_path):
    ours = tuned(tiny_llama(dtype=torch.float32), targets=["q_proj", "down_proj"])
    save_lora(ours, tmp_path, base="tiny")
    base = in_transformers(tiny_llama(dtype=torch.float32))
    theirs = peft.PeftModel.from_pretrained(base, tmp_path)
    torch.testing.assert_close(theirs(IDS).logits, ours(IDS), rtol=1e-5, atol=1e-6)
    assert theirs.peft_config["default"].base_model_name_or_path == "tiny"


@pytest.mark.parametrize("targets", [["q_proj", "down_proj"], "all-linear"])
def test_we_load_what_peft_saved(targets, tmp_path):
    theirs = in_peft(tiny_llama(dtype=torch.float32), target_modules=targets)
    stir(theirs)
    theirs.save_pretrained(tmp_path)
    ours = tiny_llama(dtype=torch.float32)
    counted = load_lora(ours, tmp_path)
    assert counted.trained == theirs.get_nb_trainable_parameters()[0]
    torch.testing.assert_close(ours(IDS), theirs(IDS).logits, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("make", [tiny_model, tiny_llama])
def test_saved_and_loaded_by_us_bit_for_bit(make, tmp_path):
    model, again = tuned(make()), make()
    save_lora(model, tmp_path)
    load_lora(again, tmp_path)
    assert torch.equal(again(IDS), model(IDS))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]


def test_the_real_small_model_with_peft_and_by_hand(converted_smollm2, tmp_path):
    ours = load_model(converted_smollm2)
    before = ours(IDS)
    counted = add_lora(ours, rank=16, alpha=32)
    assert counted.trained == 4_884_480
    torch.manual_seed(0)
    with torch.no_grad():
        for layer in ours.modules():
            if isinstance(layer, LoRALinear):
                layer.lora_b.normal_(std=0.02)
    save_lora(ours, tmp_path)
    learned = ours(IDS)
    assert (learned - before).abs().max() > 0.1
    merge_lora(ours)
    torch.testing.assert_close(ours(IDS), learned, rtol=1e-3, atol=1e-3)
    theirs = peft.PeftModel.from_pretrained(load_model(converted_smollm2).llama, tmp_path)
    torch.testing.assert_close(theirs(IDS).logits, learned, rtol=1e-3, atol=1e-3)


# Folders that do not fit


def change_config(folder, **changes):
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.fixture
def saved(tmp_path):
    save_lora(tuned(tiny_llama()), tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"use_dora": True}, "use_dora True: only plain LoRA.*merge_and_unload"),
        ({"peft_type": "IA3"}, "peft_type 'IA3'"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"rank_pattern": {"q_proj": 8}}, "rank_pattern"),
        ({"r": 0}, "r is 0"),
        ({"r": "3"}, "r is '3'"),
        ({"r": 4}, r"lora_A.weight has \(3, .*asks for \(4, "),
    ],
)
def test_more_than_plain_lora_is_refused(saved, changes, said):
    change_config(saved, **changes)
    model = tiny_llama()
    with pytest.raises(CheckpointError, match=said):
        load_lora(model, saved)
    assert not any(isinstance(module, LoRALinear) for module in model.modules())


def test_an_adapter_of_another_model_is_refused(saved):
    with pytest.raises(CheckpointError, match="no linear layer of this model.*attention.output"):
        load_lora(tiny_model(), saved)


def test_a_missing_matrix_or_file_is_named(saved, tmp_path):
    path = saved / "adapter_model.safetensors"
    tensors = load_file(path)
    tensors.pop("base_model.model.model.layers.1.mlp.up_proj.lora_B.weight")
    save_file(tensors, path)
    with pytest.raises(CheckpointError, match="layers.1.mlp.up_proj.lora_B.weight is missing"):
        load_lora(tiny_llama(), saved)
    path.unlink()
    with pytest.raises(CheckpointError, match="holds no adapter_model.safetensors"):
        load_lora(tiny_llama(), saved)
    with pytest.raises(CheckpointError, match="holds no adapter"):
        load_lora(tiny_llama(), tmp_path / "elsewhere")
