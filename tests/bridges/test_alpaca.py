"""Alpaca's data module: cases by hand, the boundary that it gets wrong, new tokens, Trainer."""

import copy
import json

import pytest
import torch

from lessons_lib.bridges import (
    DataArguments,
    DataCollatorForSupervisedDataset,
    SupervisedDataset,
    make_supervised_data_module,
    preprocess,
    smart_tokenizer_and_embedding_resize,
    tokenizer_in_transformers,
)
from lessons_lib.bridges.alpaca import PROMPT_DICT, sources_and_targets
from lessons_lib.data import IGNORE_INDEX, DatasetError, get_tokenizer, load_entries
from tests.helpers.toys import ENTRIES

transformers = pytest.importorskip("transformers", reason="pip install transformers")

END = 50256
WITH_INPUT = """Below is an instruction that describes a task, paired with an input that provides \
further context. Write a response that appropriately completes the request.

### Instruction:
Add.

### Input:
2 and 3

### Response:"""
WITHOUT_INPUT = """Below is an instruction that describes a task. Write a response that \
appropriately completes the request.

### Instruction:
Name the capital of France.

### Response:"""


@pytest.fixture(scope="module")
def shared():
    return tokenizer_in_transformers()


@pytest.fixture
def tokenizer(shared):
    """The same, whose settings are put back after a test."""
    settings = ("model_max_length", "pad_token", "eos_token")
    before = {name: getattr(shared, name) for name in settings}
    yield shared
    for name, value in before.items():
        setattr(shared, name, value)


@pytest.fixture
def own_tokenizer(shared):
    """One to which a test may add tokens."""
    return copy.deepcopy(shared)


def tiny_gpt2(rows=50257, **more):
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=rows, n_positions=128, n_embd=8, n_layer=1, n_head=1, **more
    )
    return transformers.GPT2LMHeadModel(config)


def ids(text):
    return get_tokenizer().encode(text, allowed_special="all")


def test_there_are_two_prompts_and_nothing_follows_the_response_header():
    sources, targets = sources_and_targets([ENTRIES[2], ENTRIES[0], ENTRIES[3]], "<end>")
    assert sources[:2] == [WITH_INPUT, WITHOUT_INPUT]
    assert sources[2].startswith(WITHOUT_INPUT[:104]), "a missing input is an empty one"
    assert targets == ["5<end>", "Paris.<end>", "The rain fell all night.<end>"]


def test_white_space_alone_is_an_input_and_braces_in_a_text_are_no_gaps():
    sources, _ = sources_and_targets(
        [{"instruction": "{input} {0}", "input": " ", "output": "x"}], ""
    )
    assert sources == [WITH_INPUT.replace("Add.", "{input} {0}").replace("2 and 3", " ")]
    assert set(PROMPT_DICT) == {"prompt_input", "prompt_no_input"}


def test_preprocess_masks_the_source_and_shifts_nothing(tokenizer):
    data = preprocess(["a b c:", "a:"], [" d e<|endoftext|>", " b<|endoftext|>"], tokenizer)
    rows = [ids("a b c: d e<|endoftext|>"), ids("a: b<|endoftext|>")]
    assert [row.tolist() for row in data["input_ids"]] == rows
    assert [row.tolist() for row in data["labels"]] == [
        [IGNORE_INDEX] * 4 + ids(" d e") + [END],
        [IGNORE_INDEX] * 2 + ids(" b") + [END],
    ]
    assert all(each.dtype == torch.int64 for each in data["input_ids"] + data["labels"])


def test_a_token_that_joins_source_and_target_is_masked_as_in_alpacas_code(tokenizer):
    data = preprocess(["Say it:"], ["'yes'<|endoftext|>"], tokenizer)
    (row,), (labels,) = data["input_ids"], data["labels"]
    assert tokenizer.convert_ids_to_tokens(row.tolist())[2] == ":'"
    assert labels.tolist() == [IGNORE_INDEX] * 3 + ids("yes") + ids("'") + [END]


def test_a_padding_token_within_a_source_is_not_counted(tokenizer):
    """Theirs counts what is no padding, by value: the mask ends one token early."""
    data = preprocess(["a<|endoftext|> b:"], [" c<|endoftext|>"], tokenizer)
    assert data["input_ids"][0].tolist() == [*ids("a"), END, *ids(" b: c"), END]
    assert (data["labels"][0] != IGNORE_INDEX).sum() == 3, "the colon, the output and the end"


def test_texts_are_cut_when_they_are_tokenized(tokenizer):
    tokenizer.model_max_length = 5
    data = preprocess(["a b c:", "a b c d e f:"], [" d e<|endoftext|>", " g"], tokenizer)
    assert [len(row) for row in data["input_ids"]] == [5, 5]
    assert data["labels"][0].tolist() == [IGNORE_INDEX] * 4 + ids(" d"), "no end of text"
    assert (data["labels"][1] == IGNORE_INDEX).all(), "kept, with nothing to learn"


def test_a_tokenizer_without_a_limit_cuts_nothing(tokenizer):
    tokenizer.model_max_length = int(1e30)
    assert len(preprocess(["a" * 9000], ["b"], tokenizer)["input_ids"][0]) > 1024


def test_the_collator_only_pads():
    class Padding:
        pad_token_id = 7

    instances = [
        {"input_ids": torch.tensor([1, 2, 3]), "labels": torch.tensor([-100, 2, 3])},
        {"input_ids": torch.tensor([4, 7]), "labels": torch.tensor([-100, 7])},
    ]
    batch = DataCollatorForSupervisedDataset(Padding())(instances)
    assert batch["input_ids"].tolist() == [[1, 2, 3], [4, 7, 7]]
    assert batch["labels"].tolist() == [[-100, 2, 3], [-100, 7, -100]]
    # By value: the second row's own 7 is hidden, too.
    assert batch["attention_mask"].tolist() == [[True, True, True], [True, False, False]]


def one_text_at_a_time(entries, tokenizer):
    """The same by a slower way: each text tokenized by itself, the source's length by counting."""
    rows = []
    for entry in entries:
        source = (WITH_INPUT if entry["input"] else WITHOUT_INPUT).replace("2 and 3", "{input}")
        for words in ("Add.", "Name the capital of France."):
            source = source.replace(words, "{instruction}")
        source = source.format(**entry)
        limit = tokenizer.model_max_length
        text = tokenizer(source + entry["output"] + tokenizer.eos_token)["input_ids"][:limit]
        labels = list(text)
        for place in range(min(limit, len(tokenizer(source)["input_ids"]))):
            labels[place] = IGNORE_INDEX
        rows.append((text, labels))
    return rows


@pytest.mark.parametrize("limit", [1024, 58])
def test_bundled_entries_one_text_at_a_time_give_the_same(tokenizer, limit):
    entries = load_entries()[::11]
    tokenizer.model_max_length = limit
    data = SupervisedDataset(entries, tokenizer)
    assert len(data) == len(entries)
    expected = one_text_at_a_time(entries, tokenizer)
    found = [(each["input_ids"].tolist(), each["labels"].tolist()) for each in data]
    assert found == expected


def test_on_nine_of_the_books_entries_the_outputs_beginning_is_never_learned(shared, real_entries):
    entries = load_entries(real_entries)
    data = SupervisedDataset(real_entries, shared)
    lost = []
    for entry, row in zip(entries, data, strict=True):
        live = row["labels"][row["labels"] != IGNORE_INDEX].tolist()
        wanted = entry["output"] + "<|endoftext|>"
        learned = get_tokenizer().decode(live)
        if learned != wanted:
            assert wanted[1:] == learned and wanted[0] in "'\""
            lost.append(wanted[0])
    assert len(lost) == 9


def test_the_module_is_what_trainer_takes(tokenizer, tmp_path):
    path = tmp_path / "alpaca_data.json"
    path.write_text(json.dumps(ENTRIES), encoding="utf-8")
    module = make_supervised_data_module(tokenizer, DataArguments(data_path=str(path)))
    assert module["eval_dataset"] is None and len(module["train_dataset"]) == len(ENTRIES)
    model = tiny_gpt2()
    before = model.transformer.wte.weight.detach().clone()
    trainer = transformers.Trainer(
        model=model,
        processing_class=tokenizer,
        args=transformers.TrainingArguments(
            output_dir=tmp_path / "run",
            max_steps=2,
            per_device_train_batch_size=2,
            use_cpu=True,
            report_to="none",
            save_strategy="no",
            disable_tqdm=True,
            logging_steps=1,
        ),
        **module,
    )
    trainer.train()
    losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    assert len(losses) == 2 and all(9 < loss < 12.5 for loss in losses), losses
    assert not torch.equal(before, model.transformer.wte.weight)


def test_the_labels_are_those_of_a_model_that_shifts_inside(tokenizer):
    module = make_supervised_data_module(tokenizer, DataArguments(ENTRIES))
    batch = module["data_collator"](list(module["train_dataset"]))
    with torch.no_grad():
        model = tiny_gpt2().eval()
        theirs = model(**batch).loss
        logits = model(batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    wanted = torch.nn.functional.cross_entropy(
        logits[:, :-1].flatten(0, 1), batch["labels"][:, 1:].flatten()
    )
    torch.testing.assert_close(theirs, wanted, rtol=1e-6, atol=0)


@pytest.mark.parametrize("tied", [True, False])
def test_new_rows_are_the_mean_of_the_old_ones(own_tokenizer, tied):
    model = tiny_gpt2(tie_word_embeddings=tied)
    with torch.no_grad():
        model.lm_head.weight.add_(torch.randn_like(model.lm_head.weight))
    old = [model.transformer.wte.weight.detach().clone(), model.lm_head.weight.detach().clone()]
    named = {"pad_token": "[PAD]", "additional_special_tokens": ["[A]"]}
    assert smart_tokenizer_and_embedding_resize(named, own_tokenizer, model) == 2
    assert own_tokenizer.pad_token_id == 50257 and len(own_tokenizer) == 50259
    tables = [model.transformer.wte.weight, model.lm_head.weight]
    assert tied == torch.equal(*tables)
    for before, after in zip(old, tables, strict=True):
        assert torch.equal(after[:-2], before)
        torch.testing.assert_close(after[-2:], before.mean(0).expand(2, -1))
    hidden = torch.randn(3, 8)
    logits = model.lm_head(hidden)
    torch.testing.assert_close(logits[:, -1], logits[:, :-2].mean(-1), rtol=1e-4, atol=1e-5)


def test_a_token_that_is_there_already_changes_no_row(tokenizer):
    model = tiny_gpt2()
    before = model.lm_head.weight.detach().clone()
    assert not smart_tokenizer_and_embedding_resize(
        {"pad_token": "<|endoftext|>"}, tokenizer, model
    )
    assert torch.equal(model.lm_head.weight, before)


def test_a_tokenizer_without_padding_is_told_what_adds_it(own_tokenizer):
    own_tokenizer.pad_token = None
    with pytest.raises(ValueError, match=r"no padding token.*smart_tokenizer_and_emb"):
        make_supervised_data_module(own_tokenizer, DataArguments(ENTRIES))
    model = tiny_gpt2()
    smart_tokenizer_and_embedding_resize({"pad_token": "[PAD]"}, own_tokenizer, model)
    module = make_supervised_data_module(own_tokenizer, DataArguments(ENTRIES))
    batch = module["data_collator"](list(module["train_dataset"]))
    assert model(**batch).loss.isfinite(), "the model has a row for the padding token"
    ends = batch["input_ids"] == own_tokenizer.eos_token_id
    assert batch["attention_mask"][ends].all(), "end of text is not hidden any more"


def test_a_tokenizer_without_an_end_and_one_of_another_kind_are_refused(tokenizer):
    with pytest.raises(ValueError, match="Encoding is no tokenizer of transformers"):
        SupervisedDataset(ENTRIES, get_tokenizer())
    tokenizer.eos_token = None
    with pytest.raises(ValueError, match="no token that ends a text"):
        SupervisedDataset(ENTRIES, tokenizer)


def test_a_faulty_file_is_named_with_row_and_field(tokenizer, tmp_path):
    path = tmp_path / "alpaca_data.json"
    path.write_text(json.dumps([*ENTRIES, {"instruction": "Add.", "output": 5}]))
    with pytest.raises(DatasetError) as raised:
        make_supervised_data_module(tokenizer, DataArguments(path))
    error = raised.value
    assert (error.file, error.row, error.field) == (path, len(ENTRIES), "output")
    with pytest.raises(DatasetError, match="source"):
        make_supervised_data_module(tokenizer, DataArguments())


def test_smollm2s_tokenizer_too(converted_smollm2):
    tokenizer = transformers.AutoTokenizer.from_pretrained(converted_smollm2)
    data = SupervisedDataset(ENTRIES, tokenizer)
    for entry, row in zip(ENTRIES, data, strict=True):
        live = row["labels"][row["labels"] != IGNORE_INDEX]
        assert live[-1] == tokenizer.eos_token_id and len(row["input_ids"]) > len(live)
        assert tokenizer.decode(live[:-1]) in entry["output"]
