"""Model folders that people really bring: what does not fit is named before memory is asked for."""

import itertools
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, LlamaForCausalLM

from lessons_lib.data import LocalTokenizer, get_tokenizer, load_entries
from lessons_lib.models import GPT, GPTConfig, folders, load_model, save_model
from lessons_lib.models.loading import save_compact
from lessons_lib.support import CheckpointError
from tests.helpers.llama_toys import tiny_llama
from tests.helpers.toys import TINY_CONFIG

INPUTS = torch.tensor([[5, 9, 30, 17]])
SMALL = GPTConfig(vocabulary_size=50, context_length=16, width=8, layers=2, heads=2)
TEXTS = [
    "Hello world",
    "",
    "  two  spaces\n\n\tand a tab",
    "naïve café 日本語 🦋\u200d",
    "1234 don't",
]


@pytest.fixture(params=["gpt2", "llama"])
def folder(request, tmp_path) -> Path:
    torch.manual_seed(1)
    model = GPT(SMALL) if request.param == "gpt2" else tiny_llama(dtype=torch.float32)
    save_model(model, tmp_path / request.param)
    return tmp_path / request.param


@pytest.fixture
def llama(tmp_path) -> Path:
    save_model(tiny_llama(dtype=torch.float32), tmp_path / "llama")
    return tmp_path / "llama"


def change(path: Path, **changes) -> None:
    content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(json.dumps(content | changes), encoding="utf-8")


def change_weights(folder: Path, edit) -> None:
    """As another program would write them: without this library's name in the header."""
    path = folder / "model.safetensors"
    tensors = load_file(path)
    edit(tensors)
    save_file(tensors, path, {"format": "pt"})


# ---------------------------------------------------------------- the tokenizer goes with it


@pytest.fixture(scope="module")
def saved_gpt2(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("gpt2")
    save_model(GPT(TINY_CONFIG), folder)
    return folder


def test_transformers_reads_a_saved_model_with_gpt2s_tokenizer(saved_gpt2):
    tokenizer = AutoTokenizer.from_pretrained(saved_gpt2, local_files_only=True)
    entries = load_entries("bundled")[:50]
    for text in [*TEXTS, *(field for entry in entries for field in entry.values())]:
        assert tokenizer(text)["input_ids"] == get_tokenizer().encode_ordinary(text)
    assert tokenizer.decode(tokenizer("Hello world")["input_ids"]) == "Hello world"
    assert tokenizer("<|endoftext|>")["input_ids"] == [50256]
    named = tokenizer.bos_token, tokenizer.eos_token, tokenizer.unk_token, tokenizer.pad_token
    assert named == ("<|endoftext|>",) * 4 and tokenizer.model_max_length == 64
    assert tokenizer(["one", "and two"], padding=True)["attention_mask"] == [[1, 0], [1, 1]]


@pytest.mark.parametrize("kept", [["tokenizer.json"], ["vocab.json", "merges.txt"]])
def test_either_form_of_the_tokenizer_is_enough(saved_gpt2, tmp_path, kept):
    for name in ["config.json", "model.safetensors", "tokenizer_config.json", *kept]:
        (tmp_path / name).write_bytes((saved_gpt2 / name).read_bytes())
    tokenizer = AutoTokenizer.from_pretrained(tmp_path, local_files_only=True)
    assert tokenizer("Hello world")["input_ids"] == [15496, 995]
    assert load_model(tmp_path).tokenizer is None, "it is known to be GPT-2's"


def test_a_saved_model_reads_with_gpt2s_tokenizer_again(saved_gpt2):
    assert load_model(saved_gpt2).tokenizer is None


def test_a_tokenizer_that_transformers_saved_is_known_as_gpt2s_too(saved_gpt2, tmp_path):
    AutoTokenizer.from_pretrained(saved_gpt2, local_files_only=True).save_pretrained(tmp_path)
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((saved_gpt2 / name).read_bytes())
    assert load_model(tmp_path).tokenizer is None


def test_a_model_of_fewer_token_ids_is_written_without_gpt2s_tokenizer(tmp_path):
    save_model(GPT(TINY_CONFIG), tmp_path)
    save_model(GPT(SMALL), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", "model.safetensors"}


def test_a_gpt2_with_a_tokenizer_of_its_own_reads_with_that_and_keeps_it(llama, tmp_path):
    """Others have trained GPT-2's architecture on other languages, with other tokens."""
    model = GPT(GPTConfig(vocabulary_size=320, context_length=16, width=8, layers=1, heads=2))
    model.tokenizer = load_model(llama).tokenizer
    for _ in range(2):
        save_model(model, tmp_path / "gpt2")
        model = load_model(tmp_path / "gpt2")
        assert isinstance(model.tokenizer, LocalTokenizer)
        assert model.tokenizer.encode_ordinary("Paris") == load_model(
            llama
        ).tokenizer.encode_ordinary("Paris")
    config = json.loads((tmp_path / "gpt2" / "config.json").read_text())
    assert config["eos_token_id"] == 2


# ---------------------------------------------------------------- what cannot be read is named


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "mistral", "architectures": ["MistralForCausalLM"]}, "'mistral'.*Llama"),
        ({"model_type": ["llama"]}, "can be loaded here"),
        ({"architectures": ["LlamaForSequenceClassification"]}, "ForSequenceClassification"),
        ({"auto_map": {"AutoConfig": "code.Config"}}, r"config.json.*auto_map.*never run"),
        ({"quantization_config": {"bits": 4}}, "quantized.*dequantize"),
    ],
)
def test_another_model_is_refused_by_its_name(folder, changes, message):
    change(folder / "config.json", **changes)
    with pytest.raises(CheckpointError, match=message):
        load_model(folder)


def test_code_of_a_folder_is_never_run(llama, tmp_path):
    ran = tmp_path / "ran"
    (llama / "code.py").write_text(f"open({str(ran)!r}, 'w')\nclass Tokenizer: pass\n")
    change(llama / "tokenizer_config.json", auto_map={"AutoTokenizer": ["code.Tokenizer", None]})
    with pytest.raises(CheckpointError, match="tokenizer_config.json.*auto_map"):
        load_model(llama)
    assert not ran.exists()


def test_a_folder_cannot_choose_its_attention(llama):
    change(llama / "config.json", _attn_implementation="someone/kernel", attn_implementation="x/y")
    assert load_model(llama).llama.config._attn_implementation == "sdpa"


def test_an_adapter_is_told_from_a_model(tmp_path):
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(CheckpointError, match="adapter .*merge_and_unload"):
        load_model(tmp_path)


def test_pickled_weights_are_not_read(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match="holds no model.safetensors; pytorch_model.bin is"):
        load_model(folder)


@pytest.mark.usefixtures("garbage_waits")  # brackets in brackets
@pytest.mark.parametrize("content", ["[]", "[" * 100_000, "{", "\ufeff{}", "null"])
def test_a_damaged_config_is_named(folder, content):
    (folder / "config.json").write_text(content, encoding="utf-16" if "\ufeff" in content else None)
    with pytest.raises(CheckpointError, match="config.json"):
        load_model(folder)


def test_a_tokenizer_without_an_end_of_text_is_refused(llama):
    change(llama / "tokenizer_config.json", eos_token=None)
    with pytest.raises(CheckpointError, match="no token that ends a text.*eos_token"):
        load_model(llama)


def test_a_folder_without_a_tokenizer_is_refused(llama):
    """transformers makes an empty one, without a word."""
    (llama / "tokenizer.json").unlink()
    with pytest.raises(CheckpointError, match="holds no tokenizer.*save_pretrained"):
        load_model(llama)


def test_more_tokens_than_rows_are_refused(llama):
    tokenizer = AutoTokenizer.from_pretrained(llama)
    tokenizer.add_tokens(["[NEW]"])
    tokenizer.save_pretrained(llama)
    with pytest.raises(CheckpointError, match="has 321 token ids, its model rows for 320"):
        load_model(llama)


# ---------------------------------------------------------------- weights that are missing


def test_a_weight_that_is_missing_is_named(folder):
    def edit(tensors):
        del tensors[
            next(name for name in tensors if name.endswith(("c_proj.bias", "down_proj.weight")))
        ]

    change_weights(folder, edit)
    with pytest.raises(CheckpointError, match="it lacks .*(c_proj|down_proj)"):
        load_model(folder)


def test_a_weight_that_is_left_over_is_named(folder):
    change_weights(folder, lambda tensors: tensors.update(score=torch.zeros(2)))
    with pytest.raises(CheckpointError, match="has no place for score"):
        load_model(folder)


def test_a_file_without_weights_is_refused(folder):
    change_weights(folder, dict.clear)
    with pytest.raises(CheckpointError, match="lacks"):
        load_model(folder)


def test_transformers_report_decides(llama, monkeypatch):
    """Whatever the shapes said: a weight that was made up at random is named."""
    load = LlamaForCausalLM.from_pretrained

    def lossy(*arguments, **options):
        model, report = load(*arguments, **options)
        return model, {**report, "missing_keys": {"model.norm.weight"}}

    monkeypatch.setattr(LlamaForCausalLM, "from_pretrained", lossy)
    with pytest.raises(CheckpointError, match="lacks model.norm.weight"):
        load_model(llama)


def test_many_names_are_counted():
    with pytest.raises(CheckpointError, match="lacks a, b, c and 2 more and has no place for x$"):
        folders.refuse_other_names(Path("here"), list("edcba"), ["x"])


def test_buffers_of_old_files_and_a_written_head_are_no_fault(folder):
    def edit(tensors):
        start = "transformer.wte" if "transformer.wte.weight" in tensors else "model.embed_tokens"
        tensors["lm_head.weight"] = tensors[f"{start}.weight"].clone()
        tensors[
            "transformer.h.0.attn.bias"
            if start.startswith("t")
            else "model.layers.0.self_attn.rotary_emb.inv_freq"
        ] = torch.ones(2)

    before = load_model(folder)(INPUTS)
    change_weights(folder, edit)
    assert torch.equal(load_model(folder)(INPUTS), before)


def test_a_gpt2_with_another_head_is_refused(tmp_path):
    save_model(GPT(SMALL), tmp_path)
    change_weights(tmp_path, lambda tensors: tensors.update({"lm_head.weight": torch.ones(50, 8)}))
    with pytest.raises(CheckpointError, match="lm_head.weight is not the token embedding"):
        load_model(tmp_path)


def test_weights_in_several_files_are_read(llama):
    expected = load_model(llama)(INPUTS)
    LlamaForCausalLM.from_pretrained(llama).save_pretrained(llama, max_shard_size="20KB")
    assert (llama / "model.safetensors.index.json").exists()
    (llama / "model.safetensors").unlink(missing_ok=True)
    assert torch.equal(load_model(llama)(INPUTS), expected)


# ---------------------------------------------------------------- sizes are not believed


HUGE = 10**18
SIZES = [
    {"n_head": 0, "num_attention_heads": 0},
    {"n_embd": "768", "hidden_size": "16"},
    {"n_positions": HUGE, "max_position_embeddings": HUGE},
    {"n_layer": 10**7, "num_hidden_layers": 10**7},
    {"vocab_size": 10**8},
    {"n_embd": 10**8, "hidden_size": 10**8},
    {"n_layer": 2.5, "intermediate_size": 10**8},
    {"n_head": -2, "num_key_value_heads": 3},
    {"n_layer": None, "num_hidden_layers": None},
]


@pytest.fixture
def little_memory():
    """What asks for a gigabyte more fails, and so does what takes long."""
    used = int(Path("/proc/self/statm").read_text("utf-8").split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**30, before[1]))
    began = time.process_time()
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)
    assert time.process_time() - began < 2


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_sizes_are_compared_with_the_weights_first(folder, sizes, little_memory):
    known = json.loads((folder / "config.json").read_text())
    change(folder / "config.json", **{name: size for name, size in sizes.items() if name in known})
    with pytest.raises(CheckpointError):
        load_model(folder)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
@pytest.mark.parametrize(
    "changes",
    [
        {"heads": 0},
        {"width": "8"},
        {"layers": 10**7},
        {"context_length": HUGE},
        {"vocabulary_size": 10**8},
        {"dropout": "much"},
    ],
    ids=str,
)
@pytest.mark.parametrize("known", [None, [3, 4, 7]], ids=["full", "compact"])
def test_the_sizes_of_the_courses_own_file_too(tmp_path, changes, known, little_memory):
    from safetensors import safe_open

    path = tmp_path / "m.safetensors"
    save_compact(GPT(SMALL, known_tokens=known), path)
    with safe_open(path, "pt") as file:
        header = file.metadata()
    header["config"] = json.dumps(json.loads(header["config"]) | changes)
    save_file(load_file(path), path, header)
    with pytest.raises(CheckpointError, match="m.safetensors"):
        load_model(path)


# ---------------------------------------------------------------- saves that fail or are killed


def test_what_was_saved_is_recognised_as_a_whole(folder):
    """A config over the weights of another save, with the same shapes: nobody else could tell."""
    other = folder.with_name("other")
    save_model(_like(folder), other)
    (other / "config.json").replace(folder / "config.json")
    with pytest.raises(CheckpointError, match="is not what was saved with config.json.*cut off"):
        load_model(folder)


def test_a_model_that_transformers_saved_again_is_read(llama):
    model = LlamaForCausalLM.from_pretrained(llama)
    with torch.no_grad():
        model.model.norm.weight.mul_(2)
    model.save_pretrained(llama)  # its config still has our hash, of other weights
    assert not torch.equal(load_model(llama)(INPUTS), tiny_llama(dtype=torch.float32)(INPUTS))


def killed_while_saving(model, folder: Path, renamed: int | None) -> None:
    """Save in a process of its own, which is killed after so many files got their names.

    None: while the weights are being written.
    """

    def die(*arguments, **options):
        os.kill(os.getpid(), signal.SIGKILL)

    if child := os.fork():
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        return
    replace, count = os.replace, itertools.count()
    if renamed is None:
        folders.save_file = die
    os.replace = lambda *names: die() if next(count) == renamed else replace(*names)
    try:
        save_model(model, folder)
    finally:
        os._exit(1)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_save_that_is_killed_while_it_writes_changes_nothing(folder):
    before = load_model(folder)(INPUTS)
    killed_while_saving(_like(folder), folder, None)
    assert list(folder.glob(".part-*"))
    assert torch.equal(load_model(folder)(INPUTS), before)
    save_model(_like(folder), folder)
    assert not list(folder.glob(".part-*")), "cleared by the next save"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_save_that_is_killed_before_its_config_leaves_no_mixture(folder):
    files = len(list(folder.iterdir()))
    killed_while_saving(_like(folder), folder, files - 1)
    with pytest.raises(CheckpointError, match="Saving was cut off"):
        load_model(folder)
    save_model(_like(folder), folder)
    load_model(folder)


def _like(folder: Path):
    """Another model of the same sizes."""
    return GPT(SMALL) if folder.name == "gpt2" else tiny_llama(7, torch.float32)


FULL = {
    "weights": (
        "lessons_lib.models.folders.save_file",
        SafetensorError("I/O error: No space left"),
    ),
    "tokenizer": ("lessons_lib.data.LocalTokenizer.save", Exception("No space left")),
    "config": ("transformers.LlamaConfig.save_pretrained", OSError(28, "No space left")),
}


@pytest.mark.parametrize("part", FULL)
def test_a_full_disk_is_an_oserror_and_the_old_model_stays(llama, monkeypatch, part):
    before = {path.name: path.read_bytes() for path in llama.iterdir()}
    place, error = FULL[part]

    def full(*arguments, **options):
        raise error

    monkeypatch.setattr(place, full)
    with pytest.raises(OSError, match="No space left"):
        save_model(tiny_llama(7, torch.float32), llama)
    assert {path.name: path.read_bytes() for path in llama.iterdir()} == before


def test_other_files_of_the_folder_stay(folder):
    (folder / "notes.txt").write_text("mine")
    (folder / ".part-notes").mkdir()
    save_model(_like(folder), folder)
    assert (folder / "notes.txt").read_text() == "mine" and (folder / ".part-notes").is_dir()
