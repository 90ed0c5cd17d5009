"""Batches that TRL, transformers and the course make as they should have no finding at all."""

import pytest
import torch

from lessons_lib.batching import (
    InstructionCollator,
    InstructionDataset,
    create_loader,
    share_prefix,
)
from lessons_lib.bridges import in_transformers, tokenizer_in_transformers
from lessons_lib.bridges.trainers import AS_IN_FLOAT32, QUIET_ON_CPU
from lessons_lib.data import END_OF_TEXT, PROMPT_FORMATS, get_tokenizer, load_entries
from lessons_lib.labels import lint_labels
from lessons_lib.models import GPT, GPTConfig
from tests.helpers.llama_toys import tiny_tokenizer

for name in ("transformers", "trl", "datasets"):
    pytest.importorskip(name, reason=f"{name} is missing: make environment")

import datasets  # noqa: E402  (after the check)
import transformers  # noqa: E402
import trl  # noqa: E402

ENTRIES = load_entries()[:40]
INTENDED = {"none": "all", "keep-header": "keep-header", "prompt": "response"}


def assert_clean(batch, tokenizer, **options):
    found = lint_labels(batch, tokenizer, **options)
    assert not found, "\n".join([*map(str, found[:4]), found.convention, *found.notes])
    return found


# The course's own


@pytest.mark.parametrize("prompt_format", PROMPT_FORMATS)
@pytest.mark.parametrize("mask", INTENDED)
@pytest.mark.parametrize("batching", ["shuffled", "bucketed", "packed"])
def test_the_courses_loaders(mask, prompt_format, batching):
    loader = create_loader(
        ENTRIES,
        batch_size=8,
        instruction_mask=mask,
        prompt_format=prompt_format,
        batching=batching,
    )
    for batch in loader:
        assert_clean(batch, get_tokenizer(), expect=INTENDED[mask], shifts_inside=False)
    if mask == "prompt":
        assert_clean(loader, get_tokenizer(), expect="assistant", shifts_inside=False)


def test_weights_padded_to_a_width_and_a_shared_start():
    examples = InstructionDataset(ENTRIES).examples[:8]
    weighted = InstructionCollator(prompt_loss_weight=0.1, pad_to=150)(examples)
    assert_clean(weighted, get_tokenizer(), expect="all")
    shared = share_prefix(InstructionCollator("prompt")(examples))
    found = assert_clean(shared, get_tokenizer(), expect="response")
    assert found.rows == 8


def test_another_tokenizer_whose_padding_ends_texts():
    tokenizer = tiny_tokenizer()
    for mask, expect in INTENDED.items():
        loader = create_loader(ENTRIES, 8, tokenizer=tokenizer, instruction_mask=mask)
        assert_clean(loader, tokenizer, expect=expect)


# transformers'


@pytest.fixture(scope="module", params=["right", "left"])
def gpt2(request):
    """transformers' GPT-2 tokenizer; padding has the id of end of text."""
    tokenizer = tokenizer_in_transformers()
    tokenizer.pad_token, tokenizer.padding_side = tokenizer.eos_token, request.param
    return tokenizer


def unshifted_rows(mask, entries=ENTRIES):
    rows = []
    for example in InstructionDataset(entries).examples:
        ids = [*example.token_ids, END_OF_TEXT]
        start = InstructionCollator(mask).masked_length(example)
        rows.append({"input_ids": ids, "labels": [-100] * start + ids[start:]})
    return rows


@pytest.mark.parametrize("mask", INTENDED)
def test_the_collator_for_sequences_on_both_sides(gpt2, mask):
    collate = transformers.DataCollatorForSeq2Seq(gpt2, label_pad_token_id=-100)
    rows = unshifted_rows(mask)
    batch = collate([dict(row) for row in rows[:8]])
    assert_clean(batch, gpt2, expect=INTENDED[mask], shifts_inside=True)
    del batch["attention_mask"]
    assert_clean(batch, gpt2, expect=INTENDED[mask], shifts_inside=True)
    assert_clean(rows, gpt2, expect=INTENDED[mask], shifts_inside=True)


def test_rows_without_padding_in_one():
    collate = transformers.DataCollatorWithFlattening()
    tokenizer = tokenizer_in_transformers()
    for mask, expect in INTENDED.items():
        batch = collate(unshifted_rows(mask)[:8])
        assert_clean(batch, tokenizer, expect=expect, shifts_inside=True)


# TRL's


def sft(tokenizer, rows, folder, **options):
    torch.manual_seed(0)
    model = in_transformers(GPT(GPTConfig(context_length=512, width=8, layers=1, heads=1)))
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    arguments = QUIET_ON_CPU | AS_IN_FLOAT32 | {"per_device_train_batch_size": 4} | options
    return trl.SFTTrainer(
        model=model,
        args=trl.SFTConfig(output_dir=str(folder), **arguments),
        train_dataset=datasets.Dataset.from_list(rows),
        processing_class=tokenizer,
    )


def assert_trainer_clean(trainer, expect):
    tokenizer = trainer.processing_class
    batch = next(iter(trainer.get_train_dataloader()))
    assert_clean(batch, tokenizer, expect=expect, shifts_inside=True)
    assert_clean(trainer.train_dataset, tokenizer, expect=expect, shifts_inside=True)
    return batch


PACKED = {"packing": True, "max_length": 512, "eval_packing": False}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"padding_free": True, "max_length": None},
        PACKED,
        PACKED | {"packing_strategy": "wrapped"},
    ],
    ids=["padded", "padding-free", "bfd", "wrapped"],
)
@pytest.mark.parametrize("completions", [True, False], ids=["completions", "all"])
def test_trls_prompts_and_completions(options, completions, tmp_path):
    alpaca = PROMPT_FORMATS["alpaca"]
    rows = [{"prompt": alpaca.prompt(e), "completion": alpaca.response(e)} for e in ENTRIES]
    tokenizer = tokenizer_in_transformers()
    tokenizer.pad_token = tokenizer.eos_token
    trainer = sft(tokenizer, rows, tmp_path, completion_only_loss=completions, **options)
    assert_trainer_clean(trainer, "response" if completions else "all")


CHATS = {
    "qwen2_5": ("<|im_start|>", "<|im_end|>"),
    "llama3": ("<|start_header_id|>", "<|end_header_id|>", "<|begin_of_text|>", "<|eot_id|>"),
    "phi3": ("<|user|>", "<|assistant|>", "<|system|>", "<|end|>"),
    "gemma": ("<start_of_turn>", "<bos>", "<end_of_turn>"),
}


def chat_tokenizer(name):
    """GPT-2's vocabulary with the special tokens and the training template of another model."""
    from trl import chat_template_utils

    tokenizer = tokenizer_in_transformers()
    begin = {"llama3": "<|begin_of_text|>", "gemma": "<bos>"}.get(name)
    tokenizer.add_special_tokens({"additional_special_tokens": list(CHATS[name])})
    tokenizer.add_special_tokens({"pad_token": "<|pad|>"})
    if begin:
        tokenizer.add_special_tokens({"bos_token": begin})
    tokenizer.add_special_tokens({"eos_token": CHATS[name][-1]})
    tokenizer.chat_template = getattr(chat_template_utils, f"{name}_training_chat_template")
    return tokenizer


def chats():
    for first, second in zip(ENTRIES[::2], ENTRIES[1::2], strict=True):
        yield [
            {"role": role, "content": text}
            for entry in (first, second)
            for role, text in (("user", entry["instruction"]), ("assistant", entry["output"]))
        ]


@pytest.mark.parametrize("name", CHATS)
def test_trls_chats(name, tmp_path):
    tokenizer = chat_tokenizer(name)
    rows = [{"messages": messages} for messages in chats()]
    trainer = sft(tokenizer, rows, tmp_path, assistant_only_loss=True)
    assert_trainer_clean(trainer, "assistant")
    rows = [{"prompt": each[:-1], "completion": each[-1:]} for each in chats()]
    trainer = sft(tokenizer, rows, tmp_path, completion_only_loss=True)
    assert_trainer_clean(trainer, "response")


def test_trls_chats_packed(tmp_path):
    rows = [{"messages": messages} for messages in chats()]
    trainer = sft(chat_tokenizer("qwen2_5"), rows, tmp_path, assistant_only_loss=True, **PACKED)
    assert_trainer_clean(trainer, "assistant")


def test_masks_from_which_labels_follow():
    """TRL's rows before its collator, in versions that make labels there."""
    rows = [
        {"input_ids": row["input_ids"], "completion_mask": [int(x != -100) for x in row["labels"]]}
        for row in unshifted_rows("prompt")
    ]
    found = assert_clean(rows, get_tokenizer(), expect="response", shifts_inside=True)
    assert any("completion_mask says so" in note for note in found.notes)
    assert_clean(datasets.Dataset.from_list(rows), get_tokenizer(), expect="response")


# And one of transformers' that is not


def test_the_collator_for_language_models_masks_every_end_where_padding_has_its_id():
    tokenizer = tokenizer_in_transformers()
    tokenizer.pad_token = tokenizer.eos_token
    collate = transformers.DataCollatorForLanguageModeling(tokenizer, mlm=False)
    batch = collate([{"input_ids": row["input_ids"]} for row in unshifted_rows("none")[:4]])
    found = lint_labels(batch, tokenizer, shifts_inside=True)
    assert [each.kind for each in found] == ["stop-untrained"] * 4
