"""Our entries in transformers' Trainer and TRL's: the rows say what our batches say, and so do the
losses of their own loops."""

import dataclasses

import pytest
import torch

from lessons_lib.batching import BatchError, InstructionCollator, create_loader
from lessons_lib.bridges import (
    in_transformers,
    labelled_rows,
    logged_losses,
    rows_of_loader,
    tokenizer_in_transformers,
    trainer_options,
)
from lessons_lib.data import get_tokenizer, load_entries
from lessons_lib.models import GPT, GPTConfig, load_model
from lessons_lib.training import TrainOptions, batch_loss, train
from tests.helpers.llama_toys import tiny_llama
from tests.helpers.toys import ENTRIES

for name in ("transformers", "trl", "datasets"):
    pytest.importorskip(name, reason=f"{name} is missing: make environment")

STEPS, SIZE = 10, 2
SOME = load_entries()[100 : 100 + 8]
# Weight decay, clipping and accumulation at once: whatever a trainer did differently would show.
OPTIONS = TrainOptions(learning_rate=3e-3, max_gradient_norm=0.9, epochs=3, max_steps=STEPS)


def new_model() -> GPT:
    torch.manual_seed(0)
    return GPT(GPTConfig(context_length=128, width=16, layers=2, heads=2))


def new_loader(model, entries=SOME, size=SIZE, **options):
    return create_loader(
        entries,
        size,
        instruction_mask="prompt",
        drop_last=True,
        tokenizer=model.tokenizer,
        **options,
    )


def run_of_theirs(kind, model, rows, options, folder, size=SIZE) -> list[float]:
    """Train a copy of the model in their own loop, from start to end."""
    tokenizer = tokenizer_in_transformers(model)
    shared = {"model": in_transformers(model), "processing_class": tokenizer}
    if kind == "trl":
        from datasets import Dataset
        from trl import SFTConfig, SFTTrainer

        trainer = SFTTrainer(
            args=SFTConfig(**trainer_options(folder, options, size, trl=True)),
            train_dataset=Dataset.from_list(rows),
            **shared,
        )
    else:
        from transformers import DataCollatorForSeq2Seq, Trainer, TrainingArguments

        trainer = Trainer(
            args=TrainingArguments(**trainer_options(folder, options, size)),
            train_dataset=rows,
            data_collator=DataCollatorForSeq2Seq(tokenizer, label_pad_token_id=-100),
            **shared,
        )
    trainer.train()
    return logged_losses(trainer)


@pytest.fixture(scope="module")
def ours() -> list[float]:
    model = new_model()
    losses = train(model, new_loader(model), None, OPTIONS, progress=False).train_loss
    assert len(losses) == STEPS and losses[-1] < losses[0] - 0.2, "something is learned"
    return losses


@pytest.mark.parametrize("kind", ["trainer", "trl"])
def test_ten_steps_over_three_epochs_lose_what_ours_lose(kind, ours, tmp_path):
    model = new_model()
    rows = rows_of_loader(new_loader(model), epochs=3)
    theirs = run_of_theirs(kind, model, rows, OPTIONS, tmp_path)
    assert theirs == pytest.approx(ours, rel=1e-5)
    assert not list(tmp_path.glob("checkpoint*"))


@pytest.mark.parametrize("kind", ["trainer", "trl"])
def test_two_batches_a_step_and_another_tokenizer(kind, tmp_path):
    model = tiny_llama(dtype=torch.float32)
    options = dataclasses.replace(OPTIONS, max_steps=2, accumulate=2, max_gradient_norm=None)
    entries = (ENTRIES + ENTRIES)[:8]
    rows = rows_of_loader(new_loader(model, entries))
    theirs = run_of_theirs(kind, model, rows, options, tmp_path)
    ours = train(model, new_loader(model, entries), None, options, progress=False).train_loss
    assert theirs == pytest.approx(ours, rel=1e-4)


def test_a_step_of_the_real_small_model(converted_smollm2, tmp_path):
    model = load_model(converted_smollm2)
    options = dataclasses.replace(OPTIONS, max_steps=1, epochs=1)
    shortest = sorted(load_entries(), key=lambda each: len(str(each)))[:1]
    rows = rows_of_loader(new_loader(model, shortest, size=1))
    (batch,) = new_loader(model, shortest, size=1)
    with torch.no_grad():
        expected = batch_loss(model, batch).item()
    for kind in ("trainer", "trl"):
        losses = run_of_theirs(kind, model, rows, options, tmp_path, size=1)
        assert losses == pytest.approx([expected], rel=1e-4)


# Rows


@pytest.mark.parametrize("mask", ["none", "keep-header", "prompt"])
def test_a_row_has_one_column_more_than_our_targets_which_it_shifts_to(mask):
    tokenizer = get_tokenizer()
    rows = labelled_rows(SOME, tokenizer, mask, prompt_format="phi3")
    loader = create_loader(SOME, 1, shuffle=False, instruction_mask=mask, prompt_format="phi3")
    for row, batch in zip(rows, loader, strict=True):
        assert row["input_ids"][:-1] == batch.inputs[0].tolist()
        assert row["labels"][1:] == batch.targets[0].tolist()
        assert row["labels"][0] == -100 and len(row["labels"]) == len(row["input_ids"])
        assert row["input_ids"][-1] == row["labels"][-1] == 50256
        live = [(i, label) for i, label in enumerate(row["labels"]) if label != -100]
        assert all(row["input_ids"][i] == label for i, label in live), "unshifted"


def test_rows_are_cut_as_ours_are_and_a_lost_response_is_named():
    longest = max(len(row["input_ids"]) for row in labelled_rows(SOME))
    cut = labelled_rows(SOME, allowed_max_length=longest - 2)
    assert max(len(row["input_ids"]) for row in cut) == longest - 1
    with pytest.raises(BatchError, match="entry 0: its prompt has"):
        labelled_rows(SOME, allowed_max_length=5)


def test_a_loaders_rows_come_in_the_order_of_its_next_epochs():
    model = new_model()
    for batching in ("shuffled", "bucketed"):
        loader = new_loader(model, batching=batching)
        rows = rows_of_loader(loader, epochs=2)
        again = new_loader(model, batching=batching)
        batches = [batch for _ in range(2) for batch in again]
        assert len(rows) == 2 * len(SOME)
        for i, batch in enumerate(batches):
            for row, inputs in zip(rows[i * SIZE :], batch.inputs, strict=False):
                assert row["input_ids"][:-1] == inputs[: len(row["input_ids"]) - 1].tolist()
        assert loader.epoch == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"batching": "packed"}, "pack_length"),
        ({"share_prefix": True}, "share_prefix"),
        ({"prompt_loss_weight": 0.1}, "prompt_loss_weight"),
    ],
)
def test_what_labels_cannot_say_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        rows_of_loader(create_loader(SOME, 2, **options))


def test_an_epoch_that_ends_with_a_smaller_batch_is_refused_where_another_follows():
    loader = create_loader(SOME, 3)
    assert len(rows_of_loader(loader)) == len(SOME)
    with pytest.raises(ValueError, match="smaller than 3.*drop_last=True"):
        rows_of_loader(loader, epochs=2)


# Models, tokenizers, options


def test_theirs_is_a_copy_with_the_same_logits():
    ids = torch.tensor([[5, 6, 7, 8]])
    compact = GPT(GPTConfig(context_length=16, width=8, layers=1, heads=2), known_tokens=[5, 6, 7])
    for ours in (new_model().eval(), compact.eval(), tiny_llama()):
        theirs = in_transformers(ours)
        assert not theirs.training
        torch.testing.assert_close(theirs(ids).logits, ours(ids), rtol=1e-4, atol=1e-5)
        before = ours(ids).clone()
        with torch.no_grad():
            for parameter in theirs.parameters():
                parameter.add_(1)
        assert torch.equal(ours(ids), before)


def test_what_they_trained_is_loaded_as_any_folder(tmp_path):
    model = new_model().eval()
    theirs = in_transformers(model)
    theirs.save_pretrained(tmp_path)
    ids = torch.tensor([[5, 6, 7, 8]])
    assert torch.equal(load_model(tmp_path)(ids), model(ids))


def test_the_tokenizer_reads_as_ours_and_pads_with_end_of_text():
    text = "### Response:\nIt's 3."
    fast = tokenizer_in_transformers(new_model())
    assert fast(text)["input_ids"] == get_tokenizer().encode_ordinary(text)
    assert fast.pad_token_id == fast.eos_token_id == 50256
    model = tiny_llama()
    fast = tokenizer_in_transformers(model)
    assert fast is not model.tokenizer.fast and fast.pad_token_id == 2
    assert fast(text)["input_ids"] == model.tokenizer.encode_ordinary(text)


@pytest.mark.parametrize(
    "change",
    [{"schedule": "cosine"}, {"warmup_steps": 3}, {"precision": "bf16"}, {"keep_best": True}],
)
def test_options_that_would_not_be_the_same_there_are_refused(change, tmp_path):
    with pytest.raises(ValueError, match="keep_best|warm-up begins at 0"):
        trainer_options(tmp_path, dataclasses.replace(OPTIONS, **change), SIZE)


def test_collators_of_theirs_put_our_targets_in_a_batch():
    from transformers import DataCollatorForSeq2Seq

    rows = labelled_rows(SOME)
    theirs = DataCollatorForSeq2Seq(tokenizer_in_transformers(), label_pad_token_id=-100)(rows)
    loader = create_loader(SOME, len(SOME), shuffle=False, instruction_mask="prompt")
    (batch,) = loader
    assert isinstance(loader.collator, InstructionCollator)
    assert torch.equal(theirs["labels"][:, 1:], batch.targets)
    assert torch.equal(theirs["input_ids"][:, :-1], batch.inputs)
