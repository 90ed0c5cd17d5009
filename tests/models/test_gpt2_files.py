"""GPT-2's folders: read back, damage named; a hub's files cached and pinned."""

import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from lessons_lib.models import GPT, GPTConfig, load_model, save_model
from lessons_lib.models.gpt2_files import HUB_MODELS
from lessons_lib.support import CheckpointError

CONFIG = GPTConfig(vocabulary_size=50, context_length=16, width=8, layers=2, heads=2)
INPUTS = torch.tensor([[3, 9, 4, 11]])


def make_model(**options) -> GPT:
    torch.manual_seed(1)
    model = GPT(CONFIG, **options).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    return model


@pytest.fixture
def folder(tmp_path):
    save_model(make_model(), tmp_path / "gpt2")
    return tmp_path / "gpt2"


def test_a_saved_model_comes_back_exactly(folder):
    loaded = load_model(folder)
    assert loaded.config == CONFIG and not loaded.training
    assert torch.equal(loaded(INPUTS), make_model()(INPUTS))
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]


def test_a_loaded_model_can_be_trained(folder):
    model = load_model(folder).train()
    model(INPUTS).sum().backward()
    assert all(weight.grad is not None and weight.requires_grad for weight in model.parameters())


@pytest.mark.parametrize("added", [[], [1, 9], range(50)])
def test_a_compact_vocabulary_is_expanded_in_the_file_and_compact_again(tmp_path, added):
    model = make_model(known_tokens=[3, 4, 7])
    model.add_tokens(added)
    save_model(model, tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    assert tensors["transformer.wte.weight"].shape == (50, 8)
    loaded = load_model(tmp_path)
    known = sorted({3, 4, 7, *added})
    assert loaded.token_embedding.token_ids.tolist() == known
    torch.testing.assert_close(loaded(INPUTS), model(INPUTS))


def test_names_with_and_without_the_prefix(folder):
    """The hub's file has "wte.weight", and buffers that are no weights."""
    path = folder / "model.safetensors"
    tensors = {name.removeprefix("transformer."): t for name, t in load_file(path).items()}
    save_file(tensors | {"h.0.attn.bias": torch.ones(1, 1, 16, 16)}, path)
    assert torch.equal(load_model(folder)(INPUTS), make_model()(INPUTS))


def test_half_precision_becomes_float32(folder):
    path = folder / "model.safetensors"
    save_file({name: tensor.bfloat16() for name, tensor in load_file(path).items()}, path)
    model = load_model(folder)
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    torch.testing.assert_close(model(INPUTS), make_model()(INPUTS), atol=0.05, rtol=0)


def change(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "llama"}, "model_type 'llama'"),
        ({"activation_function": "relu"}, "activation_function 'relu'"),
        ({"n_inner": 17}, "n_inner 17"),
        ({"n_embd": "many"}, "n_embd is 'many'"),
        ({"n_embd": True}, "n_embd is True"),
        ({"n_layer": 0}, "n_layer is 0"),
        ({"n_layer": 1}, "has more layers than the 1"),
        ({"tie_word_embeddings": False}, "tie_word_embeddings False"),
        ({"scale_attn_weights": False}, "scale_attn_weights False"),
        ({"n_head": 3}, "8 cannot be shared among 3"),
        ({"n_positions": 20}, r"transformer.wpe.weight has the shape \(16, 8\).*\(20, 8\)"),
        ({"n_layer": 3}, r"h\.2\."),
    ],
)
def test_a_config_that_does_not_fit_is_named(folder, changes, message):
    change(folder, **changes)
    with pytest.raises(CheckpointError, match=message):
        load_model(folder)


def test_a_weight_of_another_shape_is_named_as_it_stands_in_the_file(folder):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    name = "transformer.h.1.mlp.c_fc.weight"
    save_file(tensors | {name: tensors[name][:, :5].contiguous()}, path)
    with pytest.raises(CheckpointError, match=rf"{name} has the shape \(8, 5\).*\(8, 32\)"):
        load_model(folder)


@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
def test_a_missing_file_is_named(folder, file):
    (folder / file).unlink()
    with pytest.raises(CheckpointError, match=f"holds no {file}"):
        load_model(folder)


@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("keep", [0, 5, 60])
def test_a_cut_off_file_is_refused_by_name(folder, file, keep):
    path = folder / file
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=file):
        load_model(folder)


def test_a_failed_write_leaves_the_old_model(folder, monkeypatch):
    before = (folder / "model.safetensors").read_bytes()

    def fail(tensors, path, metadata):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr("lessons_lib.models.folders.save_file", fail)
    with pytest.raises(OSError, match="disk full"):
        save_model(make_model(), folder)
    assert (folder / "model.safetensors").read_bytes() == before
    assert len(list(folder.iterdir())) == 2


def test_an_unknown_name_lists_what_there_is(tmp_path):
    with pytest.raises(CheckpointError, match="'gpt2-medium'.*folder"):
        load_model(tmp_path / "nowhere")


FILL = """
import resource, sys
from lessons_lib.models import load_model
status = open("/proc/self/status").read()
used = int(status.split("VmData:")[1].split()[0]) * 1024
limit = used + int(float(sys.argv[2]) * int(sys.argv[3]))
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
load_model(sys.argv[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="measured by Linux alone")
def test_memory_peaks_near_the_size_of_the_weights(tmp_path):
    """No model with random weights is made first, to be thrown away."""
    save_model(GPT(GPTConfig(width=320, layers=2, heads=5)), tmp_path)  # 75 MB
    size = (tmp_path / "model.safetensors").stat().st_size

    def load(share):
        program = [sys.executable, "-c", FILL, str(tmp_path), str(share), str(size)]
        return subprocess.run(program, capture_output=True, text=True)

    # The limit counts the file itself, mapped, as well: those pages need no memory of their own.
    assert load(1 + 1.4).returncode == 0
    assert load(1 + 0.7).returncode != 0, "the limit must be felt"


SIZES = GPTConfig(vocabulary_size=50, context_length=16, width=8, layers=1, heads=2)
MODEL = HUB_MODELS["gpt2"]
HUB_INPUTS = [[3, 9, 4, 11]]
# In a process of its own: the hub's address is read when huggingface_hub is imported.
PROGRAM = f"""
import sys
from lessons_lib.models import load_model
from lessons_lib.support import CheckpointError
import torch
try:
    print(load_model("gpt2")(torch.tensor({HUB_INPUTS})).flatten().tolist())
except CheckpointError as error:
    print("CheckpointError:", error)
"""


class Hub(http.server.BaseHTTPRequestHandler):
    """Serves the files of ``folder`` as the hub does; ``cut`` bytes are missing from their ends."""

    def do_HEAD(self):
        self.answer(send=False)

    def do_GET(self):
        self.answer(send=True)

    def answer(self, send: bool) -> None:
        self.server.asked.append(self.path)
        start = f"/{MODEL.repository}/resolve/{MODEL.revision}/"
        path = self.server.folder / self.path.removeprefix(start)
        if not self.path.startswith(start) or not path.is_file():
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = path.read_bytes()
        self.send_response(200)
        self.send_header("ETag", f'"{path.name}-{len(content)}"')
        self.send_header("X-Repo-Commit", MODEL.revision)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if send:
            self.wfile.write(content[: len(content) - self.server.cut])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def hub(tmp_path):
    torch.manual_seed(1)
    save_model(GPT(SIZES), tmp_path / "files")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.folder, server.cut, server.asked = tmp_path / "files", 0, []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def load(hub, home, offline=False) -> str:
    environment = os.environ | {
        "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_OFFLINE": "1" if offline else "0",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HOME": str(home),
        "HF_HUB_CACHE": str(home / "hub"),
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_model_is_downloaded_once_and_then_read_offline(hub, tmp_path):
    expected = str(load_model(hub.folder)(torch.tensor(HUB_INPUTS)).flatten().tolist())
    assert load(hub, tmp_path / "home") == expected
    files = [path for path in hub.asked if "/resolve/" in path]
    assert files and all(MODEL.revision in path for path in files)
    asked = len(hub.asked)
    assert load(hub, tmp_path / "home", offline=True) == expected
    assert load(hub, tmp_path / "home") == expected
    assert len(hub.asked) == asked  # a pinned file in the cache needs no question


def test_offline_and_not_cached_says_what_to_do(hub, tmp_path):
    answer = load(hub, tmp_path / "home", offline=True)
    assert "gpt2 is not in the cache" in answer and "download gpt2" in answer
    assert not hub.asked


def test_a_download_that_breaks_off_is_refused_and_leaves_nothing(hub, tmp_path):
    hub.cut = 100
    assert load(hub, tmp_path / "home").startswith("CheckpointError: gpt2's config.json")
    assert not list((tmp_path / "home").rglob("snapshots/*/*.safetensors"))
    hub.cut = 0
    assert load(hub, tmp_path / "home").startswith("[")


def test_a_hub_without_the_file_is_named(hub, tmp_path):
    (hub.folder / "model.safetensors").unlink()
    assert "the hub does not give gpt2's model.safetensors" in load(hub, tmp_path / "home")


def test_a_hub_that_nobody_answers_for_is_told_from_one_that_refuses(hub, tmp_path):
    hub.shutdown()
    hub.server_close()
    assert "the Hugging Face hub cannot be reached" in load(hub, tmp_path / "home")
